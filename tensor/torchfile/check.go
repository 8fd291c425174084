package torchfile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxShared limits how often the tensors of a file may share its bytes: all of them
// together, as float32, take at most this many times the file. The tied layers of a model
// come to some dozens.
const maxShared = 256

// noTensor says what a file without tensors has instead.
func (f *File) noTensor(top value) error {
	advice := "; save the weights, torch.save(model.state_dict(), …)"
	if f.format == "TorchScript" {
		advice += ": torch.jit.optimize_for_inference leaves those of convolutions out of the archive"
	}
	if len(f.unread) > 0 {
		name := slices.Min(slices.Collect(maps.Keys(f.unread)))
		return fmt.Errorf("found no tensor in it that can be read; %s, of %d, is one %s", quote(name), len(f.unread), f.unread[name])
	}
	what := describe(top)
	switch top := top.(type) {
	case *dict:
		what = "the keys " + keys(top.items)
		if len(top.items) == 0 {
			what = "an empty dictionary"
		}
	case *list:
		if len(top.items) == 0 {
			what = "an empty list"
		}
	case *object:
		if d, ok := top.state.(*dict); ok && len(d.items) > 0 {
			what += " with the attributes " + keys(d.items)
		}
	}
	return errors.New("found no tensor in it, only " + what + advice)
}

// checkTotal returns an error if a tensor, or all tensors together, are much larger than the
// file. This happens with views that repeat elements, and with storages under many names.
// A tensor of bytes needs four times its size.
func (f *File) checkTotal() error {
	size := f.src.Size()
	total := int64(0)
	for _, name := range f.names {
		n := 4 * int64(f.byName[name].count)
		if n > f.base+4*size {
			return fmt.Errorf("tensor %s of shape %v needs %d bytes, more than 4 times the file, which has %d", quote(name), f.byName[name].shape, n, size)
		}
		if total += n; total > f.base+maxShared*size {
			return fmt.Errorf("its %d tensors share storages so often that they need more than %d times the file's %d bytes", len(f.names), maxShared, size)
		}
	}
	return nil
}

// keys lists the first keys of a dictionary, for an error message.
func keys(items []pair) string {
	var out []string
	for _, p := range items[:min(len(items), 8)] {
		text, ok := keyText(p.key)
		switch {
		case !ok:
			text = describe(p.key)
		case p.key == value(text):
			text = quote(text)
		}
		out = append(out, text+" ("+describe(p.value)+")")
	}
	if len(out) < len(items) {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}
