package vgg

import (
	"cmp"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The names are torchvision's; imagenet/README.md says more about them.
//
//go:embed imagenet/classes.txt
var classNames string

// classes are the names in the order of the logits.
var classes = strings.Split(strings.TrimSuffix(classNames, "\n"), "\n")

// A Class is what an image may show.
type Class struct {
	Index       int // of its logit
	Name        string
	Probability float64 // from 0 to 1
}

// Top returns the k classes for which most speaks, the likeliest first, with their
// probabilities among all classes:
//
//	p(i) = exp(logit(i)) / Σⱼ exp(logit(j))
//
// logits are those of one image: a row of what VGG.Forward returns. If there are not
// 1,000 of them, which are ImageNet's, names are "class 0" and so on. If a logit is not a
// number, no probability is one, and its class comes last. There are fewer than k classes
// if there are fewer logits. It matches torch.softmax followed by torch.topk.
func Top(logits []float32, k int) []Class {
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
	if len(order) == 0 || k <= 0 {
		return nil
	}
	sum, largest := 0.0, float64(logits[order[0]]) // taken off, or exp may be infinite
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
