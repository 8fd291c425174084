package safetensors

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"pixelgrad/tensor"
)

// One tensor as large as CLIP's largest few together: 64 MB of F32.
const benchElements = 16 << 20

func BenchmarkDecode(b *testing.B) {
	dst := make([]float32, benchElements)
	for _, d := range []DType{F32, F16, BF16, F64} {
		b.Run(string(d), func(b *testing.B) {
			src := make([]byte, benchElements*d.Bits()/8)
			for i := range src {
				src[i] = byte(i*7 + i>>8)
			}
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				d.Decode(dst, src)
			}
		})
	}
}

func BenchmarkTensor(b *testing.B) {
	path := b.TempDir() + "/model.safetensors"
	x := tensor.New(benchElements)
	for _, opt := range []Options{{}, {Float16: true}} {
		if err := opt.WriteFile(path, []Named{{"x", x}}, nil); err != nil {
			b.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		info, _ := f.Info("x")
		b.Run(string(info.DType), func(b *testing.B) {
			b.SetBytes(info.Bytes)
			for b.Loop() {
				t, err := f.Tensor("x")
				if err != nil {
					b.Fatal(err)
				}
				tensor.Release(t)
			}
		})
		f.Close()
	}
}

func BenchmarkWrite(b *testing.B) {
	tensors := []Named{{"x", tensor.New(benchElements)}}
	for _, opt := range []Options{{}, {Float16: true}} {
		b.Run(fmt.Sprintf("Float16=%v", opt.Float16), func(b *testing.B) {
			b.SetBytes(4 * benchElements)
			for b.Loop() {
				if err := opt.Write(io.Discard, tensors, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The header of a model with 1000 tensors.
func BenchmarkOpen(b *testing.B) {
	var tensors []Named
	for i := range 1000 {
		tensors = append(tensors, Named{fmt.Sprintf("model.layers.%d.attention.weight", i), tensor.New(2, 2)})
	}
	var buf bytes.Buffer
	if err := Write(&buf, tensors, nil); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(buf.Len() - 16*1000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openBytes(buf.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}

// The most tensors that a header of 8 MB can describe: time and memory must
// stay in proportion.
func BenchmarkOpenHostile(b *testing.B) {
	var s strings.Builder
	s.WriteString(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)
	for i := 0; s.Len() < 8<<20; i++ {
		fmt.Fprintf(&s, `,"%x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i*2654435761%(1<<32))
	}
	s.WriteByte('}')
	file := build(s.String(), 0)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		openBytes(file)
	}
}
