package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/files"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

const golden = "../../testdata/golden/"

// run runs a command line with the files of a test's server.
func run(ctx context.Context, list []files.File, args ...string) (status int, out, log string) {
	var o, l bytes.Buffer
	status = weights(list).Status(ctx, args, cli.Streams{Out: &o, Log: &l})
	return status, o.String(), l.String()
}

// expect fails unless a run ends with a status and its output has these texts;
// errors are one line.
func expect(t *testing.T, wantStatus int, want string, args ...string) (out, log string) {
	t.Helper()
	status, out, log := run(context.Background(), files.All(), args...)
	if status != wantStatus || !strings.Contains(out+log, want) {
		t.Errorf("weights %q: status %d, want %d with %q\n%s%s", args, status, wantStatus, want, out, log)
	}
	if status != 0 && (out != "" || strings.Count(log, "\n") != 1 || !strings.HasPrefix(log, "weights: ")) {
		t.Errorf("weights %q: an error that is not one line:\n%s%s", args, out, log)
	}
	return out, log
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{0, "show FILE", []string{"-help"}},
		{0, "show FILE", []string{"help"}},
		{0, "553.4 MB", []string{"get", "-help"}},
		{0, "PIXELGRAD_WEIGHTS", []string{"get", "-h"}},
		{0, "weights show FILE", []string{"show", "--help"}},
		{0, "-f16", []string{"convert", "a", "-help"}},
		{2, "expected a command", nil},
		{2, `no command "fetch"`, []string{"fetch"}},
		{2, `no command "-o"`, []string{"-o", "x"}},
		{2, "get: expected a NAME", []string{"get"}},
		{2, "there is vgg16, clip-vit-b32, voc2007", []string{"get", "resnet"}},
		{2, `found also "clip-vit-b32"`, []string{"get", "vgg16", "clip-vit-b32"}},
		{2, "-nonsense", []string{"get", "vgg16", "-nonsense"}},
		{2, "needs an argument", []string{"get", "vgg16", "-o"}},
		{2, "show: expected a FILE", []string{"show"}},
		{2, "convert: expected the file IN and the file OUT.safetensors", []string{"convert", "-f16"}},
		{2, "convert: expected the file OUT.safetensors", []string{"convert", "a.pt"}},
		{2, "found b.pt", []string{"convert", "a.pt", "b.pt"}},
		{1, "-f16: expected a weight file", []string{"show", "--", "-f16"}},
	} {
		expect(t, c.status, c.want, c.args...)
	}
}

// published serves content and returns what the table would have of it.
func published(t *testing.T, name string, content []byte) (files.File, *int) {
	requests := new(int)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests++
		if r.URL.Path != "/"+name {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content)
	}))
	t.Cleanup(s.Close)
	sum := sha256.Sum256(content)
	return files.File{Name: "sample", Title: "a sample", URL: s.URL + "/" + name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}, requests
}

func TestGet(t *testing.T) {
	content := bytes.Repeat([]byte("weights "), 50_000)
	f, requests := published(t, "sample.pth", content)
	dir := filepath.Join(t.TempDir(), "cache")
	t.Setenv(files.Environment, dir)
	get := func(wantStatus int, want string, args ...string) string {
		t.Helper()
		status, out, log := run(context.Background(), []files.File{f}, append([]string{"get", "sample"}, args...)...)
		if status != wantStatus || !strings.Contains(out+log, want) {
			t.Errorf("%q: status %d, want %d with %q\n%s%s", args, status, wantStatus, want, out, log)
		}
		return log
	}
	path := filepath.Join(dir, "sample.pth")
	log := get(0, "sample is in "+path+": 400.0 kB, SHA-256 checked.")
	if !strings.HasPrefix(log, "Downloading a sample, 400.0 kB, from "+f.URL+"\n") || !strings.Contains(log, "100%  400.0 kB\n") || strings.Contains(log, "\r") {
		t.Errorf("messages:\n%s", log)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file has %d bytes, %v", len(got), err)
	}
	if log := get(0, "sample is already in "+path); *requests != 1 || log != "" {
		t.Errorf("the second time: %d requests, messages %q", *requests, log)
	}
	other := t.TempDir()
	get(0, "sample is in "+filepath.Join(other, "sample.pth"), "-o", other)

	f.URL += "x"
	get(1, "sample.pthx: expected the file, the server answers \"404 Not Found\"; if you can get the file elsewhere, put it at "+path+"x\n")
	f.URL = strings.TrimSuffix(f.URL, "x")
	f.SHA256 = strings.Repeat("0", 64)
	get(1, "delete it")
	f.Size++
	get(1, "the server has 400000", "-o", t.TempDir())

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	status, out, log := run(ctx, []files.File{f}, "get", "sample", "-o", t.TempDir())
	if status != 1 || out != "" || !strings.Contains(log, "interrupted") || strings.Contains(log, "context") {
		t.Errorf("interrupted: status %d\n%s%s", status, out, log)
	}
}

// voc returns a small archive in VOC's layout.
func voc(t *testing.T, photos int, more ...string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	put := func(name, text string) {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	put("VOCdevkit/", "")
	put("VOCdevkit/VOC2007/", "")
	put("VOCdevkit/VOC2007/JPEGImages/", "")
	for i := range photos {
		put(fmt.Sprintf("VOCdevkit/VOC2007/JPEGImages/%06d.jpg", i), "photograph")
	}
	put("VOCdevkit/VOC2007/ImageSets/Main/trainval.txt", "000000\n")
	for _, name := range more {
		put(name, "x")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGetPhotographs(t *testing.T) {
	archive := voc(t, 3)
	f, requests := published(t, "sample.tar", archive)
	f.Folder, f.Photos = "VOCdevkit/VOC2007", 3
	dir := t.TempDir()
	get := func(wantStatus int, want string, args ...string) {
		t.Helper()
		status, out, log := run(context.Background(), []files.File{f}, append([]string{"get", "sample"}, args...)...)
		if status != wantStatus || !strings.Contains(out+log, want) {
			t.Errorf("%q: status %d, want %d with %q\n%s%s", args, status, wantStatus, want, out, log)
		}
	}
	names := func(dir string) string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, e := range entries {
			s = append(s, e.Name())
		}
		return strings.Join(s, " ")
	}
	folder := filepath.Join(dir, "VOCdevkit", "VOC2007")
	get(0, "sample is in "+folder+": 4 files, 3 of them photographs. The archive "+filepath.Join(dir, "sample.tar")+" was deleted.", "-o", dir)
	if n := names(dir); n != "VOCdevkit" {
		t.Errorf("the folder has %s", n)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "JPEGImages", "000002.jpg")); err != nil || string(text) != "photograph" {
		t.Errorf("a photograph: %q, %v", text, err)
	}
	get(0, "sample is already in "+folder+": 3 photographs", "-o", dir)
	if *requests != 1 {
		t.Errorf("%d requests, want 1", *requests)
	}
	if err := os.Remove(filepath.Join(folder, "JPEGImages", "000002.jpg")); err != nil {
		t.Fatal(err)
	}
	get(1, "expected 3 photographs, found 2: move that folder away", "-o", dir)

	// An archive that came in another way is used, and kept.
	t.Chdir(t.TempDir())
	if err := os.WriteFile("sample.tar", archive, 0o666); err != nil {
		t.Fatal(err)
	}
	get(0, "sample is in "+filepath.Join("VOCdevkit", "VOC2007")+": 4 files, 3 of them photographs. The archive sample.tar was kept.")
	if n := names("."); n != "VOCdevkit sample.tar" || *requests != 1 {
		t.Errorf("the folder has %s after %d requests", n, *requests)
	}

	// What is in the way is said before anything is downloaded.
	blocked := t.TempDir()
	if err := os.WriteFile(filepath.Join(blocked, "VOCdevkit"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if get(1, "found a file: choose another folder", "-o", blocked); *requests != 1 {
		t.Errorf("%d requests, want 1", *requests)
	}

	// A hostile archive leaves itself behind, for looking at, and nothing else.
	f, _ = published(t, "sample.tar", voc(t, 3, "VOCdevkit/evil"))
	f.Folder, f.Photos = "VOCdevkit/VOC2007", 3
	dir = t.TempDir()
	get(1, "expected names inside VOCdevkit/VOC2007", "-o", dir)
	if n := names(dir); n != "sample.tar" {
		t.Errorf("the folder has %s", n)
	}
}

func TestShow(t *testing.T) {
	out, _ := expect(t, 0, "", "show", golden+"torchfile/nested.pt")
	want := golden + `torchfile/nested.pt, zip

dictionary                      tensors
.                                     2
state_dict         shown below        1
optimizer                             1
optimizer.state                       1
optimizer.state.0                     1

name  type  shape  elements  bytes
w     F32   [2 3]         6     24

1 tensor, 6 elements, 24 B
`
	if out != want {
		t.Errorf("got\n%swant\n%s", out, want)
	}
	for file, want := range map[string][]string{
		"torchfile/zip.pt":              {"zip\n", "\nconv.weight          F32   [2 3 3 3]        54    216\n", "18 tensors, 189 elements, 706 B\n", "größe.漢"},
		"torchfile/legacy.pt":           {"legacy\n", "conv.weight"},
		"torchfile/script.pt":           {"TorchScript\n", "visual.0.mlp.weight"},
		"safetensors/f32.safetensors":   {"safetensors\n", "F32"},
		"safetensors/types.safetensors": {"safetensors\n", "I64", "BOOL"},
	} {
		out, log := expect(t, 0, want[0], "show", golden+file)
		for _, w := range want {
			if !strings.Contains(out, w) || log != "" {
				t.Errorf("show %s lacks %q:\n%s%s", file, w, out, log)
			}
		}
	}
	expect(t, 1, "no such file", "show", "missing.pt")
	expect(t, 1, "found a text: look at it", "show", "main_test.go")
	expect(t, 1, "found a folder", "show", ".")
}

// Names and texts of a file could hold what a terminal obeys.
func TestShowHostile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	named := []safetensors.Named{{Name: "a\x1b[2J\nb", Tensor: tensor.New(2)}}
	if err := safetensors.WriteFile(path, named, map[string]string{"k\x1b": strings.Repeat("ü\x07", 500)}); err != nil {
		t.Fatal(err)
	}
	out, _ := expect(t, 0, `"a\x1b[2J\nb"`, "show", path)
	if strings.ContainsAny(out, "\x1b\x07") || len(out) > 2000 {
		t.Errorf("output %q", out)
	}
}

// A file of very many small tensors is listed in less than five times its size.
func TestShowMany(t *testing.T) {
	const n = 100_000
	header := []byte("{")
	for i := range n {
		header = fmt.Appendf(header, `"l%d.weight":{"dtype":"F32","shape":[1],"data_offsets":[%d,%d]},`, i, 4*i, 4*i+4)
	}
	header[len(header)-1] = '}'
	content := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	content = append(content, make([]byte, 4*n)...)
	path := filepath.Join(t.TempDir(), "many.safetensors")
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
	c := command{out: io.Discard, log: io.Discard}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := c.show([]string{path})
	runtime.ReadMemStats(&after)
	// TotalAlloc counts what was freed again, too.
	if got, limit := int(after.TotalAlloc-before.TotalAlloc), 5*len(content); err != nil || got > limit {
		t.Errorf("%d bytes were allocated, %v; want at most %d for a file of %d", got, err, limit, len(content))
	} else {
		t.Logf("%.1f times the file", float64(got)/float64(len(content)))
	}
}

func TestConvert(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]string{ // and the file with the values to expect
		"torchfile/zip.pt":            "torchfile/weights.safetensors",
		"torchfile/legacy.pt":         "torchfile/weights.safetensors",
		"torchfile/script.pt":         "torchfile/script.safetensors",
		"torchfile/python2.pt":        "torchfile/python2.safetensors",
		"safetensors/f32.safetensors": "safetensors/f32.safetensors",
	} {
		path := filepath.Join(dir, strings.ReplaceAll(file, "/", "-")+".safetensors")
		expect(t, 0, path+": ", "convert", golden+file, path)
		got, err := safetensors.Open(path)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		defer got.Close()
		expected, err := safetensors.Open(golden + want)
		if err != nil {
			t.Fatal(err)
		}
		defer expected.Close()
		floats := slices.DeleteFunc(got.Names(), func(name string) bool {
			info, err := got.Info(name)
			return err != nil || !info.DType.Float()
		})
		names, wantNames := slices.Sorted(slices.Values(floats)), slices.Sorted(slices.Values(expected.Names()))
		if !slices.Equal(names, wantNames) {
			t.Errorf("%s: names %q, want %q", file, names, wantNames)
			continue
		}
		for _, name := range names {
			a, err := got.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			b, err := expected.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(a.Shape(), b.Shape()) || !slices.EqualFunc(a.Data(), b.Data(), sameBits) {
				t.Errorf("%s: %s differs", file, name)
			}
		}
	}

	in := golden + "torchfile/zip.pt"
	out := filepath.Join(dir, "half.safetensors")
	expect(t, 0, "16 tensors of "+in+", 186 elements as F16, and 2 of integers as they are", "convert", in, out, "-f16")
	f, err := safetensors.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := f.Bytes("num_batches_tracked"); err != nil || !slices.Equal(b, []byte{7, 0, 0, 0, 0, 0, 0, 0}) {
		t.Errorf("the counter is %v, %v; want 7 in 8 bytes", b, err)
	}
	if info, err := f.Info("conv.weight"); err != nil || info.DType != safetensors.F16 || f.Metadata()["format"] != "pt" {
		t.Errorf("-f16: %v, %v, metadata %v", info, err, f.Metadata())
	}
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// TestConvertLarge: 64-bit numbers that become infinite are counted; those that are, not.
func TestConvertLarge(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.safetensors")
	header := `{"w":{"dtype":"F64","shape":[4],"data_offsets":[0,32]}}`
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	for _, v := range []float64{1, 1e39, math.Inf(1), -1e300} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	if err := os.WriteFile(in, b, 0o666); err != nil {
		t.Fatal(err)
	}
	_, log := expect(t, 0, "1 tensor of", "convert", in, filepath.Join(dir, "out.safetensors"))
	if !strings.Contains(log, "2 elements of 64 bits are 3.4e38 or more and become Inf") {
		t.Errorf("messages: %q", log)
	}
}

func TestConvertKeeps(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.safetensors"), filepath.Join(dir, "out.safetensors")
	large := tensor.New(4)
	copy(large.Data(), []float32{65519, 65520, -1e10, float32(math.Inf(1))})
	texts := map[string]string{"model": "superresnet"}
	if err := safetensors.WriteFile(in, []safetensors.Named{{Name: "a", Tensor: large}}, texts); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	_, log := expect(t, 0, out, "convert", "-f16", in, out)
	if !strings.Contains(log, "2 elements are 65520 or more") {
		t.Errorf("messages: %q", log)
	}
	f, err := safetensors.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m := f.Metadata(); len(m) != 1 || m["model"] != "superresnet" {
		t.Errorf("metadata %v, want %v", m, texts)
	}

	// Nothing is written over, by whatever name.
	expect(t, 1, "found the same one", "convert", in, in)
	expect(t, 1, "a name that is free", "convert", golden+"torchfile/zip.pt", in)
	alias := filepath.Join(dir, "alias.safetensors")
	if err := os.Link(in, alias); err == nil {
		expect(t, 1, "found the same one", "convert", in, alias)
	}
	link := filepath.Join(dir, "link.safetensors")
	if err := os.Symlink("in.safetensors", link); err == nil || runtime.GOOS != "windows" {
		expect(t, 1, "found the same one", "convert", in, link)
	}
	if after, err := os.ReadFile(in); err != nil || !bytes.Equal(after, before) {
		t.Errorf("IN was changed: %v", err)
	}
	expect(t, 1, "no such file", "convert", "missing.pt", filepath.Join(dir, "b.safetensors"))
	expect(t, 1, "no such file", "convert", in, filepath.Join(dir, "missing", "b.safetensors"))

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if status, _, log := run(ctx, nil, "convert", in, filepath.Join(dir, "c.safetensors")); status != 1 || !strings.Contains(log, "interrupted") {
		t.Errorf("interrupted: status %d, %s", status, log)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 4 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// The network is looked for, and -key takes another one.
func TestKey(t *testing.T) {
	file := golden + "weightfile/params_ema.pt"
	out, log := expect(t, 0, "", "show", file)
	if want := "params_ema  shown below        9\n"; !strings.Contains(out, want) || log != file+": the network is in \"params_ema\", 9 of the 18 tensors; not taken: \"params\" (9 tensors)\n" {
		t.Errorf("show lacks %q:\n%s%s", want, out, log)
	}
	expect(t, 0, "params      shown below        9\n", "show", file, "-key", "params")
	expect(t, 0, "params_ema.classifier.bias", "show", file, "-key", ".")
	expect(t, 1, `found the key "ema"; there is "params" (9 tensors), "params_ema" (9 tensors)`, "show", file, "-key", "ema")
	dir := t.TempDir()
	expect(t, 1, `found the key "ema"`, "convert", file, filepath.Join(dir, "none.safetensors"), "-key", "ema")
	want, err := safetensors.Open(golden + "weightfile/plain.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	for i, args := range [][]string{{file}, {file, "-key", "params"}, {golden + "weightfile/features_parallel.pt"}} {
		path := filepath.Join(dir, fmt.Sprint(i)+".safetensors")
		expect(t, 0, "8 tensors of "+args[0]+", 21 elements as F32, and 1 of integers as they are", append([]string{"convert", args[0], path}, args[1:]...)...)
		got, err := safetensors.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		if names, wanted := slices.Sorted(slices.Values(got.Names())), slices.Sorted(slices.Values(want.Names())); !slices.Equal(names, wanted) {
			t.Errorf("%q: names %q, want %q", args, names, wanted)
			continue
		}
		a, err := got.Tensor("classifier.bias")
		if err != nil {
			t.Fatal(err)
		}
		b, err := want.Tensor("classifier.bias")
		if err != nil {
			t.Fatal(err)
		}
		if same := slices.Equal(a.Data(), b.Data()); same != (i != 1) {
			t.Errorf("%q: %v, the network has %v", args, a.Data(), b.Data())
		}
	}
}

// What cannot be converted whole is not written at all.
func TestConvertRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, raw := range map[string]safetensors.Raw{
		"C64 at \"a\\x1b\"": {Name: "a\x1b", DType: "C64", Shape: []int{1}, Bytes: make([]byte, 8)},
		"F4 at a":           {Name: "a", DType: "F4", Shape: []int{2}, Bytes: make([]byte, 1)},
		"F6_E2M3 at a":      {Name: "a", DType: "F6_E2M3", Shape: []int{4}, Bytes: make([]byte, 3)},
	} {
		in, out := filepath.Join(dir, "in.safetensors"), filepath.Join(dir, "out.safetensors")
		good := []safetensors.Named{{Name: "b", Tensor: tensor.New(2)}}
		if err := (safetensors.Options{Raw: []safetensors.Raw{raw}}).WriteFile(in, good, nil); err != nil {
			t.Fatal(err)
		}
		expect(t, 1, "found the type "+name+": nothing was written", "convert", in, out)
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: OUT is there", name)
		}
		expect(t, 0, string(raw.DType), "show", in)
	}
	expect(t, 1, "without any tensor", "convert", golden+"safetensors/none.safetensors", filepath.Join(dir, "none.safetensors"))
	expect(t, 1, "it cannot be read; nothing was written", "convert", golden+"torchfile/kinds/unread.pt", filepath.Join(dir, "unread.safetensors"))
	pointer := filepath.Join(dir, "pointer.safetensors")
	if err := os.WriteFile(pointer, []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	expect(t, 1, "git lfs pull", "convert", pointer, filepath.Join(dir, "pointed.safetensors"))
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// shared is a file whose tensors have far more elements than it has bytes.
type shared struct {
	info safetensors.Info
}

func (shared) Names() []string                              { return []string{"a", "b", "c"} }
func (s shared) Info(name string) (safetensors.Info, error) { return s.info, nil }

func TestConvertShared(t *testing.T) {
	if err := checkTensors(shared{info: safetensors.Info{DType: safetensors.F32, Shape: []int{1 << 20}}}, "main_test.go"); err != nil {
		t.Errorf("12 MiB: %v", err)
	}
	err := checkTensors(shared{info: safetensors.Info{DType: safetensors.F32, Shape: []int{1 << 10, 1 << 17}}}, "main_test.go")
	if err == nil || !strings.Contains(err.Error(), "main_test.go: expected tensors that need at most 1.1 GB in memory, found more, at c") {
		t.Errorf("1.5 GiB: %v", err)
	}
}
