package torchfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"pixelgrad/internal/mmap"
)

// member is one file of a zip archive.
type member struct {
	name          string
	header        int64 // the place of its local header
	size          int64 // in the file
	end           int64 // the place of the next member
	method, flags uint16
	crc           uint32
	checked       uint32 // 1 if the checksum was verified; atomic
}

// archive is the list of a zip file's members.
//
// archive/zip could read such files, but it trusts only the central directory, and takes
// several times the directory's size in memory. This package checks every byte of the
// directory. Members must not overlap, and the two headers of a member must agree, so all
// programs see the same content. The archives of torch are simple: nothing is compressed.
//
// Source: PKWARE, APPNOTE.TXT, 4.3.6 to 4.5.3.
type archive struct {
	src     *mmap.File
	members []member // by rising name
	first   string   // the first member in the directory
	dir     int64    // the place of the directory; all members end before it
}

const (
	localSize    = 30
	centralSize  = 46
	endSize      = 22
	end64Size    = 56
	locatorSize  = 20
	flagCrypt    = 1 << 0
	flagLater    = 1 << 3 // the local header has zeros, the sizes follow the data
	methodStored = 0
	unknown32    = math.MaxUint32 // the number is in a zip64 field
)

var le = binary.LittleEndian

// readZip reads the central directory.
func readZip(src *mmap.File) (*archive, error) {
	z := &archive{src: src}
	count, size, err := z.readEnd()
	if err != nil {
		return nil, err
	}
	// Checked before memory is taken: the directory must have room for the members.
	if count > uint64(size)/centralSize {
		return nil, fmt.Errorf("zip: the directory of %d bytes is too small for its %d members", size, count)
	}
	z.members = make([]member, 0, count)
	err = src.View(z.dir, size, func(b []byte) error { return z.readDirectory(b, int(count)) })
	if err != nil {
		return nil, err
	}
	return z, z.check()
}

// readEnd reads the record at the end of the file, which has the place of the directory. A
// comment after the record is not allowed.
func (z *archive) readEnd() (count uint64, size int64, err error) {
	end := z.src.Size() - endSize
	if end < 0 {
		return 0, 0, errors.New("zip: the file is too short")
	}
	var b [end64Size]byte
	if _, err := z.src.ReadAt(b[:endSize], end); err != nil {
		return 0, 0, err
	}
	if string(b[:4]) != "PK\x05\x06" {
		return 0, 0, errors.New("zip: the file does not end with a directory; is it cut off?")
	}
	disk, dirDisk, here := le.Uint16(b[4:]), le.Uint16(b[6:]), uint64(le.Uint16(b[8:]))
	count = uint64(le.Uint16(b[10:]))
	dirSize, dir := uint64(le.Uint32(b[12:])), uint64(le.Uint32(b[16:]))
	comment := le.Uint16(b[20:])

	// torch always writes the zip64 record too, which has the same numbers in 64 bits.
	if at := end - locatorSize; at >= 0 {
		if _, err := z.src.ReadAt(b[:locatorSize], at); err != nil {
			return 0, 0, err
		}
		if string(b[:4]) == "PK\x06\x07" {
			pos := le.Uint64(b[8:])
			if at < end64Size || pos != uint64(at-end64Size) {
				return 0, 0, fmt.Errorf("zip: the zip64 record should be at byte %d, its locator says %d", at-end64Size, pos)
			}
			end = at - end64Size
			if _, err := z.src.ReadAt(b[:], end); err != nil {
				return 0, 0, err
			}
			if string(b[:4]) != "PK\x06\x06" {
				return 0, 0, errors.New("zip: the zip64 record is broken")
			}
			here64, count64 := le.Uint64(b[24:]), le.Uint64(b[32:])
			size64, dir64 := le.Uint64(b[40:]), le.Uint64(b[48:])
			if count != math.MaxUint16 && count != count64 || dirSize != unknown32 && dirSize != size64 || dir != unknown32 && dir != dir64 {
				return 0, 0, errors.New("zip: the zip64 record and the plain one disagree")
			}
			here, count, dirSize, dir = here64, count64, size64, dir64
		}
	}
	switch {
	case disk != 0 || dirDisk != 0 || here != count:
		return 0, 0, errors.New("zip: the archive is split into several files")
	case comment != 0:
		return 0, 0, errors.New("zip: the archive has a comment, which torch never writes")
	case dirSize > uint64(end) || dir != uint64(end)-dirSize:
		return 0, 0, fmt.Errorf("zip: the directory of %d bytes at byte %d should end at byte %d", dirSize, dir, end)
	}
	z.dir = int64(dir)
	return count, int64(dirSize), nil
}

// readDirectory reads the entries of the directory. They must fill it.
func (z *archive) readDirectory(b []byte, count int) error {
	text := string(b) // names become parts of it
	pos := 0
	for i := range count {
		h := b[pos:]
		if len(h) < centralSize || string(h[:4]) != "PK\x01\x02" {
			return fmt.Errorf("zip: entry %d of the directory is broken", i)
		}
		nameLen, extraLen, commentLen := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
		next := pos + centralSize + nameLen + extraLen + commentLen
		if next > len(b) {
			return fmt.Errorf("zip: entry %d of the directory is cut off", i)
		}
		name := text[pos+centralSize : pos+centralSize+nameLen]
		m := member{
			name:   name,
			flags:  le.Uint16(h[8:]),
			method: le.Uint16(h[10:]),
			crc:    le.Uint32(h[16:]),
			size:   int64(le.Uint32(h[20:])), // compressed: the size in the file
			header: int64(le.Uint32(h[42:])),
		}
		full := int64(le.Uint32(h[24:]))
		extra := h[centralSize+nameLen : centralSize+nameLen+extraLen]
		if err := zip64(extra, &full, &m.size, &m.header); err != nil {
			return fmt.Errorf("zip: member %s: %w", quote(name), err)
		}
		if m.method == methodStored && full != m.size {
			return fmt.Errorf("zip: member %s is stored, but has the two sizes %d and %d", quote(name), m.size, full)
		}
		if i == 0 {
			z.first = name
		}
		z.members = append(z.members, m)
		pos = next
	}
	if pos != len(b) {
		return fmt.Errorf("zip: the directory has %d bytes after its last entry", len(b)-pos)
	}
	return nil
}

// zip64 replaces each number that does not fit into 32 bits by the next number in the extra
// field. The numbers are in the same order there.
func zip64(extra []byte, numbers ...*int64) error {
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if n > len(extra)-4 {
			return errors.New("its extra field is cut off")
		}
		field := extra[4 : 4+n]
		extra = extra[4+n:]
		if id != 1 {
			continue
		}
		for _, p := range numbers {
			if *p != unknown32 {
				continue
			}
			if len(field) < 8 {
				return errors.New("its zip64 field is cut off")
			}
			v := le.Uint64(field)
			if v > math.MaxInt64 {
				return fmt.Errorf("its zip64 field has the impossible number %d", v)
			}
			*p, field = int64(v), field[8:]
		}
		return nil
	}
	return nil
}

// check sorts the members. It returns an error if two have the same name or overlap.
func (z *archive) check() error {
	slices.SortFunc(z.members, func(a, b member) int { return cmp.Compare(a.header, b.header) })
	for i := range z.members {
		m := &z.members[i]
		m.end = z.dir
		if i+1 < len(z.members) {
			m.end = z.members[i+1].header
		}
		// This is less than the size of the local header; data reads it later.
		begin := localSize + int64(len(m.name))
		switch {
		case m.header > z.dir || m.size > z.dir-m.header:
			return fmt.Errorf("zip: member %s, %d bytes at byte %d, is not inside the file", quote(m.name), m.size, m.header)
		case m.size+begin > m.end-m.header:
			return fmt.Errorf("zip: member %s, %d bytes at byte %d, overlaps what begins at byte %d", quote(m.name), m.size, m.header, m.end)
		}
	}
	slices.SortFunc(z.members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(z.members); i++ {
		if z.members[i].name == z.members[i-1].name {
			return fmt.Errorf("zip: two members have the name %s", quote(z.members[i].name))
		}
	}
	return nil
}

// find returns the member with the given name, or nil.
func (z *archive) find(name string) *member {
	i, ok := slices.BinarySearchFunc(z.members, name, func(m member, name string) int { return strings.Compare(m.name, name) })
	if !ok {
		return nil
	}
	return &z.members[i]
}

// data returns the place of a member's bytes. Before that, it checks that the bytes are not
// compressed and that the local header agrees with the directory.
func (z *archive) data(m *member) (int64, error) {
	fail := func(format string, args ...any) (int64, error) {
		return 0, fmt.Errorf("zip: member %s "+format, append([]any{quote(m.name)}, args...)...)
	}
	if m.flags&flagCrypt != 0 {
		return fail("is encrypted")
	}
	if m.method != methodStored {
		return fail("is compressed (method %d); torch stores what it writes, so the archive was packed again: unpack it and pack it with method 0, zip -0", m.method)
	}
	b := make([]byte, localSize+len(m.name))
	if _, err := z.src.ReadAt(b, m.header); err != nil {
		return 0, err
	}
	switch {
	case string(b[:4]) != "PK\x03\x04":
		return fail("has no header at byte %d", m.header)
	case le.Uint16(b[6:]) != m.flags || le.Uint16(b[8:]) != m.method:
		return fail("has flags %#x and method %d in the directory, but %#x and %d in its own header", m.flags, m.method, le.Uint16(b[6:]), le.Uint16(b[8:]))
	case int(le.Uint16(b[26:])) != len(m.name) || !bytes.Equal(b[localSize:], []byte(m.name)):
		return fail("has another name in its own header")
	}
	// With flagLater the sizes follow the data, and the local header has zeros.
	for _, at := range []int{18, 22} {
		n := int64(le.Uint32(b[at:]))
		if n != m.size && n != unknown32 && (n != 0 || m.flags&flagLater == 0) {
			return fail("has %d bytes in the directory, but %d in its own header", m.size, n)
		}
	}
	start := m.header + int64(len(b)) + int64(le.Uint16(b[28:]))
	if m.size > m.end-start {
		return fail("has %d bytes at byte %d and overlaps what begins at byte %d", m.size, start, m.end)
	}
	return start, nil
}

// verified is data, and also checks the member's bytes against the checksum in the
// directory. It reads all bytes, but only in the first call.
func (z *archive) verified(m *member) (int64, error) {
	start, err := z.data(m)
	// torch.serialization.set_crc32_options(False) leaves the sum out.
	if err != nil || m.crc == 0 || atomic.LoadUint32(&m.checked) == 1 {
		return start, err
	}
	sum := uint32(0)
	if err := z.src.Chunks(start, m.size, func(b []byte) { sum = crc32.Update(sum, crc32.IEEETable, b) }); err != nil {
		return 0, err
	}
	if sum != m.crc {
		return 0, fmt.Errorf("zip: member %s has the checksum %08x, the directory says %08x: the file is damaged, get it again", quote(m.name), sum, m.crc)
	}
	atomic.StoreUint32(&m.checked, 1)
	return start, nil
}
