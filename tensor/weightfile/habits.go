package weightfile

import (
	"slices"
	"strings"
)

// averages are the keys under which training programs keep running averages of weights, in
// the order of preference. They make better networks than the weights themselves, so the
// loaders of the field take them first.
//
// Sources: BasicSR and Real-ESRGAN, params_ema; timm, load_state_dict; MMEngine,
// ema_state_dict; Lightning and others.
var averages = []string{
	"params_ema", "state_dict_ema", "ema_state_dict", "model_ema", "ema_model", "ema_model_state_dict",
	"ema", "ema_params", "ema_weights", "net_g_ema", "generator_ema", "g_ema", "G_ema", "swa_model", "swa_state_dict",
	"averaged_model", "shadow", "shadow_params",
}

// weights are the keys under which training programs keep the weights, in the order of
// preference. Of several networks of one program, that which is used later comes first: the
// generator, not the discriminator.
var weights = []string{
	"params", "state_dict", "model_state_dict", "model_state", "state_dict_model", "model_weights", "model", "module",
	"net", "network", "net_state_dict", "network_state_dict", "weights", "parameters",
	"generator", "generator_state_dict", "net_g", "netG", "netG_state_dict", "gen", "G", "g", "student", "model_G",
}

// bookkeeping reports whether a key belongs to what helps a training and is no network:
// optimisers, schedulers, scalers of gradients, the callbacks and loops of Lightning.
func bookkeeping(key string) bool {
	k := strings.ToLower(key)
	for _, part := range []string{"optim", "sched", "scaler", "callback"} {
		if strings.Contains(k, part) {
			return true
		}
	}
	return slices.Contains([]string{"opt", "opt_g", "opt_d", "opt_state", "adam", "sgd", "amp", "loops", "hyper_parameters", "exp_avg", "exp_avg_sq", "momentum_buffer"}, k)
}

// habit says how well the field's habits speak for a path: whether it is a running
// average, and for each component its place in the tables.
func habit(path string) (average bool, places []int) {
	if path == "" {
		return false, nil
	}
	for _, key := range strings.Split(path, ".") {
		place := slices.Index(weights, key)
		if i := slices.Index(averages, key); i >= 0 {
			average, place = true, i
		}
		if place < 0 {
			place = unknown
		}
		places = append(places, place)
	}
	return average, places
}

// unknown is the place of a key that no table has.
const unknown = 1000

// helps reports whether a path leads into bookkeeping.
func helps(path string) bool {
	return path != "" && slices.ContainsFunc(strings.Split(path, "."), bookkeeping)
}

// descend finds the network in a file by the field's habits alone. It starts at the top, and
// goes down as long as a dictionary is only the cover of one network:
//
//  1. If dictionaries in it have keys of the table of weights, the first of them is taken; an
//     average of the table of averages comes before it, if it has the same names. Keys of
//     trifles do not count: a configuration under "model" may have a tensor, too.
//  2. If only averages are known, the first is taken, unless tensors beside it have other
//     names.
//  3. If there is one dictionary alone, apart from bookkeeping and from loose numbers, it is
//     taken.
//  4. Otherwise the dictionary holds the network: tensors, or several networks side by side,
//     such as an actor and a critic, as one network with dotted names. Bookkeeping in it is
//     left out.
func (c *contents) descend() int32 {
	if len(c.dicts) == 1 {
		return 0
	}
	networks, loose := c.networks()
	elements := c.elements()
	for at := int32(0); ; {
		next := c.cover(at, c.serious(at, networks[at], elements), loose[at])
		if next < 0 {
			return at
		}
		at = next
	}
}

// networks finds the dictionaries that have a weight in them or below, outside of
// bookkeeping; inner lists those of every dictionary that lie in it directly. loose counts
// the weights that are in a dictionary itself.
func (c *contents) networks() (inner [][]int32, loose []int) {
	inner, loose = make([][]int32, len(c.dicts)), make([]int, len(c.dicts))
	found := make([]bool, len(c.dicts))
	for i, name := range c.names {
		if !c.isWeight(name) {
			continue
		}
		loose[c.owner[i]]++
		for d := c.owner[i]; d > 0 && !found[d] && !bookkeeping(last(c.dicts[d])); d = c.parent[d] {
			found[d] = true
		}
	}
	for d := range c.dicts {
		if found[d] {
			inner[c.parent[d]] = append(inner[c.parent[d]], int32(d))
		}
	}
	return inner, loose
}

// elements counts the elements of the weights in every dictionary and below, outside of
// bookkeeping.
func (c *contents) elements() []float64 {
	out := make([]float64, len(c.dicts))
	for i, name := range c.names {
		if !c.isWeight(name) {
			continue
		}
		info, _ := c.src.Info(name)
		n := 1.0
		for _, d := range info.Shape {
			n *= float64(d)
		}
		d := c.owner[i]
		for ; d > 0 && !bookkeeping(last(c.dicts[d])); d = c.parent[d] {
			out[d] += n
		}
		if d == 0 {
			out[0] += n
		}
	}
	return out
}

// A trifle has fewer elements than any network of pictures, and by far fewer than what is
// beside it.
const (
	trifleElements = 4096
	trifleShare    = 0.01
)

// serious returns the networks in a dictionary without the trifles under known keys. Under
// other keys a trifle may be the last layer of a network that is in parts.
func (c *contents) serious(at int32, networks []int32, elements []float64) []int32 {
	return slices.DeleteFunc(slices.Clone(networks), func(d int32) bool {
		key := last(c.dicts[d])
		known := slices.Contains(weights, key) || slices.Contains(averages, key)
		return known && elements[d] < trifleElements && elements[d] < trifleShare*(elements[at]-elements[d])
	})
}

// cover returns the dictionary to which descend goes from one, or −1 if it stays.
func (c *contents) cover(at int32, networks []int32, loose int) int32 {
	first := func(table []string) int32 {
		best, place := int32(-1), len(table)
		for _, d := range networks {
			if i := slices.Index(table, last(c.dicts[d])); i >= 0 && i < place {
				best, place = d, i
			}
		}
		return best
	}
	only := len(networks) == 1 && loose == 0
	raw, average := first(weights), first(averages)
	switch {
	case raw >= 0 && average >= 0 && c.sameNames(average, c.parts(raw), false):
		return average
	case raw >= 0:
		return raw
	case average >= 0 && (only || loose > 0 && c.sameNames(average, c.direct(at), true)):
		return average
	case only:
		return networks[0]
	}
	return -1
}

// parts returns the names of a network's tensors, without what is no part of an average: the
// counters of batch normalisation, and single numbers beside the layers.
func (c *contents) parts(dict int32) []string {
	return slices.DeleteFunc(c.below(dict), func(name string) bool {
		return last(name) == "num_batches_tracked" || !strings.Contains(name, ".") && !c.isWeight(stem(c.dicts[dict])+name)
	})
}

// direct returns the names of the tensors in a dictionary itself, without its own path.
func (c *contents) direct(dict int32) []string {
	var out []string
	for i, name := range c.names {
		if c.owner[i] == dict {
			out = append(out, strings.TrimPrefix(name, stem(c.dicts[dict])))
		}
	}
	return out
}

// sameNames reports whether an average has what the network has of which it is the average.
// If loose is true, that may have tensors beside it, whose names have no dot.
func (c *contents) sameNames(average int32, raw []string, loose bool) bool {
	has := map[string]bool{}
	for _, name := range c.below(average) {
		has[unwrapMost(name)] = true
	}
	shared := 0
	for _, name := range raw {
		switch {
		case has[unwrapMost(name)]:
			shared++
		case !loose || last(name) != "num_batches_tracked" && strings.Contains(name, "."):
			return false
		}
	}
	return shared > 0
}
