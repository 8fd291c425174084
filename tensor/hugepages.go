package tensor

import "pixelgrad/internal/memory"

// UseHugePages lets packed weights lie in huge pages, where the system has them to give: the weights
// of a network are read once for each picture, and looking up their addresses takes about a tenth of
// the time of a picture by itself. Set it to false before weights are packed to do without.
var UseHugePages = true

// hugePages asks for huge pages for weights, which may be there already or be written later.
func hugePages(weights []float32) {
	if UseHugePages {
		memory.Huge(weights)
	}
}
