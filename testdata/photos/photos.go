// Package photos embeds a set of 288×288 photographic squares as JPEG files
// named <photo>_<k>.jpg, where k counts the crops of one photograph.
// Their authors and licences are listed in LICENSES.md.
package photos

import "embed"

// FS holds the JPEG files at its root.
//
//go:embed *.jpg
var FS embed.FS

// Descriptions has a line for each of ten of them: its name without .jpg, a tab, and what is to
// be seen.
//
//go:embed descriptions.tsv
var Descriptions string
