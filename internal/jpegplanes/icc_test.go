package jpegplanes

import (
	"bytes"
	"testing"
)

// TestICC has the pieces of a profile in some order, and some of them missing.
func TestICC(t *testing.T) {
	segment := func(number, of byte, data string) []byte {
		body := append([]byte("ICC_PROFILE\x00"), number, of)
		body = append(body, data...)
		return append([]byte{0xff, markerAPP2, 0, byte(len(body) + 2)}, body...)
	}
	file := func(segments ...[]byte) []byte {
		return bytes.Join(append(append([][]byte{{0xff, markerSOI}}, segments...), []byte{0xff, markerEOI}), nil)
	}
	for what, c := range map[string]struct {
		file []byte
		want string
	}{
		"one piece":              {file(segment(1, 1, "abc")), "abc"},
		"two pieces":             {file(segment(1, 2, "abc"), segment(2, 2, "def")), "abcdef"},
		"two, the second first":  {file(segment(2, 2, "def"), segment(1, 2, "abc")), "abcdef"},
		"one of two":             {file(segment(1, 2, "abc")), ""},
		"the second of two":      {file(segment(2, 2, "def")), ""},
		"a number beyond":        {file(segment(3, 1, "abc")), ""},
		"255 pieces, one there":  {file(segment(255, 255, "abc")), ""},
		"none":                   {file(), ""},
		"another segment":        {file([]byte{0xff, markerAPP2, 0, 6, 'M', 'P', 'F', 0}), ""},
		"behind the first scan":  {file([]byte{0xff, markerSOS, 0, 2}, segment(1, 1, "abc")), ""},
		"one that is cut off":    {file(segment(1, 1, "abc"))[:15], ""},
		"a piece without a data": {file(segment(1, 1, "")), ""},
	} {
		if got := ICC(c.file); string(got) != c.want {
			t.Errorf("%s: got %q, want %q", what, got, c.want)
		}
	}
}
