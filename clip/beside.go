package clip

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// The files of configuration that programs leave beside weights.
const (
	openCLIPFile    = "open_clip_config.json"
	huggingFaceFile = "config.json"
	pixelsFile      = "preprocessor_config.json" // Hugging Face's, about photographs
)

// maxSettings is how large a file of configuration may be, in bytes: hundreds of times what
// one has.
const maxSettings = 1 << 20

// errOther says that a file of configuration is not about a CLIP.
var errOther = errors.New("not of a CLIP")

// beside reads the file of configuration in the folder of the weights, and compares it with
// the shapes; nil if there is none about a CLIP. The one of the program that the names of the
// tensors are from is asked first.
//
// A file that cannot be read or is of another network is an error, unless the options say
// already what it should.
func (r *reader) beside(c *Config, o Options, folder string) (*settings, error) {
	files := []string{openCLIPFile, huggingFaceFile}
	if r.naming == &huggingFace {
		slices.Reverse(files)
	}
	for _, name := range files {
		path := filepath.Join(folder, name)
		s, err := readSettings(path)
		if err == nil {
			s.path = path
			err = s.check(c)
		}
		switch {
		case err == nil:
			return s, nil
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, errOther):
			o.say("%s: %s beside it is passed over: it is %v", r.source, name, err)
		case o.GELU != UnknownGELU && (c.Vision.Width == 0 || o.VisionHeads != 0) && (c.Text.Width == 0 || o.TextHeads != 0):
			o.say("%s: %s beside it is passed over: %v", r.source, name, err)
		default:
			return nil, r.fail("%s beside it: %v; put the right file there, or the weights into a folder of their own, or say -gelu and -heads (Options.GELU, VisionHeads and TextHeads)", name, err)
		}
	}
	return nil, nil
}

// readSettings reads a file of configuration, whose name tells of which program it is. Errors
// do not name the file.
func readSettings(path string) (*settings, error) {
	data, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	if filepath.Base(path) == openCLIPFile {
		return parseOpenCLIP(data)
	}
	s, err := parseHuggingFace(data)
	if err != nil {
		return nil, err
	}
	switch data, err := readSmall(filepath.Join(filepath.Dir(path), pixelsFile)); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("%s: %w", pixelsFile, err)
	default:
		if s.pixels, err = parsePixels(data); err != nil {
			return nil, fmt.Errorf("%s: %w", pixelsFile, err)
		}
	}
	return s, nil
}

// readSmall reads a file after a look at what it is, and how large.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("expected a file, found %v", info.Mode().Type())
	case info.Size() > maxSettings:
		return nil, fmt.Errorf("expected at most %d bytes, found %d", maxSettings, info.Size())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSettings)) // it may have grown
}

// unmarshal is json.Unmarshal with an error that says what was expected.
func unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("expected the JSON of a CLIP's configuration: %w", err)
	}
	return nil
}

// check compares the sizes with those of the weights.
func (s *settings) check(c *Config) error {
	type size struct {
		what        string
		said, found int
	}
	sizes := []size{{"numbers of an embedding", s.embed, c.Embed}}
	tower := func(name string, s *towerSettings, t *Transformer) error {
		if s.unable != "" {
			return fmt.Errorf("the %s tower has %s, which this package cannot compute", name, s.unable)
		}
		sizes = append(sizes, size{"width of the " + name + " tower", s.width, t.Width}, size{"blocks of the " + name + " tower", s.layers, t.Layers}, size{"hidden numbers in the " + name + " tower", s.hidden, t.Hidden})
		if s.heads < 0 || s.heads > 0 && t.Width%s.heads != 0 {
			return fmt.Errorf("expected heads that share the %s tower's width of %d, found %d", name, t.Width, s.heads)
		}
		return nil
	}
	if v := &c.Vision; v.Width > 0 {
		if err := tower("image", &s.vision, &v.Transformer); err != nil {
			return err
		}
		if err := s.pixels.check(); err != nil {
			return err
		}
		sizes = append(sizes, size{"pixels of a picture's side", s.image, v.ImageSize}, size{"pixels of a patch's side", s.patch, v.PatchSize})
	}
	if t := &c.Text; t.Width > 0 {
		if err := tower("text", &s.text, &t.Transformer); err != nil {
			return err
		}
		sizes = append(sizes, size{"tokens of a text", s.context, t.Context}, size{"tokens of the vocabulary", s.vocabulary, t.Vocabulary})
		if s.endOfText == defaultEndOfText && s.endOfText >= t.Vocabulary {
			s.endOfText = 0 // nobody chose it
		}
		if s.endOfText < 0 || s.endOfText >= t.Vocabulary {
			return fmt.Errorf("expected the id of a text's end among 0 to %d, found %d", t.Vocabulary-1, s.endOfText)
		}
	}
	for _, z := range sizes {
		if z.said != 0 && z.said != z.found {
			return fmt.Errorf("it is of another network: %d %s, the weights have %d", z.said, z.what, z.found)
		}
	}
	return nil
}

// A side is a number of pixels: a number, or two equal ones.
type side int

func (s *side) UnmarshalJSON(data []byte) error {
	var one *int
	if err := json.Unmarshal(data, &one); err == nil {
		if one != nil {
			*s = side(*one)
		}
		return nil
	}
	var two []int
	if err := json.Unmarshal(data, &two); err != nil || len(two) != 2 || two[0] != two[1] {
		return fmt.Errorf("expected a square's side, found %.40s", data)
	}
	*s = side(two[0])
	return nil
}

// sameEps reports whether a normalisation's number is the one that the package computes with.
func sameEps(eps float64) bool { return math.Abs(eps-normEps) < 1e-9 }
