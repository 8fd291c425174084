package weightfile

import (
	"strings"
)

// contents is the list of all tensors of a file, and of the dictionaries that they are in.
type contents struct {
	src     source
	names   []string
	owner   []int32          // of each name, the innermost dictionary that has it
	dicts   []string         // "" first, an outer one before its inner ones
	index   map[string]int32 // of dicts
	parent  []int32          // of each dictionary, the one around it; −1 for the first
	tensors []int            // of each dictionary, how many are in it and below
}

// list makes the list. A module is one network, whatever modules are in it: these are no
// dictionaries of the file.
func list(src source) *contents {
	c := &contents{src: src, names: src.Names()}
	module := "" // the outermost module that was seen last, and a dot
	for i, d := range src.Dicts() {
		if module == "" || !strings.HasPrefix(d, module) {
			c.dicts = append(c.dicts, d)
			module = ""
			if src.IsModule(d) {
				module = stem(d)
				if i == 0 {
					break
				}
			}
		}
	}
	c.index = make(map[string]int32, len(c.dicts))
	for i, d := range c.dicts {
		c.index[d] = int32(i)
	}
	c.parent = make([]int32, len(c.dicts))
	c.parent[0] = -1
	for i, d := range c.dicts[1:] {
		c.parent[i+1] = c.innermost(d)
	}
	c.tensors = make([]int, len(c.dicts))
	c.owner = make([]int32, len(c.names))
	for i, name := range c.names {
		c.owner[i] = c.innermost(name)
		for d := c.owner[i]; d >= 0; d = c.parent[d] {
			c.tensors[d]++
		}
	}
	return c
}

// innermost returns the innermost dictionary that has a path in it.
func (c *contents) innermost(path string) int32 {
	for len(c.dicts) > 1 {
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			break
		}
		path = path[:i]
		if d, ok := c.index[path]; ok {
			return d
		}
	}
	return 0
}

// dictionaries lists the dictionaries with their numbers of tensors.
func (c *contents) dictionaries() []Dict {
	out := make([]Dict, len(c.dicts))
	for i, d := range c.dicts {
		out[i] = Dict{d, c.tensors[i]}
	}
	return out
}

// stem is what the names of a dictionary's tensors begin with.
func stem(dict string) string {
	if dict == "" {
		return ""
	}
	return dict + "."
}

// last returns the last component of a path.
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// below returns the names of a dictionary's tensors and of those below it, without the
// dictionary's own path.
func (c *contents) below(dict int32) []string {
	head := stem(c.dicts[dict])
	var out []string
	for _, name := range c.names {
		if rest, ok := strings.CutPrefix(name, head); ok {
			out = append(out, rest)
		}
	}
	return out
}

// isWeight reports whether a tensor may be a weight: it has dimensions and is of floats.
func (c *contents) isWeight(name string) bool {
	info, err := c.src.Info(name)
	return err == nil && len(info.Shape) > 0 && info.DType.Float()
}
