package safetensors

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// one describes a single tensor with 4 bytes of data.
const one = `"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`

// tensorA is a header whose tensor a has these fields.
func tensorA(dtype, shape, offsets string) string {
	return fmt.Sprintf(`{"a":{"dtype":%s,"shape":%s,"data_offsets":%s}}`, dtype, shape, offsets)
}

// malformed lists broken files with the part of the error that must show what
// is wrong. The fuzz target starts from them.
var malformed = []struct {
	name string
	file []byte
	want string
}{
	{"empty file", nil, "expected at least 8 bytes, the length of the header, found 0"},
	{"seven bytes", make([]byte, 7), "found 7"},
	{"header over the limit", binary.LittleEndian.AppendUint64(nil, 100_000_001), "a header of 100000001 bytes is longer than the limit"},
	{"header of 2^64-1", bytes.Repeat([]byte{255}, 16), "is this a safetensors file?"},
	{"zip file", []byte("PK\x03\x04\x14\x00\x00\x00\x08\x00"), `It begins with "PK\x03\x04`},
	{"header longer than file", append(binary.LittleEndian.AppendUint64(nil, 100), "{}"...), "should have 100 bytes, but only 2 follow"},
	{"header cut off", build("{"+one+"}", 0)[:30], "but only 22 follow"},
	{"no header", build("", 0), "expected '{' at once, found the end of the header"},
	{"not UTF-8", build("{\"\xff\":1}", 0), "not valid UTF-8"},
	{"not JSON", build("hello world", 0), `byte 0 of the header: expected '{' at once, found "hello world"`},
	{"array", build("[]", 0), "expected '{'"},
	{"space first", build(" {}", 0), "expected '{' at once"},
	{"unclosed", build("{"+one, 4), "expected ',' or '}', found the end"},
	{"comma at the end", build("{"+one+",}", 4), "expected a key in double quotes"},
	{"no comma", build("{"+one+one+"}", 4), "expected ',' or '}'"},
	{"no colon", build(`{"a" {}}`, 0), "expected ':' after a key"},
	{"key not a string", build(`{1:{}}`, 0), "expected a key in double quotes"},
	{"control character", build("{\"a\n\":1}", 0), "no control character"},
	{"unknown escape", build(`{"\x":1}`, 0), "expected a JSON escape"},
	{"bad unicode escape", build(`{"\u12g4":1}`, 0), "expected a JSON escape"},
	{"escape cut off", build(`{"\`, 0), "at the end of a string"},
	{"lone surrogate", build(`{"\ud800":1}`, 0), "a pair of surrogates"},
	{"two high surrogates", build(`{"\ud800\ud800":1}`, 0), "a pair of surrogates"},
	{"unclosed string", build(`{"abc`, 0), "expected '\"' at the end of a string"},
	{"junk after the header", build("{"+one+"} x", 4), `only white space after the last '}', found "x"`},
	{"zeros after the header", build("{"+one+"}\x00\x00", 4), "only white space"},
	{"second object", build("{}{}", 0), "only white space"},
	{"duplicate tensor", build("{"+one+","+one+"}", 4), `tensor "a" is there twice`},
	{"duplicate by escape", build("{"+one+`,"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `tensor "a" is there twice`},
	{"duplicate field", build(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `tensor "a": the field "dtype" is there twice`},
	{"unknown field", build(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, 4), `tensor "a": unknown field "x"`},
	{"no dtype", build(`{"a":{"shape":[1],"data_offsets":[0,4]}}`, 4), "the field dtype is missing"},
	{"no shape", build(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "the field shape is missing"},
	{"no offsets", build(`{"a":{"dtype":"F32","shape":[1]}}`, 4), "the field data_offsets is missing"},
	{"tensor is a number", build(`{"a":1}`, 0), `tensor "a": byte 5 of the header: expected an object`},
	{"tensor is null", build(`{"a":null}`, 0), `found "null}"`},
	{"deep nesting", build(`{"a":`+strings.Repeat("[", 1_000_000), 0), `expected an object with dtype, shape and data_offsets, found "[[[[[[[[[[[[[[[["`},
	{"deep objects", build(strings.Repeat(`{"a":`, 100_000), 0), `tensor "a": unknown field "a"`},
	{"deep shape", build(tensorA(`"F32"`, strings.Repeat("[", 100_000), "[0,4]"), 4), "shape: byte 29 of the header: expected a whole number"},
	{"empty name", build(`{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "a tensor has an empty name"},
	{"unknown dtype", build(tensorA(`"F31"`, "[1]", "[0,4]"), 4), `tensor "a": dtype: unknown type "F31"`},
	{"dtype a number", build(tensorA("32", "[1]", "[0,4]"), 4), "dtype: byte 14 of the header: expected a string"},
	{"shape a number", build(tensorA(`"F32"`, "1", "[0,4]"), 4), "shape: byte 28 of the header: expected an array"},
	{"negative dimension", build(tensorA(`"F32"`, "[-1]", "[0,4]"), 4), `shape: byte 29 of the header: expected a whole number, found "-1]`},
	{"fraction", build(tensorA(`"F32"`, "[1.0]", "[0,4]"), 4), `expected a whole number, found "1.0]`},
	{"exponent", build(tensorA(`"F32"`, "[1e3]", "[0,4]"), 4), `expected a whole number, found "1e3]`},
	{"leading zero", build(tensorA(`"F32"`, "[01]", "[0,4]"), 4), `expected a whole number, found "01]`},
	{"dimension of 2^63", build(tensorA(`"F32"`, "[9223372036854775808]", "[0,4]"), 4), "below 2^63"},
	{"dimension of 2^64+1", build(tensorA(`"F32"`, "[18446744073709551617]", "[0,4]"), 4), "below 2^63"},
	{"shape that overflows", build(tensorA(`"F32"`, "[4294967296,4294967296]", "[0,0]"), 0), `tensor "a": shape: more than 2^`},
	{"overflow before a zero", build(tensorA(`"F32"`, "[4294967296,4294967296,0]", "[0,0]"), 0), "more than 2^"},
	{"size that overflows", build(tensorA(`"F64"`, "[2305843009213693951]", "[0,4]"), 4), "shape [2305843009213693951] want 1.844674"},
	{"size that wraps to 4", build(tensorA(`"F32"`, "[1073741825,4294967296]", "[0,4]"), 4), "more than 2^"},
	{"65 dimensions", build(tensorA(`"F32"`, "["+strings.Repeat("1,", 64)+"1]", "[0,4]"), 4), "more than 64 dimensions"},
	{"too few bytes", build(tensorA(`"F32"`, "[2,3]", "[0,20]"), 20), "dtype F32 and shape [2 3] want 24 bytes, data_offsets have 20"},
	{"too many bytes", build(tensorA(`"F16"`, "[2,3]", "[0,24]"), 24), "want 12 bytes, data_offsets have 24"},
	{"half a byte", build(tensorA(`"F4"`, "[3]", "[0,1]"), 1), "want 1.5 bytes, data_offsets have 1"},
	{"begin after end", build(tensorA(`"F32"`, "[1]", "[8,4]"), 8), "begin 8 is after end 4"},
	{"negative offset", build(tensorA(`"F32"`, "[1]", "[-4,0]"), 4), "data_offsets: byte 48 of the header: expected a whole number"},
	{"one offset", build(tensorA(`"F32"`, "[1]", "[4]"), 4), "expected two numbers, found 1"},
	{"three offsets", build(tensorA(`"F32"`, "[1]", "[0,4,4]"), 4), "expected two numbers, found more"},
	{"offsets beyond the data", build("{"+one+"}", 3), "bytes 0 to 4 are beyond the 3 bytes of data in the file; is the file cut off?"},
	{"offsets of 2^63-1", build(tensorA(`"F32"`, "[1]", fmt.Sprintf("[%d,%d]", math.MaxInt64-4, math.MaxInt64)), 4), "beyond the 4 bytes"},
	{"overlap", build(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}`, 4), `tensors "a" (bytes 0 to 3) and "b" (bytes 2 to 4) overlap`},
	{"same bytes twice", build("{"+one+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "overlap"},
	{"hole", build("{"+one+`,"b":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}}`, 6), `bytes 4 to 5 of the data, before tensor "b", belong to no tensor`},
	{"hole at the start", build(tensorA(`"U8"`, "[1]", "[1,2]"), 2), `bytes 0 to 1 of the data, before tensor "a"`},
	{"data at the end", build("{"+one+"}", 9), "bytes 4 to 9 of the data, after the last tensor"},
	{"data without tensors", build("{}", 1), "bytes 0 to 1 of the data, after the last tensor"},
	{"empty tensor in a hole", build("{"+one+`,"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}`, 4), "overlap"},
	{"metadata a string", build(`{"__metadata__":"x"}`, 0), "__metadata__: byte 16 of the header: expected an object"},
	{"metadata nul", build(`{"__metadata__":nul}`, 0), "__metadata__: byte 16 of the header: expected an object"},
	{"metadata nulls", build(`{"__metadata__":nulls}`, 0), "byte 20 of the header: expected ',' or '}'"},
	{"metadata null and an object", build(`{"__metadata__":null,"__metadata__":{}}`, 0), "__metadata__ twice"},
	{"metadata value null", build(`{"__metadata__":{"a":null}}`, 0), `__metadata__: "a": byte 21 of the header: expected a string`},
	{"dtype null", build(tensorA("null", "[1]", "[0,4]"), 4), "dtype: byte 14 of the header: expected a string"},
	{"shape null", build(tensorA(`"F32"`, "null", "[0,4]"), 4), "shape: byte 28 of the header: expected an array"},
	{"metadata value a number", build(`{"__metadata__":{"a":1}}`, 0), `__metadata__: "a": byte 21 of the header: expected a string, found "1}}"`},
	{"metadata twice", build(`{"__metadata__":{},"__metadata__":{}}`, 0), "__metadata__ twice"},
	{"metadata key twice", build(`{"__metadata__":{"a":"1","a":"2"}}`, 0), `__metadata__: has the key "a" twice`},
	{"metadata bomb", build(metadataBomb(1<<16+1), 0), "__metadata__: has more than 65536 keys"},
	{"long name", build(`{"`+strings.Repeat("n", 10_000)+`":1}`, 0), "… (10000 bytes): byte 10004"},
}

func metadataBomb(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%d":""`, i)
	}
	return `{"__metadata__":{` + b.String()[1:] + "}}"
}

func TestMalformed(t *testing.T) {
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			f, err := openBytes(c.file)
			if f != nil && err == nil {
				t.Fatalf("no error, want one with %q", c.want)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "safetensors: test.safetensors: ") {
				t.Errorf("\ngot the error  %v\nwant one with  %s", err, c.want)
			}
			if len(err.Error()) > 600 {
				t.Errorf("the error has %d characters", len(err.Error()))
			}
		})
	}
	// The same through a mapping.
	path := filepath.Join(t.TempDir(), "bad.safetensors")
	if err := os.WriteFile(path, build("{"+one+"}", 3), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path)
	wantError(t, "a mapped file", err, "bad.safetensors: tensor \"a\": data_offsets: bytes 0 to 4 are beyond")
}

// Forms that are unusual and right.
func TestWellFormed(t *testing.T) {
	for _, c := range []struct {
		name   string
		file   []byte
		tensor string
		shape  []int
	}{
		{"spaces and line ends", build("{\n\t\"a\" : { \"shape\" : [ 1 , 1 ] ,\r\n \"data_offsets\":[ 0 , 4 ], \"dtype\":\"F32\" } } \n\t ", 4), "a", []int{1, 1}},
		{"escaped name", build(`{"\u0061\ud83d\ude00\n\/":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "a😀\n/", []int{1}},
		{"escaped field", build(`{"a":{"d\u0074ype":"F3\u0032","shape":[1],"data_offsets":[0,4]}}`, 4), "a", []int{1}},
		{"data in another order", build(`{"b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},`+one+`}`, 5), "a", []int{1}},
		{"empty tensor before another", build(`{"e":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},`+one+`}`, 4), "a", []int{1}},
		{"empty tensor at the end", build("{"+one+`,"e":{"dtype":"F32","shape":[7,0],"data_offsets":[4,4]}}`, 4), "e", []int{7, 0}},
		{"huge dimension after zero", build(tensorA(`"F32"`, "[0,2305843009213693951]", "[0,0]"), 0), "a", []int{0, 2305843009213693951}},
		{"scalar", build(tensorA(`"F32"`, "[]", "[0,4]"), 4), "a", []int{}},
		{"metadata null", build(`{"__metadata__": null ,`+one+"}", 4), "a", []int{1}},
		{"metadata only", build(`{"__metadata__":{},`+one+"}", 4), "a", []int{1}},
	} {
		f, err := openBytes(c.file)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		x, err := f.Tensor(c.tensor)
		if err != nil || !slices.Equal(x.Shape(), c.shape) {
			t.Errorf("%s: shape %v, %v; want %v", c.name, x.Shape(), err, c.shape)
		}
	}
}

// Whatever a header says, opening the file must not take more memory than twice
// its size.
func TestMemory(t *testing.T) {
	var many strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&many, `,"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`, i)
	}
	for _, c := range []struct{ name, header string }{
		{"many tensors", "{" + many.String()[1:] + "}"},
		{"many tensors, not closed", "{" + many.String()[1:]},
		{"one long name", `{"` + strings.Repeat("n", 2<<20)},
		{"one long escaped name", `{"\n` + strings.Repeat("n", 2<<20)},
		{"a name of escapes", `{"` + strings.Repeat(`\u00e9\"`, 1<<18) + `":`},
		{"false promise", `{"` + strings.Repeat(`\"data_offsets\"`, 100_000)},
		{"brackets", `{"a":` + strings.Repeat("[", 2<<20)},
		{"long shape", `{"a":{"shape":[` + strings.Repeat("1,", 1<<20)},
	} {
		file := build(c.header, 0)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		openBytes(file)
		runtime.ReadMemStats(&after)
		// TotalAlloc counts what was freed again, too; 300 KB is a chunk of reading.
		if got, limit := int(after.TotalAlloc-before.TotalAlloc), 2*len(file)+300<<10; got > limit {
			t.Errorf("%s: %d bytes were allocated for a file of %d", c.name, got, len(file))
		}
	}
}
