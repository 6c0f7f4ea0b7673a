package llb

import (
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// maxLists is how many bytes the names of files may have in all lists of source.
// A graph travels in one message of at most 16 MB (frontend/gateway,
// DefaultMaxRecvMsgSize), and has more than names.
const maxLists = 6 << 20

// together returns what lists of files hold in all when it would be too much to
// name them one by one, nil when it is not.
func together(lists [][]string, limit int) []string {
	size := 0
	seen, same := map[fileList]bool{}, map[string]bool{}
	var distinct [][]string
	for _, list := range lists {
		if len(list) == 0 || seen[listAt(list)] {
			continue
		}
		seen[listAt(list)] = true
		text := strings.Join(list, "\x00")
		if same[text] {
			continue
		}
		same[text], distinct = true, append(distinct, list)
		size += len(text)
	}
	if size <= limit {
		return nil
	}
	all := map[string]bool{}
	for _, list := range distinct {
		for _, f := range list {
			all[f] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// sources is what a compile reads: the files that it needs, or, in a plan that
// lists too many, those of all its compiles.
func (g *graph) sources(files []string, name string, pos spec.Pos) llb.State {
	if g.all != nil {
		return g.narrow(g.all, "[sources] copy source", spec.Pos{})
	}
	return g.narrow(files, name, pos)
}

// lists numbers lists of files, so that they can be told apart without looking at
// what they hold each time.
type lists struct {
	at   map[fileList]int
	same map[string]int // by what is in a list
}

// fileList tells lists of files apart by where they are: those of the plan are
// shared.
type fileList struct {
	first *string
	n     int
}

func listAt(files []string) fileList {
	if len(files) == 0 {
		return fileList{}
	}
	return fileList{&files[0], len(files)}
}

// number is the number of a list, the same for lists that hold the same.
func (l *lists) number(files []string) int {
	at := listAt(files)
	n, ok := l.at[at]
	if !ok {
		text := strings.Join(files, "\x00")
		if n, ok = l.same[text]; !ok {
			n = len(l.same)
			l.same[text] = n
		}
		l.at[at] = n
	}
	return n
}
