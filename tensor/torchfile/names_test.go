package torchfile

import (
	"slices"
	"testing"
)

// Every tensor has the name of its path, wherever it is.
func TestPaths(t *testing.T) {
	w := simple("0", 2)
	wrap := func(key, v string) string { return "}" + key + v + "s" }
	for _, c := range []struct {
		name, pickle string
		names, dicts []string
	}{
		{"a bare tensor", "\x80\x02" + w + ".", []string{"tensor"}, []string{""}},
		{"a list", "\x80\x02](" + w + "N" + w + "e.", []string{"0", "2"}, []string{""}},
		{"a tuple", "\x80\x02" + w + wrap(text("b"), w) + "\x86.", []string{"0", "1.b"}, []string{"", "1"}},
		{"whole numbers", dictionary("K\x00", w, "K\x0a", w, number(-3), wrap("K\x01", w)), []string{"0", "10", "-3.1"}, []string{"", "-3"}},
		{"other keys", dictionary("\x88", w, "\x89", w, "N", w, "G\x3f\xf0\x00\x00\x00\x00\x00\x00", w, "(K\x00"+text("a")+"t", w, "C\x01b", w, "K\x05\x85", w),
			[]string{"True", "False", "None", "1.0", "(0, 'a')", "b", "(5,)"}, []string{""}},
		{"keys without a text", dictionary(text("a"), w, "\x8a\x0a0123456789", wrap(text("b"), w), "C\x01\xff", w), []string{"a", "#1.b", "#2"}, []string{"", "#1"}},
		{"beside other things", dictionary(text("epoch"), "K\x03", text("best_acc1"), w, text("args"), "](N"+text("x")+"e", text("state_dict"), wrap(text("c.weight"), w)),
			[]string{"best_acc1", "state_dict.c.weight"}, []string{"", "state_dict"}},
		{"deep", dictionary(text("a"), wrap(text("b"), wrap(text("c"), "](}"+wrap(text("w"), w)+"e"))), []string{"a.b.c.1.w"}, []string{"", "a", "a.b", "a.b.c", "a.b.c.1"}},
		{"containers in the order of the file", dictionary(text("b"), wrap(text("x"), w), text("a"), wrap(text("y"), w), text("no"), "}", text("c"), w),
			[]string{"b.x", "a.y", "c"}, []string{"", "b", "a"}},
		{"one container with two paths", dictionary(text("a"), wrap(text("w"), w)+"q\x00", text("b"), "h\x00"), []string{"a.w", "b.w"}, []string{"", "a", "b"}},
		{"one path of two containers", dictionary(text("a.b"), wrap(text("v"), w), text("a"), wrap(text("b"), wrap(text("w"), w))), []string{"a.b.v", "a.b.w"}, []string{"", "a.b", "a"}},
		{"a dictionary in itself", "\x80\x02}q\x00(" + text("me") + "h\x00" + text("w") + w + "u.", []string{"w"}, []string{""}},
		{"a tuple in itself", "\x80\x02]q\x00(h\x00" + w + "tq\x01ah\x01.", []string{"0.0.1", "1"}, []string{"", "0", "0.0"}},
	} {
		f, err := openBytes(zipped(c.pickle, floats(8)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := f.Names(); !slices.Equal(got, c.names) {
			t.Errorf("%s: Names are %q, want %q", c.name, got, c.names)
		}
		if got := f.Dicts(); !slices.Equal(got, c.dicts) {
			t.Errorf("%s: Dicts are %q, want %q", c.name, got, c.dicts)
		}
		for _, name := range f.Names() {
			if x, err := f.Tensor(name); err != nil || !slices.Equal(x.Data(), []float32{1, 1}) {
				t.Errorf("%s: tensor %q is %v, %v; want [1 1]", c.name, name, x, err)
			}
		}
	}
}

// The constants of a TorchScript archive are listed if they outweigh its module, as
// torch.jit.freeze leaves them.
func TestConstants(t *testing.T) {
	w := simple("0", 2)
	for _, c := range []struct {
		name, module, constants string
		names, dicts            []string
	}{
		{"frozen", "}", "\x80\x02(" + w + "N" + w + "t.", []string{"constants.0", "constants.2"}, []string{"", "constants"}},
		{"frozen but for one attribute", "}" + text("scale") + w + "s", "\x80\x02(" + w + w + "t.", []string{"scale", "constants.0", "constants.1"}, []string{"", "constants"}},
		{"not frozen", "}" + text("w") + w + "s", "\x80\x02" + w + "\x85.", []string{"w"}, []string{""}},
	} {
		files := members("\x80\x02"+module0(c.module)+".", floats(8))
		files = append(files, file{name: "a/constants.pkl", data: c.constants}, file{name: "a/constants/0", data: floats(8)})
		f, err := openBytes(pack(files...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := f.Names(); !slices.Equal(got, c.names) {
			t.Errorf("%s: Names are %q, want %q", c.name, got, c.names)
		}
		if got := f.Dicts(); !slices.Equal(got, c.dicts) {
			t.Errorf("%s: Dicts are %q, want %q", c.name, got, c.dicts)
		}
	}
	for _, c := range []struct{ name, constants, want string }{
		{"constants without a storage", "\x80\x02" + w + "\x85.", `tensor "constants.0": the archive has no member "a/constants/0"`},
		{"constants that are cut off", "\x80\x02" + w, "a/constants.pkl: the pickle is cut off"},
		{"no constants", "\x80\x02).", `found no tensor in it, only an object of "__torch__.M"`},
	} {
		_, err := openBytes(pack(append(members("\x80\x02"+module0("}")+"."), file{name: "a/constants.pkl", data: c.constants})...))
		wantError(t, c.name, err, c.want)
	}
}
