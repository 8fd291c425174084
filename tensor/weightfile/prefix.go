package weightfile

import (
	"iter"
	"slices"
	"strings"
)

// wrappers are the attributes under which wrappers of PyTorch keep the module that they
// wrap. They may stand anywhere in a name: DataParallel around a part of a network makes
// "features.module.0.weight" of "features.0.weight".
//
// Sources: torch.nn.DataParallel and DistributedDataParallel, module; torch.compile,
// _orig_mod; torch.distributed.fsdp, _fsdp_wrapped_module; checkpoint_wrapper,
// _checkpoint_wrapped_module; Lightning Fabric, _forward_module; FairScale, _fpw_module.
var wrappers = []string{"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module", "_fpw_module"}

// attributes are the names that programs give to the network inside of their own training
// module. They stand at the beginning of every name.
var attributes = []string{"model", "net_g", "netG", "net", "network", "generator"}

// components yields the components of a name but for the last, each with the path before
// it. Of very deep names it yields only the first components.
func components(name string) iter.Seq2[string, string] {
	return func(yield func(path, component string) bool) {
		at := 0
		for range 64 {
			n := strings.IndexByte(name[at:], '.')
			if n < 0 || !yield(name[:at], name[at:at+n]) {
				return
			}
			at += n + 1
		}
	}
}

// remove returns a name without some of its components.
func remove(name string, unwanted func(path, component string) bool) string {
	var b strings.Builder
	from := 0
	for path, component := range components(name) {
		if unwanted(path, component) {
			b.WriteString(name[from:len(path)])
			from = len(path) + len(component) + 1
		}
	}
	if from == 0 {
		return name
	}
	return b.String() + name[from:]
}

// unwrapMost removes the wrappers from a name wherever they stand, except at its end, and
// attributes at the beginning.
func unwrapMost(name string) string {
	begin := true
	return remove(name, func(_, component string) bool {
		wrapper := slices.Contains(wrappers, component)
		begin = begin && (wrapper || slices.Contains(attributes, component))
		return wrapper || begin
	})
}

// unwrap removes wrappers where all names have them: a wrapper goes if there is nothing
// beside it. "features.module." becomes "features." if every name that begins with
// "features." begins with "features.module."; so two names cannot become one. If all names
// begin with the same attribute, it goes too.
func unwrap(names []string) []string {
	for range 8 { // "module.model._orig_mod." needs two rounds
		names = unwrapOnly(names)
		i := slices.IndexFunc(attributes, func(a string) bool {
			return !slices.ContainsFunc(names, func(n string) bool { return !strings.HasPrefix(n, a+".") })
		})
		if i < 0 || len(names) == 0 {
			break
		}
		short := make([]string, len(names))
		for k, n := range names {
			short[k] = n[len(attributes[i])+1:]
		}
		names = short
	}
	return names
}

// unwrapOnly removes the wrappers that are alone under their path.
func unwrapOnly(names []string) []string {
	wrapped, under := map[string]int{}, map[string]int{} // how many names begin with a path and a wrapper; with the path
	for _, name := range names {
		for path, component := range components(name) {
			if slices.Contains(wrappers, component) {
				wrapped[path+component]++
				under[path] = 0
			}
		}
	}
	if len(wrapped) == 0 {
		return names
	}
	for _, name := range names {
		if n, ok := under[""]; ok {
			under[""] = n + 1
		}
		for path, component := range components(name) {
			path := name[:len(path)+len(component)+1]
			if n, ok := under[path]; ok {
				under[path] = n + 1
			}
		}
	}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = remove(name, func(path, component string) bool {
			n, ok := wrapped[path+component]
			return ok && n == under[path]
		})
	}
	return out
}
