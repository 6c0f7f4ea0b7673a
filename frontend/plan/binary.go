package plan

import "slices"

// built is what a binary is resolved for. Images and files have the same ones.
type built struct {
	unit    *unit
	port    Port
	variant string
}

// binary is the program itself, resolved once for all targets that have it.
func (sc *scope) binary() Binary {
	key := built{sc.unit, sc.port, sc.vars["TARGETVARIANT"]}
	b, ok := sc.built[key]
	if !ok {
		b = sc.resolve()
		sc.built[key] = b
	}
	return b
}

// resolve decides all of a binary.
func (sc *scope) resolve() Binary {
	b := Binary{
		Name: sc.name,
		Main: sc.main.arg,
		Dir:  sc.main.module.Dir,
		File: sc.name + sc.port.Exe(),
		Pos:  sc.pos(sc.unit),
	}
	b.Path = imagePath(b.File)
	b.Env = append(sc.port.Env(), "CGO_ENABLED=0")
	b.Env = append(b.Env, sc.compileEnv()...)
	b.Flags, b.Profile = sc.flags()
	b.Stripped = stripped(b.Flags)
	b.ProfilePos = sc.spec.At(&sc.build.Pgo)
	b.Download = sc.downloadOf(sc.main.module)
	sc.reads(&b)
	if sc.main.dir != "" {
		b.Package = sc.main.module.ImportPath(sc.main.dir)
		b.Versions = sc.versions(&b)
	}
	return b
}

// imagePath keeps a binary out of the way of the directories of the image.
func imagePath(file string) string {
	if slices.Contains([]string{"bin", "dev", "etc", "home", "lib", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "var"}, file) {
		return "/bin/" + file
	}
	return "/" + file
}
