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
	File string // its path in the dataset's file system, with slashes
}

// Dataset is a set of photographs in two disjoint parts: one to train on and one to
// validate with.
type Dataset struct {
	Train, Val []Photo
	Rule       string // how the photographs were divided, a sentence for the log

	// Notes are sentences for the log, each with its place: what was passed over in the
	// folder, and what is odd about the lists.
	Notes []string

	fsys  fs.FS
	label string // the name of the file system in messages: the folder's path
}

// DatasetOptions says how photographs are divided. The zero value divides them as the
// workshop does, with seed 0.
type DatasetOptions struct {
	// Seed decides which photographs validate if no lists do.
	Seed uint64

	// Limit is the largest number of photographs to use, at least 2, for a quick look
	// at the whole pipeline; 0 means all of them. The first photographs by name are
	// taken and then divided. If lists are used as they stand, the first photographs
	// of each list are taken, Limit in total, in the proportion of the lists.
	Limit int

	// Split says whether the lists in a VOC folder are used as they stand.
	Split SplitRule

	// SkipMissing leaves out photographs that a list names and that do not exist, with a
	// note. Otherwise they are an error, a [*MissingError].
	SkipMissing bool

	// Group, if not nil, returns the name of a photo's group. All photographs of a
	// group go to the same part. See [PhotoOfCrop].
	Group func(name string) string
}

// OpenDir finds the photographs in a folder. There are two kinds of folder:
//
//   - A folder in the layout of PASCAL VOC, such as VOC2007, has JPEGImages and
//     ImageSets/Main inside. dir may also be VOCdevkit, which holds VOC2007, or the
//     folder that holds VOCdevkit. [SplitRule] says how the photographs are divided.
//   - In any other folder, the photographs are its pictures, see [IsPicture], sorted by
//     name. Hidden files are ignored, other files and the folders inside are passed over
//     with a note. A fifth of the photographs, drawn by the seed, validates; see
//     [ValCount].
//
// A list has a photograph a line: its file's name, with or without the extension, or a path
// that leads to JPEGImages. Spaces in it are allowed, and so are a second column, as VOC's
// class lists have one, blank lines, and the line ends and byte-order marks of Windows; a
// photograph with the name of the whole line comes before every other reading. One that a
// list has again is used once; one on both lists validates. Notes say so, with the lines.
//
// OpenDir does not open any photograph. An error names the folder, or the line of a list,
// and says what was expected and what was found.
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

// OpenFS is [OpenDir] for a file system. Errors call the file system label.
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

// Path returns the path of a file of the dataset, for messages.
func (d *Dataset) Path(file string) string {
	return filepath.Join(d.label, filepath.FromSlash(file))
}

// Read decodes a photograph. See [Decode].
func (d *Dataset) Read(p Photo) (*RGB, error) {
	// Opening a named pipe would wait for a writer.
	if info, err := fs.Stat(d.fsys, p.File); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("vision: %s: expected a picture file, found %s; remove it", d.Path(p.File), info.Mode().Type())
	}
	return readFS(d.fsys, p.File, d.Path(p.File))
}

// note adds a sentence for the log.
func (d *Dataset) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// pictures returns the picture files in a folder, sorted by name, and notes what else it has.
func (d *Dataset) pictures(dir string) ([]Photo, error) {
	f, err := ReadFolder(d.fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("vision: %s: expected a folder of photographs that can be listed: %w", d.Path(dir), cause(err))
	}
	if len(f.Pictures) == 0 {
		return nil, fmt.Errorf("vision: %s: expected %s files, found %s", d.Path(dir), Readable(), f.NoPictures())
	}
	if passed := f.PassedOver(); passed != "" {
		d.note("%s: %s", d.Path(dir), passed)
	}
	photos := make([]Photo, len(f.Pictures))
	for i, name := range f.Pictures {
		photos[i] = Photo{Name: strings.TrimSuffix(name, path.Ext(name)), File: path.Join(dir, name)}
	}
	return photos, nil
}

func isDir(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.Mode().IsRegular()
}

// contents describes a folder for an error about a missing file.
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
