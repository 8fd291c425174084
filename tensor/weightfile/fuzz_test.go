package weightfile

import (
	"slices"
	"strings"
	"testing"
)

// FuzzChoose: whatever the names of a file are, every tensor is taken or left, once, and
// no two get the same name. The text has a name on each line, as fake reads them; its first
// lines are the key and two wanted names.
func FuzzChoose(f *testing.F) {
	for _, names := range [][]string{at("state_dict/module."), at("params/", "params_ema/"), at("", "module.", "model.module."), {"n_averaged!", "module.w"}, {"a.module.b", "a.b", "module", "model.", "..", "a/b.c", "a.b/d"}} {
		for _, head := range []string{"\n\n\n", "params\nconv1.weight\nconv1.bias\n", "\nconv1.weight\nconv2.weight\n", ".\nw\nw\n"} {
			f.Add(head + strings.Join(names, "\n"))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		if len(lines) < 4 || len(lines) > 100 || len(text) > 2000 {
			return
		}
		file := fake{}
		for _, name := range lines[3:] {
			plain := strings.ReplaceAll(strings.TrimRight(name, "!#%"), "/", ".")
			if plain != "" && !slices.Contains(file.Names(), plain) {
				file.names = append(file.names, name)
			}
		}
		if len(file.names) == 0 {
			return
		}
		o := Options{Key: lines[0]}
		if lines[1] != "" {
			o.Wanted = [][]string{{lines[1], lines[2]}}
		}
		all := list(file)
		ch, err := choose(all, o)
		if err != nil {
			return
		}
		if len(ch.names) == 0 {
			t.Fatalf("no tensor is taken of %q", file.names)
		}
		seen := map[string]bool{}
		for _, name := range ch.names {
			full := ch.full(name)
			if seen[full] || !slices.Contains(all.names, full) {
				t.Fatalf("%q is %q in the file, which is there twice or not at all: %q", name, full, all.names)
			}
			seen[full] = true
		}
		for _, name := range ch.left {
			if seen[name] {
				t.Fatalf("%q is taken and left", name)
			}
			seen[name] = true
		}
		if len(seen) != len(all.names) {
			t.Fatalf("%d of %d tensors are taken or left", len(seen), len(all.names))
		}
		slices.Sort(ch.names)
		if len(slices.Compact(ch.names)) != len(seen)-len(ch.left) {
			t.Fatalf("two tensors have one name: %q", ch.names)
		}
		ch.report(all)
	})
}
