package torchfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
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

func (m *machine) proto() error {
	v, err := m.number(1)
	if err == nil && v > 5 {
		err = fmt.Errorf("pickle protocol %d is not known, expected 0 to 5", v)
	}
	return err
}
