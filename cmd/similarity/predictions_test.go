package main

import (
	"bufio"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pixelgrad/nn/train"
	"pixelgrad/vision/superres"
)

// predictionsRun makes the folder of a training run of SuperResNetMulti, untrained.
func predictionsRun(t *testing.T) string {
	t.Helper()
	dir := filepath.Dir(write(t, "config.json", `{"model":"multi","seed":0}`))
	m := superres.NewSuperResNetMulti(rand.New(rand.NewPCG(0, 0)))
	if err := train.SaveWeights(filepath.Join(dir, "weights.safetensors"), m, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestDescriptions goes through the descriptions that come with the program: each is
// of a validation photograph of the usual split.
func TestDescriptions(t *testing.T) {
	const file = "../../testdata/photos/descriptions.tsv"
	texts, err := readTexts(file, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) != 10 {
		t.Errorf("%d descriptions, want 10", len(texts))
	}
	subjects, _, err := predictions(context.Background(), predictionsRun(t), texts, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range subjects {
		if s.name != texts[i].name || s.picture.W != 288 || s.picture.H != 288 {
			t.Errorf("picture %d is %s, %d×%d; want %s, 288×288", i, s.name, s.picture.W, s.picture.H, texts[i].name)
		}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.Count(lines.Text(), "\t") != 1 {
			t.Errorf("%q has not one tab", lines.Text())
		}
	}
}
