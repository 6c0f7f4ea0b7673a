package scan

import (
	"fmt"
	"strings"
)

// dump is the text form of an index.
func dump(ix *Index, mains []string) string {
	var b strings.Builder
	if ix.Work != nil {
		dumpWork(&b, "work", ix.Work)
	}
	for i := range ix.Works {
		dumpWork(&b, "work in "+ix.Works[i].Dir, &ix.Works[i])
	}
	for _, m := range ix.Modules {
		if m.Err != nil {
			fmt.Fprintf(&b, "module in %s: %v\n", m.Dir, m.Err)
			continue
		}
		fmt.Fprintf(&b, "module in %s: %s, go %q line %d, toolchain %q line %d%s\n", m.Dir, m.Path, m.Go, m.GoLine, m.Toolchain, m.ToolchainLine,
			claims("requires", m.Requires, "sum", m.Sum, "own", m.Own, "vendor", m.Vendor))
		dumpReplaces(&b, m.Replaces)
		for _, r := range m.Requirements {
			fmt.Fprintf(&b, "  require %s\n", r)
		}
		for _, p := range m.Ignore {
			fmt.Fprintf(&b, "  ignore %s\n", p)
		}
	}
	for i := range ix.Packages {
		dumpPackage(&b, "package", &ix.Packages[i])
	}
	for i := range ix.Vendored {
		dumpPackage(&b, "vendored package", &ix.Vendored[i])
	}
	for _, l := range ix.Links {
		fmt.Fprintf(&b, "link %s to %s\n", l.Name, l.To)
	}
	for _, main := range mains {
		dir, ok := ix.Dir(main)
		fmt.Fprintf(&b, "main %s: %q %t\n", main, dir, ok)
	}
	return b.String()
}

func dumpWork(b *strings.Builder, what string, w *Work) {
	if w.Err != nil {
		fmt.Fprintf(b, "%s: %v\n", what, w.Err)
		return
	}
	fmt.Fprintf(b, "%s: go %q line %d, toolchain %q line %d%s\n", what, w.Go, w.GoLine, w.Toolchain, w.ToolchainLine, claims("sum", w.Sum, "vendor", w.Vendor))
	for i, dir := range w.Use {
		fmt.Fprintf(b, "  use %s line %d\n", dir, w.UseLines[i])
	}
	dumpReplaces(b, w.Replaces)
}

func dumpPackage(b *strings.Builder, what string, p *Package) {
	fmt.Fprintf(b, "%s in %s: of module in %q%s\n", what, p.Dir, p.Module,
		claims("tests", p.Tests, "main on linux", p.Main(hasPort("linux")), "main on windows", p.Main(hasPort("windows"))))
	for _, f := range p.Files {
		fmt.Fprintf(b, "  %s: %q %s%s\n", f.Name, f.Package, f.Constraint, claims("cgo", f.Cgo))
		for _, path := range f.Imports {
			fmt.Fprintf(b, "    import %s\n", path)
		}
		for _, pattern := range f.Embeds {
			fmt.Fprintf(b, "    embed %s\n", pattern)
		}
	}
	for _, o := range p.Others {
		fmt.Fprintf(b, "  other %s %s\n", o.Name, o.Constraint)
		for _, name := range o.Includes {
			fmt.Fprintf(b, "    include %s\n", name)
		}
	}
	for _, e := range p.Embeds {
		fmt.Fprintf(b, "  embedded by %s\n", e.Pattern)
		for _, name := range e.Files {
			fmt.Fprintf(b, "    %s\n", name)
		}
	}
}

func dumpReplaces(b *strings.Builder, list []Replace) {
	for _, r := range list {
		fmt.Fprintf(b, "  replace %s %s => %s line %d\n", r.Path, r.Version, r.Dir, r.Line)
	}
}

// claims lists the names of those that are true.
func claims(pairs ...any) string {
	s := ""
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1].(bool) {
			s += ", " + pairs[i].(string)
		}
	}
	return s
}
