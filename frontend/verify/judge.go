package verify

import (
	"fmt"
	"go/version"
	"slices"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/goflags"
	"github.com/gopherfile/gopherfile/frontend/plan"
)

// Promise is what a plan says of a binary, as far as a file can show it.
type Promise struct {
	Port plan.Port
	// Program says that a system starts the file. Otherwise it is a library or an
	// archive, of which only the machine is known.
	Program bool
	// Static says that there is nothing around the binary that could load it.
	Static bool
	// Stripped says that there are no symbols and no DWARF.
	Stripped bool
	// Release is the Go release that compiled, minor or exact, "" when it is not
	// known.
	Release string
	// Builder is the image with the go command, for messages.
	Builder string
	// Package is the import path of the main package, "" when it is not known.
	Package string
	// Settings are those of the go command, as NAME=value. One that the file does
	// not mention is not judged.
	Settings []string
	// Frozen says that the go command adds a tag of its own to the tags.
	Frozen bool
	// Versions are what go.mod requires, as path@version. A module that is not
	// among them is not judged.
	Versions []string
}

// PromiseOf is what a plan says of one of its binaries.
func PromiseOf(p *plan.Plan, t *plan.Target, b *plan.Binary) Promise {
	mode := b.Mode()
	want := Promise{
		Port:     t.Port,
		Program:  slices.Contains([]string{"", "default", "exe", "pie"}, mode),
		Static:   t.Port.OS == "linux" && t.Base == "" && !p.FilesOnly,
		Stripped: b.Stripped,
		Release:  p.Builder.Release,
		Builder:  p.Builder.Ref,
		Package:  b.Package,
		Frozen:   goflags.Frozen(b.Env),
		Versions: b.Versions,
	}
	want.Static = want.Static && want.Program
	for _, e := range b.Env {
		if name, _, _ := strings.Cut(e, "="); slices.Contains([]string{"GOOS", "GOARCH", t.Port.LevelVar(), "CGO_ENABLED"}, name) {
			want.Settings = append(want.Settings, e)
		}
	}
	flags := slices.Concat(goflags.Env(b.Env), b.Flags)
	for _, name := range append(unasked(), "trimpath") {
		if goflags.On(flags, name) || name == "cover" && goflags.Has(flags, "covermode", "coverpkg") {
			want.Settings = append(want.Settings, "-"+name+"=true")
		}
	}
	for _, name := range []string{"tags", "buildmode"} {
		if value, ok := goflags.Value(flags, name); ok && (name != "buildmode" || value != "default") {
			want.Settings = append(want.Settings, "-"+name+"="+value)
		}
	}
	return want
}

// unasked are the flags that change what is compiled, and are not in a binary
// unless they are in its plan. Besides them there is -tags.
func unasked() []string { return []string{"race", "msan", "asan", "cover"} }

// Judge says what of the facts is not as it was promised, the worst first. A file
// for another machine is not looked at any further.
func Judge(f *Facts, want Promise) []Problem {
	if problem := judgeHeader(f, want); problem != nil {
		return []Problem{*problem}
	}
	problems := slices.Clone(f.Damage)
	if len(problems) == 0 {
		problems = append(problems, judgeKind(f, want)...)
	}
	problems = append(problems, judgeABI(f, want)...)
	if want.Static && f.Dynamic() {
		problems = append(problems, notStatic(f, want))
	}
	if want.Stripped && (f.Symbols || f.Debug) {
		problems = append(problems, Problem{
			Found:    map[bool]string{true: "DWARF", false: "a symbol table"}[f.Debug],
			Expected: "a stripped binary (-ldflags=-s -w)",
			Help:     fmt.Sprintf("does the go command of %s heed -ldflags? strip: false says that this is meant", want.Builder),
		})
	}
	return append(problems, judgeGo(f, want)...)
}

// judgeHeader compares the machine.
func judgeHeader(f *Facts, want Promise) *Problem {
	expected := headerOf(want.Port)
	if !want.Program && f.Format == FormatArchive {
		return nil
	}
	if f.Header == expected {
		return nil
	}
	problem := &Problem{Found: f.String(), Expected: expected.String(), Effect: effectFormat}
	switch {
	case f.Size == 0:
		problem.Found = "an empty file"
	case f.Format == "":
		problem.Found = fmt.Sprintf("%d bytes that are no program", f.Size)
	}
	problem.Help = fmt.Sprintf("does the go command of %s heed %s?", want.Builder, strings.Join(want.Port.Env()[:2], " "))
	return problem
}

// judgeKind asks for a program.
func judgeKind(f *Facts, want Promise) []Problem {
	if !want.Program || f.Kind == "" || f.Kind == KindExecutable || f.Kind == KindPIE {
		return nil
	}
	return []Problem{{
		Found:    map[string]string{KindLibrary: "a shared library", KindObject: "an object file"}[f.Kind],
		Expected: "a program",
		Effect:   effectFormat,
		Help:     "is " + want.Package + " package main, and -buildmode left alone?",
	}}
}

// judgeABI compares the system and what the flags say of the machine.
func judgeABI(f *Facts, want Promise) []Problem {
	var problems []Problem
	if system := f.System; system != "" && !runsOn(system, want.Port.OS) {
		problems = append(problems, Problem{
			Found: "a program for " + system, Expected: want.Port.OS, Effect: effectFormat,
			Help: fmt.Sprintf("does the go command of %s heed GOOS?", want.Builder),
		})
	}
	if known := abiOf(want.Port); known != nil && f.Kind != "" && !slices.Contains(known, f.ABI) {
		problems = append(problems, Problem{Found: or(f.ABI, "no ABI"), Expected: or(known[0], "none"), Effect: "illegal instruction, or wrong numbers", Help: helpDamaged})
	}
	return problems
}

// or takes a text in place of none.
func or(s, none string) string {
	if s == "" {
		return none
	}
	return s
}

// runsOn reports whether the system that a format names is that of a port.
func runsOn(system, os string) bool {
	switch os {
	case "ios": // a file that does not say for which of them it is counts as darwin's
		return system == "ios" || system == "darwin"
	case "illumos":
		return system == "solaris"
	}
	return system == os
}

// notStatic is about a program with nothing around it that could load it.
func notStatic(f *Facts, want Promise) Problem {
	p := Problem{Expected: "a static program, since scratch has neither loader nor libraries", Effect: effectMissing}
	switch {
	case f.Loader != "" && len(f.Libraries) > 0:
		p.Found = fmt.Sprintf("a program that %s loads, with %s", f.Loader, strings.Join(f.Libraries, ", "))
	case f.Loader != "":
		p.Found = fmt.Sprintf("a program that %s loads", f.Loader)
	default:
		p.Found = "a program that needs " + strings.Join(f.Libraries, ", ")
	}
	p.Help = fmt.Sprintf("choose an image.from that has them, or find out what makes the go command of %s link dynamically", want.Builder)
	return p
}

// judgeGo compares the build info.
func judgeGo(f *Facts, want Promise) []Problem {
	const first = "go1.18" // with settings
	if f.Go == nil {
		if len(f.Damage) > 0 || !want.Program || want.Release != "" && version.Compare("go"+want.Release, first) < 0 {
			return nil
		}
		return []Problem{{
			Found: "no build info", Expected: "that of the go command",
			Help: fmt.Sprintf("is the go of %s the go command?", want.Builder),
		}}
	}
	var problems []Problem
	if p := judgeRelease(f.Go.GoVersion, want); p != nil {
		problems = append(problems, *p)
	}
	if want.Package != "" && f.Go.Path != "" && f.Go.Path != want.Package {
		problems = append(problems, Problem{
			Found: "the program " + f.Go.Path, Expected: want.Package, Effect: "another program starts",
			Help: fmt.Sprintf("does the go command of %s build the package that it is given?", want.Builder),
		})
	}
	problems = append(problems, judgeSettings(f, want)...)
	return append(problems, judgeModules(f, want)...)
}

// judgeRelease compares the release that compiled. A minor release stands for all
// of its patches.
func judgeRelease(found string, want Promise) *Problem {
	if want.Release == "" {
		return nil
	}
	// Vendors and experiments stand behind the release.
	name, _, _ := strings.Cut(found, " ")
	name, _, _ = strings.Cut(name, "-")
	expected := "go" + want.Release
	if name == expected || version.Lang(expected) == expected && version.Lang(name) == expected {
		return nil
	}
	return &Problem{
		Found: or(found, "no Go release"), Expected: expected, Effect: "what differs between the releases",
		Help: fmt.Sprintf("which release does %s hold?", want.Builder),
	}
}

// judgeSettings compares what the go command was told.
func judgeSettings(f *Facts, want Promise) []Problem {
	if len(f.Go.Settings) == 0 {
		return nil // before Go 1.18
	}
	var problems []Problem
	for _, e := range want.Settings {
		name, expected, _ := strings.Cut(e, "=")
		found := setting(f, want, name)
		flag := strings.HasPrefix(name, "-")
		if found == expected || found == "" && !flag || sameTags(name, found, expected) || sameLevel(name, found, expected) {
			continue
		}
		p := Problem{Found: name + "=" + found, Expected: e, Help: fmt.Sprintf("does the go command of %s heed it?", want.Builder)}
		if found == "" {
			p.Found = "a build without " + name
		}
		p.Effect = settingEffect(name)
		problems = append(problems, p)
	}
	for _, flag := range append(unasked(), "tags") {
		name := "-" + flag
		asked := slices.ContainsFunc(want.Settings, func(e string) bool { return strings.HasPrefix(e, name+"=") })
		if found := setting(f, want, name); found != "" && !asked {
			problems = append(problems, Problem{
				Found: name + "=" + found, Expected: "a build without " + name, Effect: settingEffect(name),
				Help: fmt.Sprintf("does the go command of %s add it?", want.Builder),
			})
		}
	}
	return problems
}

// setting is what the go command was told. The tags are without one that it adds by
// itself, unless they are promised to have it.
func setting(f *Facts, want Promise, name string) string {
	found := f.Setting(name)
	if name != "-tags" || !want.Frozen {
		return found
	}
	promised, _ := goflags.Value(want.Settings, "tags")
	tags := slices.DeleteFunc(splitTags(found), func(tag string) bool {
		return strings.HasPrefix(tag, goflags.FrozenTag) && !slices.Contains(splitTags(promised), tag)
	})
	return strings.Join(tags, ",")
}

// splitTags are the build tags of a list.
func splitTags(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// sameTags reports whether two lists of build tags hold the same.
func sameTags(name, found, expected string) bool {
	if name != "-tags" {
		return false
	}
	list := func(s string) []string {
		tags := splitTags(s)
		slices.Sort(tags)
		return slices.Compact(tags)
	}
	return slices.Equal(list(found), list(expected))
}

// sameLevel reports whether two levels of a processor are the same, with the
// options behind them.
func sameLevel(name, found, expected string) bool {
	list := func(s string) []string {
		options := strings.Split(s, ",")
		switch level := options[0]; {
		case name == "GOARM" && len(options) == 1: // what the go command takes then
			options = append(options, map[bool]string{true: "softfloat", false: "hardfloat"}[level == "5"])
		case name == "GOARM64" && level != "v8.0": // a part of all later ones
			options = append(options, "lse")
		}
		slices.Sort(options)
		return slices.Compact(options)
	}
	return slices.Equal(list(found), list(expected))
}

// settingEffect is what another setting does at run time.
func settingEffect(name string) string {
	switch name {
	case "-trimpath":
		return "stack traces show folders of the builder, and other machines build other bytes"
	case "-tags":
		return "other files of the source are in the program"
	case "-buildmode":
		return "another kind of program"
	case "-race", "-msan", "-asan", "-cover":
		return "a program for tests, which is slower and needs more memory"
	case "CGO_ENABLED":
		return "it may need a C library: " + effectMissing
	case "GOOS", "GOARCH":
		return effectFormat
	}
	return "illegal instruction on older processors, or slower code on newer ones"
}

// judgeModules compares the versions of modules.
func judgeModules(f *Facts, want Promise) []Problem {
	var problems []Problem
	for _, m := range f.Go.Deps {
		var listed []string
		for _, v := range want.Versions {
			if path, version, _ := strings.Cut(v, "@"); path == m.Path {
				listed = append(listed, version)
			}
		}
		if len(listed) == 0 || slices.Contains(listed, m.Version) {
			continue
		}
		problems = append(problems, Problem{
			Found: m.Path + " " + m.Version, Expected: strings.Join(listed, " or ") + ", as go.mod says", Effect: "another version of the module",
			Help: fmt.Sprintf("does the go command of %s change go.mod?", want.Builder),
		})
	}
	return problems
}
