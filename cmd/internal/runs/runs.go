// Package runs is about the folder that a training run leaves: the names of its files, and its
// config.json, which cmd/train writes and others read.
package runs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/frozen"
	"pixelgrad/internal/atomicfile"
	"pixelgrad/nn/optim"
	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// The files of a run.
const (
	ConfigFile      = "config.json"
	MetricsFile     = "metrics.csv"
	StepsFile       = "steps.csv"
	TimesFile       = "times.csv"
	WeightsFile     = "weights.safetensors"
	SamplesFile     = "samples.png"
	PredictionsFile = "predictions.png"
	LossFile        = "loss.png"
)

// Flags are the settings of a run that its command line gives.
type Flags struct {
	Model   string  `json:"model"`
	Scale   int     `json:"scale"` // of Fast; 0 for the others, which have the workshop's sizes
	Data    string  `json:"data"`  // "" for the photographs that are part of the program
	Epochs  int     `json:"epochs"`
	Batch   int     `json:"batch"`
	LR      float64 `json:"lr"`
	Seed    uint64  `json:"seed"`
	Threads int     `json:"threads"`
	Limit   int     `json:"limit"`
	Shuffle bool    `json:"shuffle"`
	Steps   int     `json:"steps"`
	Init    string  `json:"init"`
	InitKey string  `json:"init_key"`
	SkipBad bool    `json:"skip_bad"`

	// SplitSeed is the seed of the split and of the order in which photographs are limited; nil:
	// Seed. Trainings that are repeated with other seeds keep the same photographs.
	SplitSeed *uint64 `json:"split_seed"`
	Repeat    int     `json:"repeat"` // trainings of each network, with Seed, Seed + 1 …

	Loss      string      `json:"loss"`     // one of superres.Losses
	Schedule  string      `json:"schedule"` // one of optim.Schedules
	WarmUp    int         `json:"warmup"`   // steps
	ClipNorm  float64     `json:"clip_norm"`
	EarlyStop int         `json:"early_stop"` // epochs
	Augment   Alterations `json:"augment"`
	Crop      int         `json:"crop"` // pixels of the input's side; 0 for whole squares

	frozen.Options
	Plain   bool     `json:"plain"`
	Without []string `json:"without"`

	SaveEvery    Every  `json:"save_every"`
	TensorBoard  bool   `json:"tensorboard"`
	Descriptions string `json:"descriptions"` // file; "" for those that come with the program
}

// Defaults are the settings that are not zero if the command line says nothing.
func Defaults() Flags {
	return Flags{
		Model: "superresnet", Epochs: 10, LR: 0.001, Shuffle: true, Repeat: 1,
		Loss: superres.Losses[0].Name, Schedule: optim.Schedules[0].Name, SaveEvery: Every{Time: 5 * time.Minute},
		Options: frozen.Options{VGGWeights: frozen.Embedded, VGGLayer: frozen.Layers[0]},
	}
}

// A Config is what config.json holds: the flags, and what they led to.
type Config struct {
	Flags
	Network     string     `json:"network"`
	BatchUsed   int        `json:"batch_used"`
	Photos      string     `json:"photographs"`
	Train       int        `json:"train_photographs"`
	Val         int        `json:"val_photographs"`
	Skipped     int        `json:"skipped_photographs"`
	Parameters  int        `json:"parameters"`
	TotalSteps  int        `json:"total_steps"`
	ThreadsUsed int        `json:"threads_used"`
	SIMD        string     `json:"simd"`
	Go          string     `json:"go"`
	Bicubic     []Decibels `json:"bicubic_psnr"`
	Start       time.Time  `json:"start"`

	// Command is the command line that began the run.
	Command string `json:"command"`

	// DataSum is the SHA-256 of the photographs as networks see them, in the order of the cache.
	DataSum string `json:"data_sha256"`
}

// Decibels is a PSNR. JSON has no infinity, which is that of photographs of one colour: it is
// null there.
type Decibels float64

// MarshalJSON writes a number or null.
func (d Decibels) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(d), 0) || math.IsNaN(float64(d)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(d))
}

// UnmarshalJSON reads a number, or null as infinity.
func (d *Decibels) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*d = Decibels(math.Inf(1))
		return nil
	}
	return json.Unmarshal(text, (*float64)(d))
}

// Write writes config.json into the folder of a run; it appears whole or not at all.
func (c *Config) Write(dir string) error {
	path := filepath.Join(dir, ConfigFile)
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// maxConfig is how large a config.json may be, in bytes: hundreds of times what one has.
const maxConfig = 1 << 20

// Read reads the config.json in the folder of a run. What it does not know there it passes
// over, and what is missing is what the program did before it had the flag: other versions
// have other flags. Before -vgg-input, VGG16 was always shown IMAGENET1K_V1, and an empty
// vgg_weights meant the file of 'weights get vgg16'. Before -gelu, CLIP always had QuickGELU.
// Errors name the file, what was expected, what was found and what to do.
func Read(dir string) (*Config, error) {
	path := filepath.Join(dir, ConfigFile)
	text, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	c, err := parse(path, text, false)
	if err == nil && c.Model == All {
		return nil, fmt.Errorf("%s: expected the folder of one network, found that of all: name one of those in it", dir)
	}
	return c, err
}

// All is what stands for all networks of the workshop.
const All = "all"

// Fast is the network for pictures of any size.
const Fast = "fast"

// CheckScale returns an error unless Fast has the scale.
func CheckScale(scale int) error {
	if scale < 2 || scale > 4 {
		return fmt.Errorf("expected 2, 3 or 4 for the network %s, found %d", Fast, scale)
	}
	return nil
}

// Open reads the config.json in the folder of a run to go on with it. Unlike Read it takes that of
// all networks, and it returns an error for a setting that it does not know.
func Open(dir string) (*Config, error) { return Load(filepath.Join(dir, ConfigFile)) }

// Load is Open for a file of another name.
func Load(path string) (*Config, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	return parse(path, text, true)
}

// parse reads what the file at path holds. If strict, every setting must be known, and those that
// are missing have their defaults.
func parse(path string, text []byte, strict bool) (*Config, error) {
	c := &Config{Flags: Defaults()}
	if !strict {
		c.Model = "" // which every run has
		c.Options = frozen.Options{VGGLayer: frozen.Layers[0], VGGInput: "IMAGENET1K_V1", CLIPOptions: frozen.EarlierCLIP}
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s: %s: take the file of another run, or train again", path, fault(err))
	}
	if strict {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(new(Config)); err != nil { // for nothing else can be wrong with it now
			return nil, fmt.Errorf("%s: expected settings as in the config.json that cmd/train writes, found an %s; take it out, or correct it", path, strings.TrimPrefix(format.Printable(format.Cut(err.Error(), longest)), "json: "))
		}
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w; take the file of another run, or train again", path, err)
	}
	return c, nil
}

// readSmall reads a file after a look at what it is, and how large.
func readSmall(path string) ([]byte, error) {
	const whose = "which cmd/train leaves in the folder of a training run"
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: expected this file, %s, found none: name that folder; -model all makes one in its own for each network", path, whose)
	case err != nil:
		return nil, fmt.Errorf("expected a file, %s: %w", whose, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: expected a file, %s, found a folder or a device: name another folder", path, whose)
	case info.Size() > maxConfig:
		return nil, fmt.Errorf("%s: expected a file of at most %s, %s, found %s: name another folder", path, format.Bytes(maxConfig), whose, format.Bytes(info.Size()))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxConfig)) // it may have grown
}

// longest is how many characters of a file's text an error repeats: more than any right one.
const longest = 100

// fault says what is wrong with JSON.
func fault(err error) string {
	const expected = "expected what cmd/train writes, found "
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		value := format.Cut(kind.Value, longest) // a number is written out
		if kind.Field == "" {
			return expected + "JSON's " + value + " where an object belongs"
		}
		field := kind.Field[strings.LastIndexByte(kind.Field, '.')+1:]
		return expected + fmt.Sprintf("JSON's %s where %q has a %v", value, field, kind.Type)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return expected + fmt.Sprintf("no JSON (%v, at byte %d)", err, syntax.Offset)
	}
	text := format.Printable(format.Cut(err.Error(), 2*longest))
	if strings.HasPrefix(text, "expected ") { // a setting's own error
		return text
	}
	return expected + text
}

// check looks at what others build upon.
func (c *Config) check() error {
	if c.Model == Fast {
		if err := CheckScale(c.Scale); err != nil {
			return fmt.Errorf(`"scale": %w`, err)
		}
	} else if _, err := superres.Find(format.Cut(c.Model, longest)); err != nil && c.Model != All {
		return fmt.Errorf(`"model": %w`, err)
	}
	if c.Limit < 0 || c.Limit == 1 {
		return fmt.Errorf(`"limit": expected 0 or at least 2 photographs, found %d`, c.Limit)
	}
	if err := frozen.CheckLayer(format.Cut(c.VGGLayer, longest)); err != nil {
		return fmt.Errorf(`"vgg_layer": %w`, err)
	}
	if err := frozen.CheckInput(c.VGGInput); err != nil {
		return fmt.Errorf(`"vgg_input": %w`, err)
	}
	if err := c.CLIPOptions.Check(); err != nil {
		return err
	}
	return nil
}

// embedded is what the photographs in the program are called.
const embedded = "the program's own photographs"

// Source says where the photographs of a run are from.
func (f *Flags) Source() string {
	if f.Data == "" {
		return embedded
	}
	return f.Data
}

// Photographs finds the photographs of a run, and divides them as the run does.
func (f *Flags) Photographs() (*vision.Dataset, error) {
	o := vision.DatasetOptions{Seed: f.Split(), Limit: f.Limit, SkipMissing: f.SkipBad}
	if f.Data != "" {
		return vision.OpenDir(f.Data, o)
	}
	o.Group = vision.PhotoOfCrop
	return vision.OpenFS(photos.FS, embedded, o)
}

// Split returns the seed of the split.
func (f *Flags) Split() uint64 {
	if f.SplitSeed != nil {
		return *f.SplitSeed
	}
	return f.Seed
}

// Models returns the names of the networks for the sizes of the workshop.
func Models() []string {
	var names []string
	for _, a := range superres.Architectures {
		names = append(names, a.Name)
	}
	return names
}
