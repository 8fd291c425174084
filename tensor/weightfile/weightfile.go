// Package weightfile is the one door to files of named tensors: safetensors and the
// formats of PyTorch. It finds the network in a file.
//
// Training programs seldom save a network alone. Beside it are optimisers, averages,
// counters and settings, and its names may begin with those of wrappers. So Open
//
//   - recognises the format by the content, and what is no weight file: a pointer of Git
//     LFS, a web page, a download that was cut off (kinds.go);
//   - chooses the dictionary that holds the network: the one with the names that the
//     caller wants (fit.go), or the one that the field's habits tell (habits.go);
//   - removes prefixes of wrappers, such as "module." (prefix.go);
//   - tells Options.Say what was chosen, removed, and left.
//
// The names of a file are paths: "params_ema.conv1.weight" is the tensor "conv1.weight" of
// the dictionary "params_ema". Read weightfile.go first.
package weightfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/torchfile"
)

// Options says what is wanted of a file. The zero value takes any network.
type Options struct {
	// Key is the path of the dictionary that holds the network: one of Dicts, or the
	// beginning of names up to a dot. "." is the whole file. "" lets the content decide.
	Key string

	// Wanted are names of tensors that tell the network. All of one of these lists must
	// be there. nil takes any network.
	Wanted [][]string

	// Mapped maps the file into memory, so that tensors are read where they lie.
	// Otherwise the file is read, which is better if every byte is needed once: the
	// pages of a mapping count as used memory. Read ignores it.
	Mapped bool

	// Say is told, in lines that begin with the file's name, which dictionary was
	// chosen, which prefix was removed and what else is in the file. nil tells nobody.
	Say func(line string)
}

// File is an open weight file, and of its tensors those of one network. Several goroutines
// may call its methods at once.
type File struct {
	source
	name   string
	all    *contents
	choice choice
}

// source is what the readers of all formats have in common.
type source interface {
	Names() []string
	Dicts() []string
	IsModule(dict string) bool
	Unreadable() []string
	Info(name string) (safetensors.Info, error)
	Tensor(name string) (*tensor.Tensor, error)
	Bytes(name string) ([]byte, error)
	Metadata() map[string]string
	Format() string
	Close() error
}

// Open opens a weight file. The content decides which format it has, not the name.
//
// Errors name the file, and say what was expected, what was found and what to do: there is
// no such file; it is no weight file; it is damaged; there is no tensor in it; it does not
// have the Key; several dictionaries fit Wanted equally well. It is no error if none fits
// Wanted. Then File has what fits best, and its Key and Names help the caller to say what
// is missing.
func Open(path string, o Options) (*File, error) {
	// Stat comes before Open, because opening a named pipe would wait for a writer.
	st, err := os.Stat(path)
	if err != nil {
		if p := (*fs.PathError)(nil); errors.As(err, &p) {
			err = p.Err
		}
		return nil, fmt.Errorf("%s: expected a weight file: %w", path, err)
	}
	if st.IsDir() {
		return nil, folder(path)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: expected a weight file, found a device or a pipe", path)
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f, err := read(path, r, st.Size(), o)
	if err != nil || o.Mapped {
		r.Close()
		return f, err
	}
	f.source = &closing{f.source, r}
	return f, nil
}

// Read reads a file of the given size from r, such as a bytes.Reader. Errors are those of
// Open and call the file name. Close does not close r.
func Read(name string, r io.ReaderAt, size int64, o Options) (*File, error) {
	o.Mapped = false
	return read(name, r, size, o)
}

func read(name string, r io.ReaderAt, size int64, o Options) (*File, error) {
	src, err := openSource(name, r, size, o.Mapped)
	if err != nil {
		return nil, err
	}
	f := &File{source: src, name: name, all: list(src)}
	if len(f.all.names) == 0 {
		err = fmt.Errorf("%s: expected a weight file, found a file of the format %s without any tensor", name, src.Format())
	} else if f.choice, err = choose(f.all, o); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if err != nil {
		src.Close()
		return nil, err
	}
	f.choice.addUnreadable(src.Unreadable(), o.Key == "")
	if o.Say != nil {
		for _, line := range []string{f.choice.report(f.all), f.unscaled()} {
			if line != "" {
				o.Say(name + ": " + line)
			}
		}
	}
	return f, nil
}

// openSource recognises the format. If mapped is true, name is a path to be mapped.
func openSource(name string, r io.ReaderAt, size int64, mapped bool) (source, error) {
	begin := make([]byte, min(size, beginning))
	if n, err := r.ReadAt(begin, 0); n < len(begin) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case isSafetensors(begin):
		var f *safetensors.File
		var err error
		if mapped {
			f, err = safetensors.Open(name)
		} else {
			f, err = safetensors.NewFile(name, r, size)
		}
		if err != nil {
			return nil, damaged(err) // not f: a nil pointer in an interface is not nil
		}
		return safe{f}, nil
	case isTorch(begin):
		if err := cutZip(name, r, size, begin); err != nil {
			return nil, err
		}
		var f *torchfile.File
		var err error
		if mapped {
			f, err = torchfile.Open(name)
		} else {
			f, err = torchfile.NewFile(name, r, size)
		}
		if err == nil {
			return torch{f}, nil
		}
		if other := otherArchive(name, r, size, begin); other != nil {
			return nil, other
		}
		return nil, damaged(err)
	}
	return nil, notWeights(name, begin, size)
}

// Names returns the names of the network's tensors, in the order of the file.
func (f *File) Names() []string { return slices.Clone(f.choice.names) }

// Unreadable returns the names of tensors of the network that no method can read, such as
// sparse ones. Names does not have them; Info says of each why.
func (f *File) Unreadable() []string { return slices.Clone(f.choice.unreadable) }

// Info describes a tensor without reading it.
func (f *File) Info(name string) (safetensors.Info, error) { return f.source.Info(f.choice.full(name)) }

// Tensor reads a tensor and converts it to float32; see safetensors.DType.Decode. The
// tensor belongs to the caller.
func (f *File) Tensor(name string) (*tensor.Tensor, error) {
	return f.source.Tensor(f.choice.full(name))
}

// Bytes reads a tensor's elements as they are in the file, little-endian and row-major. It
// reads every type.
func (f *File) Bytes(name string) ([]byte, error) { return f.source.Bytes(f.choice.full(name)) }

// Metadata returns the free-form texts of the file, or nil if it has none.
func (f *File) Metadata() map[string]string { return f.source.Metadata() }

// Format returns "safetensors", "zip", "legacy" or "TorchScript".
func (f *File) Format() string { return f.source.Format() }

// Key returns the path of the dictionary that was chosen; "" is the whole file.
func (f *File) Key() string { return f.choice.dict }

// Close closes the file. The tensors that were read stay valid.
func (f *File) Close() error { return f.source.Close() }

// Dict is a dictionary, list or module of a file.
type Dict struct {
	Key     string // its path; "" is the whole file
	Tensors int    // how many are in it and below
}

// Dicts returns all dictionaries of the file that have tensors, the whole file first.
func (f *File) Dicts() []Dict { return f.all.dictionaries() }

// closing also closes the file that a source reads.
type closing struct {
	source
	r io.Closer
}

func (c *closing) Close() error { return errors.Join(c.source.Close(), c.r.Close()) }

type safe struct{ *safetensors.File }

func (safe) Format() string { return "safetensors" }

// Dicts: the format has no dictionaries, only names with dots in them.
func (safe) Dicts() []string { return []string{""} }

func (safe) IsModule(string) bool { return false }

// Unreadable: every tensor has at least bytes that can be read.
func (safe) Unreadable() []string { return nil }

type torch struct{ *torchfile.File }

// IsModule: a TorchScript file is one.
func (t torch) IsModule(dict string) bool {
	return dict == "" && t.Format() == "TorchScript" || t.File.IsModule(dict)
}

func (torch) Metadata() map[string]string { return nil }
