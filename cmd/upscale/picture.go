package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/internal/atomicfile"
	"pixelgrad/internal/exif"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// A command is one run of the program.
type command struct {
	cli.Streams
	o        *options
	enlarger enlarger
	plan     *plan
	bar      *progress.Bar

	// What the bar shows.
	before, now int // weights of the jobs that are done, and of this one
	title       string
	pixels      int64 // of this picture
	began       time.Time
	shown       time.Time
}

// weight is how long a bar is for a job. How many bytes a file has tells best, before it is read,
// how long it will take.
func (j job) weight() int { return int(min(max(j.bytes>>10, 1), 1<<20)) }

// all enlarges all pictures, one after the other.
func (c *command) all(ctx context.Context) error {
	total := 0
	for _, j := range c.plan.jobs {
		total += j.weight()
	}
	c.bar = progress.NewShare(total, "")
	c.bar.Lines(c.Log)
	defer c.bar.Close()
	if n := c.plan.skipped; n > 0 {
		c.say(fmt.Sprintf("upscale: left out because there is a result: %d", n))
	}
	failed := c.plan.failed
	for _, f := range failed {
		c.say("upscale: " + f.err.Error())
	}
	done := 0
	for i, j := range c.plan.jobs {
		c.title = fmt.Sprintf("%d/%d %s", i+1, len(c.plan.jobs), format.Cut(format.Printable(filepath.Base(j.in)), 30))
		c.now = j.weight()
		c.bar.Set(c.before, c.title)
		line, err := c.picture(ctx, j)
		c.before += c.now
		if stopped := cli.Interrupted(ctx); stopped != nil && err != nil {
			if len(c.plan.jobs) > 1 {
				c.say(fmt.Sprintf("upscale: %d of %d pictures are finished; -skip-existing goes on behind them", done, len(c.plan.jobs)))
			}
			return stopped
		}
		if err != nil {
			if len(c.plan.jobs) == 1 && len(failed) == 0 {
				return err
			}
			c.say("upscale: " + err.Error())
			failed = append(failed, failure{j.in, err})
			if full(err) {
				return fmt.Errorf("%d of %d pictures are finished; make room, and go on with -skip-existing", done, len(c.plan.jobs))
			}
			continue
		}
		done++
		c.clear()
		switch to := c.Out; {
		case line == "":
		case j.out == std:
			fmt.Fprintln(c.Log, line)
		default:
			if _, err := fmt.Fprintln(to, line); err != nil {
				return err
			}
		}
	}
	c.bar.Close()
	if len(failed) > 0 {
		names := make([]string, len(failed))
		for i, f := range failed {
			names[i] = format.Printable(f.name)
		}
		return fmt.Errorf("%d of %d inputs could not be enlarged:\n  %s", len(failed), len(failed)+done, strings.Join(names, "\n  "))
	}
	return nil
}

// full tells whether the disk is full, or all that this user may have of it: then the next picture
// finds no room either.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func (c *command) clear() {
	if c.bar != nil {
		c.bar.Clear()
	}
}

// rows shows how much of a picture is done.
func (c *command) rows(done, total int) {
	now := time.Now()
	if c.bar == nil || now.Sub(c.shown) < 100*time.Millisecond {
		return
	}
	c.shown = now
	share := float64(done) / float64(max(total, 1))
	text := c.title + ", " + speed(share*float64(c.pixels), now.Sub(c.began))
	c.bar.Set(c.before+int(share*float64(c.now)), text)
}

// speed is in pixels of the picture that is enlarged.
func speed(pixels float64, d time.Duration) string {
	return fmt.Sprintf("%.2f megapixels/s", pixels/1e6/max(d.Seconds(), 1e-6))
}

// picture enlarges a picture, and returns a line about it, or "" if it was left out.
func (c *command) picture(ctx context.Context, j job) (line string, err error) {
	if err := cli.Interrupted(ctx); err != nil {
		return "", err
	}
	name := format.Printable(j.in)
	var p *vision.Picture
	if j.in == std {
		name = "standard input"
		p, err = vision.DecodePicture(c.In, name)
	} else {
		p, err = vision.ReadPicture(j.in)
	}
	if err != nil {
		return "", err
	}
	say := func(line string) { c.say("upscale: " + name + ": " + line) }
	if j.format == nil {
		j.format = formatCalled(p.Format)
	}
	if p.Frames > 1 {
		say(fmt.Sprintf("of %d pictures in it, the first one is enlarged", p.Frames))
	}
	if p.Alpha && !j.format.alpha {
		say(fmt.Sprintf("it is transparent, which a %s cannot be: the result is a PNG", j.format.name))
		if j, err = c.toPNG(j); err != nil {
			return "", err
		}
		if c.o.skip && j.out != std && exists(j.out) {
			return "", nil
		}
	}
	deep := p.Depth() == 16
	if deep && !j.format.deep {
		say(fmt.Sprintf("its samples of 16 bits are rounded to the 8 bits of a %s", j.format.name))
		deep = false
	}
	b, scale := p.Image.Bounds(), c.enlarger.Scale()
	gray := p.Gray && (j.format.together || !p.Alpha)
	s := sheet{
		w: scale * b.Dx(), h: scale * b.Dy(), gray: gray, alpha: p.Alpha, deep: deep,
		quality: c.o.quality, threads: c.o.threads, say: say,
	}
	if s.threads == 0 {
		s.threads = runtime.GOMAXPROCS(0)
	}
	if profileFits(p.ICC, gray && j.format.gray) {
		s.icc = p.ICC
	} else if len(p.ICC) > 0 {
		say("its colour profile is for other colours than the result has, and left out")
	}
	s.exif = exif.Upright(p.EXIF, s.w, s.h)
	c.pixels, c.began = int64(b.Dx())*int64(b.Dy()), time.Now()
	if c.pixels > 4e6 {
		debug.FreeOSMemory() // what decoding has left
	}
	f := superres.Format{Bounds: b, Gray: p.Gray && !p.Alpha, Alpha: p.Alpha, Deep: deep}
	write := func(w io.Writer) error {
		to, err := j.format.create(w, s)
		if err != nil {
			return err
		}
		var row []byte
		err = c.enlarger.UpscaleRows(ctx, f, func(int) (image.Image, error) { return p.Image, nil }, func(m image.Image) error {
			row = appendSamples(row[:0], m, s)
			return to.WriteRow(row)
		})
		if err := errors.Join(err, ctx.Err()); err != nil {
			to.Close() // its error is that rows are missing
			return err
		}
		p.Image = nil // WebP's encoder needs the room
		return to.Close()
	}
	if j.out == std {
		w := bufio.NewWriterSize(c.Out, 1<<16)
		if err = write(w); err == nil {
			err = w.Flush()
		}
	} else if err = os.MkdirAll(filepath.Dir(j.out), 0o777); err == nil {
		err = atomicfile.Write(j.out, write)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	took := time.Since(c.began)
	to := format.Printable(j.out)
	if j.out == std {
		to = "standard output"
	}
	return fmt.Sprintf("%s → %s  %d×%d pixels, %.1f s, %s", name, to, s.w, s.h, took.Seconds(), speed(float64(c.pixels), took)), nil
}

// toPNG has a job's result be a PNG, unless its name is that of another file that is read or
// written.
func (c *command) toPNG(j job) (job, error) {
	j.format = png
	if j.out == std || strings.EqualFold(filepath.Ext(j.out), png.exts[0]) {
		return j, nil
	}
	j.out = strings.TrimSuffix(j.out, filepath.Ext(j.out)) + png.exts[0]
	k := key(j.out)
	if other, ok := c.plan.taken[k]; ok && (other != j.in || k == key(j.in)) {
		return j, fmt.Errorf("%s: the result would be called %s, as a file is that belongs to %s; choose -f png, webp or tif, or another folder with -o", format.Printable(j.in), j.out, format.Printable(other))
	}
	c.plan.taken[k] = j.in
	return j, nil
}
