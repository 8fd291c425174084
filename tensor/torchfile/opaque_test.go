package torchfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// call is a call of a function that is not known, with one argument.
func call(module, function, argument string) string {
	return name(module, function) + argument + "\x85R"
}

// Values that have no part in a tensor. Nothing of them is executed: there is nothing that
// could. They stand beside a tensor, which must be found.
var opaque = []struct{ name, pickle string }{
	{"os.system by REDUCE", call("os", "system", text("echo hi"))},
	{"posix.system by STACK_GLOBAL", "\x8c\x05posix\x8c\x06system\x93" + text("echo hi") + "\x85R"},
	{"eval", call("builtins", "eval", text("1"))},
	{"exec", call("__builtin__", "exec", text("1"))},
	{"getattr", name("builtins", "getattr") + name("os", "environ") + text("x") + "\x86R"},
	{"the result of a call called", call("builtins", "getattr", "N") + text("id") + "\x85R"},
	{"the method of a result", name("builtins", "getattr") + call("os", "popen", text("id")) + text("read") + "\x86R)R"},
	{"NEWOBJ", name("subprocess", "Popen") + text("id") + "\x85\x81"},
	{"NEWOBJ_EX", name("subprocess", "Popen") + ")}" + text("args") + text("id") + "s\x92"},
	{"INST", "(" + text("id") + "isubprocess\nPopen\n"},
	{"OBJ", "(" + name("subprocess", "Popen") + text("id") + "o"},
	{"BUILD with __setstate__", name("a", "B") + ")\x81}" + text("__setstate__") + name("os", "system") + "sb" + text("id") + "b"},
	{"BUILD with __dict__", name("a", "B") + ")\x81}" + text("__dict__") + "}" + text("__class__") + name("os", "system") + "ssb"},
	{"BUILD with __reduce__", name("a", "B") + ")\x81}" + text("__reduce__") + name("os", "system") + "sb"},
	{"SETITEM on an opaque value", name("a", "B") + ")\x81" + text("k") + "Ns"},
	{"APPENDS on an opaque value", name("a", "B") + ")\x81(NNe"},
	{"ADDITEMS on an opaque value", name("a", "B") + ")\x81(NN\x90"},
	{"keys that are opaque", "}" + name("a", "B") + ")\x81" + "Ns"},
	{"a set in itself", "\x8fq\x07(h\x07\x90"},
	{"an opaque value in itself", name("a", "B") + ")\x81q\x07}" + text("me") + "h\x07sb"},
	{"two opaque values in each other", name("a", "B") + ")\x81q\x07}" + text("me") + name("a", "C") + ")\x81q\x08}" + text("you") + "h\x07sbsb"},
	{"a storage", store("0", 2)},
	{"a storage of an unknown class", "(" + text("storage") + name("torch", "FooStorage") + text("9") + text("cpu") + "K\x02tQ"},
	{"what claims to be a storage", name("torch", "FloatStorage") + text("0") + "\x85\x81"},
	{"NumPy 1's scalar", name("numpy.core.multiarray", "scalar") + name("numpy", "dtype") + text("f8") + "\x89\x88\x87R(K\x03" + text("<") + "NNNtb" + call("_codecs", "encode", text("a")) + "\x86R"},
	{"NumPy 2's array", name("numpy._core.multiarray", "_reconstruct") + name("numpy", "ndarray") + "K\x00\x85C\x01b\x87R(K\x01K\x02\x85" + name("numpy", "dtype") + text("f4") + "\x85R\x89C\x08abcdefghtb"},
	{"Python 2's array", name("numpy.core.multiarray", "_reconstruct") + ")R(K\x01NNN" + "U\x04\xff\xfe\x80\x00tb"},
	{"a frozenset", "(K\x01K\x02\x91"},
	{"bytes", "\x8e\x03\x00\x00\x00\x00\x00\x00\x00abc"},
	{"bytearray", "\x96\x03\x00\x00\x00\x00\x00\x00\x00abc"},
	{"a long text", "\x8d\x03\x00\x00\x00\x00\x00\x00\x00abc"},
	{"a long number", "\x8b\x09\x00\x00\x00123456789"},
	{"digits", "(I01\nI-5\nL9999999999999999999999L\nL5L\nt"},
	{"an enumeration's value", call("a", "Color", "K\x01")},
	{"a class", name("a", "B")},
	{"nothing of a TorchScript class", name("__torch__", "E") + ")\x81"},
}

func TestOpaque(t *testing.T) {
	for _, c := range opaque {
		for _, pickle := range []string{
			dictionary(text("args"), c.pickle, text("w"), simple("0", 2)),
			dictionary(text("w"), simple("0", 2), text("args"), "]"+c.pickle+"a"),
		} {
			f, err := openBytes(zipped(pickle, floats(8)))
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if got := f.Names(); !slices.Equal(got, []string{"w"}) {
				t.Errorf("%s: Names are %q, want w alone", c.name, got)
			}
		}
		_, err := openBytes(zipped("\x80\x02"+c.pickle+".", floats(8)))
		wantError(t, c.name+" alone", err, "found no tensor in it")
		// A tensor cannot depend on it.
		if !strings.Contains(c.name, "a storage") || strings.Contains(c.name, "unknown") || strings.Contains(c.name, "claims") {
			_, err = openBytes(zipped(dictionary(text("w"), rebuild(c.pickle, 0, []int{2}, []int{1})), floats(8)))
			wantError(t, c.name+" for a storage", err, "tensor: expected a storage and an offset, found ")
		}
		_, err = openBytes(zipped(dictionary(text("w"), name("torch._utils", "_rebuild_tensor_v2")+"("+store("0", 2)+"K\x00"+c.pickle+"(K\x01t\x89}tR"), floats(8)))
		wantError(t, c.name+" for a shape", err, "shape")
	}
}

// Opaque values nested very deep, in every way, neither overflow the Go stack nor hide a
// tensor in silence.
func TestOpaqueDeep(t *testing.T) {
	const n = 1_000_000
	class := name("a", "B") + "q\x000"
	repeat := strings.Repeat
	for _, c := range []struct{ name, pickle, want string }{
		{"arguments of REDUCE", class + "N" + repeat("\x85q\x010h\x00h\x01R", n/10), ""}, // not kept
		{"arguments of NEWOBJ", class + "N" + repeat("\x85q\x010h\x00h\x01\x81", n/10), "more than 1000 deep"},
		{"states", class + repeat("h\x00)\x81", n/10) + repeat("b", n/10-1), "more than 1000 deep"},
		{"items", class + repeat("h\x00)\x81", n/10) + repeat("a", n/10-1), "more than 1000 deep"},
		{"sets", repeat("\x8f(", n) + repeat("\x90", n), "more memory than the file's size allows"},
		{"calls of results", class + "h\x00" + repeat(")R", n), "more memory than the file's size allows"},
	} {
		f, err := openBytes(zipped(dictionary(text("args"), c.pickle, text("w"), simple("0", 2)), floats(8)))
		switch {
		case c.want != "":
			wantError(t, c.name, err, c.want)
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case !slices.Equal(f.Names(), []string{"w"}):
			t.Errorf("%s: Names are %q, want w", c.name, f.Names())
		}
	}
}

// Tensors in foreign classes have the paths that the pickle gives them.
func TestForeignPaths(t *testing.T) {
	w := simple("0", 2)
	item := func(key, v string) string { return text(key) + v + "s" }
	object := name("a", "B") + ")\x81"
	// module is a pickled torch.nn.Module. All values are dictionaries.
	module := func(parameters, buffers, modules, more string) string {
		return name("torch.nn.modules.linear", "Linear") + ")\x81}(" + text("training") + "\x88" +
			text("_parameters") + parameters + text("_buffers") + buffers + text("_modules") + modules + more + "ub"
	}
	child := module("}"+item("weight", w)+item("bias", "N"), "}", "}", text("plain")+w)
	for _, c := range []struct {
		name, pickle string
		names, dicts string
	}{
		{"defaultdict", name("collections", "defaultdict") + name("__builtin__", "list") + "\x85R" + item("w", w), "[w]", "[]"},
		{"deque", name("collections", "deque") + ")K\x03\x86R" + w + "a", "[0]", "[]"},
		{"set of Python 2", name("__builtin__", "set") + "](" + w + "e\x85R", "[0]", "[]"},
		{"set", "\x8f(" + w + w + "\x90", "[0 1]", "[]"},
		{"frozenset", "(" + w + "\x91", "[0]", "[]"},
		{"namespace", object + "}" + item("lr", "K\x01") + item("w", w) + "b", "[w]", "[]"},
		{"kind of dictionary", object + item("w", w), "[w]", "[]"},
		{"kind of dictionary with its items as attributes", object + item("w", w) + "}" + item("w", w) + "b", "[w]", "[]"},
		{"kind of dictionary in protocol 1", name("copy_reg", "_reconstructor") + name("a", "D") + name("__builtin__", "dict") + "}" + item("w", w) + "\x87R", "[w]", "[]"},
		{"instance in protocol 1", name("copy_reg", "__newobj__") + name("a", "D") + "\x85R}" + item("w", w) + "b", "[w]", "[]"},
		{"kind of list", object + w + "aNa" + w + "a", "[0 2]", "[]"},
		{"named tuple", name("a", "T") + "N" + w + "\x86\x81", "[1]", "[]"},
		{"slots", object + "N}" + item("w", w) + "\x86b", "[w]", "[]"},
		{"state of its own", object + "K\x01" + w + "\x86b", "[1]", "[]"},
		{"OmegaConf", name("omegaconf.dictconfig", "DictConfig") + ")\x81q\x07}" + item("_content", "}"+item("a", name("omegaconf.nodes", "AnyNode")+")\x81}"+item("_parent", "h\x07")+item("_val", w)+"b")) + "b", "[_content.a._val]", "[ _content _content.a]"},
		{"keys that are opaque", "}" + object + "}" + item("w", w) + "s", "[#0.w]", "[ #0]"},
		{"keys that are tensors", "}" + w + w + "s", "[#0]", "[]"},
		{"an object under two paths", "](" + object + "}" + item("w", w) + "bq\x07h\x07e", "[0.w]", "[ 0]"},
		{"an argument of a call", name("a", "f") + w + w + "\x86R", "", "found no tensor"},

		{"module", module("}"+item("b", w)+item("a", w), "}"+item("mean", w)+item("n", "N"), "}"+item("fc", child)+item("no", "N"), text("plain")+w), "[b a mean fc.weight]", "[ fc]"},
		{"module with transient buffers", module("}", "}"+item("mean", w)+item("grid", w), "}", text("_non_persistent_buffers_set")+"\x8f("+text("grid")+"\x90"), "[mean]", "[]"},
		{"module twice", module("}", "}", "}"+item("a", child)+"q\x07"+item("b", child), ""), "[a.weight b.weight]", "[ a b]"},
		{"tied modules", module("}", "}", "}("+text("a")+child+"q\x07"+text("b")+"h\x07u", ""), "[a.weight b.weight]", "[ a b]"},
		{"module in itself", name("a", "M") + ")\x81q\x07}(" + text("_parameters") + "}" + item("w", w) + text("_buffers") + "}" + text("_modules") + "}" + item("me", "h\x07") + "ub", "[w]", "[]"},
		{"class by its source", "(" + text("module") + name("a", "M") + text("a.py") + text("…") + "tQ)\x81}(" + text("_parameters") + "}" + item("w", w) + text("_buffers") + "}" + text("_modules") + "}ub", "[w]", "[]"},

		{"parameter with attributes", name("torch._utils", "_rebuild_parameter_with_state") + "(" + w + "\x88}}tR", "[tensor]", "[]"},
		{"tensor with attributes", name("torch._tensor", "_rebuild_from_type_v2") + "(" + name("torch._utils", "_rebuild_tensor_v2") + name("a", "T") + "(" + store("0", 2) + "K\x00(K\x02t(K\x01t\x89}t}tR", "[tensor]", "[]"},
		{"tensor of a class with a function of its own", name("torch._tensor", "_rebuild_from_type_v2") + "(" + name("os", "system") + name("a", "T") + text("id") + "\x85}tR", "", `only an object of "os.system"`},
		{"tensor of a tensor", name("torch._tensor", "_rebuild_from_type_v2") + "q\x07(h\x07N(h\x07N)NtNtR", "", `only an object of "torch._tensor._rebuild_from_type_v2"`},
		{"tensor of too little", name("torch._tensor", "_rebuild_from_type_v2") + "NN\x86R", "", "expected (function, class, arguments, attributes)"},
		{"sparse", name("torch._utils", "_rebuild_sparse_tensor") + "N(" + w + w + "t\x86R", "", `found no tensor in it that can be read; "tensor", of 1, is one that is sparse`},
		{"quantized beside another", "}(" + text("q") + name("torch._utils", "_rebuild_qtensor") + "NN\x86R" + text("w") + w + "u", "[w]", "[]"},
		{"negated", name("torch._utils", "_rebuild_tensor_v2") + "(" + store("0", 2) + "K\x00(K\x02t(K\x01t\x89}}" + text("neg") + "\x88stR", "", "is one that is the negative or the conjugate"},
		{"distributed", name("torch.distributed.tensor", "DTensor") + ")\x81", "", "the file has only a part of each tensor, because the model was spread over several processes"},
		{"sharded", name("torch.distributed._shard.sharded_tensor.api", "ShardedTensor") + ")\x81", "", "full_state_dict=True"},
	} {
		f, err := openBytes(zipped("\x80\x04"+c.pickle+".", floats(8)))
		if c.names == "" {
			wantError(t, c.name, err, c.dicts)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := fmt.Sprint(f.Names()); got != c.names {
			t.Errorf("%s: Names are %s, want %s", c.name, got, c.names)
		}
		if got := fmt.Sprint(f.Dicts()); got != c.dicts {
			t.Errorf("%s: Dicts are %s, want %s", c.name, got, c.dicts)
		}
	}
}
