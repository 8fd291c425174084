package vgg

import (
	"cmp"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The names are torchvision's. imagenet/README.md says more about them.
//
//go:embed imagenet/classes.txt
var classNames string

// classes holds the names in the order of the logits.
var classes = strings.Split(strings.TrimSuffix(classNames, "\n"), "\n")

// Class is one of the classes that the network can recognise in an image.
type Class struct {
	Index       int // of its logit
	Name        string
	Probability float64 // from 0 to 1
}

// Top returns the k classes with the largest logits, the most probable first, with their
// probabilities among all classes:
//
//	p(i) = exp(logit(i)) / Σⱼ exp(logit(j))
//
// logits are those of one image: a row of VGG.Forward's result. If there are 1,000, the
// names are those of ImageNet's classes; otherwise they are "class 0", "class 1" and so on.
// If a logit is NaN, all probabilities are NaN, and its class comes last. If there are
// fewer than k logits, Top returns all classes. It matches torch.softmax followed by
// torch.topk.
func Top(logits []float32, k int) []Class {
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
	if len(order) == 0 || k <= 0 {
		return nil
	}
	sum, largest := 0.0, float64(logits[order[0]]) // subtracted, or exp could be infinite
	for _, v := range logits {
		sum += math.Exp(float64(v) - largest)
	}
	top := make([]Class, min(k, len(order)))
	for i := range top {
		at := order[i]
		name := fmt.Sprintf("class %d", at)
		if len(logits) == len(classes) {
			name = classes[at]
		}
		top[i] = Class{at, name, math.Exp(float64(logits[at])-largest) / sum}
	}
	return top
}
