package plan

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"

	"github.com/gopherfile/gopherfile/frontend/redact"
	"github.com/gopherfile/gopherfile/frontend/spec"
)

// scratch is the image without anything in it.
const scratch = "scratch"

// from is the image below a binary as it is written.
func from(u *unit) string {
	if u.image.From == "" {
		return scratch
	}
	return u.image.From
}

// base is the image below the binary, "" for scratch.
func (sc *scope) base() string {
	field := &sc.image.From
	if !sc.written(field) {
		return ""
	}
	ref := sc.text(field)
	if ref == scratch {
		return ""
	}
	if _, err := reference.ParseNormalizedNamed(ref); err != nil {
		help := referenceHelp(ref, "expected scratch or one such as gcr.io/distroless/static-debian12")
		sc.fail(sc.spec.Errorf(field, "image.from: %q is not an image reference", ref).WithHelp("%s", help))
	}
	return ref
}

// referenceHelp says what is wrong with an image reference when it is the case
// of its name.
func referenceHelp(ref, other string) string {
	name, tag, found := strings.Cut(ref, ":")
	lower := strings.ToLower(name)
	if found {
		lower += ":" + tag
	}
	if _, err := reference.ParseNormalizedNamed(lower); err == nil {
		return "did you mean " + lower + "?"
	}
	return other
}

// rootfs decides which files scratch gets. Only images for Linux have a use for
// them; a base image has its own unless the spec asks for ours.
func (sc *scope) rootfs(base string) Rootfs {
	if sc.port.OS != "linux" {
		return Rootfs{}
	}
	im := sc.image
	on := func(b *bool) bool {
		if base != "" {
			return b != nil && *b
		}
		return isTrue(b)
	}
	r := Rootfs{Certs: on(im.Certs), Tzdata: on(im.Tzdata), Passwd: on(im.Passwd), Tmp: on(im.Tmp)}
	if !r.IsZero() {
		r.Pos = sc.spec.At(im)
	}
	return r
}

// copies are the files beside the binaries.
func (sc *scope) copies(binaries []Binary) []File {
	var files []File
	for i := range sc.image.Files {
		f := &sc.image.Files[i]
		out := File{Mode: sc.mode(f), Pos: sc.spec.At(&f.From)}
		out.UID, out.GID = sc.owner(f)
		sc.source(f, &out)
		out.To = sc.destination(f, binaries)
		files = append(files, out)
	}
	return files
}

// checksumPattern is a digest as BuildKit takes it.
var checksumPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// source reads where a file comes from.
func (sc *scope) source(f *spec.File, out *File) {
	text := sc.text(&f.From)
	name, named := strings.CutPrefix(text, "context:")
	checksum := sc.text(&f.Checksum)
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		switch {
		case redact.Has(text):
			sc.fail(sc.spec.Errorf(&f.From, "image.files: there is a user or a password in the URL of %s", text).
				WithHelp("it would be in the plan, in logs and in provenance: pass the file with --build-context"))
		case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
			sc.fail(sc.spec.Errorf(&f.From, "image.files: %s is not a URL of a file", text).WithHelp("expected https://, or a path of the context"))
		case !sc.written(&f.Checksum):
			sc.fail(sc.spec.Errorf(&f.From, "image.files: the file behind %s has no checksum", text).WithHelp("add checksum: sha256:… beside it"))
		case !checksumPattern.MatchString(checksum):
			sc.fail(sc.spec.Errorf(&f.Checksum, "image.files: %q is not a checksum", checksum).WithHelp("expected sha256: and 64 digits of 0-9 and a-f"))
		}
		out.URL, out.Checksum = text, checksum
		return
	}
	if sc.written(&f.Checksum) && !sc.isBroken(&f.From) {
		sc.fail(sc.spec.Errorf(&f.Checksum, "image.files: only the file behind a URL has a checksum").WithHelp("leave it out"))
	}
	if named {
		var rest string
		if out.Context, rest, _ = strings.Cut(name, "/"); out.Context == "" {
			sc.fail(sc.spec.Errorf(&f.From, "image.files: %q names no context", text).WithHelp("expected context:NAME/path"))
		}
		text = rest
		if text == "" {
			text = "."
		}
	}
	clean := path.Clean(strings.TrimPrefix(text, "/"))
	switch {
	case text == "" || strings.ContainsAny(text, "\n\\"):
		sc.fail(sc.spec.Errorf(&f.From, "image.files: %q is not a path", text).WithHelp("expected one such as config/app.yaml"))
	case outside(clean):
		e := sc.spec.Errorf(&f.From, "image.files: %s is outside of the context", text)
		sc.fail(e.WithHelp("%s", outsideHelp(clean, named)))
	}
	out.Path = "/" + strings.TrimPrefix(clean, "/")
	if clean == "." {
		out.Path = "/"
	}
}

// outsideHelp says how a path outside of a context comes into a build. What has no
// dot in its name is taken for a directory.
func outsideHelp(clean string, named bool) string {
	if named {
		return "pass a directory above it as that context"
	}
	dir, rest := path.Dir(clean), "/"+path.Base(clean)
	if base := path.Base(clean); base == ".." || contextName.MatchString(base) {
		dir, rest = clean, ""
	}
	name := path.Base(dir)
	if !contextName.MatchString(name) {
		name = "above"
	}
	if !plainPath.MatchString(clean) {
		name, dir, rest = "NAME", "DIRECTORY", "/…"
	}
	return "pass --build-context " + name + "=" + dir + " and write from: context:" + name + rest + ", or make the common parent directory the context"
}

// contextName is a name that every client takes for a context.
var contextName = regexp.MustCompile(`^[a-z0-9]+([_-][a-z0-9]+)*$`)

// plainPath is a path that a shell takes as it is.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9_./*-]+$`)

// destination reads where a file goes.
func (sc *scope) destination(f *spec.File, binaries []Binary) string {
	to := sc.text(&f.To)
	switch {
	case !strings.HasPrefix(to, "/"):
		sc.fail(sc.spec.Errorf(&f.To, "image.files: %q is not an absolute path", to).WithHelp("expected one such as %s", absolute(to)))
		return to
	case strings.ContainsAny(to, "\n\\") || slices.Contains(strings.Split(to, "/"), ".."):
		sc.fail(sc.spec.Errorf(&f.To, "image.files: %q is not a path of the image", to))
		return to
	case slices.ContainsFunc(binaries, func(b Binary) bool { return b.Path == path.Clean(to) }):
		sc.fail(sc.spec.Errorf(&f.To, "image.files: %s is the binary", to).WithHelp("choose another path"))
	}
	if strings.HasSuffix(to, "/") && to != "/" {
		return path.Clean(to) + "/"
	}
	return path.Clean(to)
}

// mode reads permissions, -1 for those that the file has.
func (sc *scope) mode(f *spec.File) int {
	if !sc.written(&f.Mode) {
		return -1
	}
	text := sc.text(&f.Mode)
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil || mode > 0o7777 || len(text) < 3 {
		sc.fail(sc.spec.Errorf(&f.Mode, "image.files: %q is not a mode", text).WithHelp("expected octal permissions such as 0644"))
		return -1
	}
	return int(mode)
}

// owner reads the numbers of a user and a group.
func (sc *scope) owner(f *spec.File) (uid, gid int) {
	if !sc.written(&f.Owner) {
		return 0, 0
	}
	text := sc.text(&f.Owner)
	user, group, found := strings.Cut(text, ":")
	if !found {
		group = user
	}
	uid, ok1 := knownID(user)
	gid, ok2 := knownID(group)
	if !ok1 || !ok2 {
		sc.fail(sc.spec.Errorf(&f.Owner, "image.files: %q is not an owner", text).WithHelp("expected root, nobody, nonroot or a number, optionally with :group"))
	}
	return uid, gid
}

// knownID is the number of a user or group of the passwd file that we write,
// whose numbers are those of distroless images.
func knownID(name string) (int, bool) {
	switch name {
	case "root":
		return 0, true
	case "nobody":
		return 65534, true
	case "nonroot":
		return 65532, true
	}
	n, err := strconv.ParseUint(name, 10, 31)
	return int(n), err == nil
}
