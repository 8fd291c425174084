package format

import (
	"fmt"
	"strings"
	"testing"
)

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 38915: "38,915", 1234567: "1,234,567", -999: "-999", -1000: "-1,000"} {
		if got := Thousands(n); got != want {
			t.Errorf("Thousands(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 553433881: "553.4 MB", 2_000_000_000: "2.0 GB", 1 << 62: "4611686.0 TB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for s, want := range map[string]string{
		"conv1.weight":       "conv1.weight",
		"größe.漢":            "größe.漢",
		`a "red" car, it\s`:  `a "red" car, it\s`,
		"👩🏽‍🚀 and\u00a0more": "👩🏽‍🚀 and\u00a0more",
		"":                   `""`,
		"a\tb":               `"a\tb"`,
		"a\x1b[2J\nb":        `"a\x1b[2J\nb"`,
		"a\u2028b":           `"a\u2028b"`,
		"\u202eabc":          `"\u202eabc"`,
		"\u009b2J":           `"\u009b2J"`,
		"\xff":               `"\xff"`,
	} {
		if got := Printable(s); got != want {
			t.Errorf("Printable(%q) = %s, want %s", s, got, want)
		}
	}
}

func TestMessage(t *testing.T) {
	for s, want := range map[string]string{
		"größe.漢: expected\n\tthis": "größe.漢: expected\n\tthis",
		"a\x1b[2J\rb\u009b":         `a\x1b[2J\rb\u009b`,
		"\u202eabc":                 `\u202eabc`,
		"\xff":                      "\ufffd",
		"":                          "",
	} {
		if got := Message(s); got != want {
			t.Errorf("Message(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"größe", 5, "größe"}, {"größer", 5, "größ…"}, {"", 5, ""}, {"ab", 1, "…"}} {
		if got := Cut(c.s, c.n); got != c.want {
			t.Errorf("Cut(%q,%d) = %q, want %q", c.s, c.n, got, c.want)
		}
	}
	if got := Quote("\x1b" + strings.Repeat("ü", 200)); got != `"\x1b`+strings.Repeat("ü", 98)+`…"` {
		t.Errorf("Quote of a long text: %s", got)
	}
}

func Example() {
	fmt.Println(Thousands(138357544), Bytes(553433881), Megabytes(1.5e9), Milliseconds(0.0315))
	// Output: 138,357,544 553.4 MB 1500 MB 31.5 ms
}
