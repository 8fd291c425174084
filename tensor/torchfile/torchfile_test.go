package torchfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pixelgrad/internal/mmap"
	"pixelgrad/tensor/safetensors"
)

// naive returns the elements of a view by its definition.
func naive(storage []float32, off int, shape, stride []int) []float32 {
	if len(shape) == 0 {
		return []float32{storage[off]}
	}
	var out []float32
	for i := range shape[0] {
		out = append(out, naive(storage, off+i*stride[0], shape[1:], stride[1:])...)
	}
	return out
}

// Random views of a storage, of every type, mapped and read.
func TestStrides(t *testing.T) {
	const n = 200
	classes := map[safetensors.DType]string{safetensors.F16: "Half", safetensors.BF16: "BFloat16", safetensors.F32: "Float", safetensors.F64: "Double"}
	for dtype, class := range classes {
		rng := rand.New(rand.NewPCG(1, 2))
		data := make([]byte, n*dtype.Bits()/8)
		for i := range data {
			data[i] = byte(i*7 + i>>3)
		}
		storage := make([]float32, n)
		dtype.Decode(storage, data)
		st := strings.Replace(store("0", n), "FloatStorage", class+"Storage", 1)
		var pickle []string
		var want [][]float32
		for len(want) < 200 {
			rank := rng.IntN(5)
			shape, stride := make([]int, rank), make([]int, rank)
			span := 1
			for i := range rank {
				shape[i], stride[i] = rng.IntN(6), rng.IntN(30)
				span += max(0, shape[i]-1) * stride[i]
			}
			if span > n {
				continue
			}
			off := rng.IntN(n - span + 1)
			pickle = append(pickle, text(fmt.Sprint(len(want))), rebuild(st, off, shape, stride))
			want = append(want, naive(storage, off, shape, stride))
		}
		file := zipped(dictionary(pickle...), string(data))
		path := filepath.Join(t.TempDir(), "strides.pt")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		mapped, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer mapped.Close()
		read, err := openBytes(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []*File{mapped, read} {
			for i, w := range want {
				x, err := f.Tensor(fmt.Sprint(i))
				if err != nil {
					t.Fatal(err)
				}
				if !slices.EqualFunc(x.Data(), w, func(a, b float32) bool { return a == b || a != a && b != b }) {
					t.Fatalf("%s: view %d, %+v, is %v, want %v", dtype, i, f.byName[fmt.Sprint(i)], x.Data(), w)
				}
			}
		}
	}
}

// Rows longer than what gather decodes at a time.
func TestLongRows(t *testing.T) {
	const n = 3000
	data := make([]byte, 4*2*n)
	for i := range data {
		data[i] = byte(i*7+i>>8) & 0x3f
	}
	storage := make([]float32, 2*n)
	safetensors.F32.Decode(storage, data)
	f, err := openBytes(zipped(dictionary(text("w"), rebuild(store("0", 2*n), 0, []int{2, n}, []int{1, 2})), string(data)))
	if err != nil {
		t.Fatal(err)
	}
	x, err := f.Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(x.Data(), naive(storage, 0, []int{2, n}, []int{1, 2})) {
		t.Error("a transposed matrix of 2 rows of 3000 is wrong")
	}
}

// The forms of storages and tensors that PyTorch 1.13 does not write itself.
func TestOtherForms(t *testing.T) {
	data := "\x01\x02\x03\x04\x05\x06\x07\x08"
	untyped := "(" + text("storage") + name("torch.storage", "UntypedStorage") + text("0") + text("cuda:0") + "K\x08tQ"
	v3 := func(dtype string, off, n int) string {
		return name("torch._utils", "_rebuild_tensor_v3") + "(" + untyped + number(off) + numbers(n) + numbers(1) + "\x89" +
			name("collections", "OrderedDict") + ")R" + name("torch", dtype) + "tR"
	}
	pickle := dictionary(
		text("float8"), v3("float8_e4m3fn", 0, 8),
		text("uint16"), v3("uint16", 1, 3),
		text("bfloat"), v3("bfloat16", 1, 3),
		text("parameter"), name("torch._utils", "_rebuild_parameter")+"("+v3("float32", 0, 2)+"\x88}tR",
		text("old parameter"), name("torch.nn.parameter", "Parameter")+v3("float32", 0, 2)+"\x88\x86\x81",
		text("size"), name("torch", "Size")+"(K\x01K\x02t\x85R",
		text("device"), name("torch", "device")+text("cpu")+"\x85R",
		text("dtype"), name("torch", "bfloat16"),
		text("bytes"), "C\x01x", text("long"), "\x8a\x0a"+strings.Repeat("\x01", 10), text("pop"), "N(NN10N",
	)
	f, err := openBytes(zipped(pickle, data))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"float8": "{F8_E4M3 [8] 8}", "uint16": "{U16 [3] 6}", "bfloat": "{BF16 [3] 6}",
		"parameter": "{F32 [2] 8}", "old parameter": "{F32 [2] 8}",
	} {
		info, err := f.Info(name)
		if got := fmt.Sprint(info); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	if n := len(f.Names()); n != 5 {
		t.Errorf("%d tensors, want 5: %q", n, f.Names())
	}
	x, err := f.Tensor("bfloat")
	want := make([]float32, 3)
	safetensors.BF16.Decode(want, []byte(data[2:]))
	if err != nil || !slices.Equal(x.Data(), want) {
		t.Errorf("bfloat: %v, %v; want %v", x, err, want)
	}
}

// One storage under very many names is not allowed to make a small file large.
func TestSharedTooOften(t *testing.T) {
	const n = 1 << 18 // 1 MB of floats
	open := func(names int) error {
		var items []string
		for i := range names {
			items = append(items, text(fmt.Sprint(i)), simple("0", n))
		}
		_, err := openBytes(zipped(dictionary(items...), floats(4*n)))
		return err
	}
	// 64 MiB and 256 times the file, which has 1 MiB and some 200 bytes for each name.
	wantError(t, "400 names", open(400), "its 400 tensors share storages so often that they need more than 256 times")
	if err := open(300); err != nil {
		t.Errorf("300 names: %v", err)
	}
}

// Whatever a pickle does, reading it must not take more memory than its budget:
// twice the file and 64 MiB.
func TestMemory(t *testing.T) {
	const n = 1_000_000
	repeat := strings.Repeat
	for _, c := range []struct{ name, pickle string }{
		{"None", repeat("N", n)},
		{"numbers", repeat("M\xff\xff", n)},
		{"floats", repeat("G12345678", n/4)},
		{"lists", repeat("]", n)},
		{"dictionaries", repeat("}", n)},
		{"tuples", repeat("N\x85", n)},
		{"nested tuples", ")" + repeat("\x85", n)},
		{"large tuples", "(" + repeat("N", 1000) + "tq\x00" + repeat("(h\x00h\x00h\x00t", n/10)},
		{"short texts", repeat("U\x01a", n)},
		{"long texts", repeat(text(repeat("x", 1000)), n/1000)},
		{"names", repeat("ctorch\nSize\n", n/10)},
		{"marks", repeat("(", n)},
		{"memo", repeat("Nr"+"abcd", 10) + sparseMemo(n/10)},
		{"appends", "]" + repeat("Na", n)},
		{"sets", "}" + repeat("NNs", n)},
		{"copies", name("collections", "OrderedDict") + "q\x00]" + repeat("NN\x86a", 1000) + "q\x01" + repeat("h\x00h\x01\x85R0", n/10)},
		{"storages", repeat(store("0", 2)+"0", n/100)},
		{"opaque objects", name("a", "B") + "q\x00" + repeat("h\x00)\x81", n)},
		{"opaque calls", name("a", "B") + "q\x00" + repeat("h\x00)R", n)},
		{"opaque items", name("a", "B") + ")\x81" + repeat("NNs", n)},
		{"opaque elements", name("a", "B") + ")\x81" + repeat("Na", n)},
		{"old instances", repeat("(ia\nB\n", n/4)},
		{"sets", repeat("\x8f", n)},
		{"frozen sets", repeat("(NN\x91", n/2)},
		{"copies of sets", name("builtins", "set") + "q\x00]" + repeat("Na", 1000) + "q\x01" + repeat("h\x00h\x01\x85R0", n/10)},
		{"long names", repeat("c"+repeat("m", 4000)+"\n"+repeat("n", 4000)+"\n", n/1000)},
		{"digits", repeat("I123456\n", n)},
		{"large digits", repeat("L"+repeat("9", 4000)+"L\n", n/1000)},
		{"tensors", tiny + "q\x00](" + repeat("h\x00", n) + "e"},
		{"tensors that cannot be read", name("torch._utils", "_rebuild_sparse_tensor") + ")Rq\x00](" + repeat("h\x00", n) + "e"},
	} {
		file := zipped("\x80\x02"+c.pickle+".", floats(8))
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := openBytes(file)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", c.name)
		}
		// TotalAlloc also counts what was freed again: outgrown slices and the copy
		// of the pickle that reading without a mapping makes.
		if got, limit := int(after.TotalAlloc-before.TotalAlloc), memoryBase+3*len(file); got > limit {
			t.Errorf("%s: %d bytes were allocated for a file of %d, more than %d (%v)", c.name, got, len(file), limit, err)
		}
	}
}

// sparseMemo stores under n different numbers.
func sparseMemo(n int) string {
	var b []byte
	for i := range n {
		b = append(b, 'r')
		b = le.AppendUint32(b, uint32(i*2654435761))
	}
	return string(b)
}

// Elements of 16 bytes, which no type of safetensors has, are read too.
func TestBytesOfComplex128(t *testing.T) {
	b := make([]byte, 4*16)
	for i := range b {
		b[i] = byte(i)
	}
	for _, c := range []struct {
		stride []int
		want   []int // the elements
	}{{[]int{2, 1}, []int{0, 1, 2, 3}}, {[]int{1, 2}, []int{0, 2, 1, 3}}} {
		a := &array{dtype: "C128", shape: []int{2, 2}, stride: c.stride, count: 4, span: 4}
		var got, want []byte
		err := a.read(mmap.NewFile("x", bytes.NewReader(b), int64(len(b))), 0, func(b []byte) error {
			got = append(got, b...)
			return nil
		})
		for _, i := range c.want {
			want = append(want, b[16*i:16*i+16]...)
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("stride %v: %v, %v; want %v", c.stride, got, err, want)
		}
	}
}
