package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/weightfile"
)

const convertUsage = `Write the tensors of a network as safetensors.

    go run ./cmd/weights convert IN OUT.safetensors [-key KEY] [-f16]

If IN has more than a network, such as an optimiser, the network is looked for;
-key says where it is. Prefixes of wrappers, such as "module.", are removed from
the names. What was taken, removed and left is said.

Floats are written with 32 bits, which keeps those of 8 and 16 bits exactly and
rounds those of 64. Integers and booleans, such as counters, are kept as they are.
Complex numbers and floats that are packed (F4, F6) cannot be read: then nothing is
written. Texts of a safetensors file are kept. OUT must not be there before. All
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
	if names := f.Unreadable(); len(names) > 0 {
		_, err := f.Info(names[0])
		return fmt.Errorf("%w; nothing was written", err)
	}
	if err := checkTensors(f, in); err != nil {
		return err
	}
	var named []safetensors.Named
	elements, large, beyond := int64(0), 0, 0
	opt := safetensors.Options{Float16: *half}
	for _, name := range f.Names() {
		if ctx.Err() != nil {
			return fmt.Errorf("%s: interrupted; nothing was written", out)
		}
		info, err := f.Info(name)
		if err != nil {
			return err
		}
		if !info.DType.Float() {
			b, err := f.Bytes(name)
			if err != nil {
				return err
			}
			opt.Raw = append(opt.Raw, safetensors.Raw{Name: name, DType: info.DType, Shape: info.Shape, Bytes: b})
			continue
		}
		t, err := f.Tensor(name)
		if err != nil {
			return err
		}
		named = append(named, safetensors.Named{Name: name, Tensor: t})
		elements += int64(t.Len())
		if info.DType == safetensors.F64 && slices.ContainsFunc(t.Data(), infinite) {
			b, err := f.Bytes(name)
			if err != nil {
				return err
			}
			beyond += beyondFloat(b)
		}
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
	if beyond > 0 {
		fmt.Fprintf(c.log, "%s: %s elements of 64 bits are 3.4e38 or more and become Inf\n", in, format.Thousands(beyond))
	}
	if err := opt.WriteFile(out, named, texts); err != nil {
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
	others := ""
	if len(opt.Raw) > 0 {
		others = fmt.Sprintf(", and %d of integers as they are", len(opt.Raw))
	}
	fmt.Fprintf(c.out, "%s: %s of %s, %s elements as %s%s, %s.\n", out, tensorsOf(len(named)), in, format.Thousands(elements), dtype, others, format.Bytes(st.Size()))
	return nil
}

// tensorsOf is a number of tensors in words.
func tensorsOf(n int) string {
	if n == 1 {
		return "1 tensor"
	}
	return format.Thousands(n) + " tensors"
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

// checkTensors returns an error if a tensor cannot be converted, before anything is. Tensors
// may share their data in the file, but would not in memory: what would take much more there
// than the file is refused too.
func checkTensors(f tensors, in string) error {
	st, err := os.Stat(in)
	if err != nil {
		return err
	}
	limit := max(1<<30, 8*st.Size())
	total := int64(0)
	for _, name := range f.Names() {
		info, err := f.Info(name)
		if err != nil {
			return err
		}
		if !info.DType.Readable() {
			return fmt.Errorf("%s: expected floats of 8, 16, 32 or 64 bits, or integers, found the type %s at %s: nothing was written", in, info.DType, printable(name))
		}
		n := 4 * count(info.Shape)
		if !info.DType.Float() {
			n = info.Bytes
		}
		if n > limit-total {
			return fmt.Errorf("%s: expected tensors that need at most %s in memory, found more, at %s: they share their data", in, format.Bytes(limit), printable(name))
		}
		total += n
	}
	return nil
}

// tensors is what checkTensors needs of a weight file.
type tensors interface {
	Names() []string
	Info(name string) (safetensors.Info, error)
}

func infinite(v float32) bool { return math.IsInf(float64(v), 0) }

// beyondFloat counts the finite numbers of 64 bits that 32 bits cannot hold.
func beyondFloat(elements []byte) int {
	n := 0
	for ; len(elements) >= 8; elements = elements[8:] {
		v := math.Float64frombits(binary.LittleEndian.Uint64(elements))
		if !math.IsInf(v, 0) && infinite(float32(v)) {
			n++
		}
	}
	return n
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
