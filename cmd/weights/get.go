package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/download"
	"pixelgrad/cmd/internal/files"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/progress"
)

const getUsage = `Download a file, check its SHA-256, and unpack it if it is an archive.

    go run ./cmd/weights get NAME [-out DIR]

NAME is one of
%s
A download that was interrupted, by Ctrl-C or by the network, goes on where it
stopped when the same command is run again. A file that is there and right is
not fetched again, so one that came in another way may be put there. Proxies are
taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.

Weights are kept in pixelgrad in the user's cache folder, or in the folder that
%s names. voc2007 is unpacked: it makes VOCdevkit/VOC2007 in the
current folder or in DIR; the archive is then deleted, unless it was there before.

`

// get downloads a file.
func (c *command) get(ctx context.Context, args []string) error {
	list := ""
	for _, f := range c.files {
		list += fmt.Sprintf("    %-14s%s, %s\n", f.Name, f.Title, format.Bytes(f.Size))
	}
	flags := cli.NewFlags("get")
	dir := new(string)
	flags.Out(dir, "the `folder` for it; default: see above")
	rest, err := c.parse(flags, fmt.Sprintf(getUsage, list, files.Environment), args, "a NAME")
	if err != nil {
		return err
	}
	f, err := files.Find(c.files, rest[0])
	if err != nil {
		return cli.Usagef("get: %w", err)
	}
	if f.Folder != "" {
		if *dir == "" {
			*dir = "."
		}
		return c.getPhotographs(ctx, f, *dir)
	}
	if *dir == "" {
		if *dir, err = files.Folder(); err != nil {
			return err
		}
	}
	path := filepath.Join(*dir, f.Base())
	fetched, err := c.fetch(ctx, f, path)
	if err != nil {
		return err
	}
	if fetched {
		fmt.Fprintf(c.out, "%s is in %s: %s, SHA-256 checked.\n", f.Name, path, format.Bytes(f.Size))
	} else {
		fmt.Fprintf(c.out, "%s is already in %s: %s, SHA-256 checked. Nothing was downloaded.\n", f.Name, path, format.Bytes(f.Size))
	}
	return nil
}

// getPhotographs downloads an archive of photographs and unpacks it in dir.
func (c *command) getPhotographs(ctx context.Context, f files.File, dir string) error {
	folder := filepath.Join(dir, filepath.FromSlash(f.Folder))
	if _, err := os.Lstat(folder); err == nil {
		if err := checkPhotographs(folder, f.Photos); err != nil {
			return fmt.Errorf("%w: move that folder away, or choose another with -out", err)
		}
		fmt.Fprintf(c.out, "%s is already in %s: %d photographs. Nothing was downloaded.\n", f.Name, folder, f.Photos)
		return nil
	}
	if err := download.CanUnpack(dir, f.Folder); err != nil {
		return err
	}
	archive := filepath.Join(dir, f.Base())
	_, err := os.Lstat(archive)
	keep := err == nil
	if _, err := c.fetch(ctx, f, archive); err != nil {
		return err
	}
	m := c.meter(f)
	defer m.close()
	// The folder has fewer bytes than the archive; the number of entries is that of
	// photographs, their annotations, lists and segmentations, with room to spare.
	n, err := download.Unpack(ctx, archive, dir, f.Folder, download.Limits{Entries: 4*f.Photos + 1000, Bytes: f.Size}, m.set)
	m.close()
	if err != nil {
		return err
	}
	if err := checkPhotographs(folder, f.Photos); err != nil {
		return err
	}
	what := "kept"
	if !keep {
		what = "deleted"
		if err := os.Remove(archive); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	fmt.Fprintf(c.out, "%s is in %s: %d files, %d of them photographs. The archive %s was %s.\n", f.Name, folder, n, f.Photos, archive, what)
	return nil
}

// checkPhotographs counts the photographs of a folder.
func checkPhotographs(folder string, want int) error {
	images := filepath.Join(folder, "JPEGImages")
	entries, err := os.ReadDir(images)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	n := 0
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".jpg") {
			n++
		}
	}
	if n != want {
		return fmt.Errorf("%s: expected %d photographs, found %d", images, want, n)
	}
	return nil
}

// fetch downloads a file to path, unless it is there, and tells how it goes.
func (c *command) fetch(ctx context.Context, f files.File, path string) (bool, error) {
	m := c.meter(f)
	defer m.close()
	fetched, err := download.Get(ctx, download.Request{
		URL: f.URL, Path: path, Size: f.Size, SHA256: f.SHA256,
		Progress: m.set,
		Log: func(msg string) {
			m.clear()
			fmt.Fprintln(c.log, msg)
		},
	})
	m.close()
	if server := (*download.ServerError)(nil); errors.As(err, &server) {
		err = fmt.Errorf("%w; if you can get the file elsewhere, put it at %s", err, path)
	}
	return fetched, err
}

// meter shows how far something is: with a bar on a terminal, otherwise with a
// line every tenth of a download, so that a log shows that it goes on.
type meter struct {
	c     *command
	f     files.File
	phase download.Phase
	bar   *progress.Bar
	tenth int64 // of the download, the last one told
}

func (c *command) meter(f files.File) *meter { return &meter{c: c, f: f} }

// set is a download.Progress.
func (m *meter) set(phase download.Phase, done, total int64) {
	if phase != m.phase {
		m.close()
		m.phase = phase
		m.bar = progress.NewBytes(int(total), fmt.Sprintf("%s %s", phase, m.f.Name))
		if phase == download.Downloading {
			m.tenth = 10 * done / total
			fmt.Fprintf(m.c.log, "Downloading %s, %s, from %s\n", m.f.Title, format.Bytes(total), m.f.URL)
		}
	}
	m.bar.Set(int(done), "")
	if tenth := 10 * done / total; phase == download.Downloading && tenth > m.tenth && !progress.Terminal() {
		m.tenth = tenth
		fmt.Fprintf(m.c.log, "%3d%%  %s\n", 10*tenth, format.Bytes(done))
	}
}

// clear takes the bar away, so that a line can be printed.
func (m *meter) clear() {
	if m.bar != nil {
		m.bar.Clear()
	}
}

// close takes the bar away for good.
func (m *meter) close() {
	if m.bar != nil {
		m.bar.Close()
		m.bar = nil
	}
	m.phase = ""
}
