// Package torchfile reads the tensors of PyTorch's weight files by name. It never executes
// anything in a file.
//
// The package reads three formats: the zip archive of torch.save (since 1.6), the five
// pickles of older versions, and TorchScript, the archive of torch.jit.save. All of them
// contain a pickle, which is a program. The package interprets it symbolically. Of Python's
// functions, it knows some twenty, each of which only builds a description of a tensor or a
// container. Every other name that a pickle has (argparse.Namespace, NumPy's arrays, paths,
// dates, the classes of a whole model) becomes an opaque value: it is not looked up,
// imported or called, and there is nothing that could be. File.Tensor reads the elements of
// one tensor, from a memory mapping where the system has one.
//
// All tensors of a file are found, wherever they are: in dictionaries, lists, tuples and sets,
// in the attributes and items of opaque objects, in the modules of a whole model and of
// TorchScript, which give the names of their state_dict. The name of a tensor is the path to
// it. Which dictionary is the network's is for the caller to say; Dicts lists them. A frozen
// TorchScript archive has its weights as constants of its code, and no names for them; they
// are "constants.0", "constants.1", … for CONSTANTS.c0, c1, ….
//
// Errors: a file without a tensor; a tensor whose storage, shape or type is an opaque value;
// the parts of a distributed tensor (DTensor, ShardedTensor); the opcodes EXT1, EXT2, EXT4,
// NEXT_BUFFER and READONLY_BUFFER, whose meaning is outside of the file; the opcodes of
// protocol 0, with which torch.save writes what torch.load cannot read. Tensors that are
// sparse, nested, quantized, without elements (meta), or negated or conjugated views of their
// storage are left out of the names, and Info says why.
//
// A file may be hostile. Memory stays below 64 MiB plus twice the size of the file, and all
// nesting has a limit.
//
// Read torchfile.go first, then container.go for the formats, pickle.go and stack.go for the
// machine, calls.go and rebuild.go for the functions, names.go and objects.go for the paths.
//
// Source: PyTorch 1.13 and 2.15, torch/serialization.py, torch/_utils.py and
// torch/csrc/jit/serialization/pickler.cpp.
package torchfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"pixelgrad/internal/mmap"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// File is an open weight file. Several goroutines may call its methods at once. They are
// like those of safetensors.File.
type File struct {
	src    *mmap.File
	base   int64 // memoryBase, or less in tests
	format string
	names  []string // in the order of the pickle
	dicts  []string // the containers around them
	byName map[string]*array
	unread map[string]string // why tensors that the names leave out cannot be read
	// modules has the paths of whole modules, but not of the modules in them.
	modules map[string]bool
	// constants has the tensors of a TorchScript archive's code; only load uses it.
	constants value
	// locate returns the place of a storage in the file. If verify is true and the format
	// has a checksum, locate checks the storage's bytes first.
	locate func(st *storage, verify bool) (int64, error)
}

// IsModule reports whether one of Dicts is a whole module that was pickled, and not a
// dictionary. It is false for the modules inside of a module.
func (f *File) IsModule(dict string) bool { return f.modules[dict] }

// Info describes a tensor without reading it.
type Info = safetensors.Info

// Open opens a weight file and reads its pickle. Errors name the file, and say what was
// expected and what was found. Do not overwrite the file in place while it is open; it is
// safe to replace it by a rename.
func Open(path string) (*File, error) {
	src, err := mmap.Open(path)
	if err != nil {
		return nil, fmt.Errorf("torchfile: %w", err)
	}
	f, err := newFile(src, memoryBase)
	if err != nil {
		src.Close()
		return nil, err
	}
	return f, nil
}

// NewFile reads a weight file of the given size from r, such as a bytes.Reader. Errors are
// the same as Open's and call the file name. Close does not close r.
func NewFile(name string, r io.ReaderAt, size int64) (*File, error) {
	return newFile(mmap.NewFile(name, r, size), memoryBase)
}

// newFile reads a file with another limit than memoryBase.
func newFile(src *mmap.File, base int64) (*File, error) {
	f := &File{src: src, base: base}
	if err := f.load(); err != nil {
		return nil, fmt.Errorf("torchfile: %s: %w", src.Name(), err)
	}
	return f, nil
}

// load recognises the format of the file and reads everything except the elements.
func (f *File) load() error {
	var b [262]byte
	n := min(f.src.Size(), int64(len(b)))
	if _, err := f.src.ReadAt(b[:n], 0); err != nil && n > 0 {
		return err
	}
	m := &machine{storages: map[string]*storage{}, budget: f.base + 2*f.src.Size()}
	var top value
	var err error
	switch begin := string(b[:n]); {
	case n >= 4 && begin[:4] == "PK\x03\x04":
		top, err = f.loadZip(m)
	case n >= 2 && begin[0] == 0x80, strings.HasPrefix(begin, "L"+legacyNumber): // PROTO, or protocol 1
		top, err = f.loadLegacy(m)
	case strings.HasSuffix(begin, "ustar"):
		err = errors.New("this is a tar archive, which the first versions of PyTorch wrote; open it with torch.load and save it again")
	default:
		err = fmt.Errorf("this is no file of torch.save: expected a zip archive or a pickle, found a file of %d bytes that begins with %q", f.src.Size(), begin[:min(n, 8)])
	}
	if err != nil {
		return err
	}
	err = f.collect(m, top)
	f.constants = nil
	if err != nil {
		return err
	}
	// All storages are looked up now, so an incomplete file gives an error at once.
	for _, name := range f.names {
		if _, err := f.locate(f.byName[name].st, false); err != nil {
			return fmt.Errorf("tensor %s: %w", quote(name), err)
		}
	}
	return nil
}

// Format returns "zip", "legacy" or "TorchScript".
func (f *File) Format() string { return f.format }

// Names returns the names of all tensors, in the order of the pickle. A name is the path to
// the tensor: the keys of the dictionaries, the positions in lists and tuples, from 0, and
// the names of modules, joined with dots, such as "params_ema.conv1.weight" and
// "optimizer.state.0.exp_avg". Keys that are not texts are written as Python's str does; a key
// without a text, such as an object, is "#" and its position. A tensor that is alone in its
// file has the name "tensor".
func (f *File) Names() []string { return slices.Clone(f.names) }

// Unreadable returns the names of the tensors that Names leaves out, sorted. Info says of
// each why it cannot be read.
func (f *File) Unreadable() []string { return slices.Sorted(maps.Keys(f.unread)) }

// Dicts returns the paths of all containers (dictionaries, lists, tuples, modules) that have
// at least one tensor in them or below, in the order of the pickle. The first is "", the top.
// The tensors of a container are those whose names begin with its path and a dot.
func (f *File) Dicts() []string { return slices.Clone(f.dicts) }

// Info returns the type, shape and size of a tensor. It is an error if there is no tensor
// with this name.
func (f *File) Info(name string) (Info, error) {
	a := f.byName[name]
	if why := f.unread[name]; a == nil && why != "" {
		return Info{}, fmt.Errorf("torchfile: %s: %s is a tensor %s; it cannot be read", f.src.Name(), quote(name), why)
	}
	if a == nil {
		return Info{}, fmt.Errorf("torchfile: %s: no tensor %s among the %d of this file", f.src.Name(), quote(name), len(f.names))
	}
	return Info{DType: a.dtype, Shape: slices.Clone(a.shape), Bytes: int64(a.count) * int64(width(a.dtype))}, nil
}

// Tensor reads a tensor and converts it to float32; see safetensors.DType.Decode. The
// result is contiguous, even if the tensor is a transposed, sliced or repeating view of its
// storage.
//
// Errors: there is no tensor with this name; its type cannot be converted; an
// integer in it is no number of float32; the file is closed or cannot be read.
func (f *File) Tensor(name string) (*tensor.Tensor, error) {
	info, err := f.Info(name)
	if err != nil {
		return nil, err
	}
	if !info.DType.Readable() {
		return nil, fmt.Errorf("torchfile: %s: tensor %s has dtype %s, which cannot be read", f.src.Name(), quote(name), info.DType)
	}
	t := tensor.NewUninitialized(info.Shape...)
	dst, width := t.Data(), info.DType.Bits()/8
	err = f.elements(name, func(b []byte) error {
		n := len(b) / width
		err := info.DType.Decode(dst[:n], b)
		dst = dst[n:]
		return err
	})
	if err != nil {
		tensor.Release(t)
		return nil, err
	}
	return t, nil
}

// Bytes reads a tensor's elements as they are in the file, little-endian, but contiguous and
// in row-major order. Unlike Tensor, it reads every type.
func (f *File) Bytes(name string) ([]byte, error) {
	info, err := f.Info(name)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, info.Bytes)
	err = f.elements(name, func(b []byte) error {
		out = append(out, b...)
		return nil
	})
	return out, err
}

// elements calls take with a tensor's elements in order, some at a time.
func (f *File) elements(name string, take func(b []byte) error) error {
	a := f.byName[name]
	at, err := f.locate(a.st, true)
	if err == nil {
		err = a.read(f.src, at+a.off, take)
	}
	if err != nil {
		return fmt.Errorf("torchfile: %s: tensor %s: %w", f.src.Name(), quote(name), err)
	}
	return nil
}

// Close frees the mapping and closes the file. The tensors that were read stay valid.
func (f *File) Close() error { return f.src.Close() }

// contiguous reports whether the elements are in row-major order in the storage, without
// gaps.
func (a *array) contiguous() bool {
	want := 1
	for i := len(a.shape) - 1; i >= 0; i-- {
		if a.shape[i] != 1 && a.stride[i] != want {
			return false
		}
		want *= a.shape[i]
	}
	return true
}

// read calls take with the elements in order. at is the place of the first element in the
// file.
func (a *array) read(src *mmap.File, at int64, take func(b []byte) error) error {
	width := int64(width(a.dtype))
	if a.count == 0 || a.contiguous() {
		var wrong error
		err := src.Chunks(at, int64(a.count)*width, func(b []byte) {
			if wrong == nil {
				wrong = take(b)
			}
		})
		return cmp.Or(err, wrong)
	}
	return src.View(at, int64(a.span)*width, func(b []byte) error { return a.gather(b, take) })
}

// gather collects the elements, one row of the last dimension after another. index counts
// through the other dimensions like an odometer.
func (a *array) gather(b []byte, take func(b []byte) error) error {
	last := len(a.shape) - 1
	width := width(a.dtype)
	row := make([]byte, min(a.shape[last], 1024)*width)
	index := make([]int, last)
	start := 0
	for left := a.count; left > 0; left -= a.shape[last] {
		at := start
		for left := a.shape[last]; left > 0; {
			n := min(left, 1024)
			for i := range n {
				copy(row[i*width:(i+1)*width], b[at*width:])
				at += a.stride[last]
			}
			if err := take(row[:n*width]); err != nil {
				return err
			}
			left -= n
		}
		for k := last - 1; k >= 0; k-- {
			index[k]++
			start += a.stride[k]
			if index[k] < a.shape[k] {
				break
			}
			start -= index[k] * a.stride[k]
			index[k] = 0
		}
	}
	return nil
}
