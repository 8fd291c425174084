package main

import (
	"fmt"
	"io"
	"strings"
)

// A peerColumn is a column of the table of models: a peer at its best, or as most run it.
type peerColumn struct {
	name        string
	plain, both bool // both if there is a column of each
}

func (c peerColumn) title() string {
	switch {
	case c.plain:
		return c.name + ", plain"
	case c.both:
		return c.name + ", best"
	}
	return c.name
}

// columnOf returns the column of one of a model's results.
func columnOf(p peerResult, all []peerResult) peerColumn {
	return peerColumn{p.Name, p.Plain, hasPlain(p.Name, all)}
}

// hasPlain tells whether a peer has a result as most people run it. It is then a library that
// people write models with; the others are runtimes, to which finished models are given.
func hasPlain(name string, all []peerResult) bool {
	for _, p := range all {
		if p.Plain && p.Name == name {
			return true
		}
	}
	return false
}

// peerColumns returns the columns of all models, in the order in which the peers ran.
func peerColumns(models []modelResult) []peerColumn {
	var columns []peerColumn
	seen := map[peerColumn]bool{}
	for _, m := range models {
		for _, p := range m.Peers {
			if c := columnOf(p, m.Peers); !seen[c] {
				seen[c] = true
				columns = append(columns, c)
			}
		}
	}
	return columns
}

// of returns a model's result in the column, or nil.
func (c peerColumn) of(m modelResult) *peerResult {
	for i, p := range m.Peers {
		if columnOf(p, m.Peers) == c {
			return &m.Peers[i]
		}
	}
	return nil
}

// plainVariant returns the name of a plain column's variant.
func (c peerColumn) plainVariant(models []modelResult) string {
	for _, m := range models {
		if p := c.of(m); p != nil {
			return p.InferVariant
		}
	}
	return ""
}

// printFastest writes a table of how ours compares with each library at its best and with the
// fastest runtime, which it names.
func printFastest(out io.Writer, models []modelResult) {
	var libraries []peerColumn
	titles, runtimes := []string{"model", "ours / theirs"}, false
	for _, c := range peerColumns(models) {
		if c.both && !c.plain {
			libraries = append(libraries, c)
			titles = append(titles, c.name+" at its best", "which is")
		}
	}
	for _, m := range models {
		runtimes = runtimes || m.fastestRuntime() != nil
	}
	if runtimes {
		titles = append(titles, "the fastest runtime", "which is")
	}
	if len(titles) == 2 {
		return
	}
	t := newTable(out, titles...)
	for _, m := range models {
		train, infer := []string{m.title(), "training step"}, []string{m.title(), "prediction"}
		for _, l := range libraries {
			p := l.of(m)
			if p == nil {
				p = &peerResult{}
			}
			train = append(train, ratio(p.TrainRatio), p.TrainVariant)
			infer = append(infer, ratio(p.InferRatio), p.InferVariant)
		}
		if r := m.fastestRuntime(); r != nil {
			train = append(train, "", "")
			infer = append(infer, ratio(r.InferRatio), withVariant(r.Name, r.InferVariant))
		} else if runtimes {
			train, infer = append(train, "", ""), append(infer, "", "")
		}
		if filled(train) {
			t.row(train...)
			infer[0] = ""
		}
		if filled(infer) {
			t.row(infer...)
		}
	}
	t.end()
	fmt.Fprintln(out)
}

// filled tells whether a row has more than its titles.
func filled(cells []string) bool { return strings.Join(cells[2:], "") != "" }

// fastestRuntime returns who predicts fastest among the runtimes, or nil.
func (m modelResult) fastestRuntime() *peerResult {
	var fastest *peerResult
	for i, p := range m.Peers {
		if p.own || p.Plain || p.Infer == 0 || hasPlain(p.Name, m.Peers) {
			continue
		}
		if fastest == nil || p.Infer < fastest.Infer {
			fastest = &m.Peers[i]
		}
	}
	return fastest
}

func ratio(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.3f", v)
}
