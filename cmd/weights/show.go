package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/tensor/weightfile"
)

const showUsage = `List the tensors of a file: name, type, shape, number of elements and size.

    go run ./cmd/weights show FILE

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
	table := [][]string{{"name", "type", "shape", "elements", "bytes"}}
	elements, bytes := int64(0), int64(0)
	for _, name := range f.Names() {
		info, err := f.Info(name)
		if err != nil {
			return err
		}
		n := count(info.Shape)
		table = append(table, []string{printable(name), string(info.DType), fmt.Sprint(info.Shape), format.Thousands(n), format.Thousands(info.Bytes)})
		elements += n
		bytes += info.Bytes
	}
	fmt.Fprintf(c.out, "%s, %s\n", rest[0], f.Format())
	texts := f.Metadata()
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(c.out, "%s = %s\n", printable(key), printable(texts[key]))
	}
	fmt.Fprintln(c.out)
	printTable(c.out, table)
	s := "s"
	if len(table) == 2 {
		s = ""
	}
	fmt.Fprintf(c.out, "\n%d tensor%s, %s elements, %s\n", len(table)-1, s, format.Thousands(elements), format.Bytes(bytes))
	return nil
}

// count returns how many elements a shape has.
func count(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

// printTable aligns columns: the last two, which are numbers, to the right.
func printTable(w io.Writer, table [][]string) {
	width := make([]int, len(table[0]))
	for _, row := range table {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range table {
		for i, cell := range row {
			space := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if i >= len(row)-2 {
				b.WriteString(space + cell)
			} else {
				b.WriteString(cell + space)
			}
		}
		b.WriteByte('\n')
	}
	io.WriteString(w, b.String())
}

// printable is how a terminal shows a text of a file, which may be very long.
func printable(s string) string { return format.Printable(format.Cut(s, 200)) }
