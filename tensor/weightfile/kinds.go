package weightfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// beginning is how many bytes of a file are looked at to tell what it is.
const beginning = 1024

// isSafetensors reports whether a file begins with the length of a header that safetensors
// allows, followed by JSON. It is called before isTorch, because such a length can look
// like the first bytes of a pickle. The converse is impossible: the first 8 bytes of
// PyTorch's pickles and archives are always a larger number.
func isSafetensors(b []byte) bool {
	const maxHeader = 100_000_000 // the format's limit
	return len(b) > 8 && b[8] == '{' && binary.LittleEndian.Uint64(b) <= maxHeader
}

// isTorch reports whether a file begins like a zip archive or a pickle: with the opcode
// PROTO, or before protocol 2 with PyTorch's number.
func isTorch(b []byte) bool {
	return isZip(b) || len(b) >= 2 && b[0] == 0x80 || bytes.HasPrefix(b, []byte("L119547037146038801333356L"))
}

func isZip(b []byte) bool { return len(b) >= 4 && string(b[:4]) == "PK\x03\x04" }

// A kind is something that people have in place of weights.
type kind struct {
	is   func(b []byte) bool // whether a file is one, by its first bytes
	what string              // what it is
	do   string              // what to do
}

const (
	again    = "download or copy it again"
	unpack   = "unpack it, and name the file of weights that is in it"
	save     = "open it with the program that made it, and save the weights as safetensors"
	pictures = "name the file of weights"
)

// kinds lists what is no weight file but is found under the name of one, with the first
// bytes that tell.
var kinds = []kind{
	{begins("version https://git-lfs.github.com/", "version https://hawser.github.com/"),
		"a pointer of Git LFS, which stands for the file in a repository", "run git lfs pull there, or download the file itself"},
	{begins("# xet version"), "a pointer of Xet, which stands for the file in a repository", "run git xet checkout there, or download the file itself"},
	{isHTML, "a web page", "it may say that the file is not there or needs a login: open it in a browser, and download the file itself"},
	{isText("<?xml", "<Error>"), "a text in XML, perhaps the answer of a server with an error", "look at it, and " + again},
	{isIndex, "the list of the parts of a large model", "name one of its parts, which end in .safetensors or .bin"},
	{isText("{", "["), "a text in JSON, perhaps a configuration or the answer of a server with an error", "look at it, and name or download the file of weights"},
	{zeros, "nothing but zeros, as of a download that was not finished", again},

	{begins("\x1f\x8b"), "an archive of gzip", unpack},
	{begins("BZh"), "an archive of bzip2", unpack},
	{begins("\xfd7zXZ\x00"), "an archive of xz", unpack},
	{begins("\x28\xb5\x2f\xfd"), "an archive of zstd", unpack},
	{begins("7z\xbc\xaf\x27\x1c"), "an archive of 7-Zip", unpack},
	{begins("Rar!\x1a\x07"), "an archive of RAR", unpack},
	{contains(257, "ustar"), "an archive of tar", unpack + "; if PyTorch before 0.1.10 wrote it, open it with torch.load and save it again"},
	{begins("PK\x05\x06"), "an empty zip archive", again},

	{begins("GGUF"), "weights in GGUF, as llama.cpp has them", "use the model's weights as safetensors or of PyTorch"},
	{begins("tjgg", "lmgg", "fmgg", "algg"), "weights in GGML, as llama.cpp had them", "use the model's weights as safetensors or of PyTorch"},
	{begins("\x89HDF\r\n\x1a\n"), "a file of HDF5 (.h5), as Keras, TensorFlow and MATLAB have it", save},
	{begins("\x93NUMPY"), "an array of NumPy (.npy)", "in Python: safetensors.numpy.save_file({name: numpy.load(file)}, …)"},
	{begins("MATLAB 5.0 MAT-file"), "a file of MATLAB (.mat)", save},
	{contains(4, "TFL3"), "a model of TensorFlow Lite (.tflite)", "use the model's weights as safetensors or of PyTorch"},
	{isSavedModel, "a SavedModel of TensorFlow (.pb)", save},
	{isONNX, "a model in ONNX", "use the model's weights as safetensors or of PyTorch, from which it was made"},
	{isGraph, "a graph of TensorFlow or a model of Caffe", save},
	{isMessagePack, "weights of Flax in MessagePack (.msgpack)", save},

	{begins("\x89PNG\r\n", "\xff\xd8\xff", "GIF87a", "GIF89a", "II*\x00", "MM\x00*"), "a picture", pictures},
	{begins("RIFF"), "a picture in WebP, or sound or video", pictures},
	{begins("%PDF"), "a document in PDF", pictures},
	{begins("\x7fELF", "MZ"), "a program", pictures},
	{isPlainText, "a text", "look at it, and name or download the file of weights"},
}

// notWeights is the error for a file that is neither safetensors nor PyTorch's.
func notWeights(name string, b []byte, size int64) error {
	const expected = "expected weights, in a safetensors file or one of torch.save"
	if size == 0 {
		return fmt.Errorf("%s: %s, found an empty file: %s", name, expected, again)
	}
	for _, k := range kinds {
		if k.is(b) {
			return fmt.Errorf("%s: %s, found %s: %s", name, expected, k.what, k.do)
		}
	}
	if size < 16 {
		return fmt.Errorf("%s: %s, found only %d bytes: %s", name, expected, size, again)
	}
	if strings.HasSuffix(name, ".index") || strings.HasSuffix(name, ".ckpt") || strings.Contains(filepath.Base(name), ".data-0") {
		return fmt.Errorf("%s: %s, found what may be a checkpoint of TensorFlow: %s", name, expected, save)
	}
	return fmt.Errorf("%s: %s, found a file of %d bytes that begins with %q", name, expected, size, b[:min(len(b), 16)])
}

// begins makes a test for one of several beginnings.
func begins(with ...string) func([]byte) bool {
	return func(b []byte) bool {
		return slices.ContainsFunc(with, func(s string) bool { return bytes.HasPrefix(b, []byte(s)) })
	}
}

// contains makes a test for a text at a place.
func contains(at int, text string) func([]byte) bool {
	return func(b []byte) bool { return len(b) >= at && bytes.HasPrefix(b[at:], []byte(text)) }
}

// isText makes a test for a text with one of several beginnings, after white space, whose
// white space does not count.
func isText(with ...string) func([]byte) bool {
	return func(b []byte) bool {
		if !isPlainText(b) {
			return false
		}
		text := strings.Join(strings.Fields(strings.TrimPrefix(string(b), "\ufeff")), "")
		return slices.ContainsFunc(with, func(s string) bool { return strings.HasPrefix(text, s) })
	}
}

// isIndex: model.safetensors.index.json and the like.
func isIndex(b []byte) bool { return isText("{")(b) && bytes.Contains(b, []byte(`"weight_map"`)) }

func isHTML(b []byte) bool {
	text := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(string(b), "\ufeff")))
	return strings.HasPrefix(text, "<!doctype html") || strings.HasPrefix(text, "<html") || strings.HasPrefix(text, "<head") || strings.HasPrefix(text, "<!--")
}

// isPlainText reports whether the beginning is UTF-8 without control characters.
func isPlainText(b []byte) bool {
	if len(b) == beginning { // the last character may be cut
		for n := 0; n < 3 && !utf8.Valid(b); n++ {
			b = b[:len(b)-1]
		}
	}
	return len(b) > 0 && utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r\f", r) }) < 0
}

func zeros(b []byte) bool { return len(b) >= 16 && len(bytes.Trim(b, "\x00")) == 0 }

// isSavedModel: a message of Protocol Buffers with field 1, the schema's version, which is
// 1, and field 2, a graph.
func isSavedModel(b []byte) bool { return bytes.HasPrefix(b, []byte{0x08, 1, 0x12}) }

// isONNX: field 1 is the version of the format; a text (2: the producer) or the graph (7)
// or the operators (8) follow.
func isONNX(b []byte) bool {
	return len(b) > 3 && b[0] == 0x08 && b[1] >= 2 && b[1] < 32 && (b[2] == 0x12 || b[2] == 0x3a || b[2] == 0x42)
}

// isGraph: field 1 is a message or a text; in TensorFlow it is a node, whose field 1 is its
// name, and in Caffe the name of the network.
func isGraph(b []byte) bool {
	if len(b) < 8 || b[0] != 0x0a {
		return false
	}
	n, k := binary.Uvarint(b[1:])
	if k <= 0 {
		return false
	}
	b = b[1+k:]
	if len(b) > 3 && b[0] == 0x0a && int(b[1]) < int(n) {
		n, b = uint64(b[1]), b[2:] // a node's name
	}
	return n > 0 && n < uint64(len(b)) && isPlainText(b[:n])
}

// isMessagePack: a map whose first key is a text, of as many characters as the code says.
func isMessagePack(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	switch {
	case b[0] > 0x80 && b[0] < 0x90:
		b = b[1:]
	case b[0] == 0xde:
		b = b[3:]
	default:
		return false
	}
	n := int(b[0]) - 0xa0
	return n > 0 && n < 32 && n < len(b) && isPlainText(b[1:1+n])
}

// cutZip returns an error for a zip archive without its end, which is a directory: what
// comes before cannot be read.
func cutZip(name string, r io.ReaderAt, size int64, b []byte) error {
	if !isZip(b) {
		return nil
	}
	const record, comment = 22, 65535 // its size, and that of a comment after it
	end := make([]byte, min(size, record+comment))
	if _, err := r.ReadAt(end, size-int64(len(end))); err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !bytes.Contains(end, []byte("PK\x05\x06")) {
		return fmt.Errorf("%s: the file is cut off: it begins like one of torch.save, a zip archive, but the archive's directory is missing at its end: %s", name, again)
	}
	return nil
}

// archives lists what zip archives hold that are not of torch.save, by the names in them.
var archives = []struct {
	has      func(name string) bool
	what, do string
}{
	{func(n string) bool { return n == "metadata.json" || n == "model.weights.h5" }, "a model of Keras (.keras)", save},
	{func(n string) bool { return strings.HasSuffix(n, ".npy") }, "arrays of NumPy (.npz)", "in Python: safetensors.numpy.save_file(dict(numpy.load(file)), …)"},
	{func(n string) bool { return strings.HasSuffix(n, "/archive_format") || n == "archive_format" }, "a program of torch.export (.pt2)", "save the weights, torch.save(model.state_dict(), …)"},
	{func(n string) bool { return strings.HasPrefix(n, "MAR-INF/") }, "an archive of TorchServe (.mar)", unpack},
	{func(n string) bool { return strings.HasSuffix(n, ".mlmodel") }, "a model of Core ML", save},
	{func(n string) bool {
		return slices.Contains([]string{".safetensors", ".pth", ".pt", ".bin", ".ckpt"}, filepath.Ext(n))
	}, "a zip archive with a file of weights in it", unpack},
}

// otherArchive is the error for a zip archive that torch.save did not write, or nil.
func otherArchive(name string, r io.ReaderAt, size int64, b []byte) error {
	if !isZip(b) {
		return nil
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil // the reader of torch.save's archives has said why
	}
	inside := make([]string, 0, 1000)
	for _, f := range z.File[:min(len(z.File), cap(inside))] {
		if strings.HasSuffix(f.Name, "/data.pkl") || strings.HasSuffix(f.Name, "/constants.pkl") {
			return nil
		}
		inside = append(inside, f.Name)
	}
	for _, a := range archives {
		if i := slices.IndexFunc(inside, a.has); i >= 0 {
			return fmt.Errorf("%s: expected weights, found %s, which has %s: %s", name, a.what, quote(inside[i]), a.do)
		}
	}
	return nil
}

// damaged adds to the error of a reader what to do about a file that is cut off.
func damaged(err error) error {
	if strings.Contains(err.Error(), "cut off") {
		return fmt.Errorf("%w: %s", err, again)
	}
	return err
}

// folder is the error for a folder. It names a file of weights in it.
func folder(path string) error {
	for _, inside := range []string{"model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin"} {
		if st, err := os.Stat(filepath.Join(path, inside)); err == nil && st.Mode().IsRegular() {
			return fmt.Errorf("%s: expected a weight file, found a folder: name the file in it, %s", path, filepath.Join(path, inside))
		}
	}
	return fmt.Errorf("%s: expected a weight file, found a folder", path)
}
