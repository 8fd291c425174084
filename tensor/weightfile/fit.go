package weightfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// place is where wanted names were found: behind a head, which is the path of a dictionary
// and a prefix.
type place struct {
	head    string
	dict    string // the innermost dictionary in which head lies
	list    int    // of Wanted
	hits    int    // how many of the list's names are there
	first   int    // the first tensor, for the order of the file
	average bool   // see habit
	habits  []int
}

// fit finds the dictionary that has all names of one list, perhaps behind a prefix. It
// looks at the names as they stand first, then at the names without wrappers. Of several
// that fit, the habits of the field choose; where these say nothing it is an error. If none
// fits, fit takes what has the most of the names; ok is false if that is none.
func (c *contents) fit(base string, wanted [][]string) (ch choice, ok bool, err error) {
	var best place
	var shown []string // the names that best was found in
	for _, view := range []func(string) string{nil, unwrapMost} {
		names := c.view(view)
		places := c.places(base, names, wanted)
		if full := c.full(places, wanted); len(full) > 0 {
			if slices.ContainsFunc(full[1:], func(p place) bool { return !full[0].before(p) }) {
				return ch, false, ambiguous(full)
			}
			return c.behind(full[0], names), true, nil
		}
		for _, p := range places {
			if p.hits > best.hits || p.hits == best.hits && p.before(best) {
				best, shown = p, names
			}
		}
	}
	if best.hits == 0 {
		return ch, false, nil
	}
	return c.behind(best, shown), true, nil
}

// view returns the names as a function shortens them. Only what comes after the dictionary
// is shortened, and only if all names of the dictionary stay different.
func (c *contents) view(shorten func(string) string) []string {
	if shorten == nil {
		return c.names
	}
	out := make([]string, len(c.names))
	owner := map[string]int32{} // of each shortened name
	clash := map[int32]bool{}
	for i, name := range c.names {
		head := stem(c.dicts[c.owner[i]])
		out[i] = head + shorten(name[len(head):])
		if _, ok := owner[out[i]]; ok {
			clash[c.owner[i]] = true
		}
		owner[out[i]] = c.owner[i]
	}
	for i, name := range c.names {
		if clash[c.owner[i]] {
			out[i] = name
		}
	}
	return out
}

// places finds the heads behind which there is any wanted name.
func (c *contents) places(base string, names []string, wanted [][]string) []place {
	var out []place
	for l, list := range wanted {
		set, longest := make(map[string]bool, len(list)), 0
		for _, w := range list {
			set[w] = true
			longest = max(longest, len(w))
		}
		at := map[string]int{} // where a head is in out
		for i, name := range names {
			if !strings.HasPrefix(name, stem(base)) {
				continue
			}
			for k := len(name) - 1; k >= 0 && len(name)-k <= longest; k-- {
				if k > 0 && name[k-1] != '.' || !set[name[k:]] || k < len(stem(base)) {
					continue
				}
				head := name[:k]
				j, ok := at[head]
				if !ok {
					p := place{head: head, dict: c.dicts[c.innermost(head)], list: l, first: i}
					p.average, p.habits = habit(strings.TrimSuffix(head, "."))
					if base == "" && helps(p.dict) {
						continue
					}
					j = len(out)
					at[head] = j
					out = append(out, p)
				}
				out[j].hits++
			}
		}
	}
	return out
}

// full returns the places that have a whole list, the preferred first. What lies behind
// another of them in the same dictionary is left out: names are not shortened further than
// they need to be.
func (c *contents) full(places []place, wanted [][]string) []place {
	var full []place
	for _, p := range places {
		list := slices.Clone(wanted[p.list])
		slices.Sort(list)
		if p.hits == len(slices.Compact(list)) {
			full = append(full, p)
		}
	}
	all := slices.Clone(full)
	seen := map[string]bool{} // two lists may be found at one place
	full = slices.DeleteFunc(full, func(p place) bool {
		again := seen[p.head]
		seen[p.head] = true
		return again || slices.ContainsFunc(all, func(q place) bool {
			return q.dict == p.dict && len(q.head) < len(p.head) && strings.HasPrefix(p.head, q.head)
		})
	})
	slices.SortStableFunc(full, func(p, q place) int {
		switch {
		case p.before(q):
			return -1
		case q.before(p):
			return 1
		}
		return cmp.Compare(p.first, q.first)
	})
	return full
}

// before reports whether the habits of the field prefer p to q: averages, then what comes
// first in the tables, then what the other lies in.
func (p place) before(q place) bool {
	if p.average != q.average {
		return p.average
	}
	n := min(len(p.habits), len(q.habits))
	if c := slices.Compare(p.habits[:n], q.habits[:n]); c != 0 {
		return c < 0
	}
	return len(p.head) < len(q.head) && strings.HasPrefix(q.head, p.head)
}

// ambiguous is the error if several networks fit and nothing tells which is meant.
func ambiguous(full []place) error {
	var keys []string
	for _, p := range full {
		keys = append(keys, quote(strings.TrimSuffix(p.head, ".")))
	}
	return fmt.Errorf("expected one network of this kind, found %d: %s; give the key of one of them", len(keys), enumerate(keys, 8))
}

// behind takes the tensors whose names begin with a place's head.
func (c *contents) behind(p place, names []string) choice {
	ch := choice{dict: p.dict, head: p.head}
	var short, inFile []string
	for i, name := range names {
		if rest, ok := strings.CutPrefix(name, p.head); ok && rest != "" {
			short = append(short, rest)
			inFile = append(inFile, c.names[i])
		} else {
			ch.left = append(ch.left, c.names[i])
		}
	}
	ch.rename(short, inFile)
	return ch
}
