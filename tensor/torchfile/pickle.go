package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// machine runs a pickle. A pickle is a program for a machine with a stack, marks on the
// stack and a memo of numbered values. Python's machine can import and call any function.
// This one knows only the few functions that make tensors; what any other would return is an
// opaque object.
//
// Source: Python's Lib/pickletools.py, which documents every opcode.
type machine struct {
	in     []byte
	pos    int
	stack  []value
	marks  []int // lengths of the stack
	memo   map[uint64]value
	peak   int   // the largest length of the stack so far
	budget int64 // bytes of memory that may still be taken

	storages map[string]*storage
	folder   string // where they are in a zip archive
}

// errCut says that the pickle continues after the given bytes.
var errCut = errors.New("the pickle is cut off")

// The memory that values cost, in bytes. A slice that grows by append costs up to 6.25
// times its final length, including its earlier arrays.
const (
	costSlot   = 112 // on the stack
	costMark   = 64
	costMemo   = 96
	costBox    = 16 // a number
	costString = 32
	costTuple  = 32
	costItem   = 16  // of a tuple
	costAppend = 112 // of a list
	costPair   = 208
	costObject = 64 // an empty list or dictionary, a storage, a tensor
	costOpaque = 128
	costVisit  = 64 // the time of walking through a container
)

// charge takes n bytes from the budget.
func (m *machine) charge(n int) error {
	if m.budget -= int64(n); m.budget < 0 {
		return errors.New("its objects take more memory than the file's size allows")
	}
	return nil
}

// run interprets the pickle that starts at in[pos] and returns its value. Afterwards m.pos
// is the position after the pickle.
func (m *machine) run(in []byte, pos int) (value, error) {
	m.in, m.pos = in, pos
	m.stack, m.marks, m.memo, m.peak = m.stack[:0], m.marks[:0], map[uint64]value{}, 0
	for {
		at := m.pos
		b, err := m.take(1)
		if err != nil {
			return nil, err
		}
		op := b[0]
		if op == '.' { // STOP
			return m.pop()
		}
		if err := m.step(op); err != nil {
			if errors.Is(err, errCut) {
				return nil, err
			}
			return nil, fmt.Errorf("pickle, byte %d, opcode %s: %w", at-pos, opcode(op), err)
		}
	}
}

// step executes one opcode.
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		return m.proto()
	case 0x95: // FRAME: a hint for reading ahead
		_, err := m.take(8)
		return err

	// Constants.
	case 'N': // NONE
		return m.push(nil, 0)
	case 0x88: // NEWTRUE
		return m.push(true, 0)
	case 0x89: // NEWFALSE
		return m.push(false, 0)
	case 'K': // BININT1
		return m.pushInt(1)
	case 'M': // BININT2
		return m.pushInt(2)
	case 'J': // BININT
		return m.pushInt(4)
	case 0x8a: // LONG1
		return m.pushLong(1)
	case 0x8b: // LONG4
		return m.pushLong(4)
	case 'I', 'L': // INT, LONG: protocol 1 writes booleans and large numbers so
		return m.pushDigits()
	case 'G': // BINFLOAT, big-endian
		b, err := m.take(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(binary.BigEndian.Uint64(b)), costBox)
	case 'U', 0x8c: // SHORT_BINSTRING, SHORT_BINUNICODE
		return m.pushText(1, false)
	case 'T', 'X': // BINSTRING, BINUNICODE
		return m.pushText(4, false)
	case 0x8d: // BINUNICODE8
		return m.pushText(8, false)
	case 'C': // SHORT_BINBYTES
		return m.pushText(1, true)
	case 'B': // BINBYTES
		return m.pushText(4, true)
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		return m.pushText(8, true)

	// The stack and the memo.
	case '(': // MARK
		m.marks = append(m.marks, len(m.stack))
		return m.charge(costMark)
	case '0': // POP
		_, err := m.pop()
		return err
	case '1': // POP_MARK
		_, err := m.popMark()
		return err
	case 'q', 'r', 0x94: // BINPUT, LONG_BINPUT, MEMOIZE
		return m.put(op)
	case 'h', 'j': // BINGET, LONG_BINGET
		return m.get(op)

	// Containers.
	case ')': // EMPTY_TUPLE
		return m.push(tuple(nil), 0)
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		return m.pushTuple(int(op - 0x84))
	case 't': // TUPLE
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.push(append(tuple(nil), items...), costTuple+costItem*len(items))
	case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
		return m.push(&list{}, costObject)
	case 'a', 'e', 0x90: // APPEND, APPENDS, ADDITEMS
		return m.appendItems(op)
	case 0x91: // FROZENSET
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.push(&list{items: append([]value(nil), items...)}, costObject+costItem*len(items))
	case '}': // EMPTY_DICT
		return m.push(&dict{}, costObject)
	case 's', 'u': // SETITEM, SETITEMS
		return m.setItems(op)

	// Names and calls.
	case 'c', 0x93: // GLOBAL, STACK_GLOBAL
		return m.pushGlobal(op)
	case 'Q': // BINPERSID
		return m.persistent()
	case 'R', 0x81, 0x92: // REDUCE, NEWOBJ, NEWOBJ_EX
		return m.reduce(op)
	case 'i', 'o': // INST, OBJ: of Python 2
		return m.instance(op)
	case 'b': // BUILD
		return m.build()

	// Opcodes that only protocol 0 uses: PERSID, PUT, GET, DICT, LIST, UNICODE, STRING, FLOAT.
	case 'P', 'p', 'g', 'd', 'l', 'V', 'S', 'F':
		return errors.New("the file was saved with pickle_protocol=0, from which PyTorch cannot load tensors either; save it again without this argument")
	case 0x82, 0x83, 0x84: // EXT1, EXT2, EXT4
		return errors.New("it names an object by a number of the program that saved the file, so nobody else can tell what is meant")
	case 0x97, 0x98: // NEXT_BUFFER, READONLY_BUFFER
		return errors.New("it has data outside of the file")
	}
	return errors.New("weight files have no need of it and it is not allowed")
}

// opcode formats an opcode as in the source above.
func opcode(op byte) string {
	if op < 0x80 && strconv.IsPrint(rune(op)) {
		return strconv.QuoteRune(rune(op))
	}
	return fmt.Sprintf("0x%02x", op)
}

// take returns the next n bytes of the pickle.
func (m *machine) take(n int) ([]byte, error) {
	if n > len(m.in)-m.pos {
		return nil, errCut
	}
	b := m.in[m.pos : m.pos+n]
	m.pos += n
	return b, nil
}

// number reads an unsigned little-endian number of up to 8 bytes.
func (m *machine) number(width int) (uint64, error) {
	b, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var n uint64
	for i, c := range b {
		n |= uint64(c) << (8 * i)
	}
	return n, nil
}

// counted reads a number of the given width, and then as many bytes.
func (m *machine) counted(width int) ([]byte, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	if n > uint64(len(m.in)-m.pos) {
		return nil, errCut
	}
	return m.take(int(n))
}

// base is the smallest length that the stack may have now: that at the last mark.
func (m *machine) base() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

// push puts a value on the stack and charges its cost.
func (m *machine) push(v value, cost int) error {
	if len(m.stack) >= m.peak {
		m.peak++
		cost += costSlot
	}
	if err := m.charge(cost); err != nil {
		return err
	}
	m.stack = append(m.stack, v)
	return nil
}

func (m *machine) pop() (value, error) {
	n := len(m.stack)
	if n <= m.base() {
		return nil, errors.New("the stack is empty")
	}
	v := m.stack[n-1]
	m.stack = m.stack[:n-1]
	return v, nil
}

// popMark removes everything above the last mark, and the mark. The result is
// valid until the next push.
func (m *machine) popMark() ([]value, error) {
	if len(m.marks) == 0 {
		return nil, errors.New("there is no mark on the stack")
	}
	at := m.base()
	items := m.stack[at:]
	m.stack, m.marks = m.stack[:at], m.marks[:len(m.marks)-1]
	return items, nil
}

func (m *machine) proto() error {
	v, err := m.number(1)
	if err == nil && v > 5 {
		err = fmt.Errorf("pickle protocol %d is not known, expected 0 to 5", v)
	}
	return err
}

func (m *machine) pushInt(width int) error {
	n, err := m.number(width)
	if err != nil {
		return err
	}
	if width == 4 { // the only signed width
		return m.push(int64(int32(n)), costBox)
	}
	return m.push(int64(n), costBox)
}

// pushLong reads a two's complement number with as many bytes as the number before it says.
func (m *machine) pushLong(width int) error {
	b, err := m.counted(width)
	if err != nil {
		return err
	}
	n := len(b)
	if n > 8 {
		return m.push(bigInt(b), costString+n)
	}
	var u uint64
	for i, c := range b {
		u |= uint64(c) << (8 * i)
	}
	shift := 64 - 8*n // moves the last byte's sign bit to the top
	return m.push(int64(u<<shift)>>shift, costBox)
}

// pushDigits reads a number as a line of decimal digits. "00" and "01" are booleans; "L" at
// the end is Python 2's.
func (m *machine) pushDigits() error {
	line, err := m.line()
	switch {
	case err != nil:
		return err
	case line == "00" || line == "01":
		return m.push(line == "01", 0)
	case line == legacyNumber:
		return m.push(magic, costString+len(magic))
	}
	line = strings.TrimSuffix(line, "L")
	n, err := strconv.ParseInt(line, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return m.push(bigInt(line), costString+len(line)) // nothing needs its value
	}
	if err != nil {
		return fmt.Errorf("expected a whole number, found %s", quote(line))
	}
	return m.push(n, costBox)
}

// pushText reads a text or bytes. A text that is not UTF-8 becomes bytes: Python 2 kept the
// contents of arrays in texts.
func (m *machine) pushText(width int, bytes bool) error {
	b, err := m.counted(width)
	if err != nil {
		return err
	}
	if bytes || !utf8.Valid(b) {
		return m.push(raw(b), costString+len(b))
	}
	return m.push(string(b), costString+len(b))
}

func (m *machine) put(op byte) error {
	n, err := uint64(len(m.memo)), error(nil)
	switch op {
	case 'q':
		n, err = m.number(1)
	case 'r':
		n, err = m.number(4)
	}
	if err != nil {
		return err
	}
	if len(m.stack) <= m.base() {
		return errors.New("the stack is empty")
	}
	if _, ok := m.memo[n]; !ok {
		if err := m.charge(costMemo); err != nil {
			return err
		}
	}
	m.memo[n] = m.stack[len(m.stack)-1]
	return nil
}

func (m *machine) get(op byte) error {
	width := 1
	if op == 'j' {
		width = 4
	}
	n, err := m.number(width)
	if err != nil {
		return err
	}
	v, ok := m.memo[n]
	if !ok {
		return fmt.Errorf("nothing was stored as number %d", n)
	}
	return m.push(v, 0)
}

func (m *machine) pushTuple(n int) error {
	if len(m.stack)-m.base() < n {
		return errors.New("the stack is empty")
	}
	at := len(m.stack) - n
	t := append(tuple(nil), m.stack[at:]...)
	m.stack = m.stack[:at]
	return m.push(t, costTuple+costItem*n)
}

// operands pops one value, or all values above the mark if the opcode is a plural one. Then
// it reads the container below, without popping it.
func (m *machine) operands(n int, plural bool) (items []value, below value, err error) {
	if plural {
		items, err = m.popMark()
	} else if at := len(m.stack) - n; at < m.base() {
		err = errors.New("the stack is empty")
	} else {
		items, m.stack = m.stack[at:], m.stack[:at]
	}
	if err == nil && len(m.stack) <= m.base() {
		err = errors.New("the stack is empty")
	}
	if err != nil {
		return nil, nil, err
	}
	return items, m.stack[len(m.stack)-1], nil
}

func (m *machine) appendItems(op byte) error {
	items, below, err := m.operands(1, op != 'a')
	if err != nil {
		return err
	}
	switch v := below.(type) {
	case *list:
		if err := m.charge(costAppend * len(items)); err != nil {
			return err
		}
		v.items = append(v.items, items...)
	case *object: // of a kind of list
		if err := m.charge((costPair + costBox) * len(items)); err != nil {
			return err
		}
		for _, item := range items {
			v.items = append(v.items, pair{int64(len(v.items)), item})
		}
	default:
		return fmt.Errorf("expected a list, found %s", describe(below))
	}
	return nil
}

func (m *machine) setItems(op byte) error {
	items, below, err := m.operands(2, op == 'u')
	if err != nil {
		return err
	}
	var pairs *[]pair
	switch v := below.(type) {
	case *dict:
		pairs = &v.items
	case *object: // of a kind of dictionary
		pairs = &v.items
	default:
		return fmt.Errorf("expected a dictionary, found %s", describe(below))
	}
	if len(items)%2 != 0 {
		return errors.New("a key has no value")
	}
	if err := m.charge(costPair * len(items) / 2); err != nil {
		return err
	}
	for i := 0; i < len(items); i += 2 {
		*pairs = append(*pairs, pair{items[i], items[i+1]})
	}
	return nil
}
