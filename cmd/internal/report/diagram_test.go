package report

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestDiagramSVG: texts and kinds come from a file, and nothing of them becomes SVG of its own.
func TestDiagramSVG(t *testing.T) {
	d := &Diagram{Width: 200, Height: 100,
		Boxes:  []Box{{50, 20, 90, 42, "trained", []string{`<b>"conv1"</b>`, "1,792 parameters"}}, {50, 80, 90, 27, `"><script>`, nil}},
		Arrows: []Arrow{{[][2]float64{{50, 41}, {50, 48}, {50, 55}, {50, 66}}, "64×72×72 & more", 56, 57}, {nil, "nowhere", 0, 0}, {[][2]float64{{1, 2}, {3, 4}}, "short", 0, 0}},
	}
	text := string(d.svg("a <title>"))
	var names []string
	content := ""
	for x := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := x.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		switch token := token.(type) {
		case xml.StartElement:
			names = append(names, token.Name.Local)
		case xml.CharData:
			content += string(token) + "\n"
		}
	}
	if got, want := strings.Join(names, " "), "svg path rect text text rect text"; got != want {
		t.Errorf("elements %s, want %s", got, want)
	}
	for _, want := range []string{`<b>"conv1"</b>`, "1,792 parameters", "64×72×72 & more"} {
		if !strings.Contains(content, want) {
			t.Errorf("the text lacks %q:\n%s", want, content)
		}
	}
	if !strings.Contains(text, `class="box fixed"`) || !strings.Contains(text, "M50.0 41.0C50.0 48.0 50.0 55.0 50.0 66.0") {
		t.Errorf("want a box of a known kind and the arrow's curve:\n%s", text)
	}
	if (*Diagram)(nil).svg("none") != "" {
		t.Error("no diagram is drawn")
	}
}
