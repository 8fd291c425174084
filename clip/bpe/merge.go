package bpe

import "container/heap"

// shortWord is the length up to which looking at all pairs again after each merge is faster
// than keeping them in a heap (BenchmarkMerge).
const shortWord = 32

// merge joins the tokens of one word as far as the list of merges goes, in place.
func (t *Tokenizer) merge(word []uint16) []uint16 {
	if len(word) <= shortWord {
		return t.mergeSimple(word)
	}
	return t.mergeLong(word)
}

// mergeSimple is the definition: find the pair whose merge comes first in the list, join it
// wherever it occurs, from left to right, and start again. Its time grows with the square
// of the word's length.
func (t *Tokenizer) mergeSimple(word []uint16) []uint16 {
	for {
		var best uint16 // ids of merges are in the list's order, and never 0
		var bestPair uint32
		for i := 1; i < len(word); i++ {
			p := pair(word[i-1], word[i])
			if id, ok := t.joined[p]; ok && (best == 0 || id < best) {
				best, bestPair = id, p
			}
		}
		if best == 0 {
			return word
		}
		out := word[:0]
		for i := 0; i < len(word); i++ {
			if i+1 < len(word) && pair(word[i], word[i+1]) == bestPair {
				out = append(out, best)
				i++
			} else {
				out = append(out, word[i])
			}
		}
		word = out
	}
}

// mergeLong does the same in time n·log n: a linked list of tokens, and a heap of the
// joins that are possible. A join may have become impossible by the time it is taken,
// because a neighbour was joined otherwise; that shows in the tokens.
//
// The order is exactly mergeSimple's. The heap gives the joins of one pair from left to
// right, and the pairs that these joins make wait until the last of them is done: one of
// them may come earlier in the list than the pair at work.
func (t *Tokenizer) mergeLong(word []uint16) []uint16 {
	const none = -1
	prev := make([]int, len(word))
	next := make([]int, len(word))
	for i := range word {
		prev[i], next[i] = i-1, i+1
	}
	next[len(word)-1] = none
	gone := make([]bool, len(word)) // joined to the token on its left

	// possible returns the join of the token at i with the next one.
	possible := func(i int) (join, bool) {
		if i == none || gone[i] || next[i] == none {
			return join{}, false
		}
		id, ok := t.joined[pair(word[i], word[next[i]])]
		return join{id, i}, ok
	}
	var todo joins
	for i := range word {
		if j, ok := possible(i); ok {
			todo = append(todo, j)
		}
	}
	heap.Init(&todo)

	var changed []int // where the joins of this round left new neighbours
	for len(todo) > 0 {
		round := todo[0].id
		changed = changed[:0]
		for len(todo) > 0 && todo[0].id == round {
			j := heap.Pop(&todo).(join)
			if now, ok := possible(j.at); !ok || now != j {
				continue
			}
			right := next[j.at]
			gone[right] = true
			word[j.at] = j.id
			next[j.at] = next[right]
			if next[right] != none {
				prev[next[right]] = j.at
			}
			changed = append(changed, j.at)
		}
		for _, at := range changed {
			for _, i := range [...]int{prev[at], at} {
				if j, ok := possible(i); ok {
					heap.Push(&todo, j)
				}
			}
		}
	}
	out := word[:0] // never ahead of what is still read
	for i := 0; i != none; i = next[i] {
		out = append(out, word[i])
	}
	return out
}

// A join makes token id of the token at a place and the next one.
type join struct {
	id uint16
	at int
}

// joins is a heap: the earliest merge in the list first, then the leftmost.
type joins []join

func (h joins) Len() int { return len(h) }
func (h joins) Less(i, j int) bool {
	if h[i].id != h[j].id {
		return h[i].id < h[j].id
	}
	return h[i].at < h[j].at
}
func (h joins) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *joins) Push(x any)   { *h = append(*h, x.(join)) }
func (h *joins) Pop() any {
	last := len(*h) - 1
	j := (*h)[last]
	*h = (*h)[:last]
	return j
}
