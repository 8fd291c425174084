package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The tables of a report, in the folder of a run: every figure of the page.
const (
	NetworksFile = "networks.csv" // what each network reached, and plain interpolation
	EpochsFile   = "epochs.csv"   // the curves
	PicturesFile = "pictures.csv" // the PSNR of each picture
	WordsFile    = "words.csv"    // the cosines of descriptions and pictures
	FactsFile    = "facts.csv"    // data, machine, time and memory, in words
)

// WriteTables writes the tables into a folder, each with write, which makes a file of what is
// written, as atomicfile.Write does. If one cannot be written, the others are. An infinite PSNR
// is "inf" in them; what is not known is empty.
func (r *Report) WriteTables(dir string, write func(path string, content func(io.Writer) error) error) error {
	var failed []error
	for _, t := range []struct {
		name string
		rows [][]string
	}{
		{NetworksFile, r.networkTable()},
		{EpochsFile, r.epochTable()},
		{PicturesFile, r.pictureTable()},
		{WordsFile, r.wordTable()},
		{FactsFile, r.factTable()},
	} {
		if t.rows == nil {
			continue
		}
		failed = append(failed, write(filepath.Join(dir, t.name), func(w io.Writer) error {
			return csv.NewWriter(w).WriteAll(t.rows)
		}))
	}
	return errors.Join(failed...)
}

// networkTable has a row for each network and each kind of interpolation, as the page has it. Of a
// network that was trained with several seeds, the losses and the PSNR are those of the first.
func (r *Report) networkTable() [][]string {
	head := []string{"network", "step", "random_features", "parameters", "epochs", "seconds", "bytes"}
	columns := []string{"train_loss", "val_loss", "psnr"}
	repeated := slices.ContainsFunc(r.Networks, func(n *Network) bool {
		return slices.ContainsFunc(n.Outputs, func(o Output) bool { return o.Repeats != nil })
	})
	if repeated {
		columns = append(columns, "seeds", "psnr_mean", "psnr_deviation")
	}
	for _, side := range r.Sides() {
		for _, name := range columns {
			head = append(head, fmt.Sprintf("%s_%d", name, side))
		}
	}
	rows := [][]string{head}
	for _, n := range r.Networks {
		step := ""
		if n.Step > 0 {
			step = strconv.Itoa(n.Step)
		}
		row := []string{cell(n.Title), step, strconv.FormatBool(n.Random), strconv.Itoa(n.Parameters), "", decimal(n.Seconds), strconv.FormatInt(n.Bytes, 10)}
		for _, o := range n.Outputs {
			if len(o.Epochs) == 0 {
				continue
			}
			end := o.Epochs[len(o.Epochs)-1]
			row[4] = strconv.Itoa(end.Epoch)
			val, psnr := "", ""
			for _, e := range o.Epochs { // the last one that was validated
				if e.Val != nil {
					val, psnr = decimal(*e.Val), infinite(e.PSNR)
				}
			}
			row = append(row, decimal(end.Train), val, psnr)
			if s := o.Repeats; s != nil {
				row = append(row, strconv.Itoa(s.N), decimal(s.Mean), decimal(s.Deviation))
			} else if repeated {
				row = append(row, "", "", "")
			}
		}
		rows = append(rows, row)
	}
	for _, p := range r.Interpolation {
		row := []string{cell(p.Name) + " interpolation", "", "", "", "", "", ""}
		for k, side := range r.Sides() {
			loss, psnr := "", ""
			if k < len(p.PSNR) {
				psnr = infinite(p.PSNR[k])
			}
			if p.Name == "bicubic" {
				loss = r.bicubicLoss(side)
			}
			row = append(row, "", loss, psnr)
			if repeated {
				row = append(row, "", "", "")
			}
		}
		rows = append(rows, row)
	}
	for i := range rows { // of a network with fewer outputs
		for len(rows[i]) < len(head) {
			rows[i] = append(rows[i], "")
		}
	}
	return rows
}

// bicubicLoss is the line in the curves of a size.
func (r *Report) bicubicLoss(side int) string {
	for _, n := range r.Networks {
		for _, o := range n.Outputs {
			if o.Side == side && o.Bicubic != nil {
				return decimal(*o.Bicubic)
			}
		}
	}
	return ""
}

// epochTable has a row for each point of the curves.
func (r *Report) epochTable() [][]string {
	rows := [][]string{{"network", "random_features", "output", "side", "epoch", "train_loss", "val_loss", "psnr", "source_train_loss"}}
	for _, n := range r.Networks {
		for _, o := range n.Outputs {
			row := func(epoch int, more ...string) {
				rows = append(rows, append([]string{cell(n.Title), strconv.FormatBool(n.Random), cell(o.Name), strconv.Itoa(o.Side), strconv.Itoa(epoch)}, more...))
			}
			source := slices.Clone(o.Source)
			for _, e := range o.Epochs {
				val, psnr, reported := "", "", ""
				if e.Val != nil {
					val, psnr = decimal(*e.Val), infinite(e.PSNR)
				}
				if i := slices.IndexFunc(source, func(s Source) bool { return s.Epoch == e.Epoch }); i >= 0 {
					reported = decimal(source[i].Loss)
					source = slices.Delete(source, i, i+1)
				}
				row(e.Epoch, decimal(e.Train), val, psnr, reported)
			}
			for _, s := range source { // of epochs that were not trained
				row(s.Epoch, "", "", "", decimal(s.Loss))
			}
		}
	}
	return rows
}

// pictureTable has a row for each prediction that is shown.
func (r *Report) pictureTable() [][]string {
	rows := [][]string{{"network", "random_features", "side", "photograph", "psnr", "bicubic_psnr"}}
	for _, n := range r.Networks {
		for _, o := range n.Outputs {
			for _, row := range o.Rows {
				rows = append(rows, []string{cell(n.Title), strconv.FormatBool(n.Random), strconv.Itoa(o.Side), cell(row.Name), pictureCell(row.Prediction), pictureCell(row.Bicubic)})
			}
		}
	}
	return rows
}

func pictureCell(p Picture) string {
	if p.PSNR == nil && !p.Same {
		return ""
	}
	return infinite(p.PSNR)
}

// wordTable is the matrix of cosines; nil if there is none.
func (r *Report) wordTable() [][]string {
	if r.Words == nil {
		return nil
	}
	head := []string{"description"}
	if r.Words.Random {
		head[0] = "description (random features: the cosines mean nothing)"
	}
	for _, name := range r.Words.Names {
		head = append(head, cell(name))
	}
	rows := [][]string{head}
	for i, cosines := range r.Words.Cosine {
		row := []string{cell(r.Words.Texts[i])}
		for _, c := range cosines {
			row = append(row, decimal(c))
		}
		rows = append(rows, row)
	}
	return rows
}

// factTable has what the page says in words.
func (r *Report) factTable() [][]string {
	rows := [][]string{{"of", "name", "value"}}
	add := func(of, name, value string) { rows = append(rows, []string{cell(of), cell(name), cell(value)}) }
	add("data", "source", r.Data.Source)
	add("data", "train", strconv.Itoa(r.Data.Train))
	add("data", "val", strconv.Itoa(r.Data.Val))
	add("data", "skipped", strconv.Itoa(r.Data.Skipped))
	for _, f := range r.Facts {
		add("run", f.Name, f.Value)
	}
	for _, n := range r.Networks {
		for _, f := range n.Facts {
			add(n.Title, f.Name, f.Value)
		}
	}
	return rows
}

// decimal writes a number with all its digits.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// infinite writes a PSNR that is known; nil is infinite.
func infinite(v *float64) string {
	if v == nil {
		return "inf"
	}
	return decimal(*v)
}

// cell returns a text that no spreadsheet takes for a formula: photographs and descriptions may
// be called anything, and some formulas run programs. It is what OWASP recommends against CSV
// injection: an apostrophe before a text that begins with one of these characters. Quotes around
// those that need them, and their doubling, are encoding/csv's.
func cell(text string) string {
	if strings.IndexAny(text, "=+-@\t\r\n＝＋－＠") == 0 {
		return "'" + text
	}
	return text
}
