package gocache

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestMain lets the test binary be the program that it tests.
func TestMain(m *testing.M) {
	if store := os.Getenv("GOCACHE_TEST_STORE"); store != "" {
		grace, err := time.ParseDuration(os.Getenv("GOCACHE_TEST_GRACE"))
		if err == nil {
			err = Serve(os.Stdin, os.Stdout, Options{
				Store: store, Wait: 20 * time.Second, Temp: os.TempDir(), Now: time.Now, grace: grace,
			})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// program is a program that runs in a process of its own.
type program struct {
	*client
	cmd *exec.Cmd
}

func startProgram(t *testing.T, store string, grace time.Duration) *program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "GOCACHE_TEST_STORE="+store, "GOCACHE_TEST_GRACE="+grace.String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &program{client: newClient(in, out), cmd: cmd}
}

// step is an action of the go command: a look into the cache, or a compile.
type step struct {
	pkg      int
	compile  bool
	needs    []int
	triggers []int
}

// steps makes the actions of a build in the order in which the go command
// prefers them: depth first. Each package is looked for when what it imports
// is there, and then compiled if need be.
func steps(imports [][]int) []step {
	var all []step
	last := make([]int, len(imports))
	for pkg, deps := range imports {
		look := step{pkg: pkg}
		for _, d := range deps {
			look.needs = append(look.needs, last[d])
		}
		all = append(all, look, step{pkg: pkg, compile: true, needs: []int{len(all)}})
		last[pkg] = len(all) - 1
	}
	for i, s := range all {
		for _, n := range s.needs {
			all[n].triggers = append(all[n].triggers, i)
		}
	}
	return all
}

// builder is a go command, as far as the cache sees one.
type builder struct {
	program  *program
	store    string
	imports  [][]int
	workers  int
	compiled *atomic.Int64
	// work is how long the slowest package compiles.
	work time.Duration
}

func packageName(store string, pkg int) string {
	return fmt.Sprintf("%s %d", store, pkg)
}

// build runs all actions, always the first that is ready, by some workers. A
// worker that looks into the cache is busy until it has the answer.
func (b *builder) build() error {
	all := steps(b.imports)
	var mu sync.Mutex
	ready := sync.NewCond(&mu)
	pending := make([]int, len(all))
	var queue []int
	for i, s := range all {
		if pending[i] = len(s.needs); pending[i] == 0 {
			queue = append(queue, i)
		}
	}
	left := len(all)
	missing := make([]bool, len(b.imports))
	var failed error
	var wg sync.WaitGroup
	for range b.workers {
		wg.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			for {
				for len(queue) == 0 && left > 0 && failed == nil {
					ready.Wait()
				}
				if left == 0 || failed != nil {
					return
				}
				slices.Sort(queue)
				i := queue[0]
				queue = queue[1:]
				s := all[i]
				skip := s.compile && !missing[s.pkg]
				mu.Unlock()
				var missed bool
				var err error
				switch {
				case skip:
				case s.compile:
					err = b.compile(s.pkg)
				default:
					missed, err = b.look(s.pkg)
				}
				mu.Lock()
				if err != nil && failed == nil {
					failed = err
				}
				if !s.compile {
					missing[s.pkg] = missed
				}
				for _, n := range s.triggers {
					if pending[n]--; pending[n] == 0 {
						queue = append(queue, n)
					}
				}
				left--
				ready.Broadcast()
			}
		})
	}
	wg.Wait()
	if failed != nil {
		// The go command ends, and with it the input of the program.
		b.program.w.Close()
		return failed
	}
	// Linking is looked for and never put.
	link := name(b.store + " link")
	if _, ok, err := b.program.get(link); err != nil || ok {
		return fmt.Errorf("link: %t, %w", ok, err)
	}
	return b.program.close()
}

func (b *builder) look(pkg int) (missing bool, err error) {
	p := packageName(b.store, pkg)
	body, ok, err := b.program.get(name(p))
	if err != nil || !ok {
		return true, err
	}
	if string(body) != compiled(p) {
		return false, fmt.Errorf("%s: wrong object %.60q", p, body)
	}
	_, _, err = b.program.get(subkey(name(p), "stdout"))
	return false, err
}

func (b *builder) compile(pkg int) error {
	p := packageName(b.store, pkg)
	b.compiled.Add(1)
	if err := b.program.put(subkey(name(p), "srcfiles"), []byte(p)); err != nil {
		return err
	}
	time.Sleep(rand.N(b.work))
	if err := b.program.put(subkey(name(p), "stdout"), nil); err != nil {
		return err
	}
	return b.program.put(name(p), []byte(compiled(p)))
}

// graph makes imports at random: few packages at the bottom that all import,
// and layers above them, as in real programs.
func graph(r *rand.Rand, n int) [][]int {
	imports := make([][]int, n)
	for i := 1; i < n; i++ {
		for range 1 + r.IntN(3) {
			if d := r.IntN(i); !slices.Contains(imports[i], d) {
				imports[i] = append(imports[i], d)
			}
		}
	}
	return imports
}

// builds runs several builds of one program on one empty store and returns how
// many packages they compile. What goes wrong is done to them while they run.
func builds(t *testing.T, r *rand.Rand, n int, grace time.Duration, wrong func(store string, programs []*program) (killed []bool), after func(store string)) (packages, compiles int) {
	t.Helper()
	store := filepath.Join(t.TempDir(), "store")
	imports := graph(r, 20+r.IntN(20))
	var compiled atomic.Int64
	var programs []*program
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		programs = append(programs, startProgram(t, store, grace))
		b := &builder{
			program: programs[i], store: store, imports: imports, compiled: &compiled,
			workers: 1 + r.IntN(3), work: 4 * time.Millisecond,
		}
		wg.Go(func() { errs[i] = b.build() })
	}
	killed := wrong(store, programs)
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		stacks := make([]byte, 1<<20)
		t.Fatalf("the builds hang\n%s", stacks[:runtime.Stack(stacks, true)])
	}
	for i, err := range errs {
		if killed[i] {
			programs[i].cmd.Process.Kill()
		}
		waitErr := programs[i].cmd.Wait()
		if killed[i] {
			continue
		}
		if err := errors.Join(err, waitErr); err != nil {
			t.Errorf("build %d: %v", i, err)
		}
	}
	after(store)
	return len(imports), int(compiled.Load())
}

// whole checks that whatever bears the name of an object or an entry is one,
// but for what was damaged on purpose.
func whole(t *testing.T, dir string) {
	t.Helper()
	st := &store{dir: dir, pins: &pins{}, now: time.Now}
	files, err := filepath.Glob(filepath.Join(dir, "??", "*-a"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		var action id
		if _, err := hex.Decode(action[:], []byte(strings.TrimSuffix(filepath.Base(f), "-a"))); err != nil {
			t.Error(err)
		}
		// That an output has gone is what emptying the store does.
		if _, err := st.get(action); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestBuildsAtOnce(t *testing.T) {
	sharing(t)
	packages, compiles := 0, 0
	for seed := range rounds(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		p, c := builds(t, r, 2+r.IntN(7), firstGrace, func(_ string, programs []*program) []bool {
			return make([]bool, len(programs))
		}, func(store string) { whole(t, store) })
		packages, compiles = packages+p, compiles+c
	}
	t.Logf("%d packages, %d compiles", packages, compiles)
	if compiles*100 > packages*105 {
		t.Errorf("%d packages were compiled %d times", packages, compiles)
	}
}

// However many processes die and whatever becomes of the store, the others
// come to their end, and with the right objects.
func TestBuildsGoWrong(t *testing.T) {
	sharing(t)
	for seed := range rounds(220) {
		r := rand.New(rand.NewPCG(seed, 2))
		damaged := false
		builds(t, r, 2+r.IntN(4), 200*time.Millisecond, func(store string, programs []*program) []bool {
			killed := make([]bool, len(programs))
			for range 1 + r.IntN(4) {
				time.Sleep(time.Duration(r.Int64N(int64(30 * time.Millisecond))))
				switch i := r.IntN(len(programs)); r.IntN(4) {
				case 0, 1:
					killed[i] = true
					programs[i].cmd.Process.Kill()
				case 2:
					os.RemoveAll(store)
				case 3:
					damaged = true
					vandalize(store, r)
				}
			}
			return killed
		}, func(store string) {
			if !damaged {
				whole(t, store)
			}
		})
	}
}

// vandalize replaces and removes some files. It leaves alone what somebody
// else has open: between the check of an object and its use by the go command,
// nothing but a copy would help against that.
func vandalize(store string, r *rand.Rand) {
	files, err := filepath.Glob(filepath.Join(store, "??", "*"))
	if err != nil {
		return
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil || len(data) == 0 {
			continue
		}
		switch r.IntN(8) {
		case 0:
			os.Remove(f)
			continue
		case 1:
			data = data[:r.IntN(len(data))]
		case 2:
			data[r.IntN(len(data))] ^= 1
		default:
			continue
		}
		os.WriteFile(store+"/new", data, 0o644)
		os.Rename(store+"/new", f)
	}
}

// rounds is how often a random test runs.
func rounds(n int) uint64 {
	if testing.Short() {
		return uint64(n / 10)
	}
	return uint64(n)
}
