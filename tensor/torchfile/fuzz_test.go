package torchfile

import (
	stdzip "archive/zip"
	"bytes"
	"strings"
	"testing"

	"pixelgrad/internal/mmap"
	"pixelgrad/tensor"
)

// What makes the targets fast: small inputs in memory, for Go needs the square of an input's
// length to make it smaller, and a small limit of memory.
const (
	fuzzLength = 1 << 10
	fuzzMemory = 64 << 10
)

// tiny is a tensor of two floats with a short pickle.
const tiny = "ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89}tR"

// FuzzOpen: no bytes may make the reader of archives and of legacy files panic.
func FuzzOpen(f *testing.F) {
	pickle := "\x80\x02}U\x01w" + tiny + "s."
	f.Add(zipped(pickle, floats(8)))
	f.Add(scripted("\x80\x02c__torch__\nM\n)\x81}U\x01w"+tiny+"sb.", floats(8)))
	f.Add(pack(append(members("\x80\x02)."), file{name: "a/constants.pkl", data: "\x80\x02" + tiny + "\x85."}, file{name: "a/constants/0", data: floats(8)})...))
	f.Add(legacy(pickle, keyList("0"), block(2, 8)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) <= fuzzLength {
			readAll(t, b)
		}
	})
}

// FuzzPickle changes pickles alone: changed archives rarely get as far.
func FuzzPickle(f *testing.F) {
	add := func(pickle string, script bool) {
		if len(pickle) < 300 {
			f.Add([]byte(pickle), script)
		}
	}
	for _, c := range hostilePickles {
		add(c.pickle, false)
	}
	for _, c := range hostileScripts {
		add(c.pickle, true)
	}
	for _, c := range opaque {
		add("\x80\x02"+c.pickle+tiny+"\x86.", false)
	}
	add("\x80\x02}U\x01w"+tiny+"s.", false)
	f.Fuzz(func(t *testing.T, pickle []byte, script bool) {
		if len(pickle) > fuzzLength {
			return
		}
		files := members(string(pickle), floats(8))
		if script {
			files = append(files, file{name: "a/constants.pkl", data: "\x80\x02)."})
		}
		readAll(t, pack(files...))
	})
}

// FuzzZip: an archive that our reader takes is the same to the standard library's, or an
// error there.
func FuzzZip(f *testing.F) {
	f.Add(pack(file{name: "a", data: "x"}, file{name: "b", data: "yz", pad: 1}))
	f.Add(pack(file{name: "a"}, file{name: "b/c", data: "y", method: 8}, file{name: "b/d", flags: 8}))
	f.Add(zip64Archive())
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > fuzzLength {
			return
		}
		z, err := readZip(mmap.NewFile("test.zip", bytes.NewReader(b), int64(len(b))))
		if err != nil {
			return
		}
		at := map[string]int64{}
		for i := range z.members {
			m := &z.members[i]
			if start, err := z.data(m); err == nil {
				if start < 0 || m.size < 0 || start+m.size > int64(len(b)) {
					t.Fatalf("member %q: %d bytes at byte %d of %d", m.name, m.size, start, len(b))
				}
				at[m.name] = start
			}
			z.verified(m)
		}
		std, err := stdzip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if len(std.File) != len(z.members) {
			t.Fatalf("%d members, the standard library finds %d", len(z.members), len(std.File))
		}
		for _, w := range std.File {
			m := z.find(w.Name)
			if m == nil || m.size != int64(w.CompressedSize64) || m.method != w.Method || m.crc != w.CRC32 {
				t.Fatalf("member %q is %+v, the standard library says %+v", w.Name, m, w.FileHeader)
			}
			if start, ok := at[w.Name]; ok {
				if want, err := w.DataOffset(); err == nil && start != want {
					t.Fatalf("member %q begins at byte %d, the standard library says %d", w.Name, start, want)
				}
			}
		}
	})
}

// zip64Archive returns an archive of one member with the records of zip64.
func zip64Archive() []byte {
	b := pack(file{name: "a", data: "x"})
	end := b[len(b)-endSize:]
	dirSize, dir := uint64(le.Uint32(end[12:])), uint64(le.Uint32(end[16:]))
	at := uint64(len(b) - endSize)
	out := append(bytes.Clone(b[:at]), "PK\x06\x06"...)
	out = le.AppendUint64(out, end64Size-12)
	out = append(out, 45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, n := range []uint64{1, 1, dirSize, dir} {
		out = le.AppendUint64(out, n)
	}
	out = append(out, "PK\x06\x07\x00\x00\x00\x00"...)
	out = le.AppendUint64(out, at)
	out = le.AppendUint32(out, 1)
	return append(out, end...)
}

// readAll reads everything that a file lets be read. What Info promises must
// hold.
func readAll(t *testing.T, b []byte) {
	f, err := newFile(mmap.NewFile("test.pt", bytes.NewReader(b), int64(len(b))), fuzzMemory)
	if err != nil {
		return
	}
	if d := f.Dicts(); len(d) == 0 || d[0] != "" || len(f.Names()) == 0 {
		t.Fatalf("an open file has the containers %q and the tensors %q", d, f.Names())
	}
	for _, name := range f.Names() {
		info, err := f.Info(name)
		if err != nil {
			t.Fatal(err)
		}
		x, err := f.Tensor(name)
		if err != nil && strings.Contains(err.Error(), "has the checksum") {
			continue // the bytes were changed: known only once they are read
		}
		if (err == nil) != info.DType.Readable() && !(err != nil && strings.Contains(err.Error(), "the integer")) {
			t.Fatalf("%q, %v: %v", name, info, err)
		}
		if err == nil {
			if int64(x.Len()*info.DType.Bits()/8) != info.Bytes || len(x.Shape()) != len(info.Shape) {
				t.Fatalf("%q: shape %v, Info says %v", name, x.Shape(), info)
			}
			tensor.Release(x)
		}
	}
}
