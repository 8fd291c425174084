package vgg

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A habit is how a file names VGG16's tensors.
type habit string

const (
	torchvision habit = "torchvision's" // features.0.weight, classifier.0.weight
	numbers     habit = "layer numbers" // 0.weight: torchvision's numbers without "features."
	caffe       habit = "Caffe's"       // conv1_1.weight, fc6.weight
	pieces      habit = "pieces"        // slice1.0.weight: torchvision's numbers, in the pieces that losses of style need
)

// names maps torchvision's name of each tensor to the one in a source.
type names map[string]string

var (
	numbered  = regexp.MustCompile(`^(features\.|slice[0-9]+\.|)([0-9]+)\.([a-z_]+)$`)
	caffeName = regexp.MustCompile(`^conv([1-5])_([1-9])\.(weight|bias)$`)
)

// linears are the names of the classifier's layers: in Caffe, and in timm, where the first
// two are convolutions of 7×7 and 1×1 pixels with the same numbers in the same order.
var linears = map[string]string{
	"fc6": "classifier.0", "fc7": "classifier.3", "fc8": "classifier.6",
	"pre_logits.fc1": "classifier.0", "pre_logits.fc2": "classifier.3", "head.fc": "classifier.6",
}

// translate finds torchvision's name for each tensor, where it is certain. Tensors with
// other names keep them.
func translate(list []string) (names, habit) {
	n, how := names{}, torchvision
	for _, name := range list {
		n[name] = name
	}
	add := func(h habit, torch, name string) {
		if _, there := n[torch]; !there {
			n[torch], how = name, h
		}
	}
	for _, name := range list {
		if p := numbered.FindStringSubmatch(name); p != nil {
			h := pieces
			switch p[1] {
			case "":
				h = numbers
			case "features.":
				h = torchvision
			}
			add(h, "features."+p[2]+"."+p[3], name)
		} else if p := caffeName.FindStringSubmatch(name); p != nil {
			at := slices.IndexFunc(layers, func(l layer) bool { return l.name == "relu"+p[1]+"_"+p[2] })
			if at >= 0 {
				add(caffe, fmt.Sprintf("features.%d.%s", layers[at].index, p[3]), name)
			}
		}
	}
	for of, torch := range linears {
		for _, part := range []string{".weight", ".bias"} {
			if _, there := n[of+part]; !there {
				continue
			}
			if _, there := n[torch+part]; !there {
				n[torch+part] = of + part
			}
		}
	}
	return n, how
}

// wanted lists the names of the layers up to the last one, and of the classifier, for each
// habit; layer numbers come last.
func wanted(last int, classifier bool) [][]string {
	var lists [][]string
	for _, habit := range []struct {
		convolution func(l layer) string
		linear      []string
	}{
		{func(l layer) string { return fmt.Sprintf("features.%d", l.index) }, []string{"classifier.0", "classifier.3", "classifier.6"}},
		{func(l layer) string { return fmt.Sprintf("features.%d", l.index) }, []string{"pre_logits.fc1", "pre_logits.fc2", "head.fc"}},
		{func(l layer) string { return "conv" + strings.TrimPrefix(l.name, "relu") }, []string{"fc6", "fc7", "fc8"}},
		{func(l layer) string { return fmt.Sprintf("slice%d.%d", l.stage+1, l.index) }, nil},
		{func(l layer) string { return strconv.Itoa(l.index) }, nil},
	} {
		var list []string
		add := func(name string) { list = append(list, name+".weight", name+".bias") }
		for _, l := range layers[:last+1] {
			if l.index >= 0 {
				add(habit.convolution(l))
			}
		}
		if classifier {
			for _, name := range habit.linear {
				add(name)
			}
		}
		lists = append(lists, list)
	}
	return lists
}

// has reports whether there is a tensor of a name.
func (n names) has(name string) bool { return n[name] != "" }

// stages are how many convolutions each of the published networks has before each pool.
var stages = []struct {
	network string
	count   [5]int
}{
	{"VGG16", [5]int{2, 2, 3, 3, 3}},
	{"VGG11", [5]int{1, 1, 2, 2, 2}},
	{"VGG13", [5]int{2, 2, 2, 2, 2}},
	{"VGG19", [5]int{2, 2, 4, 4, 4}},
}

// indices returns the numbers of a network's convolutions in torchvision's "features". Each
// is followed by ReLU, after batch normalisation if there is any, and each stage by a pool.
func indices(count [5]int, normalised bool) []int {
	var list []int
	at := 0
	for _, n := range count {
		for range n {
			list = append(list, at)
			if at += 2; normalised {
				at++
			}
		}
		at++
	}
	return list
}

// kind says which network tensors with these names are of. It is "VGG16" if nothing speaks
// against it, as when there are only its first layers.
func (n names) kind() string {
	// Caffe's names. Those of VGG11 and VGG13 are some of VGG16's: something is missing.
	switch {
	case n.has("conv3_4.weight") || n.has("conv4_4.weight") || n.has("conv5_4.weight"):
		return "VGG19"
	case n.has("conv2_1.weight") && !n.has("conv1_2.weight"):
		return "VGG11"
	case n.has("conv4_1.weight") && !n.has("conv3_3.weight"):
		return "VGG13"
	}
	normalised := false
	var convolutions []int
	for i := range 64 {
		features := "features." + strconv.Itoa(i)
		if n.has("features."+strconv.Itoa(i+1)+".running_mean") && n.has(features+".weight") {
			normalised = true
		}
		if n.has(features+".weight") && !n.has(features+".running_mean") {
			convolutions = append(convolutions, i)
		}
	}
	in := func(list, all []int) bool {
		return !slices.ContainsFunc(list, func(i int) bool { return !slices.Contains(all, i) })
	}
	if normalised {
		for _, s := range stages {
			if in(convolutions, indices(s.count, true)) {
				return s.network + " with batch normalisation"
			}
		}
		return "a network with batch normalisation"
	}
	if in(indices(stages[0].count, false), convolutions) {
		return "VGG16" // and something behind it
	}
	for _, s := range stages {
		if in(convolutions, indices(s.count, false)) {
			return s.network
		}
	}
	return "another network"
}
