package closure

import (
	"math/bits"
	"slices"
)

// set is a set of small numbers.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func (s set) addAll(list chunks) {
	for _, c := range list {
		s[c.word] |= c.bits
	}
}

// all yields the members in order.
func (s set) all() func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(int32(i*64 + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// of returns the names of the members, in order.
func (s set) of(names []string) []string {
	n := 0
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for i := range s.all() {
		list = append(list, names[i])
	}
	return list
}

// chunks is a set of few numbers that are close to one another, as those of the
// files of a package are.
type chunks []chunk

type chunk struct {
	word int32
	bits uint64
}

// chunksOf returns the set of numbers, which may come in any order.
func chunksOf(list []int32) chunks {
	slices.Sort(list)
	var out chunks
	for _, n := range list {
		word, bit := n/64, uint64(1)<<(n%64)
		if last := len(out) - 1; last >= 0 && out[last].word == word {
			out[last].bits |= bit
		} else {
			out = append(out, chunk{word, bit})
		}
	}
	return slices.Clip(out)
}

// all yields the members in order.
func (list chunks) all() func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		for _, c := range list {
			for word := c.bits; word != 0; word &= word - 1 {
				if !yield(c.word*64 + int32(bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}
