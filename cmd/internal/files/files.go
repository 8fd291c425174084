// Package files knows the files of others that the commands can use: where
// their makers offer them, how they are recognised, and where they are kept on
// this machine.
package files

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Environment is the variable that names the folder for weights, if they are
// to be kept elsewhere than in the user's cache folder.
const Environment = "PIXELGRAD_WEIGHTS"

// File describes a file of others. The sum is what makes it this file: the
// address says only where to ask.
type File struct {
	Name   string // what the commands call it
	Title  string // what is in it
	URL    string // where its makers offer it
	Size   int64  // in bytes
	SHA256 string // in hexadecimal

	Folder string // of an archive: the folder that it unpacks to, with slashes; "" for weights
	Photos int    // and how many photographs are in its JPEGImages
}

// The files that are known.
//
// torchvision itself checks only the first 8 digits, which are part of the
// name; the full sum is the one that many who keep the file have published.
var (
	VGG16 = File{
		Name:   "vgg16",
		Title:  "VGG16 of torchvision, trained on ImageNet",
		URL:    "https://download.pytorch.org/models/vgg16-397923af.pth",
		Size:   553_433_881,
		SHA256: "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
	}
	CLIP = File{
		Name:   "clip-vit-b32",
		Title:  "CLIP ViT-B/32 of OpenAI",
		URL:    "https://openaipublic.azureedge.net/clip/models/40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt",
		Size:   353_976_522,
		SHA256: "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
	}
	VOC2007 = File{
		Name:   "voc2007",
		Title:  "PASCAL VOC 2007 trainval, 5,011 photographs",
		URL:    "http://host.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtrainval_06-Nov-2007.tar",
		Size:   460_032_000,
		SHA256: "7d8cd951101b0957ddfd7a530bdc8a94f06121cfc1e511bb5937e973020c7508",
		Folder: "VOCdevkit/VOC2007",
		Photos: 5011,
	}
)

// All returns every file that is known.
func All() []File { return []File{VGG16, CLIP, VOC2007} }

// Find returns the file of a name among some, such as All. The error lists the
// names that there are.
func Find(list []File, name string) (File, error) {
	var names []string
	for _, f := range list {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return File{}, fmt.Errorf("no file is called %q: there is %s", name, strings.Join(names, ", "))
}

// Base returns the name that the file has in its folder.
func (f File) Base() string { return path.Base(f.URL) }

// Folder returns where weights are kept: what PIXELGRAD_WEIGHTS says, or else
// pixelgrad in the user's cache folder (Linux: $XDG_CACHE_HOME or ~/.cache,
// macOS: ~/Library/Caches, Windows: %LocalAppData%). It does not make it. The
// error is that the system has no such folder.
func Folder() (string, error) {
	if dir := os.Getenv(Environment); dir != "" {
		return filepath.Clean(dir), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("the user has no cache folder (%w): set %s to a folder for weights", err, Environment)
	}
	return filepath.Join(dir, "pixelgrad"), nil
}

// Default returns where a file is kept if the command line says nothing else:
// weights in Folder, the folder of an archive in the current one. The file need
// not be there. Errors: no file of this name is known; there is no Folder.
func Default(name string) (string, error) {
	f, err := Find(All(), name)
	if err != nil {
		return "", err
	}
	if f.Folder != "" {
		return filepath.FromSlash(f.Folder), nil
	}
	dir, err := Folder()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, f.Base()), nil
}
