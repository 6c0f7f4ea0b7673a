package scan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// IndexFile is the name of the file in which an index travels.
const IndexFile = "index.json"

// The wire types are the JSON form of an [Index]. Import paths are numbers of a
// table in which the most frequent come first, and a file does not repeat the
// package clause that its package has.
type (
	wireIndex struct {
		Err      *Error        `json:"error,omitempty"`
		Modules  []Module      `json:"modules,omitempty"`
		Work     *Work         `json:"work,omitempty"`
		Works    []Work        `json:"works,omitempty"`
		Imports  []string      `json:"imports,omitempty"`
		Packages []wirePackage `json:"packages,omitempty"`
		Vendored []wirePackage `json:"vendored,omitempty"`
		Links    []Link        `json:"links,omitempty"`
	}
	wirePackage struct {
		Dir    string     `json:"dir"`
		Module string     `json:"module,omitempty"`
		Name   string     `json:"name,omitempty"`
		Files  []wireFile `json:"files,omitempty"`
		Tests  bool       `json:"tests,omitempty"`
		Others []Other    `json:"others,omitempty"`
		Embeds []Embed    `json:"embeds,omitempty"`
	}
	wireFile struct {
		Name       string   `json:"name"`
		Package    *string  `json:"package,omitempty"` // nil: that of the package
		Constraint string   `json:"constraint,omitempty"`
		Cgo        bool     `json:"cgo,omitempty"`
		Imports    []int    `json:"imports,omitempty"`
		Embeds     []string `json:"embeds,omitempty"`
	}
)

// MarshalJSON writes the compact form of the index.
func (ix Index) MarshalJSON() ([]byte, error) {
	w := wireIndex{Err: ix.Err, Modules: ix.Modules, Work: ix.Work, Works: ix.Works, Links: ix.Links}
	w.Imports = importTable(ix.Packages, ix.Vendored)
	numbers := make(map[string]int, len(w.Imports))
	for i, p := range w.Imports {
		numbers[p] = i
	}
	w.Packages = wirePackages(ix.Packages, numbers)
	w.Vendored = wirePackages(ix.Vendored, numbers)
	return json.Marshal(w)
}

// importTable returns all import paths, the most frequent first.
func importTable(lists ...[]Package) []string {
	counts := map[string]int{}
	for _, list := range lists {
		for i := range list {
			for j := range list[i].Files {
				for _, p := range list[i].Files[j].Imports {
					counts[p]++
				}
			}
		}
	}
	var table []string
	for p := range counts {
		table = append(table, p)
	}
	slices.SortFunc(table, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return table
}

func wirePackages(list []Package, numbers map[string]int) []wirePackage {
	var wire []wirePackage
	for i := range list {
		p := &list[i]
		w := wirePackage{Dir: p.Dir, Module: p.Module, Tests: p.Tests, Others: p.Others, Embeds: p.Embeds}
		if len(p.Files) > 0 {
			w.Name = p.Files[0].Package
			w.Files = make([]wireFile, len(p.Files))
		}
		for j := range p.Files {
			f := &p.Files[j]
			x := wireFile{Name: f.Name, Constraint: f.Constraint, Cgo: f.Cgo, Embeds: f.Embeds}
			if f.Package != w.Name {
				x.Package = &f.Package
			}
			for _, path := range f.Imports {
				x.Imports = append(x.Imports, numbers[path])
			}
			w.Files[j] = x
		}
		wire = append(wire, w)
	}
	return wire
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (ix *Index) UnmarshalJSON(data []byte) error {
	var w wireIndex
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*ix = Index{Err: w.Err, Modules: w.Modules, Work: w.Work, Works: w.Works, Links: w.Links}
	var err error
	if ix.Packages, err = unwirePackages(w.Packages, w.Imports); err != nil {
		return err
	}
	ix.Vendored, err = unwirePackages(w.Vendored, w.Imports)
	return err
}

func unwirePackages(wire []wirePackage, table []string) ([]Package, error) {
	var list []Package
	for i := range wire {
		w := &wire[i]
		p := Package{Dir: w.Dir, Module: w.Module, Tests: w.Tests, Others: w.Others, Embeds: w.Embeds}
		if len(w.Files) > 0 {
			p.Files = make([]File, len(w.Files))
		}
		for j := range w.Files {
			x := &w.Files[j]
			f := File{Name: x.Name, Package: w.Name, Constraint: x.Constraint, Cgo: x.Cgo, Embeds: x.Embeds}
			if x.Package != nil {
				f.Package = *x.Package
			}
			for _, n := range x.Imports {
				if n < 0 || n >= len(table) {
					return nil, fmt.Errorf("import %d of %s/%s: the index has %d", n, w.Dir, x.Name, len(table))
				}
				f.Imports = append(f.Imports, table[n])
			}
			p.Files[j] = f
		}
		list = append(list, p)
	}
	return list, nil
}
