package torchfile

import (
	"errors"
	"fmt"
)

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
