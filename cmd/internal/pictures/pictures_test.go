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
	for _, name := range []string{"b.JPG", "a.png", "c.jpeg", ".hidden.png", "notes.txt", "d.heic", "e.HEIC"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "more.png"), 0o777); err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "a.png"), filepath.Join(dir, "b.JPG"), filepath.Join(dir, "c.jpeg")}
	var said []string
	say := func(line string) { said = append(said, line) }
	if got, err := Files(dir, say); err != nil || !slices.Equal(got, want) {
		t.Errorf("a folder: %q, %v; want %q", got, err, want)
	}
	if want := []string{dir + ": 3 files were passed over: 2 .heic, 1 .txt; 1 folder inside was not looked into"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
	others := t.TempDir()
	if err := os.WriteFile(filepath.Join(others, "a.heic"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := Files("x/a.jpg, gone.png", nil); err != nil || !slices.Equal(got, []string{"x/a.jpg", "gone.png"}) {
		t.Errorf("two files: %q, %v", got, err)
	}
	for list, want := range map[string]string{"": "found \"\"", "a.jpg,": "found \"a.jpg,\"", t.TempDir(): "found an empty folder", others: "found 1 other file (.heic)"} {
		if _, err := Files(list, nil); err == nil || !strings.Contains(err.Error(), want) {
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
