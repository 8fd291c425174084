package bpe

import "container/heap"

// shortWord is the length, in tokens, up to which mergeSimple is faster than mergeLong
// (BenchmarkMerge).
const shortWord = 32

// merge joins the tokens of one word, in place, until no merge in the list applies.
func (t *Tokenizer) merge(word []uint16) []uint16 {
	if len(word) <= shortWord {
		return t.mergeSimple(word)
	}
	return t.mergeLong(word)
}

// mergeSimple is the definition. It finds the pair whose merge comes first in the list, joins
// it wherever it occurs, from left to right, and starts again. Its time grows with the square
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

// mergeLong does the same in time n·log n, with a linked list of tokens and a heap of the
// possible joins. A join in the heap may have become impossible because a neighbour was
// joined in another way. The tokens show this when the join is taken.
//
// The order is exactly mergeSimple's. The heap returns the joins of one pair from left to
// right. These joins make new pairs, and a new pair may come earlier in the list than the
// current one. New pairs therefore enter the heap after all joins of the current pair.
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
	out := word[:0] // never overwrites tokens that are still to be read
	for i := 0; i != none; i = next[i] {
		out = append(out, word[i])
	}
	return out
}

// join is a possible join: the token at index at and the next one become token id.
type join struct {
	id uint16
	at int
}

// joins is a heap, sorted by the place of the merge in the list, then from left to right.
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
