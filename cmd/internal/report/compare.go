package report

// The section that puts all networks side by side asks for these.

// Sides returns the sizes that any network enlarges to.
func (r *Report) Sides() []int {
	var sides []int
	for _, n := range r.Networks {
		for i, o := range n.Outputs {
			if i == len(sides) && len(o.Epochs) > 0 {
				sides = append(sides, o.Side)
			}
		}
	}
	return sides
}

// BicubicAt returns what bicubic interpolation reaches at size number k.
func (r *Report) BicubicAt(k int) string {
	for _, p := range r.Interpolation {
		if p.Name == "bicubic" {
			return r.Plain(p, k)
		}
	}
	return "–"
}

// Compared returns the names of the photographs that are shown for all networks.
func (r *Report) Compared() []string {
	var names []string
	for _, n := range r.Networks {
		for _, o := range n.Outputs {
			for i, row := range o.Rows {
				if i == len(names) {
					names = append(names, row.Name)
				}
			}
		}
	}
	return names
}

// A column is a picture in the comparison.
type column struct {
	Picture
	Crop
	Title, Label string
}

// Columns returns the pictures of photograph i at size number k: input, each network's
// prediction, bicubic and the truth.
func (r *Report) Columns(k, i int) []column {
	var all []column
	var lastRow *Row
	for _, n := range r.Networks {
		if k >= len(n.Outputs) || i >= len(n.Outputs[k].Rows) {
			continue
		}
		row := &n.Outputs[k].Rows[i]
		if lastRow == nil && i < len(n.Inputs) && len(n.Inputs[i].Pictures) > 0 {
			all = append(all, column{n.Inputs[i].Pictures[0], row.Crop, row.Name + ", input", "input"})
		}
		lastRow = row
		all = append(all, column{row.Prediction, row.Crop, row.Name + ", " + n.Title, short(n.Title)})
	}
	if lastRow != nil {
		all = append(all, column{lastRow.Bicubic, lastRow.Crop, lastRow.Name + ", bicubic", "bicubic"},
			column{lastRow.Truth, lastRow.Crop, lastRow.Name + ", ground truth", "ground truth"})
	}
	return all
}

// Reached returns the PSNR of a network at size number k.
func (r *Report) Reached(n *Network, k int) string {
	if k < len(n.Outputs) {
		if text := result(n.Outputs[k]); text != "" {
			return text
		}
	}
	return "–"
}

// Plain returns the PSNR of interpolation at size number k.
func (r *Report) Plain(p Interpolation, k int) string {
	if k >= len(p.PSNR) {
		return "–"
	}
	return decibels(known(p.PSNR[k]))
}

// FactOf returns a fact of a network.
func (r *Report) FactOf(n *Network, name string) string {
	for _, f := range n.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return "–"
}

// Input returns photograph i as the network sees it; nil if there is none.
func (n *Network) Input(i int) *Picture {
	if i >= len(n.Inputs) || len(n.Inputs[i].Pictures) == 0 {
		return nil
	}
	return &n.Inputs[i].Pictures[0]
}
