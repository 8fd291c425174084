package main

import (
	"bytes"
	"image/jpeg"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pixelgrad/testdata/photos"
)

const (
	side     = 288
	minFiles = 160
	maxBytes = 6_000_000
)

var nameForm = regexp.MustCompile(`^([a-z0-9]+(?:-[a-z0-9]+)*)_(0|[1-9][0-9]*)\.jpg$`)

// squareFiles returns the names of the embedded squares.
func squareFiles(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(photos.FS, "*")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestSquares(t *testing.T) {
	names := squareFiles(t)
	if len(names) < minFiles {
		t.Errorf("%d files, want at least %d", len(names), minFiles)
	}
	total := 0
	for _, name := range names {
		data, err := photos.FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		total += len(data)
		if bytes.Contains(data, []byte("Exif\x00")) || bytes.Contains(data, []byte("ICC_PROFILE\x00")) {
			t.Errorf("%s carries metadata", name)
		}
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b := img.Bounds(); b.Dx() != side || b.Dy() != side {
			t.Errorf("%s is %d×%d, want %d×%d", name, b.Dx(), b.Dy(), side, side)
		}
	}
	if total > maxBytes {
		t.Errorf("%d bytes in all, want at most %d", total, maxBytes)
	}
}

// licensed reads the table of photographs in LICENSES.md: slug to number of crops.
func licensed(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile("../../testdata/photos/LICENSES.md")
	if err != nil {
		t.Fatal(err)
	}
	crops := map[string]int{}
	inTable := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "| slug |") {
			inTable = true
			continue
		}
		if !inTable || strings.HasPrefix(line, "|---") {
			continue
		}
		if !strings.HasPrefix(line, "|") {
			inTable = false
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 6 {
			t.Errorf("a row with %d cells, want 6: %s", len(cells), line)
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
			if cells[i] == "" {
				t.Errorf("a row with an empty cell: %s", line)
			}
		}
		n, err := strconv.Atoi(cells[5])
		if err != nil || n < 1 {
			t.Errorf("%s: bad number of crops %q", cells[0], cells[5])
		}
		if _, twice := crops[cells[0]]; twice {
			t.Errorf("%s is listed twice", cells[0])
		}
		crops[cells[0]] = n
	}
	return crops
}

func TestNamesAndLicenses(t *testing.T) {
	found := map[string]map[int]bool{}
	for _, name := range squareFiles(t) {
		m := nameForm.FindStringSubmatch(name)
		if m == nil {
			t.Errorf("%s is not of the form photo_k.jpg", name)
			continue
		}
		k, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		if found[m[1]] == nil {
			found[m[1]] = map[int]bool{}
		}
		found[m[1]][k] = true
	}
	crops := licensed(t)
	for slug, ks := range found {
		if _, ok := crops[slug]; !ok {
			t.Errorf("%s has no row in LICENSES.md", slug)
		}
		for k := range len(ks) {
			if !ks[k] {
				t.Errorf("%s: crops are not numbered 0 to %d", slug, len(ks)-1)
				break
			}
		}
	}
	for slug, n := range crops {
		if got := len(found[slug]); got != n {
			t.Errorf("%s: %d files, LICENSES.md says %d", slug, got, n)
		}
	}
}
