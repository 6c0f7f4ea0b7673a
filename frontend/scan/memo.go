package scan

import (
	"sync"
	"sync/atomic"
)

// memo holds what was asked for before. Several goroutines may use it: what two
// of them ask for at the same time is found out once.
type memo[T any] struct {
	mu    sync.Mutex
	cells map[string]*cell[T]
}

// cell is an answer.
type cell[T any] struct {
	once  sync.Once
	known atomic.Bool
	value T
	err   error
}

// get returns the answer for key, which find gives the first time.
func (m *memo[T]) get(key string, find func(string) (T, error)) (T, error) {
	m.mu.Lock()
	c := m.cells[key]
	if c == nil {
		if m.cells == nil {
			m.cells = map[string]*cell[T]{}
		}
		c = &cell[T]{}
		m.cells[key] = c
	}
	m.mu.Unlock()
	c.once.Do(func() {
		c.value, c.err = find(key)
		c.known.Store(c.err == nil)
	})
	return c.value, c.err
}

// known returns the answer for key when there is one already.
func (m *memo[T]) known(key string) (value T, ok bool) {
	m.mu.Lock()
	c := m.cells[key]
	m.mu.Unlock()
	if c == nil || !c.known.Load() {
		return value, false
	}
	return c.value, true
}
