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
// folder, by name, without those of folders inside. What is passed over in the folder is told
// to say, in one line; nil: to nobody. Whether they are pictures shows when they are read.
// Errors: the folder cannot be listed or has no pictures; a name is missing.
func Files(list string, say func(line string)) ([]string, error) {
	switch info, err := os.Stat(list); {
	case err == nil && info.IsDir():
		return ofFolder(list, say)
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
