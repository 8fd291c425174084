package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"pixelgrad/clip"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/cmd/internal/runs"
)

// TestCLIPIsKept: config.json has the activation and the heads that the network was run with,
// whether a flag or a file beside the weights told them.
func TestCLIPIsKept(t *testing.T) {
	const weights = "../../testdata/golden/clip_others/nested/open_clip_model.safetensors" // with QuickGELU
	for _, c := range []struct {
		flags []string
		want  frozen.CLIPOptions
	}{
		{nil, frozen.CLIPOptions{GELU: clip.QuickGELU, VisionHeads: 2}},
		{[]string{"-gelu", "plain", "-heads", "4"}, frozen.CLIPOptions{GELU: clip.PlainGELU, VisionHeads: 4}},
	} {
		dir := t.TempDir()
		_, log, err := runWith(t, context.Background(), quick(dir, append(c.flags, "-model", "clip", "-clip-weights", weights, "-steps", "1")...))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log, "open_clip_config.json beside it says") {
			t.Errorf("%q: said %q, want what the file beside says", c.flags, log)
		}
		config, err := runs.Read(filepath.Join(dir, "run"))
		if err != nil || config.CLIPOptions != c.want {
			t.Errorf("%q: %s has %+v, %v; want %+v", c.flags, runs.ConfigFile, config.CLIPOptions, err, c.want)
		}
	}
}
