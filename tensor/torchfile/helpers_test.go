package torchfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

func sprint(v any) string { return fmt.Sprint(v) }

// Pickles are put together from these, in the order of a Python program.

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func number(n int) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func name(module, name string) string { return "c" + module + "\n" + name + "\n" }

func numbers(ns ...int) string {
	s := "("
	for _, n := range ns {
		s += number(n)
	}
	return s + "t"
}

// store is a storage of floats.
func store(key string, elements int) string {
	return "(" + text("storage") + name("torch", "FloatStorage") + text(key) + text("cpu") + number(elements) + "tQ"
}

// array is a tensor in a storage.
func rebuild(storage string, off int, shape, stride []int) string {
	return name("torch._utils", "_rebuild_tensor_v2") + "(" + storage + number(off) + numbers(shape...) + numbers(stride...) + "\x89}tR"
}

// simple is a tensor of n floats.
func simple(key string, n int) string { return rebuild(store(key, n), 0, []int{n}, []int{1}) }

// dictionary is a whole pickle of keys and values.
func dictionary(items ...string) string { return "\x80\x02}(" + strings.Join(items, "") + "u." }

// file is a member of an archive to be built; what a test breaks is in it.
type file struct {
	name, localName string
	data            string
	size            int // in the directory, if not that of the data
	method          uint16
	flags           uint16
	offset          int // in the directory, if not the true one
	pad             int // length of the local extra field
}

// pack writes an archive.
func pack(files ...file) []byte {
	var b, dir []byte
	for _, f := range files {
		if f.localName == "" {
			f.localName = f.name
		}
		if f.size == 0 {
			f.size = len(f.data)
		}
		if f.offset == 0 {
			f.offset = len(b)
		}
		sum := crc32.ChecksumIEEE([]byte(f.data))
		common := func(b []byte) []byte {
			b = le.AppendUint16(b, f.flags)
			b = le.AppendUint16(b, f.method)
			b = le.AppendUint32(b, 0) // time
			b = le.AppendUint32(b, sum)
			b = le.AppendUint32(b, uint32(f.size))
			return le.AppendUint32(b, uint32(f.size))
		}
		dir = append(dir, "PK\x01\x02\x00\x00\x00\x00"...)
		dir = common(dir)
		dir = le.AppendUint16(dir, uint16(len(f.name)))
		dir = append(dir, make([]byte, 12)...)
		dir = le.AppendUint32(dir, uint32(f.offset))
		dir = append(dir, f.name...)

		b = append(b, "PK\x03\x04\x00\x00"...)
		b = common(b)
		b = le.AppendUint16(b, uint16(len(f.localName)))
		b = le.AppendUint16(b, uint16(f.pad))
		b = append(b, f.localName...)
		b = append(b, make([]byte, f.pad)...)
		b = append(b, f.data...)
	}
	at := len(b)
	b = append(b, dir...)
	b = append(b, "PK\x05\x06\x00\x00\x00\x00"...)
	b = le.AppendUint16(b, uint16(len(files)))
	b = le.AppendUint16(b, uint16(len(files)))
	b = le.AppendUint32(b, uint32(len(dir)))
	b = le.AppendUint32(b, uint32(at))
	return append(b, 0, 0)
}

// members returns what torch.save would write for a pickle.
func members(pickle string, storages ...string) []file {
	files := []file{{name: "a/data.pkl", data: pickle}, {name: "a/version", data: "3\n"}}
	for i, s := range storages {
		files = append(files, file{name: fmt.Sprintf("a/data/%d", i), data: s})
	}
	return files
}

// zipped returns an archive of a pickle.
func zipped(pickle string, storages ...string) []byte { return pack(members(pickle, storages...)...) }

// scripted returns a TorchScript archive of a pickle.
func scripted(pickle string, storages ...string) []byte {
	return pack(append(members(pickle, storages...), file{name: "a/constants.pkl", data: "\x80\x02).", pad: 3})...)
}

// change returns an archive with one member changed.
func change(files []file, name string, f func(*file)) []byte {
	i := slices.IndexFunc(files, func(m file) bool { return m.name == name })
	f(&files[i])
	return pack(files...)
}

const legacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

// legacy returns a file of the old format.
func legacy(pickle, keys, data string) []byte {
	return []byte(legacyMagic + "\x80\x02M\xe9\x03." + "\x80\x02}" + text("little_endian") + "\x88s." + pickle + keys + data)
}

func keyList(keys ...string) string {
	s := "\x80\x02]("
	for _, k := range keys {
		s += text(k)
	}
	return s + "e."
}

// block is a storage in a file of the old format.
func block(elements, bytes int) string {
	return string(le.AppendUint64(nil, uint64(elements))) + floats(bytes)
}

func floats(n int) string { return strings.Repeat("\x00\x00\x80\x3f", n/4) + strings.Repeat("x", n%4) }

func openBytes(b []byte) (*File, error) {
	return NewFile("test.pt", bytes.NewReader(b), int64(len(b)))
}
