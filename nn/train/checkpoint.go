package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"pixelgrad/nn"
	"pixelgrad/tensor/safetensors"
)

// A checkpoint is a safetensors file with all that the rest of a training depends on:
//
//	model.NAME       the parameters
//	optimizer.NAME   what the optimiser remembers
//	position         where the training stands, in JSON
//	sha256           of everything else in the file
//
// and with texts of whoever trains, such as tables that must agree with the position.

const (
	modelPrefix     = "model."
	optimizerPrefix = "optimizer."
	positionText    = "position"
	sumText         = "sha256"
)

// state returns the tensors of a checkpoint: the memory itself, not a copy.
func (l *Loop[In, Out]) state() []safetensors.Named {
	var all []safetensors.Named
	add := func(prefix string, tensors []nn.NamedTensor) {
		for _, t := range tensors {
			all = append(all, safetensors.Named{Name: prefix + t.Name, Tensor: t.Tensor})
		}
	}
	add(modelPrefix, nn.StateDict(l.Model))
	add(optimizerPrefix, l.Optimizer.StateDict())
	return all
}

// Save writes a checkpoint, which appears whole or not at all. Call it between two steps: from
// OnStep, from OnEpoch, or when Run has returned without an error. texts may be nil; their keys
// are those of the file's metadata, in which Save needs "position" and "sha256" itself.
func (l *Loop[In, Out]) Save(path string, texts map[string]string) error {
	position, err := json.Marshal(l.Position)
	if err != nil {
		return fmt.Errorf("%s: position: %w", path, err)
	}
	all := map[string]string{}
	maps.Copy(all, texts)
	all[positionText] = string(position)
	delete(all, sumText)
	state := l.state()
	all[sumText] = checksum(state, all)
	return safetensors.WriteFile(path, state, all)
}

// Restore sets the parameters, the optimiser and Position to those of a checkpoint, and returns
// its texts. Run then goes on as if the training had never stopped.
//
// Errors name the file, and say what was expected and found: it is no checkpoint, it is damaged,
// or it is one of another model or optimiser. Nothing is changed then.
func (l *Loop[In, Out]) Restore(path string) (texts map[string]string, err error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return l.restore(path, f)
}

// restore is Restore from an open file.
func (l *Loop[In, Out]) restore(path string, f *safetensors.File) (texts map[string]string, err error) {
	fail := func(format string, args ...any) (map[string]string, error) {
		return nil, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
	}
	texts = f.Metadata()
	sum, ok := texts[sumText]
	delete(texts, sumText)
	if !ok || texts[positionText] == "" {
		return fail("expected a checkpoint, found a file without %q and %q; weights alone can begin a training, but not go on with one", positionText, sumText)
	}
	state := l.state()
	found := make([]safetensors.Named, len(state))
	for i, s := range state {
		t, err := f.Tensor(s.Name)
		if err != nil {
			return nil, fmt.Errorf("%w: expected a checkpoint of this network", err)
		}
		if !slices.Equal(t.Shape(), s.Tensor.Shape()) {
			return fail("tensor %q has shape %v, expected %v: the checkpoint is of another network", s.Name, t.Shape(), s.Tensor.Shape())
		}
		found[i] = safetensors.Named{Name: s.Name, Tensor: t}
	}
	if n := len(f.Names()); n != len(state) {
		return fail("expected the %d tensors of this network and its optimiser, found %d: the checkpoint is of another network", len(state), n)
	}
	if got := checksum(found, texts); got != sum {
		return fail("its content has the SHA-256 %s, expected %s: the file is damaged", got, sum)
	}
	var p Position
	if err := json.Unmarshal([]byte(texts[positionText]), &p); err != nil || !p.valid() {
		return fail("expected a position, found %.100q", texts[positionText])
	}
	delete(texts, positionText)
	for i, s := range state {
		copy(s.Tensor.Data(), found[i].Tensor.Data())
	}
	l.Position = p
	return texts, nil
}

// checksum returns the SHA-256 of tensors and texts in hexadecimal digits.
func checksum(tensors []safetensors.Named, texts map[string]string) string {
	h := sha256.New()
	// The lengths keep "ab","c" and "a","bc" apart.
	text := func(s string) {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		io.WriteString(h, s)
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		text(key)
		text(texts[key])
	}
	tensors = slices.Clone(tensors)
	slices.SortFunc(tensors, func(a, b safetensors.Named) int { return strings.Compare(a.Name, b.Name) })
	buf := make([]byte, 0, 64<<10)
	for _, t := range tensors {
		text(t.Name)
		text(fmt.Sprint(t.Tensor.Shape()))
		for part := range slices.Chunk(t.Tensor.Data(), cap(buf)/4) {
			buf = buf[:0]
			for _, v := range part {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
			h.Write(buf)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
