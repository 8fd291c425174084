package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/tensor/weightfile"
)

const showUsage = `List the tensors of a file: name, type, shape, number of elements and size.

    go run ./cmd/weights show FILE [-key KEY]

If the file has several dictionaries with tensors, they are listed first, and the
one that is shown is marked: it holds the network, as far as can be told.

`

// show lists the tensors of a file.
func (c *command) show(args []string) error {
	flags := cli.NewFlags("show")
	key := keyFlag(flags)
	rest, err := c.parse(flags, showUsage, args, "a FILE")
	if err != nil {
		return err
	}
	f, err := weightfile.Open(rest[0], c.options(*key))
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriter(c.out)
	fmt.Fprintf(out, "%s, %s\n", rest[0], f.Format())
	texts := f.Metadata()
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(out, "%s = %s\n", printable(key), printable(texts[key]))
	}
	showDicts(out, f)
	if err := showTensors(out, f); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, name := range f.Unreadable() {
		_, err := f.Info(name)
		fmt.Fprintln(c.log, err)
	}
	return nil
}

// showDicts lists the dictionaries of a file, if there are several.
func showDicts(w io.Writer, f *weightfile.File) {
	const most = 40
	dicts := f.Dicts()
	if len(dicts) == 1 {
		return
	}
	rows := func(row func(cells ...string)) {
		row("dictionary", "", "tensors")
		for i, d := range dicts {
			name, mark := printable(d.Key), ""
			if d.Key == "" {
				name = "." // as -key has it
			}
			if d.Key == f.Key() {
				mark = "shown below"
			} else if i >= most {
				continue
			}
			row(name, mark, format.Thousands(d.Tensors))
		}
	}
	fmt.Fprintln(w)
	printTable(w, 1, rows)
	if len(dicts) > most {
		fmt.Fprintf(w, "and %s more\n", format.Thousands(len(dicts)-most))
	}
}

// showTensors lists the tensors of the network.
func showTensors(w io.Writer, f *weightfile.File) error {
	var wrong error
	elements, bytes := int64(0), int64(0)
	names := f.Names()
	cells := make([]string, 5) // used again for every row
	rows := func(row func(cells ...string)) {
		elements, bytes = 0, 0
		row("name", "type", "shape", "elements", "bytes")
		for _, name := range names {
			info, err := f.Info(name)
			if err != nil {
				wrong = err
				return
			}
			n := count(info.Shape)
			cells[0], cells[1], cells[2] = printable(name), string(info.DType), fmt.Sprint(info.Shape)
			cells[3], cells[4] = format.Thousands(n), format.Thousands(info.Bytes)
			row(cells...)
			elements += n
			bytes += info.Bytes
		}
	}
	fmt.Fprintln(w)
	printTable(w, 2, rows)
	fmt.Fprintf(w, "\n%s, %s elements, %s\n", tensorsOf(len(names)), format.Thousands(elements), format.Bytes(bytes))
	return wrong
}

// count returns how many elements a shape has.
func count(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

// printTable aligns columns: the last ones, which are numbers, to the right. rows calls its
// argument with each row. It is called twice, first to measure and then to print, so that
// a table of any length needs no memory.
func printTable(w io.Writer, numbers int, rows func(row func(cells ...string))) {
	var width []int
	rows(func(cells ...string) {
		width = append(width, make([]int, len(cells)-len(width))...)
		for i, cell := range cells {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	})
	var line []byte
	rows(func(cells ...string) {
		line = line[:0]
		for i, cell := range cells {
			if i > 0 {
				line = append(line, "  "...)
			}
			space := width[i] - utf8.RuneCountInString(cell)
			if i < len(cells)-numbers {
				line = append(line, cell...)
			}
			for range space {
				line = append(line, ' ')
			}
			if i >= len(cells)-numbers {
				line = append(line, cell...)
			}
		}
		w.Write(append(line, '\n'))
	})
}

// printable is how a terminal shows a text of a file, which may be very long.
func printable(s string) string { return format.Printable(format.Cut(s, 200)) }
