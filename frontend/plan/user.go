package plan

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// DefaultUser is nonroot of the passwd file, as in distroless images.
const DefaultUser = "65532:65532"

// UserNames are the users and the groups of the passwd and group files that are
// written into an image.
func UserNames() []string { return []string{"root", "nobody", "nonroot"} }

// userPattern is what an image config can name: a user, optionally with a group.
var userPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)

// user is who runs the binary. Windows has no such numbers. Whether a name is
// known may be for the image to say.
func (sc *scope) user(t *Target) (user string, unknown bool) {
	field := &sc.image.User
	if *field == "" {
		if t.Port.OS == "windows" || t.Base != "" {
			return "", false
		}
		return DefaultUser, false
	}
	user = sc.text(field)
	if !userPattern.MatchString(user) {
		sc.fail(sc.spec.Errorf(field, "image.user: %q is not a user", user).WithHelp("expected a number or name, optionally with :group, such as %s", DefaultUser))
		return user, false
	}
	name, group, _ := strings.Cut(user, ":")
	if t.Port.OS == "windows" || IsNumber(name) && (group == "" || IsNumber(group)) {
		return user, false
	}
	var names []string
	if t.Rootfs.Passwd || t.Base == "" && t.Port.OS != "linux" && isTrue(sc.image.Passwd) {
		names = UserNames()
	}
	replaced := writes(t.Files, "/etc/passwd") || writes(t.Files, "/etc/group")
	isKnown := func(id string) bool { return id == "" || IsNumber(id) || slices.Contains(names, id) }
	switch {
	case isKnown(name) && isKnown(group) && !replaced:
	case t.Port.OS == "linux" && (t.Base != "" || replaced):
		return user, true
	case t.Base == "":
		sc.fail(sc.spec.Errorf(field, "image.user: the image knows no %q", user).WithHelp("%s", userHelp(user, names)))
	}
	return user, false
}

// userHelp says which names there are.
func userHelp(user string, names []string) string {
	if names == nil {
		return "without a passwd file only numbers are known"
	}
	name, group, _ := strings.Cut(user, ":")
	if digits(name) && !IsNumber(name) || digits(group) && !IsNumber(group) {
		return "the largest number is 2147483647"
	}
	if name, group, ok := strings.Cut(user, "."); ok && IsNumber(name) && IsNumber(group) {
		return "did you mean " + name + ":" + group + "?"
	}
	if near := spec.Nearest(user, names); near != "" {
		return "did you mean " + near + "?"
	}
	return "expected a number, root, nobody or nonroot"
}

// digits reports whether an id is meant to be a number.
func digits(id string) bool { return id != "" && strings.Trim(id, "0123456789") == "" }

// IsNumber reports whether an id needs no passwd file.
func IsNumber(id string) bool {
	_, err := strconv.ParseUint(id, 10, 31)
	return err == nil
}

// writes reports whether files may write a path of the image: what is in a
// directory that is copied above it is not known.
func writes(files []File, name string) bool {
	return slices.ContainsFunc(files, func(f File) bool {
		to := path.Clean(f.To)
		return to == name || to == "/" || strings.HasPrefix(name, to+"/")
	})
}
