package main

import (
	"fmt"
	"io"

	"pixelgrad/cmd/internal/format"
)

// printCost writes what the model of the cost says of each network.
func printCost(out io.Writer, costs []costResult) {
	t := newTable(out, "model@batch", "", "predicted", "measured", "predicted / measured")
	for _, c := range costs {
		label := fmt.Sprintf("%s@%d", c.Model, c.Batch)
		for i, x := range []costTable{c.Train, c.Infer} {
			t.row(label, [...]string{"training step", "prediction"}[i], format.Milliseconds(x.Predicted), format.Milliseconds(x.Measured), fmt.Sprintf("%.2f", x.Ratio))
			label = ""
		}
	}
	t.end()
	for _, c := range costs {
		fmt.Fprintf(out, "\n%s@%d\n\n", c.Model, c.Batch)
		t := newTable(out, "work", "training step", "rate", "time", "share", "prediction", "time", "share")
		for i, r := range c.Train.Rows {
			p := c.Infer.Rows[i]
			t.row(r.Name, r.amount(), r.rate(), format.Milliseconds(r.Seconds), share(r.Seconds/c.Train.Predicted), p.amount(), format.Milliseconds(p.Seconds), share(p.Seconds/c.Infer.Predicted))
		}
		t.end()
	}
}

// amount writes a count, in millions unless it is of a few things.
func (r costRow) amount() string {
	switch r.Unit {
	case "":
		return ""
	case "times":
		return fmt.Sprintf("%.0f times", r.Amount)
	}
	return fmt.Sprintf("%.0f M %s", r.Amount/1e6, r.Unit)
}

// rate writes how much of it there is a second.
func (r costRow) rate() string {
	if r.Amount == 0 || r.Seconds == 0 || r.Unit == "times" || r.Unit == "bytes" {
		return ""
	}
	return fmt.Sprintf("%.1f G/s", r.Amount/r.Seconds/1e9)
}
