package plan

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ports are those from first to last of a protocol.
type ports struct {
	protocol    string
	first, last int
}

// expose is the list of ports with their protocols, without repetitions. They are
// counted before they are written out.
func (sc *scope) expose() []string {
	var all []ports
	for i := range sc.image.Expose {
		field := &sc.image.Expose[i]
		text := sc.text(field)
		found, ok := parsePorts(text)
		if !ok {
			sc.fail(sc.spec.Errorf(field, "image.expose: %q is not a port", text).WithHelp("%s", portHelp(text)))
			continue
		}
		all = append(all, found)
	}
	all = joined(all)
	count := 0
	for _, p := range all {
		count += p.last - p.first + 1
	}
	if count > maxPorts {
		sc.fail(sc.spec.Errorf(&sc.image.Expose, "image.expose: %d ports are too many", count).WithHelp("expected at most %d", maxPorts))
		return nil
	}
	return sc.listed(all)
}

// listed writes out every port.
func (sc *scope) listed(all []ports) []string {
	var list []string
	for _, p := range all {
		for n := p.first; n <= p.last && !sc.full; n++ {
			list = append(list, fmt.Sprintf("%d/%s", n, p.protocol))
			sc.spend(&sc.image.Expose, len(list[len(list)-1])+valueCost)
		}
	}
	slices.Sort(list)
	return list
}

// joined are the same ports in ranges that do not touch each other, sorted.
func joined(all []ports) []ports {
	slices.SortFunc(all, func(a, b ports) int {
		return cmp.Or(strings.Compare(a.protocol, b.protocol), cmp.Compare(a.first, b.first))
	})
	var out []ports
	for _, p := range all {
		last := len(out) - 1
		if last >= 0 && out[last].protocol == p.protocol && p.first <= out[last].last+1 {
			out[last].last = max(out[last].last, p.last)
			continue
		}
		out = append(out, p)
	}
	return out
}

// digitsPattern is a number, or some with what may stand between those of ports.
var digitsPattern = regexp.MustCompile(`^[0-9]+([-:][0-9]+)*$`)

// portHelp says what is wrong with ports.
func portHelp(text string) string {
	span, protocol, given := strings.Cut(text, "/")
	low, high, ranged := strings.Cut(span, "-")
	_, inner, published := strings.Cut(span, ":")
	_, ok := parsePorts(high + "-" + low + "/" + cmp.Or(protocol, "tcp"))
	switch {
	case !digitsPattern.MatchString(span):
	case published && strings.Count(span, ":") == 1:
		if given {
			inner += "/" + protocol
		}
		return "write " + inner + ", that of the image: who runs it says where it is published"
	case given && !slices.Contains(protocols(), strings.ToLower(protocol)):
		return "expected the protocol tcp, udp or sctp"
	case ranged && ok:
		return "the lower port comes first: " + strings.Replace(text, span, high+"-"+low, 1)
	case !published && strings.Count(span, "-") < 2:
		return "ports are from 1 to 65535"
	}
	return "expected one such as 8080, 53/udp or 9000-9010"
}

// protocols are those that an image config can name.
func protocols() []string { return []string{"tcp", "udp", "sctp"} }

// parsePorts reads port, port/protocol or first-last/protocol.
func parsePorts(text string) (ports, bool) {
	span, protocol, given := strings.Cut(text, "/")
	if !given {
		protocol = "tcp"
	}
	protocol = strings.ToLower(protocol)
	if !slices.Contains(protocols(), protocol) {
		return ports{}, false
	}
	low, high, ranged := strings.Cut(span, "-")
	if !ranged {
		high = low
	}
	first, err1 := strconv.ParseUint(low, 10, 16)
	last, err2 := strconv.ParseUint(high, 10, 16)
	if err1 != nil || err2 != nil || first == 0 || last < first {
		return ports{}, false
	}
	return ports{protocol, int(first), int(last)}, true
}
