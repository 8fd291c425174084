package torchfile

import (
	"fmt"
	"slices"
)

// value is a value on the stack of a pickle's machine. It is one of
//
//	nil, bool, int64, float64, string, raw (bytes), bigInt
//	tuple, *list, *dict
//	global     a name of Python: never looked up, called or imported
//	*object    what a foreign name would have returned, opaque
//	*view      a storage or a part of one
//	*array     a tensor
//	*unread    a tensor that cannot be read
//
// A value may be shared, and may contain itself. So all code that descends into a value has
// a limit, even the code that prints it.
type value any

type (
	raw    string // also a text that is not UTF-8
	bigInt string // more than 8 bytes, little-endian two's complement
	tuple  []value
	list   struct { // also a set
		items []value
		open  bool // the collector is in it
	}
	dict struct {
		items []pair
		open  bool // the collector is in it
	}
	pair   struct{ key, value value }
	global string // module.name
	unread struct{ why string }
)

// object stands for an instance of a class, or for what a function would return. It holds
// what the pickle gives it, and does nothing.
type object struct {
	class      string
	args       tuple  // of its creation, as of a named tuple
	state      value  // its attributes, or what its class would make them from
	items      []pair // of a kind of dictionary or, with the keys 0, 1, …, of a kind of list
	open, seen bool   // the collector is in it, or was there
}

// get returns the value of a key, or nil. If a key occurs twice, the last one counts, as in
// Python.
func (d *dict) get(key string) value {
	if d == nil {
		return nil
	}
	for _, p := range slices.Backward(d.items) {
		if p.key == value(key) {
			return p.value
		}
	}
	return nil
}

// describe names the kind of a value for an error message.
func describe(v value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a boolean"
	case int64, bigInt:
		return "a number"
	case float64:
		return "a float"
	case string, raw:
		return "a text"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dictionary"
	case global:
		return "the name " + quote(string(v))
	case *object:
		return "an object of " + quote(v.class)
	case *view:
		return "a storage"
	case *array:
		return "a tensor"
	case *unread:
		return "a tensor " + v.why
	}
	return "an unknown value"
}

// quote quotes a text from a file for an error message. Long texts are cut.
func quote(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%.80q… (%d bytes)", s, len(s))
	}
	return fmt.Sprintf("%q", s)
}
