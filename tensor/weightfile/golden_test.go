package weightfile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor/safetensors"
)

// What is said of each of PyTorch's files after its name, whether the names of the network
// are known or not.
var goldens = map[string]string{
	"plain":             "",
	"plain.st":          "",
	"params":            `the network is in "params", 9 of the 9 tensors`,
	"params_ema":        `the network is in "params_ema", 9 of the 18 tensors; not taken: "params" (9 tensors)`,
	"imagenet":          `the network is in "state_dict", 9 of the 28 tensors; not taken: "optimizer" (18 tensors), "best_acc1"`,
	"tutorial":          `the network is in "model_state_dict", 9 of the 28 tensors; not taken: "optimizer_state_dict" (18 tensors), "loss"`,
	"deep":              `the network is in "model.state_dict", 9 of the 27 tensors; not taken: "optimizer" (18 tensors)`,
	"config":            `the network is in "weights", 9 of the 10 tensors; not taken: "rng_state"`,
	"gan":               `the network is in "generator", 9 of the 36 tensors; not taken: "discriminator" (9 tensors), "g_optim" (18 tensors)`,
	"lightning":         `the network is in "state_dict", 9 of the 29 tensors; removed the prefix "model." of the names; not taken: "loops" (1 tensor), "callbacks" (1 tensor), "optimizer_states" (18 tensors)`,
	"list":              `the network is in "0", 9 of the 9 tensors`,
	"data_parallel":     `removed the prefix "module." of the names`,
	"compiled":          `removed the prefix "_orig_mod." of the names`,
	"compiled_parallel": `the network is in "model", 9 of the 9 tensors; removed the prefix "module._orig_mod." of the names`,
	"features_parallel": `the network is in "state_dict", 9 of the 9 tensors; removed wrappers from names: "features.module.0.weight" is "features.0.weight"`,
	"checkpointed":      `removed wrappers from names: "features._checkpoint_wrapped_module.0.weight" is "features.0.weight"`,
	"fsdp":              `removed wrappers from names: "_fsdp_wrapped_module.features._fsdp_wrapped_module.0.weight" is "features.0.weight"`,
	"averaged":          `took 9 of the 10 tensors; removed the prefix "module." of the names; not taken: "n_averaged"`,
	"legacy":            `the network is in "state_dict", 9 of the 10 tensors; removed the prefix "module." of the names; not taken: "best"`,
}

// Every file has the network of plain.safetensors, whatever else it has.
func TestGolden(t *testing.T) {
	want, err := safetensors.Open(golden + "weightfile/plain.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	for name, say := range goldens {
		for _, wanted := range [][][]string{nil, {want.Names()}} {
			path := golden + "weightfile/" + name + ".pt"
			if name == "plain.st" {
				path = golden + "weightfile/plain.safetensors"
			}
			for _, mapped := range []bool{false, true} {
				said := ""
				f, err := Open(path, Options{Wanted: wanted, Mapped: mapped, Say: func(line string) { said += line }})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if said != "" {
					said = strings.TrimPrefix(said, path+": ")
				}
				if said != say {
					t.Errorf("%s, wanted %v:\nsaid %q\nwant %q", name, wanted != nil, said, say)
				}
				compare(t, name, f, want)
				if err := f.Close(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	// Every file of the folder has its line above.
	files, err := filepath.Glob(golden + "weightfile/*.pt")
	if n := len(goldens) - 1 + len([]string{"module"}); err != nil || len(files) != n {
		t.Errorf("%d files, %v; want %d", len(files), err, n)
	}
}

// compare fails unless a file has the tensors of another one.
func compare(t *testing.T, what string, got *File, want *safetensors.File) {
	t.Helper()
	names, wantNames := slices.Sorted(slices.Values(got.Names())), slices.Sorted(slices.Values(want.Names()))
	if !slices.Equal(names, wantNames) {
		t.Errorf("%s: names %q, want %q", what, names, wantNames)
		return
	}
	for _, name := range names {
		a, err := got.Tensor(name)
		if err != nil {
			t.Error(err)
			continue
		}
		b, err := want.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.Shape(), b.Shape()) || !slices.Equal(a.Data(), b.Data()) {
			t.Errorf("%s: %s is %v, want %v", what, name, a.Data(), b.Data())
		}
	}
}

// Whole modules: none of the modules in them is taken for the network.
func TestModules(t *testing.T) {
	for file, want := range map[string]struct {
		key   string
		dicts int
		names string
	}{
		"torchfile/kinds/model.pt":           {"", 1, "scale blocks.0.weight blocks.0.mean blocks.1.weight blocks.1.mean tied.weight tied.mean list.0 list.1"},
		"torchfile/kinds/model_legacy.pt":    {"", 1, "scale blocks.0.weight blocks.0.mean blocks.1.weight blocks.1.mean tied.weight tied.mean list.0 list.1"},
		"torchfile/kinds/models.pt":          {"ema.net", 4, "scale blocks.0.weight blocks.0.mean blocks.1.weight blocks.1.mean tied.weight tied.mean list.0 list.1"},
		"weightfile/module.pt":               {"", 1, "layers.0.weight"},
		"torchfile/script.pt":                {"", 1, "logit_scale input_resolution visual.0.mask visual.0.steps visual.0.mlp.weight visual.0.mlp.bias visual.1.mask visual.1.steps visual.1.mlp.weight visual.1.mlp.bias text.weight text.bias tied.weight tied.bias"},
		"torchfile/kinds/foreign_legacy1.pt": {"model", 2, "conv.weight conv.bias"},
	} {
		f, err := Open(golden+file, Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if f.Key() != want.key || len(f.Dicts()) != want.dicts || strings.Join(f.Names(), " ") != want.names {
			t.Errorf("%s: key %q, dictionaries %v, names %q; want %q, %d, %q", file, f.Key(), f.Dicts(), f.Names(), want.key, want.dicts, want.names)
		}
		f.Close()
	}
}

// A key takes what it names, and an unknown one lists what there is.
func TestKey(t *testing.T) {
	path := golden + "weightfile/params_ema.pt"
	want, err := safetensors.Open(golden + "weightfile/plain.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	for _, wanted := range [][][]string{nil, {want.Names()}} {
		f, err := Open(path, Options{Key: "params", Wanted: wanted})
		if err != nil {
			t.Fatal(err)
		}
		x, err := f.Tensor("classifier.bias")
		if err != nil || f.Key() != "params" || len(f.Names()) != 9 {
			t.Fatalf("key %q, %d names, %v; want params and 9", f.Key(), len(f.Names()), err)
		}
		y, err := want.Tensor("classifier.bias")
		if err != nil || slices.Equal(x.Data(), y.Data()) {
			t.Errorf("params has the values of params_ema, %v", err)
		}
		if _, err := f.Tensor("params.classifier.bias"); err == nil {
			t.Error("a tensor is there under its path in the file")
		}
		f.Close()
	}
	f, err := Open(path, Options{Key: "."})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if len(f.Names()) != 18 || f.Names()[0] != "params.features.0.weight" {
		t.Errorf("the whole file: %q", f.Names())
	}
	for key, wantErr := range map[string]string{
		"param":         `found the key "param"; there is "params" (9 tensors), "params_ema" (9 tensors)`,
		"params.":       `found the key "params."; there is`,
		"params.nobody": `found the key "params.nobody"; there is`,
	} {
		if _, err := Open(path, Options{Key: key}); err == nil || !strings.Contains(err.Error(), path+": expected one of its keys, "+wantErr) {
			t.Errorf("key %q: error %v, want one with %q", key, err, wantErr)
		}
	}
	// In a file without dictionaries, keys are what names begin with.
	f, err = Open(golden+"weightfile/plain.safetensors", Options{Key: "features.0"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := slices.Sorted(slices.Values(f.Names())); !slices.Equal(got, []string{"bias", "weight"}) {
		t.Errorf("features.0: %q", got)
	}
	if _, err = Open(golden+"weightfile/plain.safetensors", Options{Key: "x"}); err == nil || !strings.Contains(err.Error(), `there is "features" (7 tensors), "classifier" (2 tensors)`) && !strings.Contains(err.Error(), `there is "classifier" (2 tensors), "features" (7 tensors)`) {
		t.Errorf("error %v", err)
	}
}

// A closed file cannot be read, whether it was mapped or not.
func TestClosed(t *testing.T) {
	for _, mapped := range []bool{false, true} {
		f, err := Open(golden+"weightfile/params.pt", Options{Mapped: mapped})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Tensor("classifier.bias"); err == nil || !strings.Contains(err.Error(), os.ErrClosed.Error()) {
			t.Errorf("mapped %v: error %v, want %v", mapped, err, os.ErrClosed)
		}
	}
}
