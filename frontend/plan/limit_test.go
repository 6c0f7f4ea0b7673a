package plan

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/scan"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// bomb is a small spec that stands for very much.
type bomb struct{ name, source, want string }

// lines are lines of text, each with its number.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, strings.ReplaceAll(format, "%d", "%[1]d"), i)
	}
	return b.String()
}

// bombs multiply in every way that a spec can. An empty want is a spec that is
// within the limits.
func bombs() []bomb {
	doubling := "args:\n  A: " + strings.Repeat("x", 64) + "\n"
	for c := 'B'; c <= 'Z'; c++ {
		doubling += fmt.Sprintf("  %c: ${%c}${%c}\n", c, c-1, c-1)
	}
	windows := "platforms:\n" + lines(100, "- windows(10.0.%d)/amd64\n")
	return []bomb{
		{"args that double", doubling, "f:14:6: a value of more than 131072 bytes is too long, with its variables (no program takes a longer one; a file holds it)"},
		{"an argument in every label", "args: {A: " + strings.Repeat("x", 100<<10) + "}\nimage:\n  labels:\n" + lines(1000, "    l%d: ${A}\n"),
			"f:166:11: the values of all binaries on all platforms have more than 16777216 bytes up to here (use shorter ones, or fewer binaries and platforms at a time)"},
		{"an argument in every word", "args: {A: " + strings.Repeat("x", 100<<10) + "}\nbuild:\n  ldflags: -X a=b " + strings.Repeat("${A} ", 1000), "f:3:12: the values of all binaries"},
		{"an argument many times in a word", "args: {A: " + strings.Repeat("x", 100<<10) + "}\nbuild:\n  ldflags: -X a=" + strings.Repeat("${A}", 10000), "f:3:12: a value of more than 131072 bytes"},
		{"empty values for all", "image:\n  labels:\n" + lines(10000, "    l%d: ''\n") + windows, "the values of all binaries"},
		{"names of variables for all", "image:\n  env:\n    " + strings.Repeat("x", 200<<10) + ": ''\n" + windows, "f:3:5: the values of all binaries"},
		{"all ports, many times", "image:\n  expose:\n" + strings.Repeat("  - 1-65535\n", 20000), "f:2:3: image.expose: 65535 ports are too many (expected at most 32768)"},
		{"all ports of all protocols", "image: {expose: [1-65535, 1-65535/udp, 1-65535/sctp]}\n", "f:1:9: image.expose: 196605 ports are too many"},
		{"many ports for all", "image: {expose: 1-32768}\n" + windows, "f:1:9: the values of all binaries"},
		{"the ports of telephone calls", "image: {expose: [16384-32767/udp, 20000-30000/udp, 5060, 5060/udp]}\n", ""},
		{"binaries and platforms", "binaries:\n" + lines(100, "  b%d: .\n") + windows, "f:1:1: more than 4096 binaries, counted for each platform and in each image (ask for fewer platforms at a time, or use several specs)"},
		{"binaries in images", "image:\n  with: [" + lines(70, "b%d, ") + "]\nbinaries:\n" + lines(70, "  b%d: .\n"), "f:2:3: more than 4096 binaries"},
		{"platforms", "platforms:\n" + lines(5000, "- windows(10.0.%d)/amd64\n"), "f:1:1: more than 4096 binaries"},
		{"a hundred binaries on forty platforms", "binaries:\n" + lines(100, "  b%d: .\n") + "platforms:\n" + lines(40, "- windows(10.0.%d)/amd64\n"), ""},
		{"unknown variables", "args:\n" + lines(5000, "  a%d: x\n") + "build:\n  tags: [" + lines(10000, "'${b%d}', ") + "]\nbinaries:\n" + lines(100, "  b%d: .\n"), "undefined variable ${b0}"},
		{"many unknown variables in one", "build: {tags: '" + strings.Repeat("${b}", 50000) + "'}\n", "f:1:16: undefined variable ${b}"},
		{"wrong tags for all", "build:\n  tags: [" + lines(20000, "'-%d', ") + "]\n" + windows, `"-0" is not a build tag`},
		{"a long name that is near none", "image: {stopsignal: " + strings.Repeat("x", 100<<10) + "}\n" + windows, "is not a signal"},
		{"private hosts", "modules:\n  ssh: default\n  private:\n" + lines(10000, "  - h%d.example.com\n"), ""},
		{"binaries that name no main package", "build:\n  tags: [" + lines(5000, "t%d, ") + "]\nbinaries:\n" + lines(4000, "  b%d: {}\n"), "f:"},
	}
}

// TestBombs checks that what a spec stands for is bounded, in memory and in time.
// The slowest one takes about a second.
func TestBombs(t *testing.T) {
	const limit, memory = 20 * time.Second, 512 << 20
	for _, b := range bombs() {
		t.Run(b.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			err := explode(t, b.source)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			got := ""
			if err != nil {
				got, _, _ = strings.Cut(err.Error(), "\n")
			}
			if !strings.Contains(got, b.want) || b.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, b.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; took > limit || used > memory {
				t.Errorf("%d bytes took %v and %d MB", len(b.source), took, used>>20)
			}
		})
	}
}

// explode resolves a spec for all that it names.
func explode(t *testing.T, source string) error {
	t.Helper()
	s, err := spec.Parse("f", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	ix, err := scan.Scan(fuzzTree(), scan.Options{Mains: Mains(s)})
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{BuildPlatform: ocispecs.Platform{OS: "linux", Architecture: "amd64"}, Every: true}
	_, err = Resolve(s, ix, opt)
	return err
}
