package weightfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
)

// fake is a file of tensors that have no elements. A slash in a name parts a dictionary
// from what is in it; a dot is part of a name. A name that ends in ! is a single number,
// one that ends in # is a vector of integers, one that ends in % has 10,000 elements.
type fake struct{ names []string }

func (f fake) Names() []string {
	var out []string
	for _, n := range f.names {
		out = append(out, strings.ReplaceAll(strings.TrimRight(n, "!#%"), "/", "."))
	}
	return out
}

func (f fake) Dicts() []string {
	out := []string{""}
	for _, n := range f.names {
		for i := range n {
			if d := strings.ReplaceAll(n[:i], "/", "."); n[i] == '/' && !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	return out
}

func (f fake) Info(name string) (safetensors.Info, error) {
	for _, n := range f.names {
		if strings.ReplaceAll(strings.TrimRight(n, "!#%"), "/", ".") == name {
			switch n[len(n)-1] {
			case '!':
				return safetensors.Info{DType: "F32", Shape: []int{}}, nil
			case '%':
				return safetensors.Info{DType: "F32", Shape: []int{100, 100}}, nil
			case '#':
				return safetensors.Info{DType: "U8", Shape: []int{16}}, nil
			}
			return safetensors.Info{DType: "F32", Shape: []int{2}}, nil
		}
	}
	return safetensors.Info{}, fmt.Errorf("no tensor %q", name)
}

func (fake) Tensor(string) (*tensor.Tensor, error) { return nil, nil }
func (fake) Bytes(string) ([]byte, error)          { return nil, nil }
func (fake) IsModule(string) bool                  { return false }
func (fake) Unreadable() []string                  { return nil }
func (fake) Metadata() map[string]string           { return nil }
func (fake) Format() string                        { return "zip" }
func (fake) Close() error                          { return nil }

// at returns the tensors of a small network with something before each name.
func at(before ...string) []string {
	var out []string
	for _, b := range before {
		out = append(out, b+"conv1.weight", b+"conv1.bias", b+"conv2.weight")
	}
	return out
}

func and(a []string, b ...string) []string { return append(a, b...) }

// Where the network is, by the field's habits alone and with the names that it must have.
// The network is the one of at; "own" says that another network is found without them.
func TestChoose(t *testing.T) {
	for _, c := range []struct {
		what  string
		names []string
		key   string // where it is
		head  string // what its names begin with in the file; "" for key and a dot
		own   string // the key without the names, if that is another
	}{
		{what: "plain", names: at("")},
		{what: "one dictionary of any name", names: at("whatever/"), key: "whatever"},
		{what: "seven deep", names: at("a/b/c/d/e/f/g/"), key: "a.b.c.d.e.f.g"},
		{what: "an average first", names: at("params/", "params_ema/"), key: "params_ema"},
		{what: "an average, the other order", names: at("ema_state_dict/", "state_dict/"), key: "ema_state_dict"},
		{what: "an average beside its tensors", names: and(at("", "ema/"), "step!"), key: "ema"},
		{what: "an average with a wrapper", names: at("model/", "model_ema/module."), key: "model_ema", head: "model_ema.module."},
		{what: "a raw network with a wrapper", names: at("model/module.", "model_ema/"), key: "model_ema"},
		{what: "an average without names", names: and(at("model/"), "ema/shadow_params/0", "ema/shadow_params/1"), key: "model"},
		{what: "an average of another network", names: and(at("model/"), "ema/encoder.weight"), key: "model"},
		{what: "counters are no part of an average", names: and(at("model/", "ema/"), "model/bn.num_batches_tracked"), key: "ema"},
		{what: "a configuration under model", names: and(at("weights/"), "model/width!"), key: "weights"},
		{what: "loose numbers", names: and(at("net/"), "best!", "epoch!", "rng_state#"), key: "net"},
		{what: "loose numbers beside an unknown key", names: and(at("mine/"), "best!", "rng_state#"), key: "mine"},
		{what: "a generator and a discriminator", names: at("net_d/", "net_g/"), key: "net_g"},
		{what: "states in states", names: at("netG/state_dict/", "netD/state_dict/"), key: "netG.state_dict"},
		{what: "an optimiser with the network's names", names: and(at("optimizer/exp_avg/", "model/"), "scaler/scale!"), key: "model"},
		{what: "an optimiser and an unknown key", names: at("optim_state/", "mine/"), key: "mine"},
		{what: "a list of one", names: at("0/"), key: "0"},
		{what: "DataParallel", names: at("module."), head: "module."},
		{what: "wrappers in wrappers", names: at("module._orig_mod.module."), head: "module._orig_mod.module."},
		{what: "an attribute of the program", names: at("state_dict/net_g."), key: "state_dict", head: "state_dict.net_g."},
		{what: "an attribute in a wrapper in an attribute", names: at("model.module.net."), head: "model.module.net."},
		{what: "an average in a wrapper with a counter", names: and([]string{"n_averaged!"}, at("module.")...), head: "module."},
		{what: "an attribute that is not alone", names: and(at("model."), "loss.scale"), head: "model.", own: "."},
		{what: "any prefix", names: and(at("clip_model."), "clip_model.more"), head: "clip_model.", own: "."},
		{what: "a prefix that is not alone", names: and(at("sd/encoder."), "sd/decoder.weight"), key: "sd", head: "sd.encoder.", own: "."},
		{what: "dictionaries as modules", names: []string{"conv1/weight", "conv1/bias", "conv2/weight"}},
		{what: "dictionaries as modules, with bookkeeping", names: []string{"conv1/weight", "conv1/bias", "conv2/weight", "optimizer/0"}},
	} {
		head := c.head
		if head == "" {
			head = stem(c.key)
		}
		for _, wanted := range [][][]string{nil, {{"other"}, at("")}} {
			ch, err := choose(list(fake{c.names}), Options{Wanted: wanted})
			if err != nil {
				t.Errorf("%s, wanted %v: %v", c.what, wanted != nil, err)
				continue
			}
			if wanted == nil && c.own != "" {
				if got := strings.Join(ch.names, " "); !strings.Contains(got, strings.TrimPrefix(head, stem(c.key))+"conv1.weight") {
					t.Errorf("%s, wanted nothing: names %s; want the prefix to stay", c.what, got)
				}
				continue
			}
			if ch.dict != c.key {
				t.Errorf("%s, wanted %v: key %q, want %q", c.what, wanted != nil, ch.dict, c.key)
			}
			for _, name := range at("") {
				if !slices.Contains(ch.names, name) || ch.full(name) != head+name {
					t.Errorf("%s, wanted %v: %s is %q, want %q; names %q", c.what, wanted != nil, name, ch.full(name), head+name, ch.names)
				}
			}
			if len(ch.names)+len(ch.left) != len(c.names) {
				t.Errorf("%s, wanted %v: %d tensors are taken and %d left of %d", c.what, wanted != nil, len(ch.names), len(ch.left), len(c.names))
			}
		}
	}
}

// What the habits do with networks that no list of names tells.
func TestDescend(t *testing.T) {
	for _, c := range []struct {
		what         string
		names        []string
		key          string
		taken, other string // joined with spaces
	}{
		{"side by side", []string{"actor/w", "critic/w", "actor_optimizer/m", "step!"}, "", "actor.w critic.w step", "actor_optimizer.m"},
		{"a list of tensors", []string{"0", "1", "2"}, "", "0 1 2", ""},
		{"a list in a dictionary", []string{"weights/0", "weights/1", "epoch!"}, "weights", "0 1", "epoch"},
		{"a bare tensor", []string{"tensor"}, "", "tensor", ""},
		{"only numbers", []string{"a!", "b/c!"}, "", "a b.c", ""},
		{"tensors beside a dictionary of an unknown name", []string{"w", "more/w"}, "", "w more.w", ""},
		{"a part of the network wrapped", []string{"features.module.0", "features.module.1", "fc"}, "", "features.0 features.1 fc", ""},
		{"two parts wrapped", []string{"a.module.0", "b.c.module.module.0"}, "", "a.0 b.c.0", ""},
		{"a module beside others", []string{"a.module.0", "a.0"}, "", "a.module.0 a.0", ""},
		{"a tensor called module", []string{"a.module", "b.module"}, "", "a.module b.module", ""},
		{"a counter without a wrapper", []string{"n_averaged!", "w"}, "", "w n_averaged", ""},
		{"a layer whose name sounds like bookkeeping", []string{"scheduler.weight", "optimal.weight"}, "", "scheduler.weight optimal.weight", ""},
		{"a trifle under a known key", []string{"model/mean", "weights/w%"}, "weights", "w", "model.mean"},
		{"a trifle under a known key, in a dictionary", []string{"model/cfg/mean", "mine/w%"}, "mine", "w", "model.cfg.mean"},
		{"a trifle under an average's key", []string{"ema/updates", "mine/w%"}, "mine", "w", "ema.updates"},
		{"a trifle under a known key beside tensors", []string{"w%", "model/mean"}, "", "w model.mean", ""},
		{"a trifle under an unknown key may be a layer", []string{"encoder/w%", "fc/w"}, "", "encoder.w fc.w", ""},
		{"a trifle beside an optimiser", []string{"model/w", "optimizer/m%"}, "model", "w", "optimizer.m"},
		{"a small network beside a larger one", []string{"net_g/a%", "net_d/a%", "net_d/b%"}, "net_g", "a", "net_d.a net_d.b"},
		{"an average without a weight of the network", []string{"model/a.w", "model/pos", "ema/a.w"}, "model", "a.w pos", "ema.a.w"},
		{"an average without a number of the network", []string{"model/a.w", "model/step!", "ema/a.w"}, "ema", "a.w", "model.a.w model.step"},
		{"an average of tensors beside it, without dots", []string{"w", "acc", "ema/w"}, "ema", "w", "w acc"},
		{"all begin like an attribute", []string{"model", "model.a"}, "", "model model.a", ""},
	} {
		ch, err := choose(list(fake{c.names}), Options{})
		if err != nil || ch.dict != c.key || strings.Join(ch.names, " ") != c.taken || strings.Join(ch.left, " ") != c.other {
			t.Errorf("%s: key %q, taken %q, left %q, %v; want %q, %q, %q", c.what, ch.dict, ch.names, ch.left, err, c.key, c.taken, c.other)
		}
		for _, name := range ch.names {
			if !slices.Contains(fake{c.names}.Names(), ch.full(name)) {
				t.Errorf("%s: %q is %q in the file, where it is not", c.what, name, ch.full(name))
			}
		}
	}
}

func TestNoNetwork(t *testing.T) {
	_, err := choose(list(fake{[]string{"optimizer/0/m", "optimizer/1/m"}}), Options{})
	if want := `found only what helps a training: "optimizer" (2 tensors); a key takes it`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
	if ch, err := choose(list(fake{[]string{"optimizer/0/m", "optimizer/1/m"}}), Options{Key: "optimizer"}); err != nil || strings.Join(ch.names, " ") != "0.m 1.m" {
		t.Errorf("with a key: %q, %v", ch.names, err)
	}
}

// What names decide that habits cannot.
func TestFit(t *testing.T) {
	for _, c := range []struct {
		what, key string
		names     []string
		wantKey   string
		head, err string
	}{
		{what: "a discriminator that does not fit", names: and(at("net_g/"), "params/other"), wantKey: "net_g", head: "net_g."},
		{what: "the average does not fit", names: and(at("params/"), "params_ema/conv1.weight"), wantKey: "params", head: "params."},
		{what: "none of two stands out", names: at("actor/", "critic/"), err: `expected one network of this kind, found 2: "actor", "critic"; give the key`},
		{what: "prefixes of which none stands out", names: at("online.", "target."), err: `found 2: "online", "target"`},
		{what: "not at the same depth", names: at("a/", "a/b/", "c/d/"), err: `found 3: "a", "a.b", "c.d"`},
		{what: "one in the other", names: at("a/", "a/b/"), wantKey: "a", head: "a."},
		{what: "a list", names: at("0/", "1/", "2/"), err: `found 3: "0", "1", "2"`},
		{what: "a key for it", key: "1", names: at("0/", "1/", "2/"), wantKey: "1", head: "1."},
		{what: "a prefix as a key", key: "target", names: at("online.", "target."), wantKey: "", head: "target."},
		{what: "a key above the network", key: "model", names: at("model/state_dict/module.", "params/"), wantKey: "model.state_dict", head: "model.state_dict.module."},
		{what: "an optimiser by its key", key: "optimizer", names: at("optimizer/exp_avg/", "model/"), wantKey: "optimizer.exp_avg", head: "optimizer.exp_avg."},
		{what: "the names as they stand", names: at("", "model.", "module."), wantKey: "", head: ""},
		{what: "some names wrapped", names: []string{"module.conv1.weight", "conv1.bias", "model.module.conv2.weight"}, wantKey: "", head: ""},
		{what: "parts of the network wrapped", names: []string{"sd/conv1.module.weight", "sd/conv1.module.bias", "sd/conv2._orig_mod.weight"}, wantKey: "sd", head: "sd."},
		{what: "wrapped names that would be one", names: and([]string{"sd/module.conv1.weight", "sd/conv1.weight", "sd/module.conv1.bias"}, at("params/module.")...), wantKey: "params", head: "params.module."},
	} {
		ch, err := choose(list(fake{c.names}), Options{Key: c.key, Wanted: [][]string{at("")}})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want one with %q", c.what, err, c.err)
			}
			continue
		}
		if err != nil || ch.dict != c.wantKey || ch.head != c.head {
			t.Errorf("%s: key %q, head %q, %v; want %q and %q", c.what, ch.dict, ch.head, err, c.wantKey, c.head)
		}
		for _, name := range at("") {
			if !slices.Contains(ch.names, name) || !slices.Contains(fake{c.names}.Names(), ch.full(name)) {
				t.Errorf("%s: %q is %q in the file; names %q", c.what, name, ch.full(name), ch.names)
			}
		}
	}
	// Several lists: the one that is there in full wins.
	ch, err := choose(list(fake{[]string{"a/x.w", "a/y.w", "b/w"}}), Options{Wanted: [][]string{{"x.w", "y.w", "z.w"}, {"x.w", "y.w"}}})
	if err != nil || ch.dict != "a" {
		t.Errorf("lists: key %q, %v; want a", ch.dict, err)
	}
	// If none is, that of which there is most is taken, so that the caller can say what is missing.
	ch, err = choose(list(fake{and([]string{"state_dict/conv1.weight"}, "mine/module.conv1.weight", "mine/module.conv1.bias", "mine/module.fc.weight")}), Options{Wanted: [][]string{at("")}})
	if want := "conv1.weight conv1.bias fc.weight"; err != nil || ch.dict != "mine" || strings.Join(ch.names, " ") != want {
		t.Errorf("a part: key %q, names %q, %v; want mine, %s", ch.dict, ch.names, err, want)
	}
	// If nothing is, the habits choose.
	ch, err = choose(list(fake{[]string{"state_dict/a.weight", "state_dict/b.weight", "optimizer/m"}}), Options{Wanted: [][]string{at("")}})
	if want := "a.weight b.weight"; err != nil || ch.dict != "state_dict" || strings.Join(ch.names, " ") != want {
		t.Errorf("nothing: key %q, names %q, %v; want state_dict, %s", ch.dict, ch.names, err, want)
	}
}

// Tensors that cannot be read belong to the network with its prefix and without it.
func TestUnreadable(t *testing.T) {
	unreadable := []string{"net.module.s", "net.s", "net.t", "net.optimizer.m", "other.s"}
	for tidy, want := range map[bool]string{
		true:  "s=net.module.s net.s=net.s t=net.t",
		false: "s=net.module.s net.s=net.s t=net.t optimizer.m=net.optimizer.m",
	} {
		ch, err := choose(list(fake{[]string{"net/module.a", "net/module.b"}}), Options{})
		if err != nil {
			t.Fatal(err)
		}
		ch.addUnreadable(unreadable, tidy)
		var got []string
		for _, name := range ch.unreadable {
			got = append(got, name+"="+ch.full(name))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("tidy %v: %q, want %s", tidy, got, want)
		}
		if report := ch.report(list(fake{[]string{"net/module.a", "net/module.b"}})); !strings.HasSuffix(report, `; it also has what cannot be read: "other.s"`) {
			t.Errorf("tidy %v: report %q", tidy, report)
		}
		if full := ch.full("a"); full != "net.module.a" {
			t.Errorf("tidy %v: a is %q, want net.module.a", tidy, full)
		}
	}
}

// Two dictionaries side by side may be two networks: that they are taken for one is said.
func TestReportDictionaries(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{
		{[]string{"best/a", "last/a"}, `it is made of the dictionaries "best", "last", each of which can be chosen by its key`},
		{[]string{"a", "b"}, ""},
		{[]string{"params/a", "params/b"}, `the network is in "params", 2 of the 2 tensors`},
	} {
		all := list(fake{c.names})
		ch, err := choose(all, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := ch.report(all); got != c.want {
			t.Errorf("%q: report %q, want %q", c.names, got, c.want)
		}
	}
}
