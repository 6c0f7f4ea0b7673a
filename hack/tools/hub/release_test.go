package main

import (
	"errors"
	"testing"
)

func TestParseTag(t *testing.T) {
	for _, test := range []struct {
		tag  string
		want wish
		ok   bool
	}{
		{"1.26-alpine", wish{"1.26", false}, true},
		{"1.26", wish{"1.26", true}, true},
		{"1.26.1-bookworm", wish{"1.26.1", true}, true},
		{"1.26-trixie", wish{"1.26", true}, true},
		{"1.27rc1-alpine3.23", wish{"1.27rc1", false}, true},
		{"1", wish{"", true}, true},
		{"1-alpine", wish{"", false}, true},
		{"latest", wish{"", true}, true},
		{"alpine", wish{"", false}, true},
		{"alpine3.23", wish{"", false}, true},
		{"bookworm", wish{"", true}, true},
		{"9.99-alpine", wish{}, false},
		{"1.26.1.2", wish{}, false},
		{"tip-alpine", wish{}, false},
		{"nosuchtag", wish{}, false},
	} {
		got, ok := parseTag(test.tag)
		if got != test.want || ok != test.ok {
			t.Errorf("parseTag(%q) = %+v, %v, want %+v, %v", test.tag, got, ok, test.want, test.ok)
		}
	}
}

func TestChooseLocal(t *testing.T) {
	for _, test := range []struct {
		release string
		want    bool
	}{
		{"", true},
		{"1.26", true},
		{"1.26.3", true},
		{"1.26.4", false},
		{"1.25", false},
		{"1.2", false},
	} {
		if got := chooseLocal(test.release, "1.26.3"); got != test.want {
			t.Errorf("chooseLocal(%q, 1.26.3) = %v, want %v", test.release, got, test.want)
		}
	}
}

func TestChoose(t *testing.T) {
	known := []string{"1.9", "1.9.2rc2", "1.20", "1.20.14", "1.25.3", "1.25.10", "1.25.9", "1.25rc1", "1.28rc1"}
	for _, test := range []struct {
		release, want string // an empty want means that there is none
	}{
		{"1.25", "1.25.10"},
		{"1.25.3", "1.25.3"},
		{"1.25rc1", "1.25rc1"},
		{"1.20", "1.20.14"},
		{"1.9", "1.9"},
		{"1.28rc1", "1.28rc1"},
		{"1.28", ""},
		{"1.25.4", ""},
		{"1.99", ""},
	} {
		got, err := choose(test.release, known)
		if got != test.want {
			t.Errorf("choose(%q) = %q, %v, want %q", test.release, got, err, test.want)
		}
		if (err != nil) != (test.want == "") || err != nil && !errors.Is(err, errNotFound) {
			t.Errorf("choose(%q): error %v", test.release, err)
		}
	}
}
