package mmap

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// sample returns n bytes that differ from their neighbours.
func sample(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// both runs a test on a mapped file and on one that is read.
func both(t *testing.T, content []byte, test func(t *testing.T, f *File)) {
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("file", func(t *testing.T) {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		test(t, f)
	})
	t.Run("reader", func(t *testing.T) {
		f := NewFile("data", bytes.NewReader(content), int64(len(content)))
		defer f.Close()
		test(t, f)
	})
}

func TestRead(t *testing.T) {
	content := sample(3*chunkSize + 5)
	both(t, content, func(t *testing.T, f *File) {
		if f.Size() != int64(len(content)) {
			t.Errorf("Size = %d, want %d", f.Size(), len(content))
		}
		for _, r := range [][2]int64{{0, 0}, {0, 1}, {7, 100}, {1, 2*chunkSize + 3}, {0, f.Size()}, {f.Size(), 0}} {
			want := content[r[0] : r[0]+r[1]]
			err := f.View(r[0], r[1], func(b []byte) error {
				if !bytes.Equal(b, want) {
					t.Errorf("View(%d, %d) shows other bytes", r[0], r[1])
				}
				return nil
			})
			if err != nil {
				t.Errorf("View(%d, %d): %v", r[0], r[1], err)
			}
			var got []byte
			if err := f.Chunks(r[0], r[1], func(b []byte) { got = append(got, b...) }); err != nil {
				t.Errorf("Chunks(%d, %d): %v", r[0], r[1], err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("Chunks(%d, %d) gives other bytes", r[0], r[1])
			}
		}
		if err := iotest.TestReader(io.NewSectionReader(f, 1000, 2000), content[1000:3000]); err != nil {
			t.Error(err)
		}
		if n, err := f.ReadAt(make([]byte, 8), f.Size()-3); n != 3 || err != io.EOF {
			t.Errorf("ReadAt over the end: %d, %v; want 3, EOF", n, err)
		}
		if _, err := f.ReadAt(make([]byte, 8), -1); err == nil || err == io.EOF {
			t.Errorf("ReadAt at a negative offset: %v", err)
		}
	})
}

func TestOutside(t *testing.T) {
	both(t, sample(100), func(t *testing.T, f *File) {
		const huge = 1<<63 - 1
		for _, r := range [][2]int64{{-1, 1}, {0, -1}, {0, 101}, {101, 0}, {50, 51}, {huge, 1}, {1, huge}, {huge, huge}} {
			if err := f.View(r[0], r[1], func([]byte) error { return nil }); err == nil || !strings.Contains(err.Error(), "which has 100 bytes") {
				t.Errorf("View(%d, %d): %v, want an error", r[0], r[1], err)
			}
			if err := f.Chunks(r[0], r[1], func([]byte) {}); err == nil {
				t.Errorf("Chunks(%d, %d): no error", r[0], r[1])
			}
		}
	})
}

func TestClosed(t *testing.T) {
	both(t, sample(100), func(t *testing.T, f *File) {
		for range 2 {
			if err := f.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if err := f.View(0, 1, func([]byte) error { return nil }); !errors.Is(err, os.ErrClosed) {
			t.Errorf("View after Close: %v", err)
		}
		if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("ReadAt after Close: %v", err)
		}
	})
}

func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "found a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestEmpty(t *testing.T) {
	both(t, nil, func(t *testing.T, f *File) {
		if err := f.View(0, 0, func(b []byte) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

// A file that shrinks while it is mapped must give an error, not a crash.
func TestTruncatedWhileOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file cannot be truncated")
	}
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, sample(1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(interface{ Addr() uintptr }); ok || runtime.GOARCH == "amd64" {
				panic(p)
			}
			t.Skipf("the fault came without an address, as under qemu-user: %v", p)
		}
	}()
	sum := 0
	err = f.View(0, 1<<20, func(b []byte) error {
		for _, c := range b {
			sum += int(c)
		}
		return nil
	})
	if err == nil {
		t.Errorf("reading behind the new end gave no error, sum %d", sum)
	}
	if _, err := f.ReadAt(make([]byte, 1<<19), 1<<18); err == nil {
		t.Error("ReadAt behind the new end gave no error")
	}
}

// The guard must not hide the program's own mistakes.
func TestPanicsPass(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, sample(1), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer func() {
		if recover() == nil {
			t.Error("a panic in View's function was swallowed")
		}
	}()
	f.View(0, 1, func([]byte) error { var p *int; *p = 1; return nil })
}
