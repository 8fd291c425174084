package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/weightfile"
)

const convertUsage = `Write the tensors of a file as safetensors, under the same names.

    go run ./cmd/weights convert IN OUT.safetensors [-f16]

They are written as 32-bit floats, which keeps 16-bit ones exactly and rounds
64-bit ones. Tensors that are not floats, such as counters, are left out, and
named. Texts of a safetensors file are kept. OUT must not be there before. All
tensors are in memory at once.

`

// convert writes a file of tensors as safetensors.
func (c *command) convert(ctx context.Context, args []string) error {
	flags := cli.NewFlags("convert")
	half := flags.Bool("f16", false, "write 16-bit floats: half the size, 3 digits")
	key := keyFlag(flags)
	rest, err := c.parse(flags, convertUsage, args, "the file IN", "the file OUT.safetensors")
	if err != nil {
		return err
	}
	in, out := rest[0], rest[1]
	if !strings.HasSuffix(out, ".safetensors") {
		return cli.Usagef("convert: expected OUT to end in .safetensors, which is what is written; found %s", out)
	}
	if err := checkNew(in, out); err != nil {
		return err
	}
	f, err := weightfile.Open(in, c.options(*key))
	if err != nil {
		return err
	}
	defer f.Close()
	names, err := c.readableNames(f, in)
	if err != nil {
		return err
	}
	var named []safetensors.Named
	elements, large := int64(0), 0
	for _, name := range names {
		if ctx.Err() != nil {
			return fmt.Errorf("%s: interrupted; nothing was written", out)
		}
		t, err := f.Tensor(name)
		if err != nil {
			return err
		}
		named = append(named, safetensors.Named{Name: name, Tensor: t})
		elements += int64(t.Len())
		if *half {
			large += beyondHalf(t.Data())
		}
	}
	texts := f.Metadata()
	if texts == nil && f.Format() != "safetensors" {
		texts = map[string]string{"format": "pt"} // some programs want it
	}
	if large > 0 {
		fmt.Fprintf(c.log, "%s: %s elements are 65520 or more and become Inf with -f16\n", in, format.Thousands(large))
	}
	if err := (safetensors.Options{Float16: *half}).WriteFile(out, named, texts); err != nil {
		return err
	}
	st, err := os.Stat(out)
	if err != nil {
		return err
	}
	dtype := safetensors.F32
	if *half {
		dtype = safetensors.F16
	}
	fmt.Fprintf(c.out, "%s: %d of the %d tensors of %s, %s elements as %s, %s.\n", out, len(named), len(f.Names()), in, format.Thousands(elements), dtype, format.Bytes(st.Size()))
	return nil
}

// checkNew refuses to write over anything, above all over what is being read.
func checkNew(in, out string) error {
	to, err := os.Stat(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if from, err := os.Stat(in); err == nil && os.SameFile(from, to) {
		return fmt.Errorf("%s: expected another file than IN, found the same one: choose another name", out)
	}
	return fmt.Errorf("%s: expected a name that is free, found a file: delete it, or choose another name", out)
}

// file is what convert needs of a weight file.
type file interface {
	Names() []string
	Info(name string) (safetensors.Info, error)
}

// readableNames returns the names of the tensors that can be converted, and
// says which cannot. Tensors may share their data in the file, but would not in
// memory: what would take much more there than the file is refused.
func (c *command) readableNames(f file, in string) ([]string, error) {
	st, err := os.Stat(in)
	if err != nil {
		return nil, err
	}
	limit := max(1<<30, 8*st.Size())
	var names []string
	total := int64(0)
	for _, name := range f.Names() {
		info, err := f.Info(name)
		if err != nil {
			return nil, err
		}
		if !info.DType.Readable() {
			fmt.Fprintf(c.log, "left out: %s has the type %s, and only floats can be converted\n", printable(name), info.DType)
			continue
		}
		n := count(info.Shape)
		if n > (limit-total)/4 {
			return nil, fmt.Errorf("%s: expected tensors that need at most %s in memory, found more, at %s: they share their data", in, format.Bytes(limit), printable(name))
		}
		total += 4 * n
		names = append(names, name)
	}
	return names, nil
}

// beyondHalf counts the finite numbers that 16 bits cannot hold.
func beyondHalf(values []float32) int {
	n := 0
	for _, v := range values {
		if a := math.Abs(float64(v)); a >= 65520 && !math.IsInf(a, 0) {
			n++
		}
	}
	return n
}
