package tensor

import "pixelgrad/internal/memory"

// UseHugePages lets packed weights and the arenas of programs lie in huge pages, where the system has
// them to give: they are read again and again, and looking up the addresses of 4 KB pages takes about
// a tenth of the time. Set it to false before weights are packed and programs run to do without.
var UseHugePages = true

// HugePages asks for huge pages for a large slice, whose numbers may be there already or be written
// later. It does nothing unless UseHugePages is set.
func HugePages(numbers []float32) {
	if UseHugePages {
		memory.Huge(numbers)
	}
}
