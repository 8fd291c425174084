package report

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pixelgrad/internal/atomicfile"
)

// tables writes the tables of a report and reads them again.
func tables(t *testing.T, r *Report) map[string][][]string {
	t.Helper()
	dir := t.TempDir()
	if err := r.WriteTables(dir, atomicfile.Write); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][][]string{}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll() // all rows must be as long as the first
		if err != nil || len(rows) < 2 {
			t.Fatalf("%s: %d rows, %v", path, len(rows), err)
		}
		all[filepath.Base(path)] = rows
	}
	return all
}

// exampleText is the report of example as JSON: these tests need no pictures.
var exampleText []byte

// figuresOfExample returns a report of seven networks, whose pictures are not there.
func figuresOfExample(t *testing.T) *Report {
	t.Helper()
	var err error
	if exampleText == nil {
		if exampleText, err = json.Marshal(example(t, t.TempDir())); err != nil {
			t.Fatal(err)
		}
	}
	r := &Report{}
	if err := json.Unmarshal(exampleText, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// drawn are the parts of the JSON whose numbers are no figures, but say how something is drawn
// or what is written as a column's name.
var drawn = []string{"diagram", "crop", "side"}

// figures lists the numbers in JSON, by their path.
func figures(path string, v any, found map[string]float64) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if !slices.Contains(drawn, name) {
				figures(path+"."+name, x, found)
			}
		}
	case []any:
		for i, x := range v {
			figures(fmt.Sprintf("%s[%d]", path, i), x, found)
		}
	case float64:
		found[path] = v
	}
}

// TestTablesHaveAll: every number of the report's JSON is in a table, and every fact.
func TestTablesHaveAll(t *testing.T) {
	r := figuresOfExample(t)
	next := 1000.0 // so that no number is there twice
	unique := func() float64 { next += 1.0009765625; return next }
	for _, n := range r.Networks {
		n.Parameters, n.Seconds, n.Bytes = int(unique()), unique(), int64(unique())
		n.Facts = append(n.Facts, Fact{"fact", fmt.Sprint(unique())})
		for k := range n.Outputs {
			o := &n.Outputs[k]
			for e := range o.Epochs {
				o.Epochs[e] = Epoch{e + 1, unique(), ptr(unique()), ptr(unique())}
			}
			o.Source = []Source{{1, unique()}, {10, unique()}, {100, unique()}}
			for i := range o.Rows {
				o.Rows[i].Prediction.PSNR = ptr(unique())
			}
		}
	}
	for _, p := range r.Interpolation {
		for k := range p.PSNR {
			p.PSNR[k] = ptr(unique())
		}
	}
	for _, row := range r.Words.Cosine {
		for j := range row {
			row[j] = -unique()
		}
	}
	r.Words.Pictures = nil // those of rows have their PSNR there
	cells := map[string]bool{}
	numbers := map[float64]bool{}
	for _, rows := range tables(t, r) {
		for _, row := range rows {
			for _, c := range row {
				cells[c] = true
				if v, err := strconv.ParseFloat(c, 64); err == nil {
					numbers[v] = true
				}
			}
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	figures("", v, found)
	if len(found) < 400 {
		t.Errorf("only %d figures", len(found))
	}
	for path, x := range found {
		if !numbers[x] {
			t.Errorf("%s is %v, which is in no table", path, x)
		}
	}
	for _, f := range append(r.Facts, r.Networks[0].Facts...) {
		if !cells[f.Value] {
			t.Errorf("%s is %q, which is in no table", f.Name, f.Value)
		}
	}
}

// TestTables looks at where the figures are, at infinite ones, and at ones that are not known.
func TestTables(t *testing.T) {
	r := figuresOfExample(t)
	r.Networks = r.Networks[:2]
	one, two := r.Networks[0], r.Networks[1]
	one.Seconds, one.Bytes, two.Random = 21.5, 140_000_000, true
	one.Outputs[0].Epochs = []Epoch{{1, 0.05, ptr(0.045), ptr(22.25)}, {2, 0.04, ptr(0), nil}, {3, 0.03, nil, nil}}
	one.Outputs[0].Rows = one.Outputs[0].Rows[:2]
	one.Outputs[0].Rows[0].Prediction = Picture{Same: true}
	one.Outputs[0].Rows[1].Prediction = Picture{}
	one.Outputs[0].Rows[1].Bicubic.PSNR = ptr(27.5)
	two.Outputs = two.Outputs[:0]
	r.Interpolation[0].PSNR[0] = nil
	r.Words.Texts, r.Words.Cosine = r.Words.Texts[:2], [][]float64{{0.25, -0.125}, {0.5, 1}}
	r.Words.Names, r.Words.Pictures = []string{"a", "=b"}, r.Words.Pictures[:2]
	all := tables(t, r)
	text := func(file string) string {
		var lines []string
		for _, row := range all[file] {
			lines = append(lines, strings.Join(row, "|"))
		}
		return strings.Join(lines, "\n")
	}
	for file, want := range map[string]string{
		NetworksFile: `network|step|random_features|parameters|epochs|seconds|bytes|train_loss_144|val_loss_144|psnr_144
SuperResNet|2|false|38979|3|21.5|140000000|0.03|0|inf
SuperResNetMulti|3|true|48979||0|0|||
bilinear interpolation||||||||` + `|inf
bicubic interpolation||||||||0.03698224852071006|27.04`,
		EpochsFile: `network|random_features|output|side|epoch|train_loss|val_loss|psnr|source_train_loss
SuperResNet|false|mid|144|1|0.05|0.045|22.25|0.0405
SuperResNet|false|mid|144|2|0.04|0|inf|
SuperResNet|false|mid|144|3|0.03|||
SuperResNet|false|mid|144|10||||0.0361`,
		PicturesFile: `network|random_features|side|photograph|psnr|bicubic_psnr
SuperResNet|false|144|` + one.Outputs[0].Rows[0].Name + `|inf|26.5
SuperResNet|false|144|` + one.Outputs[0].Rows[1].Name + `||27.5`,
		WordsFile: `description|a|'=b
a photograph of thing number 1 on a table|0.25|-0.125
a photograph of thing number 2 on a table|0.5|1`,
	} {
		if got := text(file); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", file, got, want)
		}
	}
	one.Outputs[0].Repeats = &Spread{N: 3, Mean: 22.5, Deviation: 0.25}
	want := [][]string{
		{"seeds_144", "psnr_mean_144", "psnr_deviation_144"}, {"3", "22.5", "0.25"}, {"", "", ""}, {"", "", ""}, {"", "", ""},
	}
	for i, row := range tables(t, r)[NetworksFile] {
		if got := row[len(row)-3:]; !slices.Equal(got, want[i]) {
			t.Errorf("several seeds, row %d of %s: %q, want %q", i, NetworksFile, got, want[i])
		}
	}
	two.Step = 0 // the workshop does not have it
	if step := tables(t, r)[NetworksFile][2][1]; step != "" {
		t.Errorf("the step of a network that the workshop does not have is %q, want none", step)
	}
	r.Words.Random = true
	if head := tables(t, r)[WordsFile][0][0]; !strings.Contains(head, "mean nothing") {
		t.Errorf("cosines of random features are under %q", head)
	}
	r.Words = nil
	if _, ok := tables(t, r)[WordsFile]; ok {
		t.Error("a table of cosines that there are not")
	}
	(&Report{}).WriteTables(t.TempDir(), atomicfile.Write) // must not panic
}

// TestTablesHostile: no text is a formula, and each comes back as it was.
func TestTablesHostile(t *testing.T) {
	texts := []string{`=cmd|' /C calc'!A0`, "+1+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", `a","b`, "a\nb", "'=1", "plain", ""}
	r := figuresOfExample(t)
	for _, name := range texts {
		r.Networks[0].Outputs[0].Rows[0].Name = name
		r.Words.Texts[0], r.Words.Names[0] = name, name
		r.Facts[0] = Fact{name, name}
		r.Networks[0].Facts[0] = Fact{name, name}
		r.Networks[0].Title, r.Data.Source = name, name
		want := name
		if name != "" && strings.ContainsRune("=+-@\t\r\n＝", []rune(name)[0]) {
			want = "'" + name
		}
		all := tables(t, r)
		for where, got := range map[string]string{
			"a photograph":  all[PicturesFile][1][3],
			"a network":     all[NetworksFile][1][0],
			"a description": all[WordsFile][1][0],
			"a picture":     all[WordsFile][0][1],
			"a source":      all[FactsFile][1][2],
			"a fact":        all[FactsFile][5][2],
		} {
			if got != want {
				t.Errorf("%s called %q is %q in the table, want %q", where, name, got, want)
			}
		}
	}
}

// TestTablesFail: a table that cannot be written is named, and the others are there.
func TestTablesFail(t *testing.T) {
	r := figuresOfExample(t)
	var written []string
	err := r.WriteTables("run", func(path string, content func(io.Writer) error) error {
		if filepath.Base(path) == EpochsFile {
			return errors.New(path + ": held open")
		}
		written = append(written, filepath.Base(path))
		return content(io.Discard)
	})
	if err == nil || !strings.Contains(err.Error(), filepath.Join("run", EpochsFile)) {
		t.Errorf("error %v, want one that names %s", err, EpochsFile)
	}
	if want := []string{NetworksFile, PicturesFile, WordsFile, FactsFile}; !slices.Equal(written, want) {
		t.Errorf("written: %q, want %q", written, want)
	}
	full := errors.New("disk full")
	if err := r.WriteTables("run", func(path string, content func(io.Writer) error) error { return content(failing{full}) }); !errors.Is(err, full) {
		t.Errorf("a full disk: error %v", err)
	}
}

type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }

// TestReadOdd: a report whose parts do not fit together is refused.
func TestReadOdd(t *testing.T) {
	for text, want := range map[string]string{
		`{"networks":[null]}`: "null for network 1",
		`{"words":{"texts":["a"],"pictures":[],"names":[],"cosine":[]}}`:                               "0 rows for 1 texts",
		`{"words":{"texts":["a"],"pictures":[{}],"names":["b"],"cosine":[[]]}}`:                        "expected 1 cosines",
		`{"words":{"texts":["a"],"pictures":[{}],"names":[],"cosine":[[0.5]]}}`:                        "0 names for 1 pictures",
		`{"words":{"texts":["a","b"],"pictures":[{}],"names":["c"],"cosine":[[0.5],[0.5, 0.5, 0.5]]}}`: "3 for text 2",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, DataFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), DataFile) {
			t.Errorf("%s: error %v, want one that has %q", text, err, want)
		}
	}
}
