package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/vision"
)

// std is the name of the standard streams.
const std = "-"

// A job is a picture with the file that it is enlarged to.
type job struct {
	in, out string
	format  *kind // of the output; nil: that of what comes from the standard input
	bytes   int64 // of the input
}

// A plan is all that a command line asks for. It is made, and refused, before anything is written.
type plan struct {
	jobs    []job
	failed  []failure         // folders that cannot be listed
	taken   map[string]string // what is read or written, by key, and the input that it belongs to
	skipped int
}

// A failure is what is left out, and why.
type failure struct {
	name string
	err  error
}

// An input is a picture that was named or found.
type input struct {
	path  string
	rel   string // where it is in the folder that was named
	found bool   // in a folder
	bytes int64
}

func newPlan(o *options, scale int, say func(string)) (*plan, error) {
	p := &plan{taken: map[string]string{}}
	var inputs []input
	many := len(o.inputs) > 1
	for _, name := range o.inputs {
		found, folder, err := p.find(o, name, say)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, found...)
		many = many || folder
	}
	target, err := newTarget(o, scale, many)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, in := range inputs {
		if in.path == std && len(inputs) > 1 {
			return nil, cli.Usagef("-i -: expected no other input beside the standard one, found %d", len(inputs)-1)
		}
		exact := in.path
		if abs, err := filepath.Abs(in.path); err == nil {
			exact = abs
		}
		if seen[exact] { // named twice, or in a folder that is named, too
			continue
		}
		seen[exact] = true
		p.jobs = append(p.jobs, target.job(in))
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if o.skip {
		p.skip()
	}
	return p, nil
}

// find returns the pictures that a name stands for, and whether it may be several.
func (p *plan) find(o *options, name string, say func(string)) (found []input, many bool, err error) {
	if name == std {
		return []input{{path: std}}, false, nil
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		found, err = p.folder(o, name, say)
		return found, true, err
	case err == nil:
		return []input{{path: name, rel: filepath.Base(name), bytes: info.Size()}}, false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, false, err
	case !strings.ContainsAny(name, "*?["):
		return nil, false, fmt.Errorf("%s: expected a picture, a folder or a pattern of names, found nothing of that name", format.Printable(name))
	}
	matches, err := filepath.Glob(name)
	if err != nil {
		return nil, false, cli.Usagef("%s: expected a pattern such as photos/*.jpg: %w", name, err)
	}
	others := 0
	for _, path := range matches {
		info, err := os.Stat(path)
		if err == nil && info.IsDir() || !vision.IsPicture(filepath.Base(path)) {
			others++
			continue
		}
		in := input{path: path, rel: filepath.Base(path)}
		if err == nil {
			in.bytes = info.Size()
		}
		found = append(found, in)
	}
	if len(found) == 0 {
		return nil, false, fmt.Errorf("%s: expected the names of %s files, found %d that match, and none of a picture", name, vision.Readable(), others)
	}
	if others > 0 {
		say(fmt.Sprintf("upscale: %s: %d names were passed over that are not those of pictures", name, others))
	}
	return found, true, nil
}

// readDir lists a folder; tests have it fail, which the permissions of a file system do not for
// every user.
var readDir = os.ReadDir

// folder returns the pictures in a folder, and in those inside if they are wanted. A folder inside
// that cannot be listed is a failure, and the others are looked into.
func (p *plan) folder(o *options, top string, say func(string)) (found []input, err error) {
	if _, err := readDir(top); err != nil {
		return nil, fmt.Errorf("expected a folder that can be listed: %w", err)
	}
	var out os.FileInfo // what is written there is no input
	if o.out != "" && o.out != std {
		out, _ = os.Stat(o.out)
	}
	passed, inside, results := 0, 0, 0
	var walk func(dir string)
	walk = func(dir string) {
		entries, err := readDir(dir)
		if err != nil {
			p.failed = append(p.failed, failure{dir, fmt.Errorf("expected a folder that can be listed: %w", err)})
			return
		}
		stems := map[string]bool{}
		for _, e := range entries {
			if !e.IsDir() && vision.IsPicture(e.Name()) {
				stems[stem(e.Name())] = true
			}
		}
		for _, e := range entries {
			name, path := e.Name(), filepath.Join(dir, e.Name())
			info, err := os.Stat(path) // where a link leads decides
			switch {
			case strings.HasPrefix(name, "."):
			case err == nil && info.IsDir():
				switch linked := e.Type()&fs.ModeSymlink != 0; {
				case out != nil && os.SameFile(out, info):
				case !o.recursive || linked: // links may lead round in a circle
					inside++
				default:
					walk(path)
				}
			case !vision.IsPicture(name):
				passed++
			case o.out == "" && resultOf(name, stems):
				results++
			default:
				rel, _ := filepath.Rel(top, path)
				in := input{path: path, rel: rel, found: true}
				if err == nil {
					in.bytes = info.Size()
				}
				found = append(found, in)
			}
		}
	}
	walk(top)
	var said []string
	if passed > 0 {
		said = append(said, fmt.Sprintf("%d files that are no pictures", passed))
	}
	if inside > 0 {
		said = append(said, fmt.Sprintf("%d folders inside (see -r; links are not followed)", inside))
	}
	if results > 0 {
		said = append(said, fmt.Sprintf("%d earlier results", results))
	}
	if len(found) == 0 && len(p.failed) == 0 {
		what := "nothing else"
		if said != nil {
			what = strings.Join(said, " and ")
		}
		return nil, fmt.Errorf("%s: expected %s files, found none, but %s", top, vision.Readable(), what)
	}
	if said != nil {
		say(fmt.Sprintf("upscale: %s: passed over: %s", top, strings.Join(said, ", ")))
	}
	return found, nil
}

func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

var resultName = regexp.MustCompile(`^(.+)_x[234]$`)

// resultOf tells whether a file of a folder is called as an enlargement of another one in it.
func resultOf(name string, stems map[string]bool) bool {
	m := resultName.FindStringSubmatch(stem(name))
	return m != nil && stems[m[1]]
}

// A target is where results go.
type target struct {
	o      *options
	suffix string
	folder bool // all go into o.out
}

func newTarget(o *options, scale int, many bool) (target, error) {
	t := target{o: o, suffix: fmt.Sprintf("_x%d", scale)}
	if o.out == "" {
		return t, nil
	}
	if o.out == std {
		if many {
			return t, cli.Usagef("-o -: expected one picture for the standard output, found several, or a folder")
		}
		return t, nil
	}
	info, err := os.Stat(o.out)
	slash := os.IsPathSeparator(o.out[len(o.out)-1])
	switch {
	case err == nil && info.IsDir():
		t.folder = true
	case err == nil && (many || slash):
		return t, fmt.Errorf("-o %s: expected a folder for the results, found a file", o.out)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return t, fmt.Errorf("-o: %w", err)
	case many || slash:
		t.folder = true // it is made when the first result is there
	default:
		f, err := formatOfName(o.out)
		switch {
		case o.format == nil && err != nil:
			return t, cli.Usagef("-o %s: %w, an existing folder, or a folder's name with / behind it", o.out, err)
		case o.format != nil && err == nil && f != o.format:
			return t, cli.Usagef("-o %s: expected the extension %s of -f %s", o.out, o.format.exts[0], o.format.flag)
		}
		if dir, err := os.Stat(filepath.Dir(o.out)); err != nil || !dir.IsDir() {
			return t, fmt.Errorf("-o %s: expected a folder %s to put it into, found none", o.out, filepath.Dir(o.out))
		}
	}
	return t, nil
}

// job returns the job of a picture.
func (t target) job(in input) job {
	j := job{in: in.path, out: t.o.out, format: t.o.format, bytes: in.bytes}
	switch {
	case t.o.out == std || t.o.out == "" && in.path == std:
		j.out = std
		if j.format == nil && in.path != std {
			j.format, _ = writable(in.path)
		}
		return j
	case t.o.out != "" && !t.folder:
		if j.format == nil {
			j.format, _ = formatOfName(t.o.out)
		}
		return j
	}
	name, suffix := in.path, t.suffix
	if t.folder {
		name, suffix = filepath.Join(t.o.out, in.rel), ""
	}
	if in.path == std {
		name = filepath.Join(t.o.out, "stdin")
	}
	f, ext := writable(in.path)
	if j.format == nil {
		j.format = f
	} else if j.format != f {
		ext = j.format.exts[0]
	}
	j.out = strings.TrimSuffix(name, filepath.Ext(in.path)) + suffix + ext
	return j
}

// check returns an error if a file would be written twice, or over one that is read. Names count
// as the same that only differ in case, or in how Unicode writes a letter: to the file systems of
// macOS and Windows they are.
func (p *plan) check() error {
	for _, j := range p.jobs {
		if j.in != std {
			p.taken[key(j.in)] = j.in
		}
	}
	by := map[string]job{}
	for _, j := range p.jobs {
		if j.out == std {
			continue
		}
		k := key(j.out)
		if in, ok := p.taken[k]; ok && in == j.in {
			return fmt.Errorf("%s: the result would replace the picture itself; choose another name, or another folder, with -o", j.in)
		} else if ok {
			return fmt.Errorf("%s: the result, %s, would replace another picture that is read, %s; choose another folder with -o", j.in, j.out, in)
		}
		if other, ok := by[k]; ok {
			if other.out == j.out {
				return fmt.Errorf("%s and %s: both results would be called %s; rename one, or enlarge them into different folders", other.in, j.in, j.out)
			}
			return fmt.Errorf("%s and %s: the results would be called %s and %s, which are the same file on some systems; rename one, or enlarge them into different folders", other.in, j.in, other.out, j.out)
		}
		by[k] = j
	}
	for k, j := range by {
		p.taken[k] = j.in
	}
	return nil
}

// key returns what names of the same file have in common. Links are followed, as writing does.
func key(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	} else if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return strings.ToLower(norm.NFC.String(path))
}

// skip leaves out the jobs whose results are there.
func (p *plan) skip() {
	var left []job
	for _, j := range p.jobs {
		if j.out != std && exists(j.out) {
			p.skipped++
			continue
		}
		left = append(left, j)
	}
	p.jobs = left
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
