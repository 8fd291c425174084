package torchfile

import (
	stdzip "archive/zip"
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pixelgrad/internal/mmap"
)

// good is the pickle of one tensor of two floats.
var good = dictionary(text("w"), simple("0", 2))

func TestZipErrors(t *testing.T) {
	if _, err := openBytes(zipped(good, floats(8))); err != nil {
		t.Fatalf("the good archive: %v", err)
	}
	set := func(name string, f func(*file)) []byte { return change(members(good, floats(8)), name, f) }
	without := func(name string) []byte {
		return set(name, func(f *file) { f.name = "a/other" })
	}
	// at writes bytes over an archive, counted from the end if negative.
	at := func(pos int, bytes string) []byte {
		b := zipped(good, floats(8))
		if pos < 0 {
			pos += len(b)
		}
		copy(b[pos:], bytes)
		return b
	}
	whole := zipped(good, floats(8))
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"header alone", []byte("PK\x03\x04"), "zip: the file is too short"},
		{"cut off", whole[:len(whole)-1], "does not end with a directory; is it cut off?"},
		{"cut off in the data", whole[:100], "does not end with a directory"},
		{"bytes after the end", append(bytes.Clone(whole), 0), "does not end with a directory"},
		{"comment", at(-2, "\x01\x00"), "the archive has a comment"},
		{"two disks", at(-18, "\x01"), "split into several files"},
		{"count too small", at(-14, "\x02\x00\x02"), "bytes after its last entry"},
		{"count too large", at(-14, "\x04\x00\x04"), "the directory of 165 bytes is too small for its 4 members"},
		{"broken entry", at(-22-165, "XX"), "entry 0 of the directory is broken"},
		{"entry too long", at(-22-165+28, "\xff\xff"), "entry 0 of the directory is cut off"},
		{"count of 65535", at(-14, "\xff\xff\xff\xff"), "too small for its 65535 members"},
		{"directory elsewhere", at(-6, "\x00"), "should end at byte"},
		{"directory too long", at(-10, "\xff\xff\xff\x7f"), "should end at byte"},
		{"no data.pkl", without("a/data.pkl"), `there is no member "a/data.pkl"`},
		{"no version", without("a/version"), `there is no member "a/version"`},
		{"no storage", without("a/data/0"), `tensor "w": the archive has no member "a/data/0"`},
		{"no folder", pack(file{name: "data.pkl", data: good}), `expected all members in a folder, found "data.pkl"`},
		{"numpy archive", pack(file{name: "w.npy", data: "x"}), "not one of torch.save"},
		{"no members", []byte("PK\x03\x04PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00"), "not one of torch.save"},
		{"version a word", set("a/version", func(f *file) { f.data = "three" }), `version is "three", expected a number`},
		{"version empty", set("a/version", func(f *file) { f.data = "" }), "expected a number"},
		{"version long", set("a/version", func(f *file) { f.data = strings.Repeat("1", 101) }), "expected one short line"},
		{"big endian", pack(append(members(good, floats(8)), file{name: "a/byteorder", data: "big"})...), `byte order is "big"`},
		{"member twice", pack(append(members(good, floats(8)), file{name: "a/version", data: "3"})...), `two members have the name "a/version"`},
		{"encrypted", set("a/data.pkl", func(f *file) { f.flags = 1 }), "is encrypted"},
		{"pickle compressed", set("a/data.pkl", func(f *file) { f.method = 8 }), "is compressed (method 8); torch stores what it writes"},
		{"storage compressed", set("a/data/0", func(f *file) { f.method = 8 }), `member "a/data/0" is compressed`},
		{"two names", set("a/data/0", func(f *file) { f.localName = "a/data/1" }), `member "a/data/0" has another name in its own header`},
		{"longer name", set("a/data/0", func(f *file) { f.localName = "a/data/00" }), "has another name"},
		{"two sizes", at(18, "\x01"), "bytes in the directory, but 1 in its own header"},
		{"two flags", at(6, "\x08"), "has flags 0x0 and method 0 in the directory, but 0x8 and 0"},
		{"no local header", at(0, "PK\x03\x04")[:], ""},
		{"broken local header", at(len(whole)-3*46-22-len("a/data.pkl")-len("a/version")-len("a/data/0")-8-30-8, "XX"), "has no header at byte"},
		{"storage shorter", set("a/data/0", func(f *file) { f.data = floats(7) }), "has 7 bytes, the pickle says 8"},
		{"size over the end", set("a/data/0", func(f *file) { f.size = 1 << 30 }), "is not inside the file"},
		{"size over the directory", set("a/data/0", func(f *file) { f.size = 20 }), "overlaps what begins at byte"},
		{"size over the next", set("a/data.pkl", func(f *file) { f.size = len(f.data) + 1 }), "overlaps what begins at byte"},
		{"extra over the next", set("a/data/0", func(f *file) { f.pad = 0; f.size = 8 }), ""},
		{"two in one place", set("a/data/0", func(f *file) { f.offset = 1 }), "overlaps what begins at byte 1"},
		{"offset over the end", set("a/data/0", func(f *file) { f.offset = 1 << 30 }), "is not inside the file"},
		{"sizes of 2^32-1 without zip64", set("a/data/0", func(f *file) { f.size = math.MaxUint32 }), "is not inside the file"},
	} {
		if c.want == "" {
			if _, err := openBytes(c.file); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		_, err := openBytes(c.file)
		wantError(t, c.name, err, c.want)
	}
	// A local extra field that reaches into the next member.
	b := pack(members(good, floats(8))...)
	le.PutUint16(b[28:], 30)
	_, err := openBytes(b)
	wantError(t, "local extra field over the next member", err, "overlaps what begins at byte")
	// A byte order that can be read.
	if _, err := openBytes(pack(append(members(good, floats(8)), file{name: "a/byteorder", data: "little"})...)); err != nil {
		t.Errorf("little endian: %v", err)
	}
	// TorchScript with an operator that PyTorch changed, such as gelu.
	if _, err := openBytes(change(members(good, floats(8)), "a/version", func(f *file) { f.name = "a/.data/version" })); err != nil {
		t.Errorf("the version in .data: %v", err)
	}
}

func TestZip64(t *testing.T) {
	field := func(ns ...uint64) []byte {
		b := []byte{9, 0, 2, 0, 1, 1, 1, 0, byte(8 * len(ns)), 0} // another field first
		for _, n := range ns {
			b = le.AppendUint64(b, n)
		}
		return b
	}
	full, size, header := int64(unknown32), int64(7), int64(unknown32)
	if err := zip64(field(1<<40, 1<<41), &full, &size, &header); err != nil || full != 1<<40 || size != 7 || header != 1<<41 {
		t.Errorf("sizes %d, %d, offset %d, %v; want 2^40, 7, 2^41", full, size, header, err)
	}
	for _, c := range []struct {
		extra []byte
		want  string
	}{
		{field(1)[:17], "its extra field is cut off"},
		{field(), "its zip64 field is cut off"},
		{field(1 << 63), "impossible number"},
	} {
		n := int64(unknown32)
		if err := zip64(c.extra, &n); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// The zip64 records of torch's own archives, broken in turn.
func TestZip64End(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(golden, "zip.pt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		fromEnd int
		want    string
	}{
		{endSize + locatorSize - 8, "its locator says"},
		{endSize + locatorSize + end64Size, "the zip64 record is broken"},
		{endSize + locatorSize + end64Size - 24, "split into several files"}, // records here
		{endSize + locatorSize + end64Size - 32, "disagree"},
		{endSize + locatorSize + end64Size - 40, "disagree"},
		{endSize + locatorSize + end64Size - 48, "disagree"},
	} {
		bad := bytes.Clone(b)
		bad[len(bad)-c.fromEnd] ^= 1
		_, err := openBytes(bad)
		wantError(t, c.want, err, c.want)
	}
}

// Our reader and the standard library's must see the same members.
func TestZipAgainstStandardLibrary(t *testing.T) {
	for _, name := range []string{"zip.pt", "nested.pt", "script.pt", "protocol4.pt"} {
		path := filepath.Join(golden, name)
		want, err := stdzip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		defer want.Close()
		src, err := mmap.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		got, err := readZip(src)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.members) != len(want.File) {
			t.Errorf("%s: %d members, want %d", name, len(got.members), len(want.File))
		}
		for _, w := range want.File {
			m := got.find(w.Name)
			if m == nil || m.size != int64(w.CompressedSize64) || m.method != w.Method {
				t.Errorf("%s: member %s is %+v", name, w.Name, m)
				continue
			}
			if m.method != methodStored {
				continue
			}
			at, err := got.data(m)
			if wantAt, _ := w.DataOffset(); err != nil || at != wantAt {
				t.Errorf("%s: member %s begins at byte %d, %v; want %d", name, w.Name, at, err, wantAt)
			}
		}
	}
}
