package clip

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// maxCode is how much code of an archive is looked at, in bytes. That of OpenAI's ViT-B/32
// has about a hundred thousand.
const maxCode = 16 << 20

// geluOfCode finds the activation in the code of a TorchScript archive, which is text that
// nothing here executes: torch.gelu is plain GELU, and QuickGELU is made of torch.sigmoid,
// which no other part of a CLIP needs. It returns UnknownGELU if the code has neither or
// both, or if there is none.
func geluOfCode(r io.ReaderAt, size int64) (GELU, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return UnknownGELU, fmt.Errorf("expected a zip archive: %w", err)
	}
	plain, quick, left := false, false, int64(maxCode)
	for _, f := range archive.File {
		if path.Ext(f.Name) != ".py" || !strings.Contains(f.Name, "/code/") || left <= 0 {
			continue
		}
		code, err := f.Open()
		if err != nil {
			return UnknownGELU, fmt.Errorf("%s: %w", f.Name, err)
		}
		limited := &io.LimitedReader{R: code, N: left}
		lines := bufio.NewReader(limited)
		for {
			line, err := lines.ReadSlice('\n')
			if bytes.Contains(line, []byte("torch.gelu(")) {
				plain = true
				if bytes.Contains(line, []byte(`"tanh"`)) {
					code.Close()
					return UnknownGELU, fmt.Errorf("%s: expected GELU or QuickGELU in the code, found GELU's approximation by tanh, which is not computed here", f.Name)
				}
			}
			quick = quick || bytes.Contains(line, []byte("torch.sigmoid("))
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				if !errors.Is(err, io.EOF) {
					code.Close()
					return UnknownGELU, fmt.Errorf("%s: %w", f.Name, err)
				}
				break
			}
		}
		code.Close()
		left = limited.N
	}
	switch {
	case plain && !quick:
		return PlainGELU, nil
	case quick && !plain:
		return QuickGELU, nil
	}
	return UnknownGELU, nil
}
