package download

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"pixelgrad/internal/filelock"
	"slices"
	"strings"
	"testing"
)

const root = "kit/2007"

// entry is one of an archive: a file, unless it says otherwise.
type entry struct {
	name, text string
	kind       byte
	link       string
	mode       int64
}

func dir(name string) entry           { return entry{name: name + "/", kind: tar.TypeDir} }
func file(name, text string) entry    { return entry{name: name, text: text} }
func link(kind byte, to string) entry { return entry{name: root + "/link", kind: kind, link: to} }

// pack makes an archive.
func pack(t testing.TB, entries ...entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: int64(len(e.text)), Mode: 0o644}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if e.mode != 0 {
			h.Mode = e.mode
		}
		if e.kind == tar.TypeXGlobalHeader {
			h = &tar.Header{Typeflag: e.kind, PAXRecords: map[string]string{"comment": "x"}}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatalf("%q: %v", e.name, err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// claim changes the size that the header at an offset claims.
func claim(archive []byte, at int, size string) []byte {
	b := slices.Clone(archive)
	h := b[at : at+512]
	copy(h[124:136], size)
	copy(h[148:156], "        ")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// tree returns the files below a folder with their contents, and the folders
// with "/".
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		name = filepath.ToSlash(name)
		switch {
		case d.IsDir():
			found[name] = "/"
		case d.Type()&fs.ModeSymlink != 0:
			found[name] = "link"
		default:
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			found[name] = string(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// unpackIn puts an archive into dir and unpacks it there.
func unpackIn(t testing.TB, ctx context.Context, dir string, archive []byte, l Limits) (int, error) {
	t.Helper()
	path := filepath.Join(dir, "a.tar")
	if err := os.WriteFile(path, archive, 0o666); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	n, err := Unpack(ctx, path, dir, root, l, nil)
	if _, serr := os.Stat(path); serr != nil {
		t.Errorf("the archive: %v", serr)
	}
	return n, err
}

var generous = Limits{Entries: 20, Bytes: 1000}

func TestUnpack(t *testing.T) {
	big := strings.Repeat("x", 700)
	for name, archive := range map[string][]byte{
		"listed folders":  pack(t, dir("kit"), dir(root), dir(root+"/JPEGImages"), dir(root+"/empty"), file(root+"/JPEGImages/1.jpg", big), file(root+"/a", ""), entry{name: root + "/b", text: "b", mode: 0o6777}),
		"implied folders": pack(t, file(root+"/JPEGImages/1.jpg", big), dir(root+"/empty"), dir(root+"/JPEGImages"), file(root+"/a", ""), file(root+"/b", "b")),
	} {
		t.Run(name, func(t *testing.T) {
			d := t.TempDir()
			if err := CanUnpack(filepath.Join(d, "missing"), root); err != nil {
				t.Error(err)
			}
			// Another year is there already, and what a killed process left.
			for _, name := range []string{"kit/2012", ".unpacking-a.tar/kit/2007"} {
				if err := os.MkdirAll(filepath.Join(d, name), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(d, name, "x"), []byte("old"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			n, err := unpackIn(t, context.Background(), d, archive, generous)
			if err != nil || n != 3 {
				t.Fatalf("%d files, %v", n, err)
			}
			want := map[string]string{
				"kit": "/", "kit/2012": "/", "kit/2012/x": "old", "kit/2007": "/", "kit/2007/empty": "/",
				"kit/2007/JPEGImages": "/", "kit/2007/JPEGImages/1.jpg": big, "kit/2007/a": "", "kit/2007/b": "b",
			}
			if got := tree(t, d); !maps.Equal(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
			if st, err := os.Stat(filepath.Join(d, root, "b")); err != nil || st.Mode()&(fs.ModeSetuid|0o111) != 0 {
				t.Errorf("mode %v, %v: the archive's was used", st.Mode(), err)
			}
		})
	}
}

// No hostile archive leaves anything, in the folder or beside it.
func TestUnpackRefuses(t *testing.T) {
	good := file(root+"/good", "good")
	at := len(pack(t, good)) - 1024 // where the entry after it begins
	whole := pack(t, good, file(root+"/next", "next"))
	many := make([]entry, 21)
	for i := range many {
		many[i] = file(fmt.Sprintf("%s/%d", root, i), "")
	}
	for _, c := range []struct {
		name    string
		archive []byte
		want    string
	}{
		{"absolute path", pack(t, good, file("/etc/evil", "x")), `"/etc/evil": expected a relative name`},
		{"parent", pack(t, good, file("../evil", "x")), "expected a relative name"},
		{"parent inside", pack(t, good, file(root+"/../../../evil", "x")), "expected a relative name"},
		{"parent that stays inside", pack(t, good, file(root+"/a/../b", "x")), "expected a relative name"},
		{"parent folder", pack(t, good, dir(root+"/..")), "expected a relative name"},
		{"dot", pack(t, good, file("./"+root+"/a", "x")), "expected a relative name"},
		{"current folder", pack(t, good, dir(".")), "expected a relative name"},
		{"two slashes", pack(t, good, file(root+"//a", "x")), "expected a relative name"},
		{"file with a slash", claimType(pack(t, good, dir(root+"/a")), at, '0'), ""},
		{"backslash", pack(t, good, file(root+`/..\..\evil`, "x")), `without \`},
		{"drive", pack(t, good, file("C:/evil", "x")), ""},
		{"stream", pack(t, good, file(root+"/a:b", "x")), "without"},
		{"control character", pack(t, good, file(root+"/a\nb", "x")), "control"},
		{"no UTF-8", pack(t, good, file(root+"/\xd2", "x")), "UTF-8"},
		{"long name", pack(t, good, file(root+"/"+strings.Repeat("a/", 1000)+"b", "x")), "2010 bytes"},
		{"too long a part of a name", pack(t, good, file(root+"/"+strings.Repeat("a", 300), "x")), "…"},
		{"outside the root", pack(t, good, file("kit/evil", "x")), "inside " + root},
		{"beside the root", pack(t, good, file(root+"x/evil", "x")), "inside " + root},
		{"a file for the root", pack(t, file(root, "x")), "expected the folder"},
		{"a file for its parent", pack(t, file("kit", "x")), "inside " + root},
		{"another top", pack(t, good, dir("other")), "inside " + root},
		{"symbolic link", pack(t, good, link(tar.TypeSymlink, "/etc/passwd")), `link to "/etc/passwd"`},
		{"symbolic link and through it", pack(t, link(tar.TypeSymlink, "/tmp"), file(root+"/link/evil", "x")), "found a link"},
		{"hard link", pack(t, good, link(tar.TypeLink, root+"/good")), "found a link"},
		{"device", pack(t, good, entry{name: root + "/d", kind: tar.TypeChar}), "type '3'"},
		{"disk", pack(t, good, entry{name: root + "/d", kind: tar.TypeBlock}), "type '4'"},
		{"pipe", pack(t, good, entry{name: root + "/d", kind: tar.TypeFifo}), "type '6'"},
		{"global header", pack(t, entry{kind: tar.TypeXGlobalHeader}, good), "type 'g'"},
		{"unknown type", claimType(whole, at, 'Z'), "type 'Z'"},
		{"file twice", pack(t, good, good), "twice"},
		{"folder twice", pack(t, dir(root+"/a"), dir(root+"/a")), "twice"},
		{"folder and file", pack(t, dir(root+"/a"), file(root+"/a", "x")), "twice"},
		{"file and implied folder", pack(t, file(root+"/a", "x"), file(root+"/a/b", "x")), root + "/a/b"},
		{"implied folder and file", pack(t, file(root+"/a/b", "x"), file(root+"/a", "x")), "another entry"},
		{"file and folder", pack(t, file(root+"/a/b", "x"), dir(root+"/a/b/c")), "a/b/c"},
		{"too large", pack(t, file(root+"/a", strings.Repeat("x", 600)), file(root+"/b", strings.Repeat("x", 600))), "at most 1000 bytes in all files, found 200 more"},
		{"a size beyond the archive", claim(whole[:at+1024], at, "00000001700\x00"), "cut off"},
		{"an immense size", claim(whole, at, "77777777777\x00"), "at most 1000 bytes"},
		{"the largest size", claim(whole, at, "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"), ""},
		{"a negative size", claim(whole, at, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00"), "broken"},
		{"too many", pack(t, many...), "at most 20 entries"},
		{"cut off in a file", whole[:at+512+2], "cut off"},
		{"cut off in a header", whole[:at+100], "cut off"},
		{"a broken sum", bytes.Replace(whole, []byte("/next"), []byte("/nixt"), 1), "broken"},
		{"no archive", bytes.Repeat([]byte("<html>"), 1000), "broken"},
		{"empty file", nil, "expected the folder kit/2007 in it, found none"},
		{"empty archive", pack(t), "expected the folder kit/2007 in it, found none"},
		{"compressed", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"), "broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			outer := t.TempDir()
			d := filepath.Join(outer, "in", "here")
			if err := os.MkdirAll(d, 0o777); err != nil {
				t.Fatal(err)
			}
			_, err := unpackIn(t, context.Background(), d, c.archive, generous)
			refused(t, err, filepath.Join(d, "a.tar"), c.want)
			if err != nil && len(err.Error()) > 600 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if got := tree(t, outer); len(got) != 2 {
				t.Errorf("left: %q", got)
			}
		})
	}
}

// claimType changes the type of the header at an offset.
func claimType(archive []byte, at int, kind byte) []byte {
	b := slices.Clone(archive)
	b[at+156] = kind
	return claim(b, at, string(b[at+124:at+136]))
}

// What is in the folder already is neither written over nor followed.
func TestUnpackTarget(t *testing.T) {
	archive := pack(t, file(root+"/a", "a"))
	for _, c := range []struct {
		name  string
		setup func(d, outside string) error
		want  string
	}{
		{"there already", func(d, _ string) error { return os.MkdirAll(filepath.Join(d, root), 0o777) }, "file already exists"},
		{"a file", func(d, _ string) error { return os.WriteFile(filepath.Join(d, "kit"), []byte("mine"), 0o666) }, "found a file"},
		{"a link to outside", func(d, outside string) error { return os.Symlink(outside, filepath.Join(d, "kit")) }, "found a link"},
		{"a link to inside", func(d, _ string) error {
			return errors.Join(os.Mkdir(filepath.Join(d, "real"), 0o777), os.Symlink("real", filepath.Join(d, "kit")))
		}, "found a link"},
		{"a dangling link", func(d, _ string) error { return os.Symlink("nowhere", filepath.Join(d, "kit")) }, "found a link"},
		{"a link for the root", func(d, outside string) error {
			return errors.Join(os.Mkdir(filepath.Join(d, "kit"), 0o777), os.Symlink(outside, filepath.Join(d, root)))
		}, "found a link"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, outside := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(outside, "mine"), []byte("mine"), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := c.setup(d, outside); err != nil {
				t.Skip(err)
			}
			before := tree(t, d)
			refused(t, CanUnpack(d, root), filepath.Join(d, "kit"), c.want)
			_, err := unpackIn(t, context.Background(), d, archive, generous)
			refused(t, err, filepath.Join(d, "kit"), c.want, "choose another folder")
			if got := tree(t, d); !maps.Equal(got, before) {
				t.Errorf("the folder has %q, before it had %q", got, before)
			}
			if got := tree(t, outside); len(got) != 1 || got["mine"] != "mine" {
				t.Errorf("outside: %q", got)
			}
		})
	}
	// A link where the hidden folder would be is deleted, and what it leads to is not.
	t.Run("a link for the hidden folder", func(t *testing.T) {
		d, outside := t.TempDir(), t.TempDir()
		if err := os.WriteFile(filepath.Join(outside, "mine"), []byte("mine"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(d, ".unpacking-a.tar")); err != nil {
			t.Skip(err)
		}
		if _, err := unpackIn(t, context.Background(), d, archive, generous); err != nil {
			t.Error(err)
		}
		if got := tree(t, outside); len(got) != 1 || got["mine"] != "mine" {
			t.Errorf("outside: %q", got)
		}
	})
	t.Run("no archive", func(t *testing.T) {
		d := t.TempDir()
		if _, err := Unpack(context.Background(), filepath.Join(d, "none"), d, root, generous, nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("another process", func(t *testing.T) {
		d := t.TempDir()
		unlock, err := filelock.Lock(filepath.Join(d, "a.tar"))
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		if _, err := unpackIn(t, context.Background(), d, archive, generous); !errors.Is(err, filelock.ErrBusy) {
			t.Errorf("error %v, want filelock.ErrBusy", err)
		}
	})
}

func TestUnpackInterrupted(t *testing.T) {
	d := t.TempDir()
	path := filepath.Join(d, "a.tar")
	if err := os.WriteFile(path, pack(t, file(root+"/a", "a"), file(root+"/b", "b")), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Unpack(ctx, path, d, root, generous, func(p Phase, done, total int64) {
		if p != Unpacking || done > total || total != 3072 {
			t.Errorf("%s: %d of %d", p, done, total)
		}
		if done > 1000 {
			cancel()
		}
	})
	refused(t, err, path, "interrupted", "kept")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v does not wrap Canceled", err)
	}
	if got := tree(t, d); len(got) != 1 {
		t.Errorf("left: %v", slices.Sorted(maps.Keys(got)))
	}
}

// FuzzUnpack holds that whatever an archive has, what is let through can be written as
// it is: files and folders inside the root, each name once and on every system the same,
// and no more than the limits allow. Nothing is written here: the tests above do.
//
// An archive has at least 512 bytes for a name, most of them 0, which a fuzzer would spend
// its time on. So the archive is made of a text: see archiveOf.
func FuzzUnpack(f *testing.F) {
	for _, text := range []string{
		"5 0 kit/\n5 0 kit/2007/\n0 4 kit/2007/a|text\n5 0 kit/2007/b/\n0 1 kit/2007/b/c|x",
		"2 0 kit/2007/link|..\n0 1 kit/2007/link/evil|x",
		"0 1 ../evil|x",
		"0 1 kit/2007/a/b|x\n0 1 kit/2007/a|x",
		"0 1 kit/2007/a|x\n0 1 kit/2007/a/b|x",
		"0 77777777777 kit/2007/a|x",
		"0 \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff kit/2007/a|x",
		"x 20 pax|16 path=../evil\r\n0 1 kit/2007/a|x",
		"x 22 pax|18 size=999999999\r\n0 1 kit/2007/a|x",
		"L 13 long|kit/2007/a\x00\n0 1 short|x",
		"0 1 kit/2007/" + strings.Repeat("a/", 40) + "b|x",
		`0 1 kit/2007/a\b:c|x`,
		"g 15 global|13 comment=x\r",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 512 {
			return
		}
		a := newArchiveReader(bytes.NewReader(archiveOf(text)), root, generous)
		size := int64(0)
		isFolder := map[string]bool{} // names of the archive, and folders on the way to them
		listed := map[string]bool{}
		for {
			e, err := a.next()
			if err != nil {
				break
			}
			inside := e.name == root || strings.HasPrefix(e.name, root+"/") || strings.HasPrefix(root, e.name+"/")
			if !inside || strings.ContainsAny(e.name, "\\:\x00\n") || !fs.ValidPath(e.name) || len(e.name) > 1024 {
				t.Errorf("there is %q", e.name)
			}
			if !e.isFolder && !strings.HasPrefix(e.name, root+"/") {
				t.Errorf("the file %q", e.name)
			}
			if was, seen := isFolder[e.name]; listed[e.name] || seen && !(was && e.isFolder) {
				t.Errorf("%q is there twice", e.name)
			}
			listed[e.name], isFolder[e.name] = true, e.isFolder
			for parent := filepath.ToSlash(filepath.Dir(e.name)); parent != "."; parent = filepath.ToSlash(filepath.Dir(parent)) {
				if was, seen := isFolder[parent]; seen && !was {
					t.Errorf("%q is inside the file %q", e.name, parent)
				}
				isFolder[parent] = true
			}
			n, err := io.Copy(io.Discard, a)
			size += n
			if e.isFolder && n > 0 || n > e.size || err == nil && n != e.size {
				t.Errorf("%q has %d bytes of %d: %v", e.name, n, e.size, err)
			}
			if err != nil {
				break
			}
		}
		if size > generous.Bytes || len(isFolder) > generous.Entries {
			t.Errorf("%d bytes, %d names", size, len(isFolder))
		}
	})
}

// archiveOf makes an archive of a text. Each line is a header: the type, the size as it is
// in the header, the name; and after a | the content, or where a link leads to. In the
// content \r stands for a new line.
func archiveOf(text []byte) []byte {
	var b []byte
	for line := range bytes.Lines(text) {
		header, content, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte("|"))
		kind, header, _ := bytes.Cut(header, []byte(" "))
		size, name, _ := bytes.Cut(header, []byte(" "))
		h := make([]byte, 512)
		copy(h[:100], name)
		copy(h[100:], "0000644\x00")
		copy(h[108:], "0000000\x00")
		copy(h[116:], "0000000\x00")
		copy(h[136:], "00000000000\x00")
		copy(h[156:157], kind)
		copy(h[257:], "ustar\x0000")
		if len(kind) > 0 && (kind[0] == tar.TypeLink || kind[0] == tar.TypeSymlink) {
			copy(h[157:257], content)
			content = nil
		}
		b = append(b, claim(h, 0, string(size))...)
		b = append(b, bytes.ReplaceAll(content, []byte("\r"), []byte("\n"))...)
		b = append(b, make([]byte, -len(b)&511)...)
	}
	return append(b, make([]byte, 1024)...)
}
