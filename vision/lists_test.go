package vision

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"
)

// utf16Text encodes a text with a byte-order mark, as Windows does.
func utf16Text(order binary.AppendByteOrder, text string) string {
	var data []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		data = order.AppendUint16(data, u)
	}
	return string(data)
}

// listed is a folder in VOC's layout with files and two lists.
func listed(files []string, train, val string) fstest.MapFS {
	f := fstest.MapFS{
		"ImageSets/Main/train.txt": {Data: []byte(train)},
		"ImageSets/Main/val.txt":   {Data: []byte(val)},
	}
	for _, name := range files {
		f["JPEGImages/"+name] = &fstest.MapFile{}
	}
	return f
}

// files returns the files of photographs, without their folder.
func files(photos []Photo) (n []string) {
	for _, p := range photos {
		n = append(n, strings.TrimPrefix(p.File, "JPEGImages/"))
	}
	return n
}

// Every way in which lists are written names the photographs that are meant.
func TestLists(t *testing.T) {
	plain := []string{"000001.jpg", "000002.jpg", "000012.jpg", "v.jpg"}
	numbers := []string{"000001.jpg", "000002.jpg", "000012.jpg"}
	for _, c := range []struct {
		what  string
		files []string
		train string
		want  []string
		note  string // what the only note has; "" for none
	}{
		{"plain", plain, "000001\n000002\n000012\n", numbers, ""},
		{"no last line end", plain, "000001\n000002\n000012", numbers, ""},
		{"Windows", plain, "000001\r\n000002\r\n000012\r\n", numbers, ""},
		{"old Macintosh", plain, "000001\r000002\r000012\r", numbers, ""},
		{"mixed line ends", plain, "000001\r\n000002\n000012\r", numbers, ""},
		{"blanks and blank lines", plain, "\n000001  \n \t\n\t000002\t\r\n\r\n  000012 \n\n", numbers, ""},
		{"no-break spaces", plain, "000001\u00a0\n\u3000000002\n000012\n", numbers, ""},
		{"UTF-8 mark", plain, "\ufeff000001\n000002\n000012\n", numbers, ""},
		{"UTF-8 mark where files were joined", plain, "000001\n\ufeff000002\n000012\n", numbers, ""},
		{"UTF-16, little end first", plain, utf16Text(binary.LittleEndian, "000001\r\n000002\r\n000012\r\n"), numbers, ""},
		{"UTF-16, big end first", plain, utf16Text(binary.BigEndian, "000001\n000002\n000012"), numbers, ""},
		{"UTF-16, other letters", []string{"Zürich 東京 🌄.jpg", "v.jpg"}, utf16Text(binary.LittleEndian, "Zürich 東京 🌄\r\n"), []string{"Zürich 東京 🌄.jpg"}, ""},
		{"extensions", plain, "000001.jpg\n000002.JPG\n000012.jpeg\n", numbers, ""},
		{"upper-case files", []string{"IMG_1.JPG", "IMG_2.PNG", "v.jpg"}, "IMG_1\nIMG_2.png\n", []string{"IMG_1.JPG", "IMG_2.PNG"}, ""},
		{"class lists", plain, "000001  1\n000002 -1\n000012  0\n", numbers, ""},
		{"class lists, Windows", plain, "000001  1\r\n000002 -1 \r\n000012\t0\r\n", numbers, ""},
		{"extension and column", plain, "000001.jpg 1\n000002.jpg\t-1\n000012.png  0\n", numbers, ""},
		{"many columns", plain, "000001 0 1 0\n000002 0.5\t-1\n000012 +1 1,5\n", numbers, ""},
		{"a column that is no number", plain, "000001 0 1 0\n000002 0.5 -1e\n", nil, `found none for 1: "000002 0.5 -1e" (line 2)`},
		{"column of another picture", plain, "000001.jpg 000001.png\nJPEGImages/000002.jpg SegmentationClass/000002.png\n000012\n", numbers, ""},
		{"paths", plain, "JPEGImages/000001.jpg\n/data/VOC2007/JPEGImages/000002\n./000012\n", numbers, ""},
		{"paths, Windows", plain, "JPEGImages\\000001.jpg\nC:\\VOC2007\\JPEGImages\\000002.JPG 1\n.\\000012.jpg\n", numbers, ""},
		{"spaces", []string{"img 1.jpg", "my photo (2).png", "v.jpg"}, "img 1\nmy photo (2)\n", []string{"img 1.jpg", "my photo (2).png"}, ""},
		{"spaces and extension", []string{"img 1.jpg", "my photo (2).png", "v.jpg"}, "img 1.jpg\r\nmy photo (2).PNG \r\n", []string{"img 1.jpg", "my photo (2).png"}, ""},
		{"spaces and column", []string{"img 1.jpg", "my photo.png", "v.jpg"}, "img 1 -1\nmy photo  1\n", []string{"img 1.jpg", "my photo.png"}, ""},
		{"the name before the column", []string{"img.jpg", "img 1.jpg", "img 1 0.jpg", "v.jpg"}, "img 1\nimg 1 0\nimg 0\n", []string{"img 1.jpg", "img 1 0.jpg", "img.jpg"}, ""},
		{"the file before its name", []string{"a.jpg", "a.jpg.png", "v.jpg"}, "a.jpg\n", []string{"a.jpg"}, ""},
		{"one name, two files", []string{"a.jpg", "a.png", "v.jpg"}, "a.png\na\n", []string{"a.png", "a.jpg"}, ""},
		{"blanks that belong to names", []string{" a.jpg", "a.jpg", "v.jpg"}, " a\na\n", []string{" a.jpg", "a.jpg"}, ""},
		{"dots", []string{"a.b.jpg", "v.jpg"}, "a.b\n", []string{"a.b.jpg"}, ""},
		{"bytes that are no UTF-8", []string{"Z\xfcrich.jpg", "v.jpg"}, "Z\xfcrich\n", []string{"Z\xfcrich.jpg"}, ""},
		{"again", plain, "000001\n000002\n000001.jpg\n000012\n000002 1\n", numbers,
			`data/ImageSets/Main/train.txt: 2 photographs are listed again and used once: "000001" (lines 1 and 3), "000002" (lines 2 and 5)`},
		{"on both lists", plain, "000001\n000002\nv.jpg 1\n000012\n", numbers,
			`data/ImageSets/Main/train.txt and val.txt: 1 photograph is on both lists and only validates: "v" (lines 3 and 1)`},
		{"on both lists, as other files", append([]string{"v.png"}, plain...), "000001\n000002\nv.png\n000012\n", numbers, "only validates"},
		{"no word for a column", []string{"photo.jpg", "v.jpg"}, "photo copy\n", nil, `found none for 1: "photo copy" (line 1)`},
		{"a path to elsewhere, with a space", plain, "000001\n/x/y/b c.jpg\n", nil, `train.txt:2: expected a photograph's name, or its path in JPEGImages, found "/x/y/b c.jpg"`},
		{"a path that is not there, with another's", plain, "JPEGImages/000013.jpg Masks/000013.png\n", nil, `found none for 1: "JPEGImages/000013.jpg Masks/000013.png" (line 1)`},
		{"a picture that is not there", plain, "000001\n000013 1\n", nil, `found none for 1: "000013 1" (line 2)`},
	} {
		d, err := OpenFS(listed(c.files, c.train, "v\n"), "data", DatasetOptions{Split: SplitListed})
		if c.want == nil {
			if err == nil || !strings.Contains(err.Error(), c.note) {
				t.Errorf("%s: error %v, want one that has %q", c.what, err, c.note)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := files(d.Train); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q train, want %q", c.what, got, c.want)
		}
		if got := files(d.Val); !slices.Equal(got, []string{"v.jpg"}) {
			t.Errorf("%s: %q validate, want v.jpg", c.what, got)
		}
		if said := strings.Join(d.Notes, "\n"); c.note == "" && said != "" || !strings.Contains(said, c.note) {
			t.Errorf("%s: notes %q, want %q", c.what, said, c.note)
		}
	}
}

// With SkipMissing, names without a photograph are left out and said; the first five with
// their lines.
func TestSkipMissing(t *testing.T) {
	var train strings.Builder
	for i := range 10 {
		fmt.Fprintf(&train, "%06d\n", i)
	}
	f := listed([]string{"000001.jpg", "000009.jpg", "v.jpg"}, train.String(), "v\n\nw 1\n")
	d, err := OpenFS(f, "data", DatasetOptions{SkipMissing: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`data/ImageSets/Main/train.txt: 8 names have no photograph and are left out: "000000" (line 1), "000002" (line 3), "000003" (line 4), "000004" (line 5), "000005" (line 6) and 3 more`,
		`data/ImageSets/Main/val.txt: 1 name has no photograph and is left out: "w 1" (line 3)`,
	}
	if !slices.Equal(d.Notes, want) {
		t.Errorf("notes\n%s\nwant\n%s", strings.Join(d.Notes, "\n"), strings.Join(want, "\n"))
	}
	if got := files(append(d.Train, d.Val...)); !slices.Equal(got, []string{"000001.jpg", "000009.jpg", "v.jpg"}) {
		t.Errorf("photographs %q", got)
	}
}

// Where the lists are joined and divided by the seed, a photograph of both is used once.
func TestBothListsJoined(t *testing.T) {
	all := []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg"}
	for _, split := range []SplitRule{SplitAuto, SplitSeeded} {
		d, err := OpenFS(listed(all, "a\nb\nc\n", "c\nb\nd\n"), "data", DatasetOptions{Split: split})
		if err != nil {
			t.Fatal(err)
		}
		disjoint(t, d, []string{"a", "b", "c", "d"})
		want := []string{`data/ImageSets/Main/train.txt and val.txt: 2 photographs are on both lists and are used once: "b" (lines 2 and 2), "c" (lines 3 and 1)`}
		if !slices.Equal(d.Notes, want) {
			t.Errorf("split %v: notes %q, want %q", split, d.Notes, want)
		}
	}
}

// No list makes the reader panic. No photograph is used twice, none on both sides, and none
// from outside of the folder.
func FuzzLists(f *testing.F) {
	f.Add([]byte("000001\n000002\n"), []byte("000003\n"), int8(0))
	f.Add([]byte("000001 1\r\n000002 -1\r\n000005\n\n"), []byte("\ufeff000003"), int8(3))
	f.Add([]byte("../000001"), []byte("000002"), int8(0))
	f.Add([]byte("000001\n000001"), []byte(""), int8(1))
	f.Add([]byte("img 1\nimg 1 -1\nimg.jpg\t0\n"), []byte("JPEGImages\\000004.JPG 1\r000001\r"), int8(0))
	f.Add([]byte(utf16Text(binary.LittleEndian, "000001\r\n000002 1\r\n")), []byte(utf16Text(binary.BigEndian, "img 1\n000003")), int8(0))
	f.Add([]byte("\xff\xfe0"), []byte("\x00"), int8(2))
	f.Add([]byte("JPEGImages/000001.jpg SegmentationClass/000001.png\n"), []byte("000001.png\n000002 0 0 1 0 1\n"), int8(0))
	names := append(numbered(0, 6), "img", "img 1")
	photos := make([]Photo, 0, 2*len(names))
	known := map[string]bool{}
	for _, n := range names {
		photos = append(photos, Photo{n, "JPEGImages/" + n + ".jpg"})
	}
	photos = append(photos, Photo{"000001", "JPEGImages/000001.png"})
	for _, p := range photos {
		known[p.File] = true
	}
	f.Fuzz(func(t *testing.T, train, val []byte, limit int8) {
		if len(train)+len(val) > 128 {
			return // what is long takes minutes to be made shorter, and has no more kinds of line
		}
		d := &Dataset{fsys: fstest.MapFS{"train.txt": {Data: train}, "val.txt": {Data: val}}, label: "fuzz"}
		o := DatasetOptions{Limit: max(int(limit), 0), SkipMissing: limit%2 == 0}
		if o.Limit == 1 {
			o.Limit = 2
		}
		lists, err := d.readLists(photos, o, "train.txt", "val.txt")
		if err == nil {
			err = d.divideListed(lists[0], lists[1], o)
		}
		if err != nil {
			return
		}
		if len(d.Train) == 0 || len(d.Val) == 0 {
			t.Errorf("%d and %d photographs", len(d.Train), len(d.Val))
		}
		if n := len(d.Train) + len(d.Val); o.Limit > 0 && n > o.Limit {
			t.Errorf("%d photographs at limit %d", n, o.Limit)
		}
		seen, side := map[string]bool{}, map[string]string{}
		for part, photos := range map[string][]Photo{"trains": d.Train, "validates": d.Val} {
			for _, p := range photos {
				if seen[p.File] || !known[p.File] {
					t.Errorf("photograph %q twice or from elsewhere", p.File)
				}
				if other := side[p.Name]; other != "" && other != part {
					t.Errorf("photograph %q trains and validates", p.Name)
				}
				seen[p.File], side[p.Name] = true, part
			}
		}
	})
}
