package weightfile

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What people have under the name of a weight file, with a part of the error that names it
// and says what to do.
func TestKinds(t *testing.T) {
	padded := func(s string, n int) string { return s + strings.Repeat("\x00", max(0, n-len(s))) }
	for _, c := range []struct{ content, what, do string }{
		{"", "found an empty file", "download or copy it again"},
		{"\x80", "found only 1 bytes", "download or copy it again"},
		{strings.Repeat("\x00", 5000), "nothing but zeros", "again"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n", "a pointer of Git LFS", "git lfs pull"},
		{"# xet version 0\nfilesize = 123\nhash = 'ab'\n", "a pointer of Xet", "git xet checkout"},
		{"<!DOCTYPE html>\n<html><head>", "a web page", "needs a login"},
		{"\ufeff\r\n<html lang=\"en\">", "a web page", "needs a login"},
		{"<!-- saved --><HTML>", "a web page", "needs a login"},
		{"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code>", "a text in XML", "again"},
		{`{"error":"Invalid credentials in Authorization header"}`, "a text in JSON", "look at it"},
		{"[\n  1\n]\n            ", "a text in JSON", "look at it"},
		{"{\n  \"metadata\": {\n    \"total_size\": 13476835328\n  },\n  \"weight_map\": {}}", "the list of the parts of a large model", "name one of its parts"},
		{"Entry not found", "a text", "look at it"},
		{strings.Repeat("größe ", 1000), "a text", "look at it"},
		{"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03weights!", "an archive of gzip", "unpack it"},
		{"BZh91AY&SY........", "an archive of bzip2", "unpack it"},
		{"\xfd7zXZ\x00\x00\x04........", "an archive of xz", "unpack it"},
		{"\x28\xb5\x2f\xfd............", "an archive of zstd", "unpack it"},
		{"7z\xbc\xaf\x27\x1c\x00\x04........", "an archive of 7-Zip", "unpack it"},
		{"Rar!\x1a\x07\x01\x00........", "an archive of RAR", "unpack it"},
		{padded("model.pth", 257) + "ustar\x0000", "an archive of tar", "unpack it"},
		{padded("PK\x05\x06", 22), "an empty zip archive", "again"},
		{"GGUF\x03\x00\x00\x00............", "weights in GGUF", "as safetensors or of PyTorch"},
		{"tjgg\x03\x00\x00\x00............", "weights in GGML", "as safetensors or of PyTorch"},
		{"\x89HDF\r\n\x1a\n\x00........", "a file of HDF5", "save the weights as safetensors"},
		{"\x93NUMPY\x01\x00v\x00{'descr'", "an array of NumPy (.npy)", "safetensors.numpy.save_file"},
		{"MATLAB 5.0 MAT-file, Platform", "a file of MATLAB", "save the weights"},
		{"\x1c\x00\x00\x00TFL3\x14\x00 \x00........", "TensorFlow Lite", "safetensors"},
		{"\x08\x01\x12\xb3\x1c*\x03\x08\xd8\x0c........", "a SavedModel of TensorFlow", "save the weights"},
		{"\x08\x08\x12\x07pytorch\x1a\x052.1.0:", "a model in ONNX", "from which it was made"},
		{"\x08\x07:\xd6\x01\n\x1f\n\x01x........", "a model in ONNX", "from which it was made"},
		{"\n\x2d\n\x05input\x12\x0bPlaceholder*\x0b\n\x05dtype\x12\x020\x01*....................", "a graph of TensorFlow or a model of Caffe", "save the weights"},
		{"\n\x0fVGG_ILSVRC_16_l\xa2\x06\x10........", "a graph of TensorFlow or a model of Caffe", "save the weights"},
		{"\x81\xa6params\x83\xa5conv1........", "weights of Flax", "save the weights"},
		{"\xde\x00\x11\xa6params\x83........", "weights of Flax", "save the weights"},
		{"\x89PNG\r\n\x1a\n........", "a picture", "name the file of weights"},
		{"\xff\xd8\xff\xe0........", "a picture", "name the file of weights"},
		{"RIFF....WEBPVP8 ", "a picture in WebP", "name the file of weights"},
		{"%PDF-1.7\n%\xe2\xe3........", "a document", "name the file of weights"},
		{"\x7fELF\x02\x01\x01........", "a program", "name the file of weights"},
		{"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11", "a file of 17 bytes that begins with", `"\x01\x02`},
	} {
		_, err := Read("model.pth", strings.NewReader(c.content), int64(len(c.content)), Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "model.pth: expected weights, in a safetensors file or one of torch.save, found") ||
			!strings.Contains(err.Error(), c.what) || !strings.Contains(err.Error(), c.do) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: error %v, want one line with %q and %q", c.content, err, c.what, c.do)
		}
	}
}

func TestArchives(t *testing.T) {
	for inside, want := range map[string]string{
		"metadata.json":                        "a model of Keras (.keras)",
		"arr_0.npy":                            "arrays of NumPy (.npz)",
		"model/archive_format":                 "a program of torch.export",
		"MAR-INF/MANIFEST.json":                "an archive of TorchServe",
		"vgg/vgg16.pth":                        "a zip archive with a file of weights in it, which has \"vgg/vgg16.pth\": unpack it",
		"readme.txt":                           "there is no member",
		"folder/data.pkl":                      "there is no member \"folder/version\"",
		"model.mlpackage/Data/weights.mlmodel": "a model of Core ML",
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range []string{"folder/first", inside} {
			w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
			if err == nil {
				_, err = w.Write([]byte("content"))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := Read("model.pth", bytes.NewReader(b.Bytes()), int64(b.Len()), Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "model.pth: ") {
			t.Errorf("%s: error %v, want one with %q", inside, err, want)
		}
	}
}

// A folder with a model in it names the file to take.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.safetensors")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "found a folder: name the file in it, "+path) {
		t.Errorf("error %v", err)
	}
}
