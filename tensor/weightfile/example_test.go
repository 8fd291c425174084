package weightfile_test

import (
	"fmt"
	"log"

	"pixelgrad/tensor/weightfile"
)

// The names, types and shapes in two files. The content of a file says which format it
// has.
func ExampleOpen() {
	for _, name := range []string{"nested.pt", "nested.safetensors"} {
		f, err := weightfile.Open("../../testdata/golden/torchfile/" + name)
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
	}
	// Output:
	// zip w F32 [2 3]
	// safetensors w F32 [2 3]
}

// Tensors of every format and element type arrive as float32.
func ExampleFile() {
	f, err := weightfile.Open("../../testdata/golden/torchfile/nested.pt")
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
