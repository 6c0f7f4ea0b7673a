package lint

import "strings"

// Rule is a condition that the spec's author wants to know of.
type Rule struct {
	// Name is the condition in CamelCase, as in BuildKit's rules.
	Name string
	// Summary says in one line what is wrong.
	Summary string
	// Why explains it: paragraphs of plain text.
	Why string
	// Bad is an example that breaks the rule, and Good one that does not.
	Bad, Good Example
	// Check returns what breaks the rule. Nil: the plan, the build or the
	// configuration of the rules tells.
	Check func(*Input) []finding
}

// Example is a spec for a page, with all that it takes to run it.
type Example struct {
	Spec string
	// Tree holds files of the context in the format of txtar. They are added to
	// a module with one main package, whose go.mod says go 1.26.0.
	Tree string
	// Options are those of docker buildx build.
	Options string
}

// Text returns the spec as a file: below the line that names the frontend.
func (e Example) Text() string {
	return "# syntax=gopherfile/gopherfile:1\n" + strings.TrimPrefix(e.Spec, "\n")
}

// Rules returns all rules, sorted by name.
func Rules() []Rule {
	return []Rule{
		certsMissing(),
		cgoDisabledButImported(),
		cmdRepeatsEntrypoint(),
		floatingBuilder(),
		goflagsHidesFlag(),
		gotracebackCrash(),
		invalidRuntimeEnv(),
		platformWithoutRuntime(),
		programNotInImage(),
		proxyInBuildEnv(),
		repeatedPlatform(),
		rootUser(),
		secretInArg(),
		stampInLdflags(),
		stripWithDebugGcflags(),
		sumdbOff(),
		tagsHaveNoEffect(),
		tzdataMissing(),
		tzdataUnused(),
		undeclaredBuildArg(),
		unknownGodebug(),
		unknownRule(),
		unusedArg(),
		variableWithoutBraces(),
	}
}
