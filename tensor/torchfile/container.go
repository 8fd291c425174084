package torchfile

import (
	"errors"
	"fmt"
	"strings"
)

// magic is the number at the start of a file in the old format: 0x1950a86a20f9469cfc6c,
// as the pickle of a long.
const magic = bigInt("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")

// legacyNumber is magic as protocol 1 writes it, after an 'L'.
const legacyNumber = "119547037146038801333356L"

// memoryBase is the memory, in bytes, that every file may take, in addition to twice its
// size. Without it the limit would be too low for small files.
const memoryBase = 64 << 20

// loadZip reads an archive of torch.save or torch.jit.save:
//
//	NAME/data.pkl       the pickle
//	NAME/data/0, 1, …   the storages
//	NAME/version        a number; TorchScript with newer operators has it in .data/version
//	NAME/byteorder      "little" or "big"; since PyTorch 2.1
//	NAME/constants.pkl  TorchScript only, like NAME/code/…: the tensors that the code
//	                    names CONSTANTS.c0, c1, …, a tuple
//	NAME/constants/0, … their storages
func (f *File) loadZip(m *machine) (value, error) {
	z, err := readZip(f.src)
	if err != nil {
		return nil, err
	}
	dir, _, ok := strings.Cut(z.first, "/")
	if !ok {
		return nil, fmt.Errorf("the archive is not one of torch.save: expected all members in a folder, found %s", quote(z.first))
	}
	dir += "/"
	if z.find(dir+"data.pkl") == nil {
		return nil, fmt.Errorf("the archive is not one of torch.save: there is no member %s", quote(dir+"data.pkl"))
	}
	number := dir + "version"
	if newer := dir + ".data/version"; z.find(newer) != nil {
		number = newer
	}
	version, err := z.text(number)
	if err != nil {
		return nil, err
	}
	if strings.Trim(version, "0123456789\n") != "" || version == "" {
		return nil, fmt.Errorf("the archive's version is %s, expected a number", quote(version))
	}
	if z.find(dir+"byteorder") != nil {
		order, err := z.text(dir + "byteorder")
		if err != nil {
			return nil, err
		}
		if order != "little" {
			return nil, fmt.Errorf("the archive's byte order is %s; only little can be read: save it again on a little-endian machine", quote(order))
		}
	}
	f.format = "zip"
	top, err := z.pickle(m, dir, "data")
	if err != nil {
		return nil, err
	}
	if z.find(dir+"constants.pkl") != nil {
		f.format = "TorchScript"
		if f.constants, err = z.pickle(m, dir, "constants"); err != nil {
			return nil, err
		}
	}
	f.locate = func(st *storage, verify bool) (int64, error) {
		name := dir + st.folder + "/" + st.key
		mem := z.find(name)
		if mem == nil {
			return 0, fmt.Errorf("the archive has no member %s", quote(name))
		}
		if mem.size < st.bytes {
			return 0, fmt.Errorf("zip: member %s has %d bytes, the pickle says %d", quote(name), mem.size, st.bytes)
		}
		if verify {
			return z.verified(mem)
		}
		return z.data(mem)
	}
	return top, nil
}

// pickle runs a pickle of the archive, whose storages are in the folder of the same name.
func (z *archive) pickle(m *machine, dir, name string) (top value, err error) {
	pkl := z.find(dir + name + ".pkl")
	at, err := z.verified(pkl)
	if err != nil {
		return nil, err
	}
	m.folder, m.storages = name, map[string]*storage{}
	err = z.src.View(at, pkl.size, func(b []byte) (err error) {
		top, err = m.run(b, 0)
		if err == nil && m.pos != len(b) {
			err = fmt.Errorf("%d bytes follow the pickle", len(b)-m.pos)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pkl.name, err)
	}
	return top, nil
}

// text reads a member of one short line.
func (z *archive) text(name string) (string, error) {
	m := z.find(name)
	if m == nil {
		return "", fmt.Errorf("the archive is not one of torch.save: there is no member %s", quote(name))
	}
	at, err := z.data(m)
	if err != nil {
		return "", err
	}
	if m.size > 100 {
		return "", fmt.Errorf("zip: member %s has %d bytes, expected one short line", quote(name), m.size)
	}
	b := make([]byte, m.size)
	if _, err := z.src.ReadAt(b, at); err != nil {
		return "", err
	}
	return string(b), nil
}

// loadLegacy reads the format before PyTorch 1.6. Five pickles follow one another, and the
// storages follow them.
//
//	magic number, protocol version 1001, system (a dictionary), the object,
//	keys of the storages (a list); for each key: number of elements (8 bytes), elements
func (f *File) loadLegacy(m *machine) (top value, err error) {
	f.format = "legacy"
	// The length of the pickles is not known before they are read. They are at the
	// beginning of the file, so the loop reads longer and longer parts of it. Without
	// a mapping, reading the whole file would be a waste.
	budget := m.budget
	for n := int64(1 << 20); ; n *= 8 {
		n = min(n, f.src.Size())
		*m = machine{storages: map[string]*storage{}, budget: budget}
		var keys *list
		err = f.src.View(0, n, func(b []byte) (err error) {
			top, keys, err = legacyPickles(m, b)
			return err
		})
		if err == nil {
			return top, f.placeStorages(m, keys)
		}
		if !errors.Is(err, errCut) || n == f.src.Size() {
			return nil, err
		}
	}
}

// legacyPickles runs the five pickles at the start of b.
func legacyPickles(m *machine, b []byte) (top value, keys *list, err error) {
	var v [5]value
	for i, what := range []string{"magic number", "protocol version", "system", "object", "storage keys"} {
		if v[i], err = m.run(b, m.pos); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", what, err)
		}
		switch i {
		case 0:
			if n, ok := v[i].(bigInt); !ok || n != magic {
				return nil, nil, errors.New("it is a pickle, but not one of torch.save: it does not begin with PyTorch's magic number")
			}
		case 1:
			if n, ok := v[i].(int64); !ok || n != 1001 {
				return nil, nil, fmt.Errorf("protocol version: expected 1001, found %s", describe(v[i]))
			}
		case 2:
			d, ok := v[i].(*dict)
			if little, isBool := d.get("little_endian").(bool); !ok || !isBool || !little {
				return nil, nil, errors.New("system: the file was not written by a little-endian machine; save it again on one")
			}
		}
	}
	keys, ok := v[4].(*list)
	if !ok {
		return nil, nil, fmt.Errorf("storage keys: expected a list, found %s", describe(v[4]))
	}
	return v[3], keys, nil
}

// placeStorages finds the place of each storage in a legacy file.
func (f *File) placeStorages(m *machine, keys *list) error {
	pos := int64(m.pos)
	for _, k := range keys.items {
		key, ok := k.(string)
		st := m.storages[key]
		switch {
		case !ok:
			return fmt.Errorf("storage keys: expected texts, found %s", describe(k))
		case st == nil:
			return fmt.Errorf("storage %s has a key, but no tensor", quote(key))
		case st.offset >= 0:
			return fmt.Errorf("storage %s is there twice", quote(key))
		}
		var b [8]byte
		if _, err := f.src.ReadAt(b[:], pos); err != nil {
			return fmt.Errorf("storage %s: the file is cut off at byte %d", quote(key), f.src.Size())
		}
		pos += 8
		width := int64(width(st.dtype))
		if n := le.Uint64(b[:]); n != uint64(st.bytes/width) {
			return fmt.Errorf("storage %s has %d elements at byte %d, the pickle says %d", quote(key), n, pos-8, st.bytes/width)
		}
		if st.bytes > f.src.Size()-pos {
			return fmt.Errorf("storage %s: %d bytes at byte %d are not in the file, which has %d: it is cut off", quote(key), st.bytes, pos, f.src.Size())
		}
		st.offset = pos
		pos += st.bytes
	}
	if pos != f.src.Size() {
		return fmt.Errorf("%d bytes follow the last storage", f.src.Size()-pos)
	}
	f.locate = func(st *storage, _ bool) (int64, error) {
		if st.offset < 0 {
			return 0, fmt.Errorf("storage %s is not in the file", quote(st.key))
		}
		return st.offset, nil
	}
	return nil
}
