package main

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"pixelgrad/cmd/internal/words"
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

// TestPredictions makes the pictures of the photographs that are described.
func TestPredictions(t *testing.T) {
	texts := words.Embedded()
	subjects, _, err := predictions(context.Background(), predictionsRun(t), texts, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(subjects) != len(texts) {
		t.Fatalf("%d pictures of %d photographs", len(subjects), len(texts))
	}
	for i, s := range subjects {
		if s.Name != texts[i].Name || s.W != 288 || s.H != 288 {
			t.Errorf("picture %d is %s, %d×%d; want %s, 288×288", i, s.Name, s.W, s.H, texts[i].Name)
		}
	}
}
