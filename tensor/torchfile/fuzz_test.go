package torchfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pixelgrad/tensor"
)

// FuzzOpen: no bytes may make the reader of archives and of legacy files panic.
func FuzzOpen(f *testing.F) {
	for _, name := range []string{"zip.pt", "legacy.pt", "nested.pt", "script.pt", "protocol4.pt", "python2.pt"} {
		b, err := os.ReadFile(filepath.Join(golden, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(zipped(good, floats(8)))
	f.Add(scripted(script("}("+text("w")+simple("0", 2)+"u"), floats(8)))
	f.Add(legacy(dictionary(text("w"), simple("k", 2)), keyList("k"), block(2, 8)))
	f.Fuzz(readAll)
}

// FuzzPickle changes pickles alone: changed archives rarely get as far.
func FuzzPickle(f *testing.F) {
	for _, c := range hostilePickles {
		if len(c.pickle) < 1000 {
			f.Add([]byte(c.pickle), false)
		}
	}
	for _, c := range hostileScripts {
		if len(c.pickle) < 1000 {
			f.Add([]byte(c.pickle), true)
		}
	}
	f.Add([]byte(good), false)
	f.Fuzz(func(t *testing.T, pickle []byte, script bool) {
		files := members(string(pickle), floats(8))
		if script {
			files = append(files, file{name: "a/constants.pkl", data: "\x80\x02)."})
		}
		readAll(t, pack(files...))
	})
}

// readAll reads everything that a file lets be read. What Info promises must
// hold.
func readAll(t *testing.T, b []byte) {
	f, err := openBytes(b)
	if err != nil {
		return
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
