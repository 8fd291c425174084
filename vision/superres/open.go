package superres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/tensor"
	"pixelgrad/tensor/weightfile"
)

// The networks that are part of the program.
const (
	FastName    = "fast"    // what LoadFast returns
	BicubicName = "bicubic" // no network: interpolation, which networks are compared with
)

// Options says how pictures are enlarged. The zero value is the network's own.
type Options struct {
	// Scale is how many times larger both sides become. 0 is the network's own scale, or 2 if it
	// has several.
	Scale int

	// Network is the name in Architectures of the network whose weights a file has. "" recognizes
	// it by the tensors' names and shapes.
	Network string

	Key string            // the dictionary in the file that holds the weights, as weightfile.Options has it
	Say func(line string) // is told what was chosen in the file, a line at a time; nil tells nobody

	Rows   int   // how many rows of a picture are computed at a time; 0: as many as are efficient
	Memory int64 // how many bytes the computation may take, beside the pictures; 0: what there is

	// Ensemble makes the mean of eight results: the picture is flipped and turned in all ways
	// before, and the results are turned back. It takes eight times as long and, unlike the rest,
	// memory for the whole picture: 4 bytes for each sample of the picture and of the result.
	// Source: Timofte et al., "Seven ways to improve example-based single image super resolution",
	// 2016.
	Ensemble bool

	// Features returns what a frozen network sees in a picture, for networks that lean on one:
	// Upscaler.Features tells which. Shapes: (1,3,h,w) in [0,1] → what Input wants. It may be
	// called by several goroutines at once.
	Features func(ctx context.Context, photo *tensor.Tensor) (*tensor.Tensor, error)

	// Progress is told how many rows of the picture have been enlarged, of how many; of an
	// Ensemble those of all eight pictures. Only one goroutine at a time calls it.
	Progress func(done, total int)
}

// Open returns what enlarges pictures:
//
//   - "fast" is the network that is part of the program, for scales of 2, 3 and 4;
//   - "bicubic" is interpolation, for comparison, for scales from 2 to 8;
//   - other names are files of weights of the networks in this package, those that Recognize
//     knows and those in Architectures, or folders that cmd/train has left. A file that is
//     called "fast" is "./fast".
//
// Errors name the file and say what was expected and what was found: there is no such file; it
// has no weights, or those of another network; the network enlarges by other scales, in
// a ScaleError.
func Open(nameOrPath string, o Options) (*Upscaler, error) {
	u := &Upscaler{o: o, multiple: 1}
	var err error
	switch nameOrPath {
	case FastName:
		err = u.openFast()
	case BicubicName:
		err = u.openBicubic()
	default:
		err = u.openFile(nameOrPath)
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// choose sets the scale, which must be one of those there are. what is the network.
func (u *Upscaler) choose(what string, scales ...int) error {
	if u.scale = u.o.Scale; u.scale == 0 {
		u.scale = scales[0]
	}
	if slices.Contains(scales, u.scale) {
		return nil
	}
	return &ScaleError{what, u.scale, scales}
}

// A ScaleError says that a network enlarges pictures by another scale.
type ScaleError struct {
	Network string // with its file
	Scale   int    // that is wanted
	Scales  []int  // that there are
}

func (e *ScaleError) Error() string {
	return fmt.Sprintf("%s: expected a scale of %s, found %d", e.Network, e.List(), e.Scale)
}

// List names the scales that there are.
func (e *ScaleError) List() string {
	var there []string
	for _, s := range e.Scales {
		there = append(there, strconv.Itoa(s))
	}
	if last := len(there) - 1; last > 0 {
		return strings.Join(there[:last], ", ") + " or " + there[last]
	}
	return there[0]
}

func (u *Upscaler) openFast() error {
	if err := u.choose(FastName, 2, 3, 4); err != nil {
		return err
	}
	n, err := LoadFast(u.scale)
	if err == nil {
		u.set(n)
	}
	return err
}

func (u *Upscaler) openBicubic() error {
	if err := u.choose(BicubicName, 2, 3, 4, 5, 6, 7, 8); err != nil {
		return err
	}
	u.name = fmt.Sprintf("bicubic interpolation ×%d", u.scale)
	u.colours = func(x *autograd.Value) *autograd.Value { return autograd.UpsampleBicubic(x, u.scale) }
	u.grey = u.colours
	return nil
}

// openFile opens a file of weights, or the folder of a run.
func (u *Upscaler) openFile(path string) error {
	const expected = "expected fast, bicubic, a file of weights or a folder of cmd/train's"
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := Find(path); err == nil {
			return fmt.Errorf("%s: this network is not part of the program: expected the file with its weights, or the folder of cmd/train's that has it", path)
		}
		return fmt.Errorf("%s: %s, found none of that name", path, expected)
	case err != nil:
		return fmt.Errorf("%s: %w", expected, err)
	case info.IsDir():
		dir := path
		path = filepath.Join(dir, weightsFile)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: expected the folder of a training of one network, found no %s in it", dir, weightsFile)
		}
	}
	candidates, err := u.candidates()
	if err != nil {
		return err
	}
	// The names of the package's own networks tell where in a file the network is. What others
	// have published has other names, and is where the field's habits put it.
	var lines []string
	open := func(wanted [][]string) (f *weightfile.File, m *candidate, err error) {
		lines = nil
		f, err = weightfile.Open(path, weightfile.Options{Key: u.o.Key, Mapped: true, Wanted: wanted, Say: func(line string) { lines = append(lines, line) }})
		if err == nil {
			m = candidates.find(f)
		}
		return f, m, err
	}
	f, m, err := open(candidates.names())
	if m == nil && u.o.Network == "" {
		if err == nil {
			f.Close()
		}
		f, m, err = open(nil)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	for _, line := range lines {
		if u.o.Say != nil {
			u.o.Say(line)
		}
	}
	switch {
	case m != nil:
	case u.o.Network != "":
		m = &candidates[0] // its weights are not there: the error says which
	default:
		n, err := Recognize(path, f)
		if err != nil {
			return err
		}
		g := n.Geometry()
		if g.Channels != 1 && g.Channels != 3 {
			return fmt.Errorf("%s: expected a network of 3 channels (RGB) or 1 (luma), found %v, of %d: %w", path, n, g.Channels, ErrUnsupported)
		}
		if err := u.choose(fmt.Sprintf("%s, %v", path, n), g.Scale); err != nil {
			return err
		}
		u.set(n)
		return nil
	}
	return u.load(path, f, m)
}

// weightsFile is what cmd/train calls the network in the folder of a run.
const weightsFile = "weights.safetensors"

// A candidate is one of the package's own networks.
type candidate struct {
	arch  Architecture
	model Model
	state []nn.NamedTensor
}

type candidates []candidate

// candidates returns the networks whose weights a file may have.
func (u *Upscaler) candidates() (candidates, error) {
	archs := slices.Clone(Architectures)
	for _, scale := range []int{2, 3, 4} {
		archs = append(archs, FastArchitecture(scale))
	}
	if u.o.Network != "" {
		archs = slices.DeleteFunc(archs, func(a Architecture) bool { return a.Name != u.o.Network })
		if len(archs) == 0 {
			_, err := Find(u.o.Network)
			return nil, err
		}
	}
	var all candidates
	for _, a := range archs {
		m := a.New(rand.New(rand.NewPCG(0, 0)))
		all = append(all, candidate{a, m, nn.StateDict(m)})
	}
	return all, nil
}

// names returns the names of each one's tensors.
func (all candidates) names() [][]string {
	var lists [][]string
	for _, c := range all {
		var names []string
		for _, t := range c.state {
			names = append(names, t.Name)
		}
		if !slices.ContainsFunc(lists, func(l []string) bool { return slices.Equal(l, names) }) {
			lists = append(lists, names)
		}
	}
	return lists
}

// find returns the one whose tensors the file has: all of them, no others, and of the same shapes.
// The features that a network leans on may have any number of channels: 64 and 128 are VGG16's.
// It returns nil if there is none.
func (all candidates) find(f *weightfile.File) *candidate {
	for _, c := range all {
		if len(c.state) != len(f.Names()) || len(f.Unreadable()) > 0 {
			continue
		}
		if c.arch.Features != NoFeatures {
			channels, ok := mergedChannels(f)
			if vgg := channels == 64 || channels == 128; !ok || len(all) > 1 && vgg != (c.arch.Features == VGGFeatures) {
				continue
			}
			c.model = c.arch.NewWithFeatures(rand.New(rand.NewPCG(0, 0)), channels)
			c.state = nn.StateDict(c.model)
		}
		if !slices.ContainsFunc(c.state, func(t nn.NamedTensor) bool {
			info, err := f.Info(t.Name)
			return err != nil || !slices.Equal(info.Shape, t.Tensor.Shape())
		}) {
			return &c
		}
	}
	return nil
}

// mergedChannels returns how many channels the features have that a network leans on.
func mergedChannels(f *weightfile.File) (channels int, ok bool) {
	const trunk, most = 64, 4096
	info, err := f.Info("merge.weight")
	if err != nil || len(info.Shape) != 4 || info.Shape[1] <= trunk || info.Shape[1] > most {
		return 0, false
	}
	return info.Shape[1] - trunk, true
}

// load gives one of the package's own networks its weights.
func (u *Upscaler) load(path string, f *weightfile.File, c *candidate) error {
	what, scales := path+", "+c.arch.Title, []int{2, 4}[:c.arch.Outputs]
	e, enlarger := c.model.(Enlarger)
	if enlarger {
		scales = []int{e.Geometry().Scale}
	}
	if err := u.choose(what, scales...); err != nil {
		return err
	}
	source := path
	if f.Key() != "" {
		source = fmt.Sprintf("%s, in %q", path, f.Key())
	}
	if err := nn.LoadStateDict(c.model, source, append(f.Names(), f.Unreadable()...), f.Tensor); err != nil {
		return err
	}
	if enlarger {
		u.set(e.Network)
		return nil
	}
	u.name = fmt.Sprintf("%s ×%d", c.arch.Title, u.scale)
	u.setModel(c.model, c.arch.Features)
	u.channels, _ = mergedChannels(f)
	return nil
}

// set takes a network that others have published, or Fast.
func (u *Upscaler) set(n Network) {
	u.name = n.String()
	switch n.Geometry().Channels {
	case 1:
		u.colours = func(x *autograd.Value) *autograd.Value { return brighten(n, x) }
		u.grey = func(x *autograd.Value) *autograd.Value { return brightenGrey(n, x) }
	default:
		u.colours = n.Forward
	}
}

// setModel takes one of the workshop's networks.
func (u *Upscaler) setModel(m Model, features Features) {
	output := func(out Output) *autograd.Value {
		if u.scale == 4 {
			return out.Large
		}
		return out.Mid
	}
	u.features = features
	if features == VGGFeatures {
		u.multiple = 2 // it halves its input
	}
	u.colours = func(x *autograd.Value) *autograd.Value { return output(m.Forward(Input{Photo: x})) }
	u.withFeatures = func(in Input) *autograd.Value { return output(m.Forward(in)) }
}
