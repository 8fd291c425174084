//go:build unix

package safetensors

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"pixelgrad/tensor"
)

// Others may read weights if the umask lets them, as any other file; an old file keeps its
// permissions.
func TestWriteFileMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	weights := []Named{{Name: "x", Tensor: tensor.New(2)}}
	for _, umask := range []int{0o022, 0o077} {
		syscall.Umask(umask)
		path := filepath.Join(t.TempDir(), "a.safetensors")
		for _, want := range []fs.FileMode{0o666 &^ fs.FileMode(umask), 0o640} {
			if want == 0o640 {
				if err := os.Chmod(path, want); err != nil {
					t.Fatal(err)
				}
			}
			if err := WriteFile(path, weights, nil); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != want {
				t.Errorf("umask %04o: mode %v, %v; want %v", umask, info.Mode(), err, want)
			}
		}
	}
}
