package weightfile_test

import (
	"fmt"
	"log"

	"pixelgrad/tensor/weightfile"
)

// A training program saved an optimiser beside the network.
func ExampleOpen() {
	f, err := weightfile.Open("../../testdata/golden/torchfile/nested.pt", weightfile.Options{
		Say: func(line string) { fmt.Println(line) },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names() {
		info, err := f.Info(name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(f.Format(), name, info.DType, info.Shape)
	}
	// Output:
	// ../../testdata/golden/torchfile/nested.pt: the network is in "state_dict", 1 of the 2 tensors; not taken: "optimizer" (1 tensor)
	// zip w F32 [2 3]
}

// Tensors of every format and element type arrive as float32.
func ExampleFile() {
	f, err := weightfile.Open("../../testdata/golden/torchfile/nested.pt", weightfile.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	w, err := f.Tensor("w")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Shape(), w.Data())
	// Output: [2 3] [-6.125 -1.5 3.125 -4.875 -0.25 4.375]
}
