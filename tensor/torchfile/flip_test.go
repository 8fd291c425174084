package torchfile

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestFlippedBit turns one bit over, in a file that torch.save wrote:
// opening it or reading a tensor names the member whose checksum is wrong.
func TestFlippedBit(t *testing.T) {
	whole, err := os.ReadFile("../../testdata/golden/torchfile/zip.pt")
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for at := 0; at < len(whole); at += 7 {
		b := bytes.Clone(whole)
		b[at] ^= 0x10
		f, err := NewFile("flipped.pt", bytes.NewReader(b), int64(len(b)))
		if err != nil { // in what is read at once
			if strings.Contains(err.Error(), "checksum") {
				refused++
			}
			continue
		}
		for _, name := range f.Names() {
			if _, err := f.Tensor(name); err != nil && strings.Contains(err.Error(), "checksum") {
				refused++
			}
		}
		f.Close()
	}
	if refused < 20 {
		t.Errorf("%d flipped bits were noticed, want more", refused)
	}
}
