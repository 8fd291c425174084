package torchfile

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// Pickles that do harm to a reader that trusts them, with a part of the error
// that must come. Each is the data.pkl of an archive with one storage, "0", of
// two floats. The fuzz target starts from them.
var hostilePickles = []struct{ name, pickle, want string }{
	{"empty", "", "a/data.pkl: the pickle is cut off"},
	{"no STOP", "\x80\x02}", "the pickle is cut off"},
	{"STOP alone", ".", "the stack is empty"},
	{"bytes after STOP", "\x80\x02}..", "1 bytes follow the pickle"},
	{"protocol 6", "\x80\x06}.", "protocol 6 is not known"},
	{"protocol 0", "(dp0\n.", "pickle, byte 1, opcode 'd': the file was saved with pickle_protocol=0"},
	{"runs a command", "\x80\x02" + name("posix", "system") + "(" + text("rm -rf /") + "tR.", `found no tensor in it, only an object of "posix.system"; save the weights`},
	{"runs a command by text", "\x80\x02" + "cos\nsystem\n" + "(S'id'\ntR.", "opcode 'S': the file was saved with pickle_protocol=0"},
	{"STACK_GLOBAL", "\x80\x04" + "\x8c\x08builtins" + "\x8c\x04eval" + "\x93.", `only the name "builtins.eval"`},
	{"STACK_GLOBAL of numbers", "\x80\x04K\x01K\x02\x93.", "expected two texts, found a number and a number"},
	{"STACK_GLOBAL of long texts", "\x80\x04" + text(strings.Repeat("a", 5000)) + text("b") + "\x93.", "expected two texts"},
	{"getattr by a dotted name", "\x80\x04\x8c\x05torch\x8c\x13FloatStorage.__init\x93.", `only the name "torch.FloatStorage.__init"`},
	{"numpy scalar", "\x80\x02" + name("numpy.core.multiarray", "scalar") + "NK\x01\x86R.", "save the weights, torch.save(model.state_dict(), …)"},
	{"TorchScript class", "\x80\x02" + name("__torch__.a", "B") + ")\x81}b.", `only an object of "__torch__.a.B"`},
	{"INST", "\x80\x02(ios\nsystem\n.", `only an object of "os.system"`},
	{"INST without a mark", "\x80\x02ios\nsystem\n.", "there is no mark"},
	{"OBJ", "\x80\x02(" + name("torch", "Size") + "o.", "torch.Size: expected 1 to 1 arguments, found 0"},
	{"OBJ without a class", "\x80\x02(o.", "there is no class"},
	{"NEWOBJ_EX of too few", "\x80\x04)}\x92.", "the stack is empty"},
	{"EXT2", "\x80\x02\x83\x01\x00.", "opcode 0x83: it names an object by a number of the program that saved the file"},
	{"NEXT_BUFFER", "\x80\x05\x97.", "it has data outside of the file"},
	{"DUP", "\x80\x02N2.", "opcode '2': weight files have no need of it"},
	{"unknown opcode", "\x80\x02\xff.", "opcode 0xff: weight files have no need of it"},
	{"EXT1", "\x80\x02\x82\x01.", "opcode 0x82: it names an object by a number"},
	{"PERSID", "\x80\x02P0\n.", "from which PyTorch cannot load tensors either"},
	{"long line", "\x80\x02c" + strings.Repeat("a", 5000) + "\nb\n.", "a name is longer than 4096 bytes"},
	{"endless line", "\x80\x02c" + strings.Repeat("a", 5000), "a name is longer than 4096 bytes"},
	{"text cut off", "\x80\x02X\xff\xff\xff\xffabc", "the pickle is cut off"},
	{"text not UTF-8", "\x80\x02U\x01\xff.", "found no tensor in it, only a text"},
	{"text of 2^63", "\x80\x04\x8d" + strings.Repeat("\xff", 8) + ".", "the pickle is cut off"},
	{"bytes of 2^63", "\x80\x05\x96" + strings.Repeat("\xff", 8) + ".", "the pickle is cut off"},
	{"number of 2^32 bytes", "\x80\x02\x8b\xff\xff\xff\xff.", "the pickle is cut off"},
	{"digits that are none", "\x80\x02I1x\n.", `expected a whole number, found "1x"`},
	{"digits without end", "\x80\x02I" + strings.Repeat("1", 5000), "a name is longer than 4096 bytes"},
	{"number cut off", "\x80\x02\x8a\xff\x00", "the pickle is cut off"},
	{"POP of nothing", "\x80\x020.", "the stack is empty"},
	{"POP through a mark", "\x80\x02}(0.", "the stack is empty"},
	{"POP_MARK without a mark", "\x80\x02}1.", "there is no mark on the stack"},
	{"TUPLE without a mark", "\x80\x02t.", "there is no mark"},
	{"TUPLE3 of two", "\x80\x02NN\x87.", "the stack is empty"},
	{"APPEND to a dictionary", "\x80\x02}Na.", "expected a list, found a dictionary"},
	{"APPEND to nothing", "\x80\x02Na.", "the stack is empty"},
	{"APPENDS to nothing", "\x80\x02(Ne.", "the stack is empty"},
	{"SETITEM on a list", "\x80\x02]NNs.", "expected a dictionary, found a list"},
	{"SETITEMS of an odd number", "\x80\x02}(Nu.", "a key has no value"},
	{"BINPUT of nothing", "\x80\x02q\x00.", "the stack is empty"},
	{"BINGET of nothing", "\x80\x02h\x07.", "nothing was stored as number 7"},
	{"LONG_BINGET of nothing", "\x80\x02j\xff\xff\xff\xff.", "nothing was stored as number 4294967295"},
	{"REDUCE of a number", "\x80\x02K\x01)R.", "a number cannot be called"},
	{"REDUCE of a storage class", dictionary(text("w"), rebuild(name("torch", "FloatStorage")+")R", 0, []int{2}, []int{1})), `expected a storage and an offset, found an object of "torch.FloatStorage"`},
	{"REDUCE of a dictionary", "\x80\x02})R.", "a dictionary cannot be called"},
	{"REDUCE of a tensor", "\x80\x02" + simple("0", 2) + ")R.", "a tensor cannot be called"},
	{"REDUCE without a tuple", "\x80\x02" + name("torch", "Size") + "NR.", `the name "torch.Size": expected a tuple of arguments, found None`},
	{"too many arguments", "\x80\x02" + name("torch", "Size") + "(NNNtR.", "expected 1 to 1 arguments, found 3"},
	{"BUILD on a number", "\x80\x02K\x01}b.", "a number has no attributes"},
	{"BUILD on a name", "\x80\x02" + name("builtins", "object") + "}b.", `the name "builtins.object" has no attributes`},
	{"BUILD of nothing", "\x80\x02}b.", "the stack is empty"},
	{"OrderedDict of a number", "\x80\x02" + name("collections", "OrderedDict") + "(K\x01tR.", "expected a list of pairs, found a number"},
	{"OrderedDict of numbers", "\x80\x02" + name("collections", "OrderedDict") + "(](K\x01etR.", "expected pairs, found a number"},

	{"top is a list", "\x80\x02].", "found no tensor in it, only an empty list"},
	{"top is a number", "\x80\x02K\x01.", "found no tensor in it, only a number"},
	{"no tensors", dictionary(text("epoch"), "K\x01", "K\x02", "N"), `found no tensor in it, only the keys "epoch" (a number), 2 (None); save the weights, torch.save(model.state_dict(), …)`},
	{"nothing", "\x80\x02}.", "found no tensor in it, only an empty dictionary"},
	{"empty nests", dictionary(text("model"), "}", text("state_dict"), "}"), `only the keys "model" (a dictionary), "state_dict" (a dictionary)`},
	{"nest without tensors", dictionary(text("model"), "}("+text("k")+"Nu"), `found no tensor in it, only the keys "model" (a dictionary)`},
	{"list in itself", "\x80\x02]q\x00h\x00ah\x00a.", "found no tensor in it, only a list"},
	{"empty name", dictionary(text(""), simple("0", 2)), "a tensor's key is an empty text"},
	{"empty name of a dictionary", dictionary(text(""), "}"+text("w")+simple("0", 2)+"s"), `a tensor's key is an empty text, in ".w"`},
	{"long name", dictionary(text(strings.Repeat("n", 5000)), simple("0", 2)), "a tensor has the name"},
	{"a name twice", dictionary(text("w"), simple("0", 2), text("w"), simple("0", 2)), `tensor "w" is there twice`},
	{"a path twice", dictionary(text("a.b"), simple("0", 2), text("a"), "}"+text("b")+simple("0", 2)+"s"), `tensor "a.b" is there twice`},
	{"a number and its text", dictionary(text("7"), simple("0", 2), "K\x07", simple("0", 2)), `tensor "7" is there twice`},
	{"tree of 2^30 lists", "\x80\x02]" + simple("0", 2) + "a" + strings.Repeat("q\x00]h\x00ah\x00a", 30) + ".", "its objects take more memory than the file's size allows"},
	{"tree of 2^30 tuples", "\x80\x02)" + strings.Repeat("q\x00h\x00\x86", 30) + ".", "its objects take more memory than the file's size allows"},

	{"persistent number", "\x80\x02K\x01Q.", "expected ('storage', type, key, location, elements)"},
	{"persistent tuple of tuples", "\x80\x02(()()()()()tQ.", "expected ('storage'"},
	{"persistent module", "\x80\x02(" + text("module") + name("a", "M") + text("m.py") + text("class M: pass") + "tQ.", `only the name "a.M"`},
	{"persistent module without a source", "\x80\x02(" + text("module") + "NNtQ.", "expected ('storage', type, key, location, elements)"},
	{"unknown storage class", dictionary(text("w"), rebuild("("+text("storage")+name("torch", "Size")+text("0")+text("cpu")+"K\x02tQ", 0, []int{2}, []int{1})), `expected a storage and an offset, found an object of "torch.Size" and a number`},
	{"storage without a class", "\x80\x02(" + text("storage") + "N" + text("0") + text("cpu") + "K\x02tQ.", "found None"},
	{"negative storage", dictionary(text("w"), simple("0", -1)), `storage "0" has the impossible number of -1 elements`},
	{"storage of 2^62 elements", dictionary(text("w"), simple("0", 1<<62)), "impossible number"},
	{"storage of two sizes", dictionary(text("w"), simple("0", 2), text("v"), simple("0", 1)), `storage "0" is 4 bytes of F32 here and 8 bytes of F32 elsewhere`},
	{"storage that is not there", dictionary(text("w"), simple("1", 2)), `tensor "w": the archive has no member "a/data/1"`},
	{"storage longer than its member", dictionary(text("w"), simple("0", 3)), `member "a/data/0" has 8 bytes, the pickle says 12`},
	{"path in a key", dictionary(text("w"), simple("../version", 0)), `no member "a/data/../version"`},
	{"view outside", dictionary(text("w"), rebuild("("+text("storage")+name("torch", "FloatStorage")+text("0")+text("cpu")+"K\x02("+text("1")+"K\x01K\x02ttQ", 0, []int{2}, []int{1})), "its view is not inside its 2 elements"},
	{"view of a number", dictionary(text("w"), rebuild("("+text("storage")+name("torch", "FloatStorage")+text("0")+text("cpu")+"K\x02K\x01tQ", 0, []int{2}, []int{1})), "expected None or (key, offset, elements)"},

	{"tensor of a number", dictionary(text("w"), rebuild("K\x01", 0, []int{2}, []int{1})), "expected a storage and an offset, found a number and a number"},
	{"tensor outside", dictionary(text("w"), rebuild(store("0", 2), 0, []int{3}, []int{1})), "tensor of shape [3] and stride [1] in storage \"0\": elements 0 to 3 are not inside its 2 elements"},
	{"tensor outside by its offset", dictionary(text("w"), rebuild(store("0", 2), 1, []int{2}, []int{1})), "elements 1 to 3"},
	{"tensor outside by its stride", dictionary(text("w"), rebuild(store("0", 2), 0, []int{2}, []int{2})), "elements 0 to 3"},
	{"negative offset", dictionary(text("w"), rebuild(store("0", 2), -1, []int{1}, []int{1})), "not inside its 2 elements"},
	{"huge offset", dictionary(text("w"), rebuild(store("0", 2), math.MaxInt64, []int{1}, []int{1})), "not inside its 2 elements"},
	{"negative dimension", dictionary(text("w"), rebuild(store("0", 2), 0, []int{-1}, []int{1})), "shape: -1 is not possible"},
	{"negative stride", dictionary(text("w"), rebuild(store("0", 2), 1, []int{2}, []int{-1})), "stride: -1 is not possible"},
	{"shape that overflows", dictionary(text("w"), rebuild(store("0", 2), 0, []int{1 << 32, 1 << 32}, []int{0, 0})), "too many elements"},
	{"shape that overflows before a zero", dictionary(text("w"), rebuild(store("0", 2), 0, []int{1 << 32, 1 << 32, 0}, []int{0, 0, 0})), "too many elements"},
	{"stride that overflows", dictionary(text("w"), rebuild(store("0", 2), 0, []int{2, 2}, []int{math.MaxInt64, math.MaxInt64})), "not inside its 2 elements"},
	{"stride times shape wraps", dictionary(text("w"), rebuild(store("0", 2), 0, []int{1<<32 + 1}, []int{1 << 32})), "not inside its 2 elements"},
	{"fewer strides", dictionary(text("w"), rebuild(store("0", 2), 0, []int{1, 2}, []int{1})), "2 dimensions but 1 strides"},
	{"65 dimensions", dictionary(text("w"), rebuild(store("0", 2), 0, make([]int, 65), make([]int, 65))), "65 dimensions, more than 64"},
	{"shape of texts", dictionary(text("w"), name("torch._utils", "_rebuild_tensor_v2")+"("+store("0", 2)+"K\x00("+text("2")+"t(K\x01t\x89}tR"), "shape: expected numbers, found a text"},
	{"shape a number", dictionary(text("w"), name("torch._utils", "_rebuild_tensor_v2")+"("+store("0", 2)+"K\x00K\x02(K\x01t\x89}tR"), "shape: expected a tuple, found a number"},
	{"element type unknown", dictionary(text("w"), name("torch._utils", "_rebuild_tensor_v3")+"("+store("0", 2)+"K\x00(K\x02t(K\x01t\x89}"+name("torch", "uint4")+"tR"), `found no tensor in it that can be read; "w", of 1, is one of the type "torch.uint4"`},
	{"expanded to 2^32", dictionary(text("w"), rebuild(store("0", 2), 0, []int{1 << 16, 1 << 16}, []int{0, 0})), `tensor "w" of shape [65536 65536] needs 17179869184 bytes, more than 4 times the file`},
}

// TorchScript pickles that do harm.
var hostileScripts = []struct{ name, pickle, want string }{
	{"module in itself", script("}(" + text("m") + "h\x00u"), `only an object of "__torch__.M" with the attributes "m" (an object of "__torch__.M")`},
	{"state of its own", script("K\x01"), "found no tensor in it"},
	{"a dot in a name", script("}(" + text("a.b") + simple("0", 2) + text("a") + module0("}("+text("b")+simple("0", 2)+"u") + "u"), `tensor "a.b" is there twice`},
	{"tree of 2^30 modules", script(doubled(30)), "its objects take more memory than the file's size allows"},
	{"tree with long names", script(doubledNames(40)), "a tensor has the name"},
}

// module0 is an object of a TorchScript class with a state.
func module0(state string) string { return name("__torch__", "M") + ")\x81" + state + "b" }

// script is a whole pickle of one, which is number 0 in the memo.
func script(state string) string {
	return "\x80\x02" + name("__torch__", "M") + ")\x81q\x00" + state + "b."
}

// doubled is the state of a module that has twice a module that has twice a
// module … n deep, each there once: a few bytes that mean 2^n modules.
func doubled(n int) string {
	inner := module0("}")
	for i := range n {
		inner = "}(" + text("a") + inner + "q" + string(rune(i+1)) + text("b") + "h" + string(rune(i+1)) + "u"
		if i < n-1 {
			inner = module0(inner)
		}
	}
	return inner
}

// doubledNames is a chain of modules whose names are 200 bytes long.
func doubledNames(n int) string {
	s := "}" + text("w") + simple("0", 2) + "s"
	for range n {
		s = "}(" + text(strings.Repeat("n", 200)) + module0(s) + "u"
	}
	return s
}

func TestHostilePickles(t *testing.T) {
	check := func(name string, file []byte, want string) {
		t.Run(name, func(t *testing.T) {
			_, err := openBytes(file)
			wantError(t, name, err, want)
			if err != nil && len(err.Error()) > 900 {
				t.Errorf("the error has %d characters", len(err.Error()))
			}
		})
	}
	for _, c := range hostilePickles {
		check(c.name, zipped(c.pickle, floats(8)), c.want)
	}
	for _, c := range hostileScripts {
		check(c.name, scripted(c.pickle, floats(8)), c.want)
	}
}

// Nesting of a million levels, of every kind, must neither overflow the Go
// stack nor be walked.
func TestDeep(t *testing.T) {
	const n = 1_000_000
	for _, c := range []struct{ name, pickle string }{
		{"marks", "\x80\x02" + strings.Repeat("(", n) + "."},
		{"lists", "\x80\x02" + strings.Repeat("]", n) + strings.Repeat("a", n-1) + "."},
		{"tuples", "\x80\x02)" + strings.Repeat("\x85", n) + "."},
		{"dictionaries", "\x80\x02" + strings.Repeat("}N", n) + "N" + strings.Repeat("s", n) + "."},
		{"modules", "\x80\x02" + strings.Repeat(module0Open, n/20)},
	} {
		// As it is, and where a tensor should be.
		for _, p := range []string{c.pickle, "\x80\x02}" + text("w") + strings.TrimSuffix(c.pickle[2:], ".") + "s."} {
			if _, err := openBytes(scripted(p, floats(8))); err == nil {
				t.Errorf("%s: no error", c.name)
			}
		}
	}
}

var module0Open = name("__torch__", "M") + ")\x81}" + text("m")

// Modules are read up to maxDepth: a module, its attributes, the next module …
func TestDeepEnough(t *testing.T) {
	nested := func(modules int) (*File, error) {
		s := "}(" + text("w") + simple("0", 2) + "u"
		for range modules - 1 {
			s = "}(" + text("m") + module0(s) + "u"
		}
		return openBytes(scripted(script(s), floats(8)))
	}
	f, err := nested(maxDepth / 2)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Names(), strings.Repeat("m.", maxDepth/2-1)+"w"; len(got) != 1 || got[0] != want {
		t.Errorf("Names = %q, want %q", got, want)
	}
	if n := len(f.Dicts()); n != maxDepth/2 {
		t.Errorf("%d containers, want %d", n, maxDepth/2)
	}
	_, err = nested(maxDepth/2 + 1)
	wantError(t, "one more", err, "its values lie in each other more than 1000 deep, at \"m.m.m.m.m.m.m.m…\"")
}

func TestLegacyErrors(t *testing.T) {
	good := dictionary(text("w"), simple("k", 2))
	if _, err := openBytes(legacy(good, keyList("k"), block(2, 8))); err != nil {
		t.Fatalf("the good file: %v", err)
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "expected a zip archive or a pickle, found a file of 0 bytes"},
		{"one byte", []byte{0x80}, "found a file of 1 bytes"},
		{"text", []byte("<!DOCTYPE html>"), `begins with "<!DOCTYP"`},
		{"tar archive", []byte("sys_info" + strings.Repeat("\x00", 249) + "ustar\x0000"), "a tar archive, which the first versions of PyTorch wrote"},
		{"plain pickle", []byte("\x80\x02}."), "it does not begin with PyTorch's magic number"},
		{"another number", []byte("\x80\x02\x8a\x0a\x6d\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."), "magic number"},
		{"magic number alone", []byte(legacyMagic), "protocol version: the pickle is cut off"},
		{"version 1002", []byte(legacyMagic + "\x80\x02M\xea\x03."), "protocol version: expected 1001"},
		{"version a text", []byte(legacyMagic + "\x80\x02" + text("1001") + "."), "protocol version: expected 1001, found a text"},
		{"big endian", []byte(legacyMagic + "\x80\x02M\xe9\x03.\x80\x02}" + text("little_endian") + "\x89s."), "not written by a little-endian machine"},
		{"system a list", []byte(legacyMagic + "\x80\x02M\xe9\x03.\x80\x02]."), "not written by a little-endian machine"},
		{"object cut off", legacy(good[:20], "", ""), "object: the pickle is cut off"},
		{"no keys", legacy(good, "", ""), "storage keys: the pickle is cut off"},
		{"keys a dictionary", legacy(good, "\x80\x02}.", ""), "storage keys: expected a list, found a dictionary"},
		{"a key that is a number", legacy(good, "\x80\x02](K\x01e.", ""), "storage keys: expected texts, found a number"},
		{"unknown key", legacy(good, keyList("x"), block(2, 8)), `storage "x" has a key, but no tensor`},
		{"key twice", legacy(good, keyList("k", "k"), block(2, 8)+block(2, 8)), `storage "k" is there twice`},
		{"key missing", legacy(good, keyList(), ""), `tensor "w": storage "k" is not in the file`},
		{"no data", legacy(good, keyList("k"), ""), `storage "k": the file is cut off at byte`},
		{"data cut off", legacy(good, keyList("k"), block(2, 7)), `storage "k": 8 bytes at byte`},
		{"another size", legacy(good, keyList("k"), block(1, 8)), "the pickle says 2"},
		{"huge size", legacy(dictionary(text("w"), simple("k", 1<<60)), keyList("k"), block(1<<60, 8)), "it is cut off"},
		{"data after the end", legacy(good, keyList("k"), block(2, 9)), "1 bytes follow the last storage"},
	} {
		_, err := openBytes(c.file)
		wantError(t, c.name, err, c.want)
	}
}

// A legacy file whose pickles are longer than what is read at first.
func TestLongLegacy(t *testing.T) {
	pad := text("pad") + text(strings.Repeat("x", 3<<20))
	f, err := openBytes(legacy(dictionary(pad, text("w"), simple("k", 2)), keyList("k"), block(2, 8)))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := f.Tensor("w"); err != nil || x.Data()[1] != 1 {
		t.Errorf("w = %v, %v; want [1 1]", x, err)
	}
	b := legacy(dictionary(pad, text("w"), simple("k", 2)), keyList("k"), block(2, 8))
	if _, err := openBytes(b[:2<<20]); err == nil || !bytes.Contains([]byte(err.Error()), []byte("object: the pickle is cut off")) {
		t.Errorf("cut off in the middle: %v", err)
	}
}
