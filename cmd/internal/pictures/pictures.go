// Package pictures finds the picture files that a command line names.
package pictures

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pixelgrad/vision"
)

// Files returns the files that list names: paths with commas between, or all pictures of a
// folder, by name, without those of folders inside. Whether they are pictures shows when
// they are read. Errors: the folder cannot be listed or has no pictures; a name is missing.
func Files(list string) ([]string, error) {
	switch info, err := os.Stat(list); {
	case err == nil && info.IsDir():
		return ofFolder(list)
	case err == nil: // its name may have commas
		return []string{list}, nil
	}
	var files []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name == "" {
			return nil, fmt.Errorf("expected files with commas between, as in a.jpg,b.jpg, or a folder; found %q", list)
		}
		files = append(files, name)
	}
	return files, nil
}

func ofFolder(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if vision.IsPicture(e.Name()) && !e.IsDir() {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: expected .jpg, .jpeg or .png files, found none", dir)
	}
	return files, nil
}

// Name returns what people call the picture in a file: its name without folder and extension.
func Name(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
