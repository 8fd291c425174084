package torchfile_test

import (
	"fmt"
	"log"

	"pixelgrad/tensor/torchfile"
)

// The file is one of torch.jit.save, half precision, as OpenAI's CLIP is.
func Example() {
	f, err := torchfile.Open("../../testdata/golden/torchfile/script.pt")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.Names()[:4] {
		info, err := f.Info(name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, info.DType, info.Shape)
	}
	t, err := f.Tensor("visual.0.mlp.bias")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Data())
	// Output:
	// logit_scale F16 []
	// input_resolution I64 []
	// visual.0.mask F16 [3 2]
	// visual.0.steps I64 []
	// [-6 -1.375]
}
