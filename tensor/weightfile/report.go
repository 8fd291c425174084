package weightfile

import (
	"fmt"
	"slices"
	"strings"
)

// report says what was chosen, which prefix was removed and what else is in the file. It
// is "" if the network is the whole file, under its own names.
func (c *choice) report(all *contents) string {
	var parts []string
	if c.dict != "" {
		parts = append(parts, fmt.Sprintf("the network is in %s, %d of the %s", quote(c.dict), len(c.names), tensors(len(all.names))))
	} else if len(c.left) > 0 {
		parts = append(parts, fmt.Sprintf("took %d of the %s", len(c.names), tensors(len(all.names))))
	}
	if inside := c.inside(all); len(inside) > 1 {
		parts = append(parts, "it is made of the dictionaries "+enumerate(inside, 6)+", each of which can be chosen by its key")
	}
	if c.plain {
		if prefix := strings.TrimPrefix(c.head, stem(c.dict)); prefix != "" {
			parts = append(parts, fmt.Sprintf("removed the prefix %s of the names", quote(prefix)))
		}
	} else if i := c.renamed(); i >= 0 {
		parts = append(parts, fmt.Sprintf("removed wrappers from names: %s is %s", quote(strings.TrimPrefix(c.inner[c.names[i]], stem(c.dict))), quote(c.names[i])))
	}
	if len(c.left) > 0 {
		parts = append(parts, "not taken: "+c.rest(all))
	}
	if len(c.lost) > 0 {
		parts = append(parts, "it also has what cannot be read: "+enumerate(c.lost, 6))
	}
	return strings.Join(parts, "; ")
}

// inside returns the dictionaries that the chosen one has directly in it, quoted. Two of them may
// be two networks, or the halves of one.
func (c *choice) inside(all *contents) []string {
	var names []string
	for i, d := range all.dicts {
		if i > 0 && all.tensors[i] > 0 && all.dicts[all.parent[i]] == c.dict && strings.HasPrefix(d, c.head) {
			names = append(names, quote(d))
		}
	}
	return names
}

// unscaled says of numbers of 8 bits that the scales beside them are not applied, or "".
// Programs that shrink weights to 8 bits have many ways to name and use such scales.
func (f *File) unscaled() string {
	i := slices.IndexFunc(f.choice.names, func(name string) bool { return strings.Contains(last(name), "scale") })
	if i < 0 {
		return ""
	}
	for _, name := range f.choice.names {
		info, err := f.Info(name)
		if err == nil && strings.HasPrefix(string(info.DType), "F8_") && info.DType != "F8_E8M0" {
			return fmt.Sprintf("%s has numbers of 8 bits, %s, and there are scales, such as %s, which are not applied to them", quote(name), info.DType, quote(f.choice.names[i]))
		}
	}
	return ""
}

// renamed returns the first name that is shorter than in the dictionary, or −1.
func (c *choice) renamed() int {
	for i, name := range c.names {
		if full, ok := c.inner[name]; ok && len(full) > len(stem(c.dict))+len(name) {
			return i
		}
	}
	return -1
}

// rest lists what was not taken: dictionaries beside the chosen one, and single tensors.
func (c *choice) rest(all *contents) string {
	var groups, single []string
	count := map[string]int{}
	index := map[string]int32{}
	for i, name := range all.names {
		index[name] = int32(i)
	}
	for _, name := range c.left {
		// The outermost dictionary that has the tensor and not the chosen one.
		group := ""
		for d := all.owner[index[name]]; d > 0 && !strings.HasPrefix(stem(c.dict), stem(all.dicts[d])); d = all.parent[d] {
			group = all.dicts[d]
		}
		if group == "" {
			single = append(single, quote(name))
			continue
		}
		if count[group] == 0 {
			groups = append(groups, group)
		}
		count[group]++
	}
	for i, g := range groups {
		groups[i] = fmt.Sprintf("%s (%s)", quote(g), tensors(count[g]))
	}
	return enumerate(append(groups, single...), 6)
}

// tensors is a number of tensors in words.
func tensors(n int) string {
	if n == 1 {
		return "1 tensor"
	}
	return fmt.Sprintf("%d tensors", n)
}

// enumerate joins texts with commas, at most so many.
func enumerate(texts []string, most int) string {
	if len(texts) > most+1 {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
	}
	return strings.Join(texts, ", ")
}

// quote quotes a text from a file for a message. Long texts are cut.
func quote(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%.80q… (%d bytes)", s, len(s))
	}
	return fmt.Sprintf("%q", s)
}
