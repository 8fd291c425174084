package weightfile

import (
	"fmt"
	"slices"
	"strings"
)

// choice is the network that was chosen in a file.
type choice struct {
	dict  string            // the dictionary
	head  string            // what all names begin with in the file: the dictionary's path, and the prefix that was removed
	names []string          // as the caller sees them
	inner map[string]string // what they are in the file; nil if that is head + name of any name
	plain bool              // it is head + name of all names
	left  []string          // tensors of the file that are not in it

	unreadable []string          // tensors of it that cannot be read
	whole      map[string]string // what unreadable is in the file
	lost       []string          // tensors beside it that cannot be read
}

// full returns the name in the file of one of the network's tensors.
func (c *choice) full(name string) string {
	if c.inner == nil && c.whole == nil {
		return c.head + name
	}
	if full, ok := c.inner[name]; ok {
		return full
	}
	if full, ok := c.whole[name]; ok {
		return full
	}
	return c.head + name // not there; the error will say so
}

// addUnreadable takes those of the file's unreadable tensors that lie in the network's
// dictionary, with or without its prefix, and notes the others. If tidy is true, it leaves bookkeeping out.
func (c *choice) addUnreadable(names []string, tidy bool) {
	taken := map[string]bool{}
	for _, name := range names {
		short, ok := strings.CutPrefix(name, stem(c.dict))
		if i := strings.LastIndexByte(short, '.'); tidy && i >= 0 && helps(short[:i]) {
			continue
		}
		if !ok {
			c.lost = append(c.lost, quote(name))
			continue
		}
		if c.whole == nil {
			c.whole = map[string]string{}
			for _, n := range c.names {
				taken[n] = true
			}
		}
		if rest, ok := strings.CutPrefix(name, c.head); ok {
			short = rest
		}
		if taken[short] { // there is one with the prefix and one without
			short = name
		}
		taken[short] = true
		c.unreadable = append(c.unreadable, short)
		c.whole[short] = name
	}
}

// choose finds the network.
func choose(c *contents, o Options) (choice, error) {
	base, err := c.base(o.Key)
	if err != nil {
		return choice{}, err
	}
	if len(o.Wanted) > 0 {
		ch, ok, err := c.fit(base, o.Wanted)
		if ok || err != nil {
			return ch, err
		}
	}
	if o.Key != "" {
		return c.take(base, false), nil
	}
	ch := c.take(c.dicts[c.descend()], true)
	if len(ch.names) == 0 {
		return ch, fmt.Errorf("expected a network, found only what helps a training: %s; a key takes it all the same", ch.rest(c))
	}
	return ch, nil
}

// base checks a key and returns the path that it means.
func (c *contents) base(key string) (string, error) {
	if key == "" || key == "." {
		return "", nil
	}
	for _, name := range c.names {
		if strings.HasPrefix(name, key+".") {
			return key, nil
		}
	}
	return "", fmt.Errorf("expected one of its keys, found the key %s; there is %s", quote(key), c.keys())
}

// keys lists the keys that there are: the dictionaries, or without any what names begin
// with.
func (c *contents) keys() string {
	if len(c.dicts) > 1 {
		var all []string
		for i, d := range c.dicts[1:] {
			all = append(all, fmt.Sprintf("%s (%s)", quote(d), tensors(c.tensors[i+1])))
		}
		return enumerate(all, 12)
	}
	var all []string
	count := map[string]int{}
	for _, name := range c.names {
		first, _, ok := strings.Cut(name, ".")
		if !ok {
			continue
		}
		if count[first] == 0 {
			all = append(all, first)
		}
		count[first]++
	}
	for i, first := range all {
		all[i] = fmt.Sprintf("%s (%s)", quote(first), tensors(count[first]))
	}
	if len(all) == 0 {
		return "none, but only " + tensors(len(c.names)) + " without a dictionary"
	}
	return enumerate(all, 12)
}

// counter is the number of updates, which torch.optim.swa_utils keeps beside "module.".
const counter = "n_averaged"

// take takes all tensors below a path, without prefixes of wrappers. If tidy is true, it
// leaves bookkeeping out.
func (c *contents) take(dict string, tidy bool) choice {
	ch := choice{dict: dict, head: stem(dict)}
	inFile, counts := c.names, "" // nothing is copied in the common case of a file with a network alone
	belongs := func(i int) bool {
		return strings.HasPrefix(c.names[i], ch.head) && !(tidy && c.isBookkeeping(c.owner[i], dict))
	}
	if slices.ContainsFunc(c.names, func(n string) bool { return n == ch.head+counter }) || !all(len(c.names), belongs) {
		inFile = make([]string, 0, len(c.names))
		for i, name := range c.names {
			switch {
			case !belongs(i):
				ch.left = append(ch.left, name)
			case name == ch.head+counter:
				counts = name
			default:
				inFile = append(inFile, name)
			}
		}
	}
	names := inFile
	if ch.head != "" {
		names = make([]string, len(inFile))
		for i, name := range inFile {
			names[i] = name[len(ch.head):]
		}
	}
	short := unwrap(names)
	switch {
	case counts == "":
	case len(short) > 0 && len(short[0]) < len(names[0]):
		ch.left = append(ch.left, counts)
	default:
		short, inFile = append(slices.Clone(short), counter), append(inFile, counts)
	}
	ch.rename(short, inFile)
	return ch
}

// all reports whether a condition holds for 0 to n−1.
func all(n int, holds func(i int) bool) bool {
	for i := range n {
		if !holds(i) {
			return false
		}
	}
	return true
}

// isBookkeeping reports whether a dictionary is one of bookkeeping, or is in one, below a
// path.
func (c *contents) isBookkeeping(dict int32, below string) bool {
	for ; dict > 0 && c.dicts[dict] != below; dict = c.parent[dict] {
		if bookkeeping(last(c.dicts[dict])) {
			return true
		}
	}
	return false
}

// rename gives the network's tensors their names. It finds what all of them begin with in
// the file; if there is more to it, it makes a map.
func (c *choice) rename(short, inFile []string) {
	c.names = short
	if len(short) == 0 {
		return
	}
	head, plain := strings.CutSuffix(inFile[0], short[0])
	for i, name := range inFile {
		plain = plain && len(name) == len(head)+len(short[i]) && strings.HasPrefix(name, head) && strings.HasSuffix(name, short[i])
	}
	if c.plain = plain; plain {
		c.head = head
	}
	if plain && len(c.left) == 0 {
		return
	}
	c.inner = make(map[string]string, len(short))
	for i, name := range short {
		c.inner[name] = inFile[i]
	}
}
