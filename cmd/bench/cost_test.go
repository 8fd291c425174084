package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"strings"
	"testing"
)

// TestCost predicts a small network's step from its parts. How well is not tested: it depends on what else
// the machine does.
func TestCost(t *testing.T) {
	o := mustParse(t, "-kernels", "none", "-models", "dilated@1", "-cost", "-rounds", "1", "-side", "16", "-threads", "2")
	var out bytes.Buffer
	if err := run(context.Background(), o, strings.NewReader(""), &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| dilated@1   | training step |", "predicted / measured", "products of tiles", "transformations of tiles", "multiply-adds", "memory, beyond what products hide"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, out.String())
		}
	}
}

// TestCostOfOthers: frozen networks have no program to count.
func TestCostOfOthers(t *testing.T) {
	o := mustParse(t, "-kernels", "none", "-models", "vgg16@1", "-cost", "-rounds", "1")
	if err := run(context.Background(), o, strings.NewReader(""), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "-cost") {
		t.Errorf("got %v, want an error about -cost", err)
	}
}

// TestPredict adds two parts up by hand: of the memory that a step needs, what its products hide does not
// count, and all of it where there are none.
func TestPredict(t *testing.T) {
	products, packed := part{partKey{name: "Add"}, 2, 10}, part{partKey{kind: 0}, 1, 100}
	steps := []costStep{
		{parts: []part{products, packed}, read: 30, written: 10},
		{read: 5},
	}
	rates := map[partKey]rate{products.partKey: {call: 1, each: 0.4}, packed.partKey: {each: 0.2}}
	p := predict(steps, rates, memoryRate{read: 1, write: 2}, 2)
	want := prediction{elementwise: 3, tileWork: 10, memory: (30 + 20 - 13) + 5}
	for g := range groupCount {
		if !(math.Abs(p[g]-want[g]) < 1e-12) {
			t.Errorf("%s: %v s, want %v", groupNames[g], p[g], want[g])
		}
	}
}
