package vision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Photo is one photograph of a [Dataset].
type Photo struct {
	Name string // the file's name without folder and extension: "000012"
	File string // where it lies in the dataset's file system, with slashes
}

// Dataset is a set of photographs in two parts that have none in common: those
// to train on and those to validate with.
type Dataset struct {
	Train, Val []Photo
	Rule       string // how the two were told apart, a sentence for the log

	fsys  fs.FS
	label string // what people call the file system: the folder's path
}

// DatasetOptions says how photographs are divided. The zero value is the
// workshop's way with seed 0.
type DatasetOptions struct {
	// Seed decides which photographs validate, where no lists say it.
	Seed uint64

	// Limit, if not 0, takes only so many photographs, for a quick look at the
	// whole pipeline: at least 2. They are the first ones by name, divided
	// afterwards. From lists that are used as they stand it takes the first of
	// each, Limit in all, in the lists' own proportion.
	Limit int

	// Split says whether the lists of a VOC folder are used as they stand.
	Split SplitRule

	// Group, if not nil, maps a photo's name to a group's: photographs of one
	// group always stay on one side. See [PhotoOfCrop].
	Group func(name string) string
}

// OpenDir finds the photographs in a folder. It may be
//
//   - one in the layout of PASCAL VOC: with JPEGImages and ImageSets/Main inside,
//     or the folder VOCdevkit or VOC2007 around that, or the folder around
//     VOCdevkit. [SplitRule] says how it is divided.
//   - any other folder: its .jpg, .jpeg and .png files, by name, without those
//     of folders inside and without hidden ones. A fifth drawn by the seed
//     validates, see [ValCount].
//
// No photograph is opened yet. An error names the folder or the list's line,
// what was expected there and what was found.
func OpenDir(dir string, o DatasetOptions) (*Dataset, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("vision: %s: expected a folder of photographs, found nothing by that name; check the path", dir)
	case err != nil:
		return nil, fmt.Errorf("vision: %s: expected a folder of photographs: %w", dir, cause(err))
	case !info.IsDir():
		return nil, fmt.Errorf("vision: %s: expected a folder of photographs, found a file; name the folder, and unpack an archive first", dir)
	}
	return OpenFS(os.DirFS(dir), dir, o)
}

// OpenFS does for a file system what [OpenDir] does for a folder. label is what
// errors call it.
func OpenFS(fsys fs.FS, label string, o DatasetOptions) (*Dataset, error) {
	if o.Limit < 0 || o.Limit == 1 {
		return nil, fmt.Errorf("vision: %s: expected a limit of at least 2 photographs, one to train on and one to validate with, found %d; use 0 for all of them", label, o.Limit)
	}
	d := &Dataset{fsys: fsys, label: label}
	for _, root := range []string{"VOCdevkit/VOC2007", "VOC2007", "."} {
		if isDir(fsys, path.Join(root, "JPEGImages")) {
			if err := d.openVOC(root, o); err != nil {
				return nil, err
			}
			return d, nil
		}
	}
	for _, kit := range []string{"VOCdevkit", "VOC2007"} {
		if isDir(fsys, kit) {
			return nil, fmt.Errorf("vision: %s: expected VOC2007/JPEGImages inside, found %s; name the folder that holds JPEGImages", d.Path(kit), contents(fsys, kit))
		}
	}
	pool, err := d.pictures(".")
	if err != nil {
		return nil, err
	}
	if err := d.divide(pool, o); err != nil {
		return nil, err
	}
	return d, nil
}

// Path returns where a file of the dataset lies, for people.
func (d *Dataset) Path(file string) string {
	return filepath.Join(d.label, filepath.FromSlash(file))
}

// Read decodes a photograph, see [Decode].
func (d *Dataset) Read(p Photo) (*RGB, error) {
	// Opening a named pipe would wait for somebody to write to it.
	if info, err := fs.Stat(d.fsys, p.File); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("vision: %s: expected a JPEG or PNG file, found %s; remove it", d.Path(p.File), info.Mode().Type())
	}
	return readFS(d.fsys, p.File, d.Path(p.File))
}

// pictures returns the picture files of a folder, by name.
func (d *Dataset) pictures(dir string) ([]Photo, error) {
	entries, err := fs.ReadDir(d.fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("vision: %s: expected a folder of photographs that can be listed: %w", d.Path(dir), cause(err))
	}
	var photos []Photo
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() && IsPicture(name) {
			photos = append(photos, Photo{Name: strings.TrimSuffix(name, path.Ext(name)), File: path.Join(dir, name)})
		}
	}
	if len(photos) == 0 {
		return nil, fmt.Errorf("vision: %s: expected .jpg, .jpeg or .png files, found %s", d.Path(dir), contents(d.fsys, dir))
	}
	return photos, nil
}

// IsPicture reports whether a file of this name is taken for a picture; hidden files are often a system's shadows of
// pictures (._photo.jpg), not pictures.
func IsPicture(name string) bool {
	if strings.HasPrefix(name, ".") {
		return false
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png":
		return true
	}
	return false
}

func isDir(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.Mode().IsRegular()
}

// contents describes a folder in which something is missing.
func contents(fsys fs.FS, dir string) string {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return "a folder that cannot be listed"
	}
	if len(entries) == 0 {
		return "an empty folder"
	}
	var names []string
	for _, e := range entries[:min(len(entries), 4)] {
		n := e.Name()
		if e.IsDir() {
			n += "/"
		}
		names = append(names, n)
	}
	if more := len(entries) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return "only " + strings.Join(names, ", ")
}
