package weightfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// beginning is how many bytes of a file are looked at to tell what it is.
const beginning = 1024

// isSafetensors reports whether a file begins with the length of a header that safetensors
// allows, followed by JSON. It is called before isTorch, because such a length can look
// like the first bytes of a pickle. The converse is impossible: the first 8 bytes of
// PyTorch's pickles and archives are always a larger number.
func isSafetensors(b []byte) bool {
	const maxHeader = 100_000_000 // the format's limit
	return len(b) > 8 && b[8] == '{' && binary.LittleEndian.Uint64(b) <= maxHeader
}

// isTorch reports whether a file begins like a zip archive or a pickle.
func isTorch(b []byte) bool {
	return len(b) >= 4 && string(b[:4]) == "PK\x03\x04" || len(b) >= 2 && b[0] == 0x80
}

// notWeights is the error for a file that is neither.
func notWeights(name string, b []byte, size int64) error {
	if size == 0 {
		return fmt.Errorf("%s: expected a safetensors file or one of torch.save, found an empty file", name)
	}
	return fmt.Errorf("%s: expected a safetensors file or one of torch.save, found a file of %d bytes that begins with %q", name, size, b[:min(len(b), 16)])
}

func cutZip(name string, r io.ReaderAt, size int64, b []byte) error { return nil }

func otherArchive(name string, r io.ReaderAt, size int64, b []byte) error { return nil }

func folder(path string) error {
	for _, inside := range []string{"model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin"} {
		if st, err := os.Stat(filepath.Join(path, inside)); err == nil && st.Mode().IsRegular() {
			return fmt.Errorf("%s: expected a weight file, found a folder; name the file in it, %s", path, filepath.Join(path, inside))
		}
	}
	return fmt.Errorf("%s: expected a weight file, found a folder", path)
}
