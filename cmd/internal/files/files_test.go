package files

import (
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Mistakes in the table would only show in a download that nobody tests.
func TestAll(t *testing.T) {
	names := map[string]bool{}
	for _, f := range All() {
		u, err := url.Parse(f.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			t.Errorf("%s: address %q: %v", f.Name, f.URL, err)
		}
		if len(f.SHA256) != 64 || strings.Trim(f.SHA256, "0123456789abcdef") != "" {
			t.Errorf("%s: the sum is not of 64 digits: %q", f.Name, f.SHA256)
		}
		if f.Size <= 0 || f.Title == "" || names[f.Name] || (f.Folder == "") != (f.Photos == 0) {
			t.Errorf("%s: %+v", f.Name, f)
		}
		names[f.Name] = true
		if got, err := Find(All(), f.Name); err != nil || got != f {
			t.Errorf("Find(%s) = %v, %v", f.Name, got, err)
		}
	}
	// What the publishers' own names say of the sums.
	if !strings.Contains(VGG16.Base(), "-"+VGG16.SHA256[:8]+".") || !strings.Contains(CLIP.URL, "/"+CLIP.SHA256+"/") {
		t.Error("a sum is not the one in the file's address")
	}
	if _, err := Find(All(), "resnet"); err == nil || !strings.Contains(err.Error(), "vgg16, clip-vit-b32, voc2007") {
		t.Errorf("Find(resnet): %v", err)
	}
}

func TestDefault(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(Environment, dir)
	for name, want := range map[string]string{
		"vgg16":        filepath.Join(dir, "vgg16-397923af.pth"),
		"clip-vit-b32": filepath.Join(dir, "ViT-B-32.pt"),
		"voc2007":      filepath.Join("VOCdevkit", "VOC2007"),
	} {
		if got, err := Default(name); err != nil || got != want {
			t.Errorf("Default(%s) = %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := Default("resnet"); err == nil {
		t.Error("Default(resnet): no error")
	}
	if runtime.GOOS != "linux" {
		return
	}
	t.Setenv(Environment, "")
	t.Setenv("XDG_CACHE_HOME", dir)
	if got, err := Folder(); err != nil || got != filepath.Join(dir, "pixelgrad") {
		t.Errorf("with XDG_CACHE_HOME: %q, %v", got, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if got, err := Folder(); err == nil || !strings.Contains(err.Error(), Environment) {
		t.Errorf("without HOME: %q, %v; want an error that names %s", got, err, Environment)
	}
}

func ExampleFind() {
	f, err := Find(All(), "voc2007")
	fmt.Println(f.Base(), f.Folder, err)
	// Output: VOCtrainval_06-Nov-2007.tar VOCdevkit/VOC2007 <nil>
}
