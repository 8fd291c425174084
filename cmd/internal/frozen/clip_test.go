package frozen

import (
	"io"
	"strings"
	"testing"

	"pixelgrad/clip"
	"pixelgrad/cmd/internal/cli"
)

func TestCLIPFlags(t *testing.T) {
	parse := func(args string) (o Options, err error) {
		f := cli.NewFlags("x")
		o.AddCLIPFlags(f)
		_, err = f.Parse(strings.Fields(args), "", io.Discard)
		return o, err
	}
	for args, want := range map[string]CLIPOptions{
		"":                              {},
		"-gelu quick":                   {GELU: clip.QuickGELU},
		"-gelu plain -heads 16":         {GELU: clip.PlainGELU, VisionHeads: 16},
		"-heads 16,12 -clip-key a.b":    {VisionHeads: 16, TextHeads: 12, CLIPKey: "a.b"},
		"-gelu quick_gelu -heads=12,08": {GELU: clip.QuickGELU, VisionHeads: 12, TextHeads: 8},
	} {
		if o, err := parse(args); err != nil || o.CLIPOptions != want {
			t.Errorf("%s: %+v, %v; want %+v", args, o.CLIPOptions, err, want)
		}
	}
	for args, want := range map[string]string{
		"-gelu relu":                   "expected quick (OpenAI's QuickGELU) or plain",
		"-heads 0":                     "from 1 to 1024",
		"-heads 12,":                   "from 1 to 1024",
		"-heads 12,8,4":                "as in 16 or 16,12, found 8,4",
		"-random-features -gelu plain": "expected no -gelu",
	} {
		if _, err := parse(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that has %q", args, err, want)
		}
	}
}

func TestCLIPCheck(t *testing.T) {
	for _, o := range []CLIPOptions{{GELU: "relu"}, {VisionHeads: -1}, {TextHeads: 2000}} {
		if o.Check() == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if o := (CLIPOptions{GELU: clip.PlainGELU, VisionHeads: 16}); o.Check() != nil {
		t.Errorf("%+v: %v", o, o.Check())
	}
}
