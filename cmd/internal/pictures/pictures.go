// Package pictures finds the picture files that a command line names.
package pictures

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pixelgrad/vision"
)

// Files returns the files that a list names: paths with commas between, each of a file or of
// a folder, which stands for all pictures in it, by name, without those of folders inside.
// Names may have commas themselves: what exists with them is one name. What is passed over in
// a folder is told to say, in one line; nil: to nobody. Whether they are pictures shows when
// they are read. Errors: a folder cannot be listed or has no pictures; a name is missing.
func Files(list string, say func(line string)) ([]string, error) {
	var files []string
	for _, name := range split(list) {
		info, err := os.Stat(name)
		switch {
		case name == "":
			return nil, fmt.Errorf("expected files with commas between, as in a.jpg,b.jpg, or a folder; found %q", list)
		case err == nil && info.IsDir():
			inside, err := ofFolder(name, say)
			if err != nil {
				return nil, err
			}
			files = append(files, inside...)
		default:
			files = append(files, name)
		}
	}
	return files, nil
}

// split cuts a list at its commas, except within names that exist: of the names that begin at
// a place, the longest one that exists counts.
func split(list string) []string {
	if exists(list) {
		return []string{list}
	}
	parts := strings.Split(list, ",")
	var names []string
	for len(parts) > 0 {
		name, n := strings.TrimSpace(parts[0]), 1
		for k := min(len(parts), maxCommas+1); k > 0; k-- {
			whole := strings.Join(parts[:k], ",")
			if exists(whole) {
				name, n = whole, k
				break
			}
			if trimmed := strings.TrimSpace(whole); exists(trimmed) {
				name, n = trimmed, k
				break
			}
		}
		names, parts = append(names, name), parts[n:]
	}
	return names
}

// maxCommas is how many commas a name in a list may have.
const maxCommas = 16

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func ofFolder(dir string, say func(line string)) ([]string, error) {
	f, err := vision.ReadFolder(os.DirFS(dir), ".")
	if err != nil {
		return nil, fmt.Errorf("%s: expected a folder that can be listed: %w", dir, err)
	}
	if len(f.Pictures) == 0 {
		return nil, fmt.Errorf("%s: expected %s files, found %s", dir, vision.Readable(), f.NoPictures())
	}
	if passed := f.PassedOver(); passed != "" && say != nil {
		say(dir + ": " + passed)
	}
	files := make([]string, len(f.Pictures))
	for i, name := range f.Pictures {
		files[i] = filepath.Join(dir, name)
	}
	return files, nil
}

// Name returns what people call the picture in a file: its name without folder and extension.
func Name(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
