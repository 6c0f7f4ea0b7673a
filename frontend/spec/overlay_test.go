package spec

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, source string) *Spec {
	t.Helper()
	s, err := Parse("f", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEffectivePos checks where the values of a binary are: at its own key, else
// at that of the spec.
func TestEffectivePos(t *testing.T) {
	s := parse(t, `build:
  tags: [a, b]
  env: {A: "1", B: "2"}
  strip: false
  pgo: auto
image:
  user: root
  cmd: [x]
  labels: {a: "1"}
  healthcheck: {test: [t, u], retries: 3}
  files: {from: a, to: /a}
binaries:
  own:
    main: ./own
    build:
      tags: c
      env: {B: "3", C: "4"}
      strip: true
    image:
      user: nobody
      labels: {b: "2"}
      healthcheck: {interval: 5s, test: v}
      files: [{from: b, to: /b}, {from: c, to: /c}]
  bare: ./bare
`)
	own, image := s.Effective(&s.Binaries[0])
	bare, bareImage := s.Effective(&s.Binaries[1])
	for _, tt := range []struct {
		name string
		got  Pos
		want Pos
	}{
		{"own key of a list", s.At(&own.Tags), Pos{16, 7}},
		{"own value of a list", s.Pos(&own.Tags), Pos{16, 13}},
		{"own item", s.Pos(&own.Tags[0]), Pos{16, 13}},
		{"inherited item", s.Pos(&bare.Tags[1]), Pos{2, 13}},
		{"inherited key", s.At(&bare.Tags), Pos{2, 3}},
		{"own switch", s.At(&own.Strip), Pos{18, 7}},
		{"inherited switch", s.At(&bare.Strip), Pos{4, 3}},
		{"inherited beside own", s.Pos(&own.Pgo), Pos{5, 8}},
		{"neither", s.Pos(&own.Buildmode), Pos{}},
		{"merged mapping", s.At(&own.Env), Pos{17, 7}},
		{"entry of the spec", s.Pos(&own.Env[0].Name), Pos{3, 9}},
		{"entry replaced", s.Pos(&own.Env[1].Value), Pos{17, 16}},
		{"entry added", s.Pos(&own.Env[2].Name), Pos{17, 21}},
		{"inherited mapping", s.At(&bare.Env), Pos{3, 3}},
		{"own struct", s.At(image), Pos{19, 5}},
		{"inherited struct", s.At(bareImage), Pos{6, 1}},
		{"own scalar", s.Pos(&image.User), Pos{20, 13}},
		{"inherited scalar", s.Pos(&bareImage.User), Pos{7, 9}},
		{"inherited list beside own keys", s.Pos(&image.Cmd[0]), Pos{8, 9}},
		{"label of the spec", s.Pos(&image.Labels[0].Value), Pos{9, 15}},
		{"own label", s.Pos(&image.Labels[1].Value), Pos{21, 19}},
		{"merged struct", s.At(&image.Healthcheck), Pos{22, 7}},
		{"own key of a merged struct", s.Pos(&image.Healthcheck.Interval), Pos{22, 31}},
		{"inherited key of a merged struct", s.Pos(&image.Healthcheck.Retries), Pos{10, 40}},
		{"list of one in a merged struct", s.Pos(&image.Healthcheck.Test[0]), Pos{22, 41}},
		{"own file", s.Pos(&image.Files[1].To), Pos{23, 48}},
		{"inherited file", s.Pos(&bareImage.Files[0].From), Pos{11, 17}},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	if len(own.Tags) != 1 || len(image.Files) != 2 || len(image.Healthcheck.Test) != 1 {
		t.Errorf("lists must replace, got %v, %v and %v", own.Tags, image.Files, image.Healthcheck.Test)
	}
	build, top := s.Effective(nil)
	if build != &s.Build || top != &s.Image {
		t.Error("without a binary: want the build and image of the spec")
	}
}

// TestEffectiveMerge checks that no binary sees what another one wrote.
func TestEffectiveMerge(t *testing.T) {
	s := parse(t, `build: {env: {A: "1"}, tags: [x]}
binaries:
  a: {main: ./a, build: {env: {A: "2", B: "3"}, tags: []}}
  b: {main: ./b, build: {env: {C: "4"}}}
  c: ./c
`)
	var got []string
	for i := range s.Binaries {
		build, _ := s.Effective(&s.Binaries[i])
		line := strings.Join(build.Tags, ",")
		for _, p := range build.Env {
			line += " " + p.Name + "=" + p.Value
		}
		got = append(got, line)
	}
	want := []string{" A=2 B=3", "x A=1 C=4", "x A=1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if s.Build.Env[0].Value != "1" {
		t.Errorf("the spec's own build changed: %v", s.Build.Env)
	}
}

// manyMerged is a spec whose binaries have more entries with those of the spec
// than there may be.
func manyMerged() string {
	var b strings.Builder
	b.WriteString("image:\n  labels:\n")
	for i := range 400 {
		fmt.Fprintf(&b, "    l%d: x\n", i)
	}
	b.WriteString("binaries:\n")
	for i := range 300 {
		fmt.Fprintf(&b, "  b%d: {main: ., image: {labels: {own: x}}}\n", i)
	}
	return b.String()
}

// TestMerged checks that binaries and entries are not multiplied without an end,
// and that binaries with none of their own take nothing.
func TestMerged(t *testing.T) {
	_, err := Parse("f", []byte(manyMerged()))
	const want = "f:653:3: binaries: up to b249 they have more than 100000 variables, labels and annotations, with those of the spec (write only what differs under a binary, or use several specs)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	s := parse(t, strings.ReplaceAll(manyMerged(), "{main: ., image: {labels: {own: x}}}", "."))
	_, image := s.Effective(&s.Binaries[299])
	if &image.Labels[0] != &s.Image.Labels[0] {
		t.Error("labels were copied")
	}
}

// TestManyErrors checks that to place an error does not take longer the more
// values there are: this took more than five minutes.
func TestManyErrors(t *testing.T) {
	s := parse(t, "test: ["+strings.Repeat("a, ", MaxSize/4)+"a]")
	start := time.Now()
	for i := range s.Test {
		if e := s.ErrorIn(&s.Test[i], "a", "x"); e.Pos.Column != 8+3*i {
			t.Fatalf("item %d: at %v", i, e.Pos)
		}
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("%d errors took %v", len(s.Test), d)
	}
}

// TestForms checks that the short and the long form of a value are the same.
func TestForms(t *testing.T) {
	for _, tt := range []struct{ short, long string }{
		{`platforms: a/b`, `platforms: [a/b]`},
		{`test: -short`, "test:\n- -short"},
		{`build: {tags: a}`, `build: {tags: [a]}`},
		{`image: {cmd: ""}`, `image: {cmd: [""]}`},
		{`image: {expose: 80}`, `image: {expose: ["80"]}`},
		{`image: {with: a}`, `image: {with: [a]}`},
		{`image: {files: {from: a, to: b}}`, `image: {files: [{from: a, to: b}]}`},
		{`image: {healthcheck: a}`, `image: {healthcheck: {test: [a]}}`},
		{`image: {healthcheck: [a, b]}`, `image: {healthcheck: {test: [a, b]}}`},
		{`modules: {private: a}`, `modules: {private: [a]}`},
		{`generate: a b`, `generate: [{run: ["a b"]}]`},
		{`generate: [a, b]`, `generate: [{run: a}, {run: b}]`},
		{`generate: {run: [a, b]}`, `generate: [{run: [a, b]}]`},
		{`binaries: {a: ./a}`, `binaries: {a: {main: ./a}}`},
		{`build: {ldflags: "-s"}`, "build:\n  ldflags: |-\n    -s"},
		{`image: {env: &e {A: b}, labels: *e}`, `image: {env: {A: b}, labels: {A: b}}`},
	} {
		short, long := parse(t, tt.short), parse(t, tt.long)
		for _, s := range []*Spec{short, long} {
			s.file, s.data, s.pos, s.keys, s.places, s.lines = "", nil, nil, nil, nil, nil
			for i := range s.Binaries {
				s.Binaries[i].build, s.Binaries[i].image = nil, nil
			}
		}
		if diff := cmp.Diff(long, short, cmp.AllowUnexported(Spec{}, Binary{})); diff != "" {
			t.Errorf("%s and %s:\n%s", tt.short, tt.long, diff)
		}
	}
}

// TestRequired checks the keys that must be there, and when it is said that
// they are not.
func TestRequired(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{`image: {files: {from: a, to: b}}`, ""},
		{`image: {files: {from: "", to: ""}}`, ""},
		{`image: {files: []}`, ""},
		{`image: {files: {}}`, "f:1:16: image.files: from is missing\nf:1:16: image.files: to is missing"},
		{`image: {files: [{from: a, to: b}, {to: b}]}`, "f:1:35: image.files[1]: from is missing"},
		{`image: {files: {from: [a]}}`, "f:1:16: image.files: to is missing\nf:1:23: image.files.from: expected a value, found a list (write a alone, without a list)"},
		{`image: {files: {from: a, too: b}}`, `f:1:26: unknown key "too" in image.files (did you mean to?)`},
		{`binaries: {a: {image: {files: {to: b}}}}`, "f:1:31: binaries.a.image.files: from is missing"},
	} {
		got := ""
		if _, err := Parse("f", []byte(tt.source)); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.source, got, tt.want)
		}
	}
}
