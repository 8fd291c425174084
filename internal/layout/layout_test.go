// Package layout has a test alone: it holds the rules of who may import whom.
package layout

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms lists, for each folder, the folders that it may import from besides itself,
// and the modules of others.
var rooms = map[string]struct {
	may     []string
	modules []string
}{
	"simd":                  {nil, []string{"github.com/klauspost/cpuid/v2"}},
	"internal/atomicfile":   {nil, []string{"golang.org/x/sys"}},
	"internal/filelock":     {nil, []string{"golang.org/x/sys"}},
	"internal/exif":         {nil, nil},
	"internal/jpegplanes":   {nil, nil},
	"internal/jpegrows":     {nil, nil},
	"internal/pngrows":      {nil, []string{"github.com/klauspost/compress/flate"}},
	"internal/tiffrows":     {[]string{"internal/exif"}, nil},
	"internal/memory":       {nil, []string{"golang.org/x/sys"}},
	"internal/mmap":         {nil, []string{"golang.org/x/sys"}},
	"tensor":                {[]string{"simd", "internal/memory"}, nil},
	"tensor/safetensors":    {[]string{"tensor", "internal/atomicfile", "internal/mmap"}, nil},
	"tensor/torchfile":      {[]string{"tensor", "tensor/safetensors", "internal/mmap"}, nil},
	"autograd":              {[]string{"tensor"}, nil},
	"autograd/gradcheck":    {[]string{"autograd", "tensor"}, nil},
	"autograd/compile":      {[]string{"autograd", "tensor"}, nil},
	"nn":                    {[]string{"autograd", "tensor"}, nil},
	"nn/optim":              {[]string{"nn", "tensor", "simd"}, nil},
	"nn/train":              {[]string{"nn", "nn/optim", "autograd", "autograd/compile", "tensor", "tensor/safetensors", "tensor/weightfile"}, nil},
	"vision":                {[]string{"tensor", "internal/atomicfile", "internal/exif", "internal/jpegplanes", "internal/memory"}, []string{"github.com/bep/imagemeta", "github.com/nfnt/resize", "golang.org/x/image"}},
	"vision/superres":       {[]string{"nn", "autograd", "autograd/compile", "tensor", "tensor/safetensors", "tensor/weightfile", "vision", "internal/memory"}, nil},
	"vgg":                   {[]string{"vision", "tensor", "tensor/weightfile"}, nil},
	"clip":                  {[]string{"clip/bpe", "vision", "tensor", "tensor/safetensors", "tensor/weightfile", "simd"}, nil},
	"clip/bpe":              {nil, []string{"golang.org/x/text"}},
	"cmd/internal/frozen":   {[]string{"clip", "vgg", "vision", "vision/superres", "tensor", "cmd/internal/cli", "cmd/internal/files", "cmd/internal/format"}, nil},
	"cmd/internal/cli":      {[]string{"autograd/compile", "cmd/internal/format"}, nil},
	"cmd/internal/runs":     {[]string{"cmd/internal/format", "cmd/internal/frozen", "internal/atomicfile", "nn/optim", "tensor", "testdata/photos", "vision", "vision/superres"}, nil},
	"testdata/photos":       {nil, nil},
	"internal/chromium":     {nil, []string{"github.com/chromedp"}},
	"internal/golden":       {[]string{"tensor", "tensor/safetensors"}, nil},
	"internal/recipe":       {[]string{"nn", "tensor"}, nil},
	"internal/layout":       {nil, nil},
	"internal/smallclip":    {[]string{"clip/bpe", "tensor", "tensor/safetensors"}, nil},
	"cmd/internal/progress": {nil, []string{"github.com/schollz/progressbar/v3", "golang.org/x/term"}},
	"cmd/internal/files":    {nil, nil},
	"cmd/internal/format":   {nil, nil},
	"cmd/internal/pictures": {[]string{"vision"}, nil},
	"cmd/internal/download": {[]string{"internal/atomicfile", "internal/filelock", "cmd/internal/format"}, []string{"golang.org/x/sys"}},
	"tensor/weightfile":     {[]string{"tensor", "tensor/safetensors", "tensor/torchfile"}, nil},
	"cmd/internal/report":   {[]string{"cmd/internal/format", "internal/atomicfile"}, nil},
	"cmd/internal/gallery":  {[]string{"cmd/internal/format", "cmd/internal/report", "vision"}, nil},
	"cmd/internal/words":    {[]string{"clip", "clip/bpe", "cmd/internal/cli", "cmd/internal/format", "cmd/internal/frozen", "cmd/internal/progress", "tensor", "testdata/photos", "vision"}, nil},
	"cmd/internal/live":     {[]string{"cmd/internal/report"}, nil},
	"cmd/internal/diagram":  {[]string{"autograd", "cmd/internal/format", "cmd/internal/report", "vision/superres"}, []string{"golang.org/x/image"}},
	"cmd/internal/plots":    {[]string{"internal/atomicfile"}, []string{"gonum.org/v1/plot"}},

	"cmd/internal/tensorboard": {[]string{"internal/atomicfile"}, []string{"google.golang.org/protobuf/encoding/protowire"}},
}

// TestImports lists every package with what it imports, and looks each import up
// above. Commands may import everything; nothing imports them.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Standard", "pixelgrad/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	const project = "pixelgrad/"
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, project)
		seen++
		room, ok := rooms[name]
		command := strings.HasPrefix(name, "cmd/") && !strings.HasPrefix(name, "cmd/internal/")
		if !ok && !command {
			t.Errorf("%s: no room of that name; give it one in internal/layout", name)
			continue
		}
		for _, i := range p.Imports {
			ours, inProject := strings.CutPrefix(i, project)
			switch {
			case i == "C":
				t.Errorf("%s uses cgo", name)
			case inProject && strings.HasPrefix(ours, "cmd/") && !strings.HasPrefix(name, "cmd/"):
				t.Errorf("%s imports the command's package %s", name, ours)
			case inProject && !command && !slices.Contains(room.may, ours):
				t.Errorf("%s imports %s, which is not to its left: it may import %v", name, ours, room.may)
			case !inProject && strings.Contains(strings.Split(i, "/")[0], ".") && !command && !slices.ContainsFunc(room.modules, func(m string) bool { return i == m || strings.HasPrefix(i, m+"/") }):
				t.Errorf("%s imports %s: of other modules it may import %v", name, i, room.modules)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d packages were looked at", seen)
	}
}
