package diagram

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"

	"pixelgrad/cmd/internal/report"
)

// The layout is Sugiyama's, simplified for what networks look like: boxes are in ranks from top
// to bottom, each below all that it reads. The longest path is the trunk, and straight. Whatever
// leaves it is beside it, in lanes, as near as there is room:
//
//	photograph
//	     │
//	conv1 + relu
//	     ├───────────┐         a long arrow has a lane of its own
//	conv2 + relu     │
//	     │           │
//	    add ◄────────┘
//	     ├───────┐
//	    up2   conv_mid         and so have the boxes of a branch
//
// Source: Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
// Structures", 1981. Graphviz draws better what has no trunk; the module that brings it as
// WebAssembly translates it whenever a program begins that links it, drawing or not, and panics
// then if another user or a full disk keeps it from its folder of temporary files.
//
// All distances are in pixels.
const (
	padX, padY = 12.0, 6.0 // around the text in a box
	gapX       = 20.0      // from a box to the next lane
	gapY       = 28.0      // from rank to rank: room for a shape and a head
	margin     = 6.0       // around everything
	labelX     = 6.0       // from an arrow to its shape
	radius     = 9.0       // of an arrow's corners
)

// A graph has its vertices in an order in which each comes after all that it reads.
type graph struct{ vertices []*vertex }

// A vertex is a box.
type vertex struct {
	kind    string
	lines   []string
	in, out []*edge
	rank    int
	side    int   // −1 left of the trunk, 0 on it, 1 right of it
	free    bool  // not computed from the trunk
	lane    *lane // of a vertex beside the trunk

	x, y, width, height float64
}

// An edge is an arrow.
type edge struct {
	from, to *vertex
	label    string
	lane     *lane // of an edge from trunk to trunk that passes boxes
}

// A lane is a vertical line beside the trunk. It takes room in slots first to last, of which each
// rank has two: arrows arrive in the upper one and leave in the lower one.
type lane struct {
	side        int
	first, last int
	boxes       []*vertex // of a branch; a long arrow has none
	turns       []int     // ranks in which the branch's arrows go sideways, from or to the trunk
	left, right float64   // room on both sides of the line
	x           float64
}

func (g *graph) add(kind string, lines ...string) *vertex {
	v := &vertex{kind: kind, lines: lines}
	g.vertices = append(g.vertices, v)
	return v
}

func (g *graph) connect(from, to *vertex, label string) {
	e := &edge{from: from, to: to, label: label}
	from.out, to.in = append(from.out, e), append(to.in, e)
}

// layout decides where everything is.
func (g *graph) layout() *report.Diagram {
	for _, v := range g.vertices {
		for i, line := range v.lines {
			v.width = max(v.width, textWidth(line, i == 0)+2*padX)
		}
		v.height = report.LineHeight*float64(len(v.lines)) + 2*padY
	}
	trunk := g.rank()
	g.sides()
	g.columns(trunk, sorted(g.lanes()))
	g.rows()
	return g.draw()
}

// rank gives each vertex the rank below those that it reads, and returns the trunk, a path with
// one vertex in each rank. What does not come from the trunk is then moved down to its reader.
func (g *graph) rank() (trunk []*vertex) {
	var end *vertex
	for _, v := range g.vertices {
		for _, e := range v.in {
			v.rank = max(v.rank, e.from.rank+1)
		}
		if end == nil || v.rank >= end.rank {
			end = v
		}
		v.side = 1
	}
	for v := end; v != nil; {
		v.side = 0
		trunk = append(trunk, v)
		var before []*vertex
		for _, e := range v.in {
			if e.from.rank == v.rank-1 {
				before = append(before, e.from)
			}
		}
		v = nil
		if n := len(before); n > 0 {
			v = before[(n-1)/2] // the middle one of three
		}
	}
	slices.Reverse(trunk)
	for _, v := range g.vertices {
		v.free = v.side != 0 && !slices.ContainsFunc(v.in, func(e *edge) bool { return !e.from.free })
	}
	for _, v := range slices.Backward(g.vertices) {
		if v.free && len(v.out) > 0 {
			v.rank = slices.MinFunc(v.out, func(a, b *edge) int { return a.to.rank - b.to.rank }).to.rank - 1
		}
	}
	return trunk
}

// sides decides for each vertex beside the trunk on which side of it: left if its branch comes back
// to a vertex of the trunk that names it before the trunk's own. What ends is on the right, so that
// a narrow window shows the trunk first.
func (g *graph) sides() {
	for _, v := range slices.Backward(g.vertices) {
		if v.side == 0 || len(v.out) == 0 {
			continue
		}
		at := v.out[0].to
		mine := slices.Index(at.in, v.out[0])
		trunks := slices.IndexFunc(at.in, func(e *edge) bool { return e.from.side == 0 })
		if v.side = at.side; at.side == 0 && mine < trunks {
			v.side = -1
		} else if at.side == 0 {
			v.side = 1
		}
	}
}

// lanes makes the lanes: one for each long arrow, and for each branch. A branch goes on in the same
// lane until it forks or something joins it.
func (g *graph) lanes() []*lane {
	var all []*lane
	for _, v := range g.vertices {
		for _, e := range v.out {
			if v.side == 0 && e.to.side == 0 && e.to.rank > v.rank+1 {
				e.lane = &lane{side: 1, first: 2*v.rank + 1, last: 2 * e.to.rank, right: labelX + labelWidth(e.label)}
				all = append(all, e.lane)
			}
		}
		if v.side == 0 {
			continue
		}
		if len(v.in) == 1 && len(v.in[0].from.out) == 1 {
			v.lane = v.in[0].from.lane
		}
		if v.lane == nil {
			v.lane = &lane{side: v.side, first: 2 * v.rank}
			all = append(all, v.lane)
		}
		l := v.lane
		l.last, l.boxes = 2*v.rank+1, append(l.boxes, v)
		l.left, l.right = max(l.left, v.width/2), max(l.right, v.width/2)
		for _, e := range slices.Concat(v.in, v.out) {
			l.right = max(l.right, labelX+labelWidth(e.label))
			if e.from.side == 0 {
				l.first, l.turns = min(l.first, 2*e.from.rank+1), append(l.turns, e.from.rank)
			}
			if e.to.side == 0 {
				l.last, l.turns = max(l.last, 2*e.to.rank), append(l.turns, e.to.rank)
			}
		}
	}
	return all
}

// sorted puts lanes in the order in which they should be beside the trunk, the nearest first: the
// next one is always that whose boxes are in the way of the fewest arrows of the others, long arrows
// before branches and short ones before long ones. What would be in the way on the right goes to the
// left. So arrows pass no boxes in networks of the kinds that there are; elsewhere they may have to,
// and go behind.
func sorted(lanes []*lane) []*lane {
	var order []*lane
	for rest := slices.Clone(lanes); len(rest) > 0; {
		inTheWay := func(l *lane) (n int) {
			for _, o := range rest {
				for _, turn := range o.turns {
					if o != l && o.side == l.side && slices.ContainsFunc(l.boxes, func(v *vertex) bool { return v.rank == turn }) {
						n++
					}
				}
			}
			return n
		}
		next := slices.MinFunc(rest, func(a, b *lane) int {
			return cmp.Or(cmp.Compare(inTheWay(a), inTheWay(b)), cmp.Compare(min(len(a.boxes), 1), min(len(b.boxes), 1)), cmp.Compare(a.last-a.first, b.last-b.first))
		})
		if next.side > 0 && inTheWay(next) > 0 {
			next.side = -1
			for _, v := range next.boxes {
				v.side = -1
			}
			continue
		}
		order = append(order, next)
		rest = slices.DeleteFunc(rest, func(l *lane) bool { return l == next })
	}
	return order
}

// columns gives each lane its place, as near to the trunk, which is at 0, as there is room.
func (g *graph) columns(trunk []*vertex, lanes []*lane) {
	var taken [2][]float64 // for each slot, how far to the left and to the right
	for _, v := range trunk {
		right := v.width / 2
		for _, e := range slices.Concat(v.in, v.out) {
			if e.from.side == 0 && e.to.side == 0 && e.lane == nil {
				right = max(right, labelX+labelWidth(e.label))
			}
		}
		taken[0] = append(taken[0], v.width/2, v.width/2)
		taken[1] = append(taken[1], right, right)
	}
	for _, l := range lanes {
		room, inner, outer := taken[1], l.left, l.right
		if l.side < 0 {
			room, inner, outer = taken[0], l.right, l.left
		}
		slots := room[l.first:min(l.last+1, len(room))]
		x := slices.Max(slots) + gapX + inner
		l.x = float64(l.side) * x
		for i := range slots {
			slots[i] = x + outer
		}
	}
	for _, v := range g.vertices {
		if v.lane != nil {
			v.x = v.lane.x
		}
	}
}

// rows gives each rank its height.
func (g *graph) rows() {
	var heights []float64
	for _, v := range g.vertices {
		for len(heights) <= v.rank {
			heights = append(heights, 0)
		}
		heights[v.rank] = max(heights[v.rank], v.height)
	}
	middles, y := make([]float64, len(heights)), 0.0
	for r, h := range heights {
		middles[r] = y + h/2
		y += h + gapY
	}
	for _, v := range g.vertices {
		v.y = middles[v.rank]
	}
}

// draw makes boxes and arrows, and moves all of them to positive coordinates.
func (g *graph) draw() *report.Diagram {
	d := &report.Diagram{}
	left, right, bottom := math.Inf(1), math.Inf(-1), 0.0
	for _, v := range g.vertices {
		left, right, bottom = min(left, v.x-v.width/2), max(right, v.x+v.width/2), max(bottom, v.y+v.height/2)
		d.Boxes = append(d.Boxes, report.Box{X: v.x, Y: v.y, Width: v.width, Height: v.height, Kind: v.kind, Lines: v.lines})
		for _, e := range v.out {
			a := e.arrow()
			right = max(right, a.X+labelWidth(a.Label))
			for _, p := range a.Points {
				left, right = min(left, p[0]), max(right, p[0])
			}
			d.Arrows = append(d.Arrows, a)
		}
	}
	place := func(x, y float64) (float64, float64) { return round(x - left + margin), round(y + margin) }
	for i := range d.Boxes {
		b := &d.Boxes[i]
		b.X, b.Y = place(b.X, b.Y)
		b.Width, b.Height = round(b.Width), round(b.Height)
	}
	for i := range d.Arrows {
		a := &d.Arrows[i]
		a.X, a.Y = place(a.X, a.Y)
		for j, p := range a.Points {
			a.Points[j][0], a.Points[j][1] = place(p[0], p[1])
		}
	}
	d.Width, d.Height = math.Ceil(right-left+2*margin), math.Ceil(bottom+2*margin)
	return d
}

// round rounds to a tenth of a pixel: more digits are seen only in the size of the page.
func round(v float64) float64 { return math.Round(10*v) / 10 }

// arrow draws an edge with its label to the right of a vertical part.
func (e *edge) arrow() report.Arrow {
	u, v := e.from, e.to
	bottom, top := u.y+u.height/2, v.y-v.height/2
	const half = (gapY - labelSink) / 2
	switch {
	case e.lane != nil: // out of one side of the trunk, and in again
		p := path{{u.x + u.width/2, u.port(e)}}
		p.corner(e.lane.x, u.port(e), v.port(e))
		p.into(v.x+v.width/2, v.port(e))
		return report.Arrow{Points: p, Label: e.label, X: e.lane.x + labelX, Y: (u.y+v.y)/2 + labelSink}
	case u.side == 0 && v.side != 0: // out of a side, and down
		p := path{{u.x + float64(v.side)*u.width/2, u.port(e)}}
		p.corner(v.x, u.port(e), top)
		p.line(v.x, top)
		return report.Arrow{Points: p, Label: e.label, X: v.x + labelX, Y: top - half}
	case u.side != 0 && v.side == 0: // down, and into a side
		p := path{{u.x, bottom}}
		p.into(v.x+float64(u.side)*v.width/2, v.port(e))
		return report.Arrow{Points: p, Label: e.label, X: u.x + labelX, Y: bottom + gapY - half}
	case u.x == v.x:
		p := path{{u.x, bottom}}
		p.line(v.x, top)
		return report.Arrow{Points: p, Label: e.label, X: v.x + labelX, Y: top - half}
	}
	middle := (bottom + top) / 2
	return report.Arrow{Points: path{{u.x, bottom}, {u.x, middle}, {v.x, middle}, {v.x, top}}, Label: e.label, X: v.x + labelX, Y: top - half}
}

// labelSink is how far the baseline of a label is below its middle.
const labelSink = 4

// port returns the height at which an edge meets a side of v: those that arrive are above those
// that leave, which carry the same tensor and share one place, and the nearest ones are on top.
func (v *vertex) port(e *edge) float64 {
	side := 0
	column := func(e *edge) float64 {
		switch {
		case e.lane != nil:
			return e.lane.x
		case e.from.side != 0:
			return e.from.x
		}
		return e.to.x
	}
	if side = 1; column(e) < v.x {
		side = -1
	}
	var arrive []*edge
	leave := false
	for _, o := range v.in {
		if c := column(o); c != v.x && (c > v.x) == (side > 0) {
			arrive = append(arrive, o)
		}
	}
	for _, o := range v.out {
		if c := column(o); c != v.x && (c > v.x) == (side > 0) {
			leave = true
		}
	}
	slices.SortStableFunc(arrive, func(a, b *edge) int {
		return cmp.Compare(math.Abs(column(a)-v.x), math.Abs(column(b)-v.x))
	})
	n, i := len(arrive), slices.Index(arrive, e)
	if leave {
		n++
	}
	if i < 0 {
		i = n - 1
	}
	return v.y - v.height/2 + v.height*float64(i+1)/float64(n+1)
}

// A path is the control points of Bézier curves.
type path [][2]float64

// line goes on straight.
func (p *path) line(x, y float64) {
	from := (*p)[len(*p)-1]
	*p = append(*p, [2]float64{from[0] + (x-from[0])/3, from[1] + (y-from[1])/3}, [2]float64{from[0] + 2*(x-from[0])/3, from[1] + 2*(y-from[1])/3}, [2]float64{x, y})
}

// bend goes to (x,y) around a corner.
func (p *path) bend(cornerX, cornerY, x, y float64) {
	from := (*p)[len(*p)-1]
	*p = append(*p, [2]float64{(from[0] + 2*cornerX) / 3, (from[1] + 2*cornerY) / 3}, [2]float64{(x + 2*cornerX) / 3, (y + 2*cornerY) / 3}, [2]float64{x, y})
}

// corner goes sideways at height y to column x, and turns down; there is room until below.
func (p *path) corner(x, y, below float64) {
	from := (*p)[len(*p)-1]
	r := min(radius, math.Abs(x-from[0]), (below-y)/2)
	p.line(x-math.Copysign(r, x-from[0]), y)
	p.bend(x, y, x, y+r)
}

// into goes down to height y, and sideways to x.
func (p *path) into(x, y float64) {
	from := (*p)[len(*p)-1]
	r := min(radius, math.Abs(x-from[0]), (y-from[1])/2)
	p.line(from[0], y-r)
	p.bend(from[0], y, from[0]+math.Copysign(r, x-from[0]), y)
	p.line(x, y)
}

// faces are Go's fonts in the sizes of a diagram.
var faces struct {
	sync.Mutex   // a face is not safe for use by several goroutines at once
	name, detail font.Face
}

// textWidth estimates how wide a line in a box is, which may be the first. The page is read in the
// reader's own font: the widest common one, DejaVu Sans, is an eighth wider than Go's.
func textWidth(text string, first bool) float64 {
	faces.Lock()
	defer faces.Unlock()
	if faces.name == nil {
		faces.name, faces.detail = newFace(gobold.TTF, report.NameSize), newFace(goregular.TTF, report.DetailSize)
	}
	face := faces.detail
	if first {
		face = faces.name
	}
	return 1.125 * float64(font.MeasureString(face, text)) / 64
}

func labelWidth(text string) float64 { return textWidth(text, false) }

func newFace(ttf []byte, size float64) font.Face {
	f, err := opentype.Parse(ttf)
	if err == nil {
		var face font.Face
		if face, err = opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72}); err == nil {
			return face
		}
	}
	panic(err) // the font is part of the program
}
