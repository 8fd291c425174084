package vision

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// numbered returns the ids from … to (excluded), six digits like VOC's.
func numbered(from, to int) (ids []string) {
	for i := from; i < to; i++ {
		ids = append(ids, fmt.Sprintf("%06d", i))
	}
	return ids
}

// voc returns a folder in VOC's layout under root. A list that is nil does not exist.
func voc(root string, photos, train, val, trainval []string) fstest.MapFS {
	f := fstest.MapFS{root + "Annotations/000001.xml": {}}
	for _, id := range photos {
		f[root+"JPEGImages/"+id+".jpg"] = &fstest.MapFile{}
	}
	for name, ids := range map[string][]string{"train": train, "val": val, "trainval": trainval} {
		if ids != nil {
			f[root+"ImageSets/Main/"+name+".txt"] = &fstest.MapFile{Data: []byte(strings.Join(ids, "\n") + "\n")}
		}
	}
	return f
}

func names(photos []Photo) (n []string) {
	for _, p := range photos {
		n = append(n, p.Name)
	}
	return n
}

// disjoint fails unless Train and Val together have exactly the given names.
func disjoint(t *testing.T, d *Dataset, want []string) {
	t.Helper()
	got := append(names(d.Train), names(d.Val)...)
	slices.Sort(got)
	if !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("%d names in both parts together, want these %d once each", len(got), len(want))
	}
}

func TestValCount(t *testing.T) {
	for n, want := range map[int]int{2: 1, 4: 1, 5: 1, 10: 2, 20: 4, 499: 99, 500: 100, 549: 100, 550: 110, 5011: 1000, 17125: 3420} {
		if got := ValCount(n); got != want {
			t.Errorf("ValCount(%d) = %d, want %d", n, got, want)
		}
	}
}

// VOC's own lists are halves. Their 5,011 photographs are divided into 4,011 and 1,000, as in
// the workshop, with and without these lists.
func TestOfficialVOC(t *testing.T) {
	all := numbered(0, 5011)
	var train, val []string
	for i, id := range all {
		if i%2 == 0 && i < 5002 {
			train = append(train, id)
		} else {
			val = append(val, id)
		}
	}
	if len(train) != 2501 || len(val) != 2510 {
		t.Fatalf("the test's lists have %d and %d ids", len(train), len(val))
	}
	var first *Dataset
	for what, f := range map[string]fstest.MapFS{
		"all lists":     voc("VOCdevkit/VOC2007/", all, train, val, all),
		"trainval only": voc("VOC2007/", append(numbered(6000, 6009), all...), nil, nil, all),
		"no lists":      voc("", all, nil, nil, nil),
	} {
		d, err := OpenFS(f, "voc", DatasetOptions{Seed: 7})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if len(d.Train) != 4011 || len(d.Val) != 1000 {
			t.Errorf("%s: %d and %d photographs, want 4011 and 1000 (%s)", what, len(d.Train), len(d.Val), d.Rule)
		}
		disjoint(t, d, all)
		if first == nil {
			first = d
		} else if !slices.Equal(names(first.Val), names(d.Val)) {
			t.Errorf("%s: other photographs validate, at the same seed", what)
		}
	}
	listed, err := OpenFS(voc("", all, train, val, all), "voc", DatasetOptions{Split: SplitListed})
	if err != nil || !slices.Equal(names(listed.Train), train) || !slices.Equal(names(listed.Val), val) {
		t.Errorf("SplitListed: error %v, or other photographs than the lists'", err)
	}
	limited, err := OpenFS(voc("", all, train, val, all), "voc", DatasetOptions{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	disjoint(t, limited, all[:20])
	if len(limited.Val) != 4 {
		t.Errorf("%d of 20 photographs validate, want 4", len(limited.Val))
	}
}

// Lists of four to one are used as they stand, in their order. trainval.txt is ignored, and
// so is the rest of a line after the id.
func TestListedVOC(t *testing.T) {
	all := numbered(0, 50)
	train, val := slices.Clone(all[10:]), slices.Clone(all[:10])
	slices.Reverse(train)
	f := voc("VOCdevkit/VOC2007/", all, train, val, all)
	f["VOCdevkit/VOC2007/ImageSets/Main/val.txt"].Data = []byte("\ufeff" + strings.Join(val, "  -1\r\n") + " 1\r\n\r\n")
	d, err := OpenFS(f, "voc", DatasetOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(names(d.Train), train) || !slices.Equal(names(d.Val), val) {
		t.Errorf("train %v, val %v, want the lists'", names(d.Train), names(d.Val))
	}
	if want := "VOCdevkit/VOC2007/JPEGImages/000000.jpg"; d.Val[0].File != want {
		t.Errorf("file %s, want %s", d.Val[0].File, want)
	}
	for limit, want := range map[int][2]int{2: {1, 1}, 10: {8, 2}, 25: {20, 5}, 50: {40, 10}, 1000: {40, 10}} {
		d, err := OpenFS(f, "voc", DatasetOptions{Limit: limit})
		if err != nil {
			t.Errorf("limit %d: %v", limit, err)
			continue
		}
		if got := [2]int{len(d.Train), len(d.Val)}; got != want {
			t.Errorf("limit %d: %v photographs, want %v", limit, got, want)
		}
		if !slices.Equal(names(d.Val), val[:want[1]]) || !slices.Equal(names(d.Train), train[:want[0]]) {
			t.Errorf("limit %d: not the first of each list", limit)
		}
	}
	if d, err = OpenFS(f, "voc", DatasetOptions{Split: SplitSeeded}); err != nil || slices.Equal(names(d.Val), val) || len(d.Val) != 10 {
		t.Errorf("SplitSeeded: error %v, or still the lists' photographs", err)
	}
}

func TestPlainFolder(t *testing.T) {
	f := fstest.MapFS{"notes.txt": {}, ".hidden.jpg": {}, "._a.jpg": {}, "sub/z.jpg": {}}
	var want []string
	for i := range 20 {
		name := fmt.Sprintf("p%02d", i)
		want = append(want, name)
		f[name+[]string{".jpg", ".JPEG", ".png"}[i%3]] = &fstest.MapFile{}
	}
	var val [2][]string
	for seed := range val {
		for range 2 {
			d, err := OpenFS(f, "plain", DatasetOptions{Seed: uint64(seed)})
			if err != nil {
				t.Fatal(err)
			}
			disjoint(t, d, want)
			if len(d.Val) != 4 || !slices.IsSorted(names(d.Val)) || !slices.IsSorted(names(d.Train)) {
				t.Errorf("val %v, train %v: want 4 and 16, by name", names(d.Val), names(d.Train))
			}
			if val[seed] == nil {
				val[seed] = names(d.Val)
			} else if !slices.Equal(val[seed], names(d.Val)) {
				t.Errorf("seed %d gives %v and %v", seed, val[seed], names(d.Val))
			}
		}
	}
	if slices.Equal(val[0], val[1]) {
		t.Errorf("seeds 0 and 1 both give %v", val[0])
	}
}

// All squares of one photograph are on one side, and about a fifth validates.
func TestGroups(t *testing.T) {
	f := fstest.MapFS{}
	for photo, squares := range []int{4, 4, 4, 1, 2, 4, 4, 3, 4, 4, 4, 2} {
		for k := range squares {
			f[fmt.Sprintf("my_photo%d_%d.jpg", photo, k)] = &fstest.MapFile{}
		}
	}
	for seed := range uint64(20) {
		d, err := OpenFS(f, "squares", DatasetOptions{Seed: seed, Group: PhotoOfCrop})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(d.Val); n < 7 || n > 9 || len(d.Train)+n != 40 {
			t.Errorf("seed %d: %d of 40 squares validate, want about 8", seed, n)
		}
		if err := d.checkGroups(PhotoOfCrop); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	two := fstest.MapFS{}
	for _, name := range []string{"a_0", "a_1", "a_2", "a_3", "b_0", "b_1", "b_2"} {
		two[name+".png"] = &fstest.MapFile{}
	}
	d, err := OpenFS(two, "two", DatasetOptions{Group: PhotoOfCrop})
	if err != nil || len(d.Val) != 3 {
		t.Errorf("error %v, or not the smaller photograph validates", err)
	}
	listed := voc("", []string{"a_0", "a_1", "b_0"}, []string{"a_0", "b_0"}, []string{"a_1"}, nil)
	if _, err := OpenFS(listed, "listed", DatasetOptions{Group: PhotoOfCrop}); err == nil || !strings.Contains(err.Error(), "one side") {
		t.Errorf("lists that part one photograph's squares: error %v", err)
	}
}

func TestPhotoOfCrop(t *testing.T) {
	for name, want := range map[string]string{"castle_0": "castle", "red_door_12": "red_door", "plain": "plain", "_0": "_0"} {
		if got := PhotoOfCrop(name); got != want {
			t.Errorf("PhotoOfCrop(%q) = %q, want %q", name, got, want)
		}
	}
}

// Every error names the place, and says what is wrong with it.
func TestDatasetErrors(t *testing.T) {
	ids := numbered(0, 10)
	with := func(f fstest.MapFS, name, text string) fstest.MapFS {
		f[name] = &fstest.MapFile{Data: []byte(text)}
		return f
	}
	lists := func(train, val string) fstest.MapFS {
		return with(with(voc("", ids, nil, nil, nil), "ImageSets/Main/train.txt", train), "ImageSets/Main/val.txt", val)
	}
	const main = "data/ImageSets/Main/"
	for _, c := range []struct {
		what string
		fsys fs.FS
		o    DatasetOptions
		want []string
	}{
		{"empty", fstest.MapFS{}, DatasetOptions{}, []string{"data: expected", "empty folder"}},
		{"no pictures", fstest.MapFS{"a.txt": {}, "b/c.jpg": {}}, DatasetOptions{}, []string{"data: expected .jpg", "found 1 other file (.txt) and 1 folder, which is not looked into"}},
		{"one picture", fstest.MapFS{"a.jpg": {}}, DatasetOptions{}, []string{"data: expected at least 2", "found 1"}},
		{"one group", fstest.MapFS{"a_1.jpg": {}, "a_2.jpg": {}}, DatasetOptions{Group: PhotoOfCrop}, []string{"at least 2", "found 1"}},
		{"another year", fstest.MapFS{"VOCdevkit/VOC2012/JPEGImages/a.jpg": {}}, DatasetOptions{}, []string{"data/VOCdevkit: expected VOC2007", "VOC2012/"}},
		{"no photographs", fstest.MapFS{"JPEGImages/readme": {}}, DatasetOptions{}, []string{"data/JPEGImages: expected .jpg", "found 1 other file (without an extension)"}},
		{"missing photograph", lists("000001\n\n000042 1\n000002\n000043\n", "000003"), DatasetOptions{},
			[]string{main + "train.txt: expected a photograph in data/JPEGImages for each of 4 names, found none for 2", `"000042 1" (line 3), "000043" (line 5)`}},
		{"all are missing", lists("000042\n000043\n", "000003"), DatasetOptions{SkipMissing: true}, []string{main + "train.txt: ", "found none for 2"}},
		{"the same lists", lists("000001\n000002\n", "000002\n000001\n"), DatasetOptions{Split: SplitListed},
			[]string{main + "train.txt: expected photographs that " + main + "val.txt does not have", `"000001" (lines 1 and 2)`}},
		{"zero bytes", lists("000001\x00\n", "000002"), DatasetOptions{}, []string{main + "train.txt: ", "zero bytes"}},
		{"half a character", lists("\xff\xfe0\x000", "000002"), DatasetOptions{}, []string{main + "train.txt: ", "UTF-16 that ends within a character"}},
		{"a path elsewhere", lists("Annotations/000001.jpg\n", "000001\n"), DatasetOptions{}, []string{main + "train.txt:1: ", `path in JPEGImages, found "Annotations/000001.jpg"`}},
		{"a path up", lists("../../secret\n", "000001\n"), DatasetOptions{}, []string{main + "train.txt:1:", `"../../secret"`}},
		{"a path up, Windows", lists("000001\n..\\secret\n", "000001\n"), DatasetOptions{}, []string{main + "train.txt:2:"}},
		{"an absolute path", lists("/etc/passwd\n", "000001\n"), DatasetOptions{}, []string{main + "train.txt:1:"}},
		{"empty list", lists(" \n\n", "000001\n"), DatasetOptions{}, []string{main + "train.txt: expected", "found none"}},
		{"endless line", lists(strings.Repeat("x", 1<<20), "000001\n"), DatasetOptions{}, []string{main + "train.txt:1:", "too long"}},
		{"one list", voc("", ids, ids, nil, nil), DatasetOptions{}, []string{main[:len(main)-1] + ": expected both"}},
		{"no lists", voc("", ids, nil, nil, ids), DatasetOptions{Split: SplitListed}, []string{"expected train.txt and val.txt", "trainval.txt"}},
		{"limit 1", lists("000001", "000002"), DatasetOptions{Limit: 1}, []string{"at least 2", "found 1"}},
		{"limit -5", lists("000001", "000002"), DatasetOptions{Limit: -5}, []string{"found -5"}},
	} {
		d, err := OpenFS(c.fsys, "data", c.o)
		if err == nil || d != nil {
			t.Errorf("%s: no error", c.what)
			continue
		}
		text := filepath.ToSlash(err.Error())
		if !strings.HasPrefix(text, "vision: data") {
			t.Errorf("%s: %q does not begin with the place", c.what, text)
		}
		for _, w := range c.want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q does not contain %q", c.what, text, w)
			}
		}
	}
}

func TestOpenDir(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "archive.tar")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{filepath.Join(dir, "missing"): "found nothing", file: "found a file", dir: "1 other file (.tar)"} {
		if _, err := OpenDir(path, DatasetOptions{}); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that names %s with %q", err, path, want)
		}
	}
	photos := filepath.Join(dir, "photos")
	if err := os.Mkdir(photos, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.png", "b.png", "c.png"} {
		if err := WritePNG(filepath.Join(photos, name), testPhoto(4, 3)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := OpenDir(photos, DatasetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := d.Read(d.Train[0]); err != nil || p.W != 4 {
		t.Errorf("Read: %v, %v", p, err)
	}
	if got, want := d.Path(d.Train[0].File), filepath.Join(photos, d.Train[0].Name+".png"); got != want {
		t.Errorf("Path %s, want %s", got, want)
	}
}
