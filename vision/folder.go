package vision

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Folder is what a folder of photographs holds. Hidden files and hidden folders are no part
// of it: many of them (._photo.jpg) hold what a system stores about a picture.
type Folder struct {
	Pictures []string       // the names of the picture files, see [IsPicture], sorted
	Others   map[string]int // how many other files there are, by extension: ".heic" or ""
	Folders  int            // how many folders there are inside
}

// ReadFolder lists a folder of a file system. What a symbolic link leads to decides what it
// is. A link that leads nowhere counts as a file, so that reading it gives the error.
func ReadFolder(fsys fs.FS, dir string) (Folder, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return Folder{}, err
	}
	f := Folder{Others: map[string]int{}}
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, "."):
		case e.IsDir(), e.Type()&fs.ModeSymlink != 0 && isDir(fsys, path.Join(dir, name)):
			f.Folders++
		case IsPicture(name):
			f.Pictures = append(f.Pictures, name)
		default:
			f.Others[strings.ToLower(path.Ext(name))]++
		}
	}
	return f, nil
}

// PassedOver says what the folder holds beside pictures, the most frequent kind first: "50
// files were passed over: 47 .heic, 3 .txt; 2 folders inside were not looked into". It is
// "" if there is nothing else.
func (f Folder) PassedOver() string {
	var said []string
	if n, kinds := f.others(); n == 1 {
		said = append(said, "1 file was passed over: "+kinds)
	} else if n > 1 {
		said = append(said, fmt.Sprintf("%d files were passed over: %s", n, kinds))
	}
	if f.Folders > 0 {
		said = append(said, counted(f.Folders, "folder inside was", "folders inside were")+" not looked into")
	}
	return strings.Join(said, "; ")
}

// others counts the files that are no pictures, and names their kinds.
func (f Folder) others() (n int, kinds string) {
	const named = 6
	order := slices.SortedFunc(maps.Keys(f.Others), func(a, b string) int {
		return cmp.Or(f.Others[b]-f.Others[a], strings.Compare(a, b))
	})
	var list []string
	for i, ext := range order {
		n += f.Others[ext]
		if i >= named {
			continue
		}
		what := ext
		switch {
		case ext == "" || ext == ".":
			what = "without an extension"
		case utf8.RuneCountInString(ext) > 12: // a name with a dot in it
			what = string([]rune(ext)[:12]) + "…"
		}
		if len(order) > 1 {
			what = fmt.Sprintf("%d %s", f.Others[ext], what)
		}
		list = append(list, what)
	}
	if more := len(order) - named; more > 0 {
		list = append(list, counted(more, "other kind", "other kinds"))
	}
	return n, strings.Join(list, ", ")
}

// NoPictures says what was found in a folder without pictures, for an error.
func (f Folder) NoPictures() string {
	n, kinds := f.others()
	var found []string
	if n > 0 {
		found = append(found, fmt.Sprintf("%s (%s)", counted(n, "other file", "other files"), kinds))
	}
	if f.Folders > 0 {
		found = append(found, counted(f.Folders, "folder, which is", "folders, which are")+" not looked into")
	}
	if found == nil {
		return "an empty folder"
	}
	advice := "name another folder"
	if n > 0 {
		advice = "convert pictures of other kinds first, or " + advice
	}
	return strings.Join(found, " and ") + "; " + advice
}

// Readable names the kinds of files that [IsPicture] takes for pictures: ".jpg, .jpeg, … or
// .tiff".
func Readable() string {
	var list []string
	for _, f := range formats {
		list = append(list, f.exts...)
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

// counted returns a number with what is counted.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
