package torchfile_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"log"
	"os"

	"pixelgrad/tensor/torchfile"
)

// The file is one of torch.jit.save, in half precision, like OpenAI's CLIP.
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

// A file in memory, such as one that is embedded in the program.
func ExampleNewFile() {
	data, err := os.ReadFile("../../testdata/golden/torchfile/zip.pt")
	if err != nil {
		log.Fatal(err)
	}
	f, err := torchfile.NewFile("zip.pt", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.Format(), f.Names()[:2])
	// Output: zip [conv.weight conv.bias]
}

// A pickle can call any function of Python. This one would run a command; here nothing
// is executed, and what the function would return is an object without a content.
func ExampleNewFile_hostile() {
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for _, member := range []struct{ name, text string }{
		{"weights/data.pkl", "\x80\x02cos\nsystem\nX\x07\x00\x00\x00echo hi\x85R."},
		{"weights/version", "3\n"},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: member.name, Method: zip.Store})
		if err != nil {
			log.Fatal(err)
		}
		if _, err := w.Write([]byte(member.text)); err != nil {
			log.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		log.Fatal(err)
	}
	_, err := torchfile.NewFile("weights.pt", bytes.NewReader(file.Bytes()), int64(file.Len()))
	fmt.Println(err)
	// Output: torchfile: weights.pt: found no tensor in it, only an object of "os.system"; save the weights, torch.save(model.state_dict(), …)
}
