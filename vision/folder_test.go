package vision

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPassedOver(t *testing.T) {
	for _, c := range []struct {
		files      string
		pictures   []string
		said, none string
	}{
		{"", nil, "", "an empty folder"},
		{"a.jpg b.PNG c.Jpeg", []string{"a.jpg", "b.PNG", "c.Jpeg"}, "", ""},
		{"b10.jpg b2.jpg B3.jpg", []string{"B3.jpg", "b10.jpg", "b2.jpg"}, "", ""},
		{".DS_Store ._a.jpg .git/config .b.heic", nil, "", "an empty folder"},
		{"a.jpg n.txt", []string{"a.jpg"}, "1 file was passed over: .txt", ""},
		{"a.heic b.HEIC", nil, "2 files were passed over: .heic", "2 other files (.heic); convert"},
		{"a.txt b.heic c.Heic d.mov e.txt f.heic", nil, "6 files were passed over: 3 .heic, 2 .txt, 1 .mov", "6 other files (3 .heic, 2 .txt, 1 .mov)"},
		{"README Makefile a.xmp", nil, "3 files were passed over: 2 without an extension, 1 .xmp", ""},
		{"a.1 b.2 c.3 d.4 e.5 f.6 g.7 h.8", nil, "8 files were passed over: 1 .1, 1 .2, 1 .3, 1 .4, 1 .5, 1 .6, 2 other kinds", ""},
		{"mr.averylongname-of-a-file", nil, "1 file was passed over: .averylongna…", ""},
		{"a.äöüäöüä a.äöüäöüäöüäöüä", nil, "2 files were passed over: 1 .äöüäöüä, 1 .äöüäöüäöüäö…", ""},
		{"sub/a.jpg", nil, "1 folder inside was not looked into", "1 folder, which is not looked into; name another"},
		{"a.jpg s/a.jpg s/b.jpg t.jpg/c.png x.heic", []string{"a.jpg"}, "1 file was passed over: .heic; 2 folders inside were not looked into", ""},
	} {
		f := fstest.MapFS{".": {Mode: os.ModeDir | 0o755}}
		for name := range strings.FieldsSeq(c.files) {
			f[name] = &fstest.MapFile{}
		}
		got, err := ReadFolder(f, ".")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Pictures, c.pictures) {
			t.Errorf("%s: pictures %q, want %q", c.files, got.Pictures, c.pictures)
		}
		if said := got.PassedOver(); said != c.said {
			t.Errorf("%s: %q, want %q", c.files, said, c.said)
		}
		if none := got.NoPictures(); !strings.Contains(none, c.none) {
			t.Errorf("%s: %q, want it to have %q", c.files, none, c.none)
		}
	}
	if _, err := ReadFolder(fstest.MapFS{}, "gone"); err == nil {
		t.Error("no error about a folder that does not exist")
	}
}

// A set says once what was passed over, and its error says it if there is nothing else.
func TestFolderNotes(t *testing.T) {
	f := fstest.MapFS{"JPEGImages/a.jpg": {}, "JPEGImages/b.jpg": {}, "JPEGImages/c.heic": {}, "readme.txt": {}}
	d, err := OpenFS(f, "data", DatasetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{filepath.Join("data", "JPEGImages") + ": 1 file was passed over: .heic"}; !slices.Equal(d.Notes, want) {
		t.Errorf("notes %q, want %q", d.Notes, want)
	}
	_, err = OpenFS(fstest.MapFS{"a.heic": {}, "b.heic": {}, "c.txt": {}, "x/y.jpg": {}}, "data", DatasetOptions{})
	want := "vision: data: expected " + Readable() + " files, found 3 other files (2 .heic, 1 .txt) and 1 folder, which is not looked into; convert pictures of other kinds first, or name another folder"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// Links to pictures are pictures, links to folders are folders, and a link that leads nowhere
// is an error when it is read.
func TestLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need rights there")
	}
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := WritePNG(filepath.Join(elsewhere, "p.png"), testPhoto(4, 3)); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"a.png": "p.png", "b.PNG": "p.png", "folder.png": "", "gone.png": "nothing.png"} {
		if err := os.Symlink(filepath.Join(elsewhere, to), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := ReadFolder(os.DirFS(dir), ".")
	if err != nil || !slices.Equal(f.Pictures, []string{"a.png", "b.PNG", "gone.png"}) || f.Folders != 1 {
		t.Errorf("%+v, %v: want a.png, b.PNG and gone.png, and 1 folder", f, err)
	}
	d, err := OpenDir(dir, DatasetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(d.Train, d.Val...) {
		q, err := d.Read(p)
		if p.Name == "gone" {
			if err == nil || !strings.Contains(err.Error(), "gone.png") {
				t.Errorf("gone.png: error %v, want one that names it", err)
			}
		} else if err != nil || q.W != 4 {
			t.Errorf("%s: %v, %v", p.File, q, err)
		}
	}
}
