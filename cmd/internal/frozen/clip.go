package frozen

import (
	"fmt"
	"strconv"
	"strings"

	"pixelgrad/clip"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
)

// CLIPOptions says of CLIP's weights what they do not show; zeros: the file tells, or clip.Load
// assumes it and says so. The names in JSON are those of a run's config.json.
type CLIPOptions struct {
	GELU        clip.GELU `json:"clip_gelu"`         // one of clip's; "" if the file tells
	VisionHeads int       `json:"clip_vision_heads"` // 0 if the file tells
	TextHeads   int       `json:"clip_text_heads"`
	CLIPKey     string    `json:"clip_key"` // the dictionary with the weights; "" if the content tells
}

// EarlierCLIP is what runs had before there were these options.
var EarlierCLIP = CLIPOptions{GELU: clip.QuickGELU}

// maxHeads is more than any tower has.
const maxHeads = 1024

func (o *CLIPOptions) addFlags(f *cli.Flags) {
	f.Func("gelu", "CLIP's `activation`: quick (OpenAI's QuickGELU) or plain (GELU, as in most of LAION's and\nopen_clip's); default: what the file of weights or config.json, open_clip_config.json\nbeside it says", func(name string) (err error) {
		o.GELU, err = clip.ParseGELU(name)
		return err
	})
	f.Func("heads", "`number` of heads in CLIP's image tower, or of both towers as in 16,12; default: as with -gelu", func(list string) error {
		vision, text, both := strings.Cut(list, ",")
		var err error
		if o.VisionHeads, err = heads(vision); err == nil && both {
			o.TextHeads, err = heads(text)
		}
		return err
	})
	f.StringVar(&o.CLIPKey, "clip-key", "", "the `dictionary` in CLIP's file that holds the weights; default: its content tells")
}

// heads reads a number of heads.
func heads(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 1 || n > maxHeads {
		return 0, fmt.Errorf("expected numbers of heads from 1 to %d, as in 16 or 16,12, found %s", maxHeads, format.Printable(s))
	}
	return n, nil
}

// Check looks at options that may be from a file.
func (o *CLIPOptions) Check() error {
	switch o.GELU {
	case clip.UnknownGELU, clip.QuickGELU, clip.PlainGELU:
	default:
		return fmt.Errorf(`"clip_gelu": expected %s, %s or nothing, found %s`, clip.QuickGELU, clip.PlainGELU, format.Printable(string(o.GELU)))
	}
	for name, n := range map[string]int{"clip_vision_heads": o.VisionHeads, "clip_text_heads": o.TextHeads} {
		if n < 0 || n > maxHeads {
			return fmt.Errorf("%q: expected 0 to %d, found %d", name, maxHeads, n)
		}
	}
	return nil
}

// set gives CLIP's loader the options.
func (o *CLIPOptions) set(c *clip.Options) {
	c.GELU, c.VisionHeads, c.TextHeads, c.Key = o.GELU, o.VisionHeads, o.TextHeads, o.CLIPKey
}
