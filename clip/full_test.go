package clip

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"testing"

	"pixelgrad/internal/golden"
	"pixelgrad/simd"
	"pixelgrad/tensor"
)

// TestFullSize makes a ViT-B/32 from the recipe's 151 million numbers and compares its
// embeddings with those of OpenAI's code. It also checks the peak memory of loading and a
// forward pass, which may be 1.3 times the weights in float32, including the weights.
func TestFullSize(t *testing.T) {
	if testing.Short() || simd.Current() == simd.Generic {
		t.Skip("18 billion multiplications are for vector instructions")
	}
	file := golden.Open(t, "clip_full")
	c := ViTB32()
	parameters := 1
	for _, s := range c.tensors(&openAI) {
		n := 1
		for _, d := range s.shape {
			n *= d
		}
		parameters += n
	}
	if parameters != 151_277_313 {
		t.Fatalf("%d parameters, want 151277313", parameters)
	}

	tensor.ReleaseAll()
	debug.FreeOSMemory()
	resetPeak := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) == nil

	m := mustNew(t, newRecipe(c), quick)
	if float64(m.Bytes()) > 4.04*float64(parameters) {
		t.Errorf("the weights take %d bytes, want hardly more than %d", m.Bytes(), 4*parameters)
	}
	image := m.EncodeImage(scaled(1002, 2, 3, 224, 224))
	words := mustEncode(t, m, [][]int{text(0, 7, 77, 49408), text(1, 3, 77, 49408), text(2, 77, 77, 49408)})
	for name, got := range map[string]*tensor.Tensor{"vision": image, "text": words} {
		want, err := file.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		cosine := Cosine(got, want)
		for i := range got.Dim(0) {
			distance, length := 0.0, 0.0
			for j := i * c.Embed; j < (i+1)*c.Embed; j++ {
				distance += math.Pow(float64(got.Data()[j])-float64(want.Data()[j]), 2)
				length += math.Pow(float64(want.Data()[j]), 2)
			}
			relative := math.Sqrt(distance / length)
			t.Logf("%s %d: relative difference %.1e", name, i, relative)
			if !(relative <= 1e-4) {
				t.Errorf("%s %d: the embedding differs from OpenAI's by %.1e of its length, want at most 1e-4", name, i, relative)
			}
			if got := cosine.Data()[i*got.Dim(0)+i]; !(got >= 0.99999) {
				t.Errorf("%s %d: the cosine with OpenAI's embedding is %v, want at least 0.99999", name, i, got)
			}
		}
		golden.Check(t, file, name, got, 1e-4, 1e-4) // lengths are 22, of 512 numbers
	}

	m.EncodeImage(scaled(1003, 16, 3, 224, 224))
	if peak := peakMemory(); resetPeak && peak > 0 {
		ratio := float64(peak) / float64(4*parameters)
		t.Logf("%d MB of weights, %d MB of memory at most: %.2f times", 4*parameters/1e6, peak/1e6, ratio)
		if ratio > 1.3 {
			t.Errorf("loading and a forward pass of 16 pictures took %.2f times the weights' memory, want at most 1.3", ratio)
		}
	}
}

// peakMemory returns the largest memory since the peak was reset, or 0 where it is unknown.
func peakMemory() int {
	status, _ := os.ReadFile("/proc/self/status")
	var kb int
	if _, after, ok := bytes.Cut(status, []byte("VmHWM:")); ok {
		fmt.Sscan(string(after), &kb)
	}
	return kb << 10
}
