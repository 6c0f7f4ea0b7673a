package plan

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gopherfile/gopherfile/frontend/spec"
)

// healthcheck is how a runtime finds out whether the binary works.
func (sc *scope) healthcheck(t *Target) *Healthcheck {
	h := &sc.image.Healthcheck
	if !sc.written(h) {
		return nil
	}
	out := &Healthcheck{
		Test:          sc.texts(h.Test),
		Interval:      sc.duration("interval", &h.Interval),
		Timeout:       sc.duration("timeout", &h.Timeout),
		StartPeriod:   sc.duration("start_period", &h.StartPeriod),
		StartInterval: sc.duration("start_interval", &h.StartInterval),
	}
	if sc.written(&h.Retries) {
		text := sc.text(&h.Retries)
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			sc.fail(sc.spec.Errorf(&h.Retries, "image.healthcheck: %q is not a number of retries", text).WithHelp("expected one such as 3"))
		}
		out.Retries = int(n)
	}
	sc.checkTest(t, out)
	return out
}

// checkTest refuses a command that the image cannot run.
func (sc *scope) checkTest(t *Target, h *Healthcheck) {
	if len(h.Test) == 0 || h.Test[0] == "" {
		var field any = &sc.image.Healthcheck
		switch {
		case len(h.Test) > 0:
			field = &sc.image.Healthcheck.Test[0]
		case sc.written(&sc.image.Healthcheck.Test):
			field = &sc.image.Healthcheck.Test
		}
		sc.fail(sc.spec.Errorf(field, "image.healthcheck: test is missing").WithHelp("expected a program of the image and its arguments, such as [%s, -health]", sc.name))
		return
	}
	field, program := &sc.image.Healthcheck.Test[0], h.Test[0]
	if at := slices.IndexFunc(t.Binaries, func(b Binary) bool { return b.Name == program }); at >= 0 {
		h.Test[0] = inImage(t.Port, t.Binaries[at].Path)
		return
	}
	switch {
	case program == "CMD" || program == "CMD-SHELL" || program == "NONE":
		sc.fail(sc.spec.Errorf(field, "image.healthcheck: %s is no program", program).WithHelp("the test is the command itself, without a shell, such as [%s, -health]", sc.name))
	case strings.ContainsAny(program, " \t\n"):
		sc.fail(sc.spec.Errorf(field, "image.healthcheck: %q is one word with spaces in it", program).WithHelp("write a list: [%s]", strings.Join(strings.Fields(program), ", ")))
	case !strings.HasPrefix(program, "/") && t.Port.OS != "windows":
		e := sc.spec.Errorf(field, "image.healthcheck: the image has no program %q", program).WithHelp("expected %s or an absolute path", sc.name)
		if slices.ContainsFunc(sc.spec.Binaries, func(b spec.Binary) bool { return b.Name == program }) {
			e.WithHelp("put it beside with image.with: %s", program)
		}
		sc.fail(e)
	}
}

// duration reads a time span, 0 for none.
func (sc *scope) duration(key string, field *string) time.Duration {
	if !sc.written(field) {
		return 0
	}
	text := sc.text(field)
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		e := sc.spec.Errorf(field, "image.healthcheck: %s: %q is not a duration", key, text).WithHelp("expected one such as 30s or 1m30s")
		if near := nearDuration(text); near != "" {
			e.WithHelp("did you mean %s?", near)
		}
		sc.fail(e)
	} else if d > 0 && d < time.Millisecond {
		sc.fail(sc.spec.Errorf(field, "image.healthcheck: %s: %s is too short", key, text).WithHelp("runtimes take 1ms or more"))
	}
	return d
}

// durationPattern is a number with a word for a unit, or with none.
var durationPattern = regexp.MustCompile(`^([0-9]{1,9}) *([a-z]*)$`)

// nearDuration returns the duration that is likely meant, "" for none.
func nearDuration(text string) string {
	match := durationPattern.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if match == nil {
		return ""
	}
	n, unit := match[1], ""
	switch match[2] {
	case "", "s", "sec", "secs", "second", "seconds":
		unit = "s"
	case "ms", "msec", "milliseconds":
		unit = "ms"
	case "m", "min", "mins", "minute", "minutes":
		unit = "m"
	case "h", "hr", "hrs", "hour", "hours":
		unit = "h"
	case "d", "day", "days":
		if days, err := strconv.Atoi(n); err == nil {
			n, unit = strconv.Itoa(24*days), "h"
		}
	}
	if _, err := time.ParseDuration(n + unit); err != nil || unit == "" {
		return ""
	}
	return n + unit
}
