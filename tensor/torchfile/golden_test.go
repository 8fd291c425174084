package torchfile

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor/safetensors"
)

const golden = "../../testdata/golden/torchfile"

// Files that PyTorch wrote must have the tensors that PyTorch says are in them,
// element by element, and name the integer ones.
func TestGolden(t *testing.T) {
	for _, c := range []struct{ file, expected, format, others string }{
		{"zip.pt", "weights", "zip", "num_batches_tracked I64 [] 8, mask BOOL [2] 2"},
		{"legacy.pt", "weights", "legacy", "num_batches_tracked I64 [] 8, mask BOOL [2] 2"},
		{"protocol4.pt", "weights", "zip", "num_batches_tracked I64 [] 8, mask BOOL [2] 2"},
		{"nested.pt", "nested", "zip", ""},
		{"script.pt", "script", "TorchScript", "input_resolution I64 [] 8, visual.0.steps I64 [] 8, visual.1.steps I64 [] 8"},
		{"python2.pt", "python2", "legacy", ""},
	} {
		t.Run(c.file, func(t *testing.T) {
			f, err := Open(filepath.Join(golden, c.file))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Format() != c.format {
				t.Errorf("Format = %q, want %q", f.Format(), c.format)
			}
			names, others := f.Names(), []string{}
			if c.others != "" {
				others = strings.Split(c.others, ", ")
			}
			for _, o := range others {
				compareOther(t, f, o, &names)
			}
			compareFloats(t, f, c.expected, names)
		})
	}
}

// integers are the values of the tensors that are not floats.
var integers = map[string][]float32{
	"num_batches_tracked": {7}, "mask": {1, 0}, "input_resolution": {224},
	"visual.0.steps": {20}, "visual.1.steps": {21},
}

// compareOther checks a tensor that is not of floats, given as "name dtype shape
// bytes", and removes it from the names.
func compareOther(t *testing.T, f *File, want string, names *[]string) {
	name, _, _ := strings.Cut(want, " ")
	info, err := f.Info(name)
	if err != nil {
		t.Error(err)
		return
	}
	if got := strings.Join([]string{name, string(info.DType), sprint(info.Shape), sprint(info.Bytes)}, " "); got != want {
		t.Errorf("Info: %s, want %s", got, want)
	}
	x, err := f.Tensor(name)
	if err != nil || !slices.Equal(x.Data(), integers[name]) {
		t.Errorf("%s: %v, %v; want %v", name, x, err, integers[name])
	}
	*names = slices.DeleteFunc(*names, func(n string) bool { return n == name })
}

// compareFloats checks that the file has the tensors of a safetensors file and
// no others.
func compareFloats(t *testing.T, f *File, expected string, names []string) {
	want, err := safetensors.Open(filepath.Join(golden, expected+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	slices.Sort(names)
	wantNames := want.Names()
	slices.Sort(wantNames)
	if !slices.Equal(names, wantNames) {
		t.Errorf("names are\n%q, want\n%q", names, wantNames)
	}
	for _, name := range wantNames {
		w, err := want.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := f.Tensor(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.Equal(g.Shape(), w.Shape()) {
			t.Errorf("%s: shape %v, want %v", name, g.Shape(), w.Shape())
			continue
		}
		for i, v := range w.Data() {
			if math.Float32bits(v) != math.Float32bits(g.Data()[i]) {
				t.Errorf("%s: element %d is %g, want %g", name, i, g.Data()[i], v)
				break
			}
		}
	}
}

// Both kinds of files can stand behind one interface.
var _ = []interface {
	Names() []string
	Info(string) (safetensors.Info, error)
	Close() error
}{(*File)(nil), (*safetensors.File)(nil)}

func TestReadErrors(t *testing.T) {
	f, err := Open(filepath.Join(golden, "zip.pt"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Names()[0], "conv.weight"; got != want {
		t.Errorf("the first name is %q, want %q: the order of the pickle", got, want)
	}
	_, err = f.Tensor("none")
	wantError(t, "an unknown name", err, `zip.pt: no tensor "none" among the 18`)
	f.Close()
	_, err = f.Tensor("conv.weight")
	wantError(t, "a closed file", err, "file already closed")
	_, err = Open(t.TempDir())
	wantError(t, "a folder", err, "expected a file, found a folder")
}

func wantError(t *testing.T, what string, err error, fragment string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), fragment) || !strings.HasPrefix(err.Error(), "torchfile: ") {
		t.Errorf("%s:\ngot the error  %v\nwant one with  %s", what, err, fragment)
	}
}

// Files with what people have beside and around their tensors give all of them and no
// others, each under its path, as PyTorch sees them.
func TestGoldenKinds(t *testing.T) {
	all, err := safetensors.Open(filepath.Join(golden, "kinds.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	want := map[string][]string{}
	for _, key := range all.Names() {
		file, name, _ := strings.Cut(key, "/")
		want[file] = append(want[file], name)
	}
	files, err := filepath.Glob(filepath.Join(golden, "kinds", "*.pt"))
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, %v; want %d", len(files), err, len(want))
	}
	for _, path := range files {
		kind := strings.TrimSuffix(filepath.Base(path), ".pt")
		t.Run(kind, func(t *testing.T) {
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got := f.Names()
			slices.Sort(got)
			slices.Sort(want[kind])
			if !slices.Equal(got, want[kind]) {
				t.Errorf("names are\n%q, want\n%q", got, want[kind])
			}
			for _, name := range want[kind] {
				compareWith(t, f, name, all, kind+"/"+name)
			}
		})
	}
}

// compareWith compares a tensor with that of a safetensors file.
func compareWith(t *testing.T, f *File, name string, want *safetensors.File, key string) {
	w, err := want.Info(key)
	if err != nil {
		t.Error(err)
		return
	}
	g, err := f.Info(name)
	if err != nil {
		t.Error(err)
		return
	}
	if g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) || g.Bytes != w.Bytes {
		t.Errorf("%s: Info is %v, want %v", name, g, w)
		return
	}
	if !g.DType.Readable() {
		return
	}
	x, err := f.Tensor(name)
	if err != nil {
		t.Error(err)
		return
	}
	y, err := want.Tensor(key)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(x.Data(), y.Data()) {
		t.Errorf("%s is %v, want %v", name, x.Data(), y.Data())
	}
}

// What a file has and cannot be read is named.
func TestGoldenUnread(t *testing.T) {
	f, err := Open(filepath.Join(golden, "kinds", "unread.pt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, why := range map[string]string{
		"sparse": "that is sparse", "rows": "that is sparse", "meta": "without elements, of the device meta",
		"quantized": "that is quantized", "channels": "that is quantized", "nested": "that is nested",
		"negative": "that is the negative or the conjugate", "conjugate": "that is the negative or the conjugate",
	} {
		_, err := f.Info(name)
		wantError(t, name, err, `unread.pt: "`+name+`" is a tensor `+why)
		_, err = f.Tensor(name)
		wantError(t, name, err, why)
	}
}
