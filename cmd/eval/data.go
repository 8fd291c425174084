package main

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/pictures"
	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// A set is the pictures of one table.
type set struct {
	scale int
	files []file
	hasLR bool
}

// A file is a picture of a set. lr is "" where it is made of hr, or is missing.
type file struct{ name, hr, lr string }

// openSet finds the pictures of a folder, and reads none of them. say is told what is passed
// over, a line at a time.
func openSet(dir string, scale int, say func(line string)) (*set, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, fmt.Errorf("-data: expected a folder of pictures: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("-data %s: expected a folder of pictures, found a file", dir)
	}
	hr, lr := filepath.Join(dir, "HR"), filepath.Join(dir, "LR")
	hasHR, err := isFolder(hr)
	if err != nil {
		return nil, err
	}
	hasLR, err := isFolder(lr)
	if err != nil {
		return nil, err
	}
	if !hasHR {
		if hasLR {
			return nil, fmt.Errorf("-data %s: expected HR beside LR, the pictures as they should be, found none", dir)
		}
		if f, err := vision.ReadFolder(os.DirFS(dir), "."); err == nil && len(f.Pictures) == 0 {
			return nil, fmt.Errorf("-data %s: expected a folder HR or %s files, found %s%s", dir, vision.Readable(), f.NoPictures(), inside(dir, scale))
		}
		hr = dir
	}
	files, err := pictures.Files(hr, say)
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	s := &set{scale: scale, hasLR: hasLR}
	small := map[string]string{}
	if hasLR {
		smaller, err := pictures.Files(lr, say)
		if err != nil {
			return nil, fmt.Errorf("-data: %w", err)
		}
		for _, path := range smaller {
			name := pictures.Name(path)
			if other, twice := small[name]; twice {
				return nil, fmt.Errorf("-data: expected one picture of a name in %s, found %s and %s", lr, other, path)
			}
			small[name] = path
		}
	}
	for _, path := range files {
		f := file{name: pictures.Name(path), hr: path}
		for _, name := range []string{f.name, fmt.Sprintf("%sx%d", f.name, scale)} { // the latter as in DIV2K
			if there, ok := small[name]; ok && f.lr == "" {
				f.lr = there
				delete(small, name)
			}
		}
		s.files = append(s.files, f)
	}
	if len(small) > 0 {
		var names []string
		for name := range small {
			names = append(names, name)
		}
		slices.Sort(names)
		say(fmt.Sprintf("%s: %d pictures have no partner in HR and are passed over: %s", lr, len(names), list(names)))
	}
	return s, nil
}

// inside names the folder that was perhaps meant, where a folder has one for each scale.
func inside(dir string, scale int) string {
	sub := filepath.Join(dir, fmt.Sprintf("x%d", scale))
	if there, _ := isFolder(sub); !there {
		return ""
	}
	return "; is it -data " + sub + "?"
}

func isFolder(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("-data: %w", err)
	}
	return info.IsDir(), nil
}

// lowResolution says where the small pictures are from.
func (s *set) lowResolution() string {
	if s.hasLR {
		return "LR"
	}
	return "made of HR by MATLAB's bicubic"
}

// A pair is a picture as it should be, and what it is to be made of.
type pair struct {
	hr, lr *vision.RGB
	grey   bool // hr's file has no colours
	scale  int
}

// read reads a picture. Errors name the file; its picture may be damaged, too small to be scored,
// or not scale times as large as its partner.
func (s *set) read(f file) (*pair, error) {
	hr, err := vision.ReadFile(f.hr)
	if err != nil {
		return nil, err
	}
	p := &pair{hr: vision.CropToMultiple(hr, s.scale), scale: s.scale}
	if side := tensor.SSIMWindow + 2*s.scale; min(p.hr.W, p.hr.H) < side {
		return nil, fmt.Errorf("%s: expected a picture of at least %d×%d pixels, of which a border is cut, found %d×%d", f.hr, side, side, hr.W, hr.H)
	}
	p.grey = isGrey(f.hr)
	switch {
	case !s.hasLR:
		p.lr = vision.ResizeMATLAB(p.hr, 1/float64(s.scale))
		return p, nil
	case f.lr == "":
		return nil, fmt.Errorf("%s: expected a smaller picture of the same name in LR, found none", f.hr)
	}
	if p.lr, err = vision.ReadFile(f.lr); err != nil {
		return nil, err
	}
	w, h := s.scale*p.lr.W, s.scale*p.lr.H
	if w != p.hr.W || h != p.hr.H {
		return nil, fmt.Errorf("%s: expected %d×%d pixels, those of %s divided by %d, found %d×%d", f.lr, p.hr.W/s.scale, p.hr.H/s.scale, f.hr, s.scale, p.lr.W, p.lr.H)
	}
	return p, nil
}

// isGrey tells whether a picture file has one sample a pixel. The published tables score it as
// it is, and not with the luma of its colours.
func isGrey(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(f)
	return err == nil && (c.ColorModel == color.GrayModel || c.ColorModel == color.Gray16Model)
}

// score compares an enlargement.
func (p *pair) score(enlarged *vision.RGB, o *options) score {
	if o.rgb {
		return score{PSNR: decibels(vision.RGBPSNR(enlarged, p.hr, p.scale))}
	}
	plane := vision.Luma
	if p.grey {
		plane = vision.Gray
	}
	got, want := plane(enlarged), plane(p.hr)
	ssim := vision.GraySSIM(got, want, p.scale)
	return score{decibels(vision.GrayPSNR(got, want, p.scale)), &ssim}
}

// list writes some names, and how many more there are.
func list(names []string) string {
	const most = 5
	var printable []string
	for _, name := range names[:min(len(names), most)] {
		printable = append(printable, format.Printable(name))
	}
	text := strings.Join(printable, ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
