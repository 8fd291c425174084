package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"pixelgrad/autograd/compile"
	"pixelgrad/cmd/internal/format"
)

// printStages prints a line for each pass.
func printStages(out io.Writer, title string, stages []stage) {
	fmt.Fprintf(out, "%s\n\n", title)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "pass\tsteps\tmultiplications\tmemory\t\n")
	for i, s := range stages {
		name, does := s.pass.Name, s.pass.Does
		if i == 0 {
			name = "as written"
		} else if !s.effective(stages[i-1]) {
			does = "(nothing to do here: " + does + ")"
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t  %s\n", name, len(s.program.Graph.Steps), count(multiplications(s.program.Graph)), format.Bytes(int64(s.program.Bytes())), does)
	}
	t.Flush()
}

// effective says whether the pass has done anything to the stage before it.
func (s stage) effective(before stage) bool {
	return len(s.changed) > 0 || s.program.Bytes() != before.program.Bytes()
}

// printSteps prints the steps of a program.
func printSteps(out io.Writer, p *compile.Program) {
	fmt.Fprint(out, "\nThe program:\n\n")
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\tphase\tstep\tresult\tmultiplications\tmemory\n")
	for i, s := range p.Graph.Steps {
		fmt.Fprintf(t, "%d\t%v\t%s\t%s\t%s\t%s\n", i, s.Phase, describe(s), results(s), count(s.Multiplications()), stored(s))
	}
	t.Flush()
}

// describe names a step and the parameters that it reads.
func describe(s *compile.Step) string {
	text := s.Kernel.String()
	for _, t := range s.In {
		if name, ok := strings.CutSuffix(t.Name, ".weight"); ok {
			text += " · " + name
		}
	}
	if s.Packed() {
		text += ", packed"
	}
	return text
}

// results lists the shapes of what a step computes.
func results(s *compile.Step) string {
	var all []string
	for _, t := range s.Out {
		all = append(all, shape(t))
	}
	return strings.Join(all, ", ")
}

func shape(t *compile.Tensor) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(t.Shape), "[]"), " ", "×")
}

// stored says how much memory the results take, and what is written over an operand.
func stored(s *compile.Step) string {
	n, over := 0, 0
	for i, t := range s.Out {
		if s.Over != nil && s.Over[i] != nil {
			over += 4 * t.Len()
		} else {
			n += 4 * t.Len()
		}
	}
	var all []string
	if n > 0 {
		all = append(all, format.Bytes(int64(n)))
	}
	if over > 0 {
		all = append(all, format.Bytes(int64(over))+" over an operand")
	}
	return strings.Join(all, ", ")
}

func multiplications(g *compile.Graph) int {
	n := 0
	for _, s := range g.Steps {
		n += s.Multiplications()
	}
	return n
}

// count writes a number of multiplications in millions.
func count(n int) string {
	switch {
	case n == 0:
		return ""
	case n < 1e7:
		return fmt.Sprintf("%.1f M", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f M", float64(n)/1e6)
}
