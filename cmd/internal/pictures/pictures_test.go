package pictures

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.JPG", "a.png", "c.jpeg", ".hidden.png", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "more.png"), 0o777); err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "a.png"), filepath.Join(dir, "b.JPG"), filepath.Join(dir, "c.jpeg")}
	if got, err := Files(dir); err != nil || !slices.Equal(got, want) {
		t.Errorf("a folder: %q, %v; want %q", got, err, want)
	}
	if got, err := Files("x/a.jpg, gone.png"); err != nil || !slices.Equal(got, []string{"x/a.jpg", "gone.png"}) {
		t.Errorf("two files: %q, %v", got, err)
	}
	for list, want := range map[string]string{"": "found \"\"", "a.jpg,": "found \"a.jpg,\"", t.TempDir(): "found none"} {
		if _, err := Files(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that has %q", list, err, want)
		}
	}
}

func TestName(t *testing.T) {
	for file, want := range map[string]string{"a.jpg": "a", filepath.Join("x", "y.z.png"): "y.z", "plain": "plain"} {
		if got := Name(file); got != want {
			t.Errorf("Name(%s) = %s, want %s", file, got, want)
		}
	}
}
