package frontend

import (
	"testing"
	"time"
)

// TestEpoch checks that a time is taken when an image can hold it, and refused
// before anything runs when not.
func TestEpoch(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  string // the time; "" for a refusal
	}{
		{"0", "1970-01-01T00:00:00Z"},
		{"1700000000", "2023-11-14T22:13:20Z"},
		{"-1", "1969-12-31T23:59:59Z"},
		{"-62167219200", "0000-01-01T00:00:00Z"},
		{"253402300799", "9999-12-31T23:59:59Z"},
		{"-62167219201", ""},
		{"253402300800", ""},
		{"9223372036854775807", ""},
		{"-9223372036854775808", ""},
		{"9223372036854775808", ""},
		{"yesterday", ""},
		{"1700000000.5", ""},
		{"2023-11-14", ""},
		{" 1", ""},
		{"-o", ""},
	} {
		got, err := givenEpoch(tt.value)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%q: got %v, want an error", tt.value, got)
		case tt.want != "" && (err != nil || got.Format(time.RFC3339) != tt.want):
			t.Errorf("%q: got %v %v, want %s", tt.value, got, err, tt.want)
		}
	}
	for _, value := range []string{"", "context"} {
		if got, err := givenEpoch(value); got != nil || err != nil {
			t.Errorf("%q: got %v %v, want nothing", value, got, err)
		}
	}
}

// TestEpochAtOnce checks that nothing is asked for or run before a time is
// refused.
func TestEpochAtOnce(t *testing.T) {
	f := hello(t, "build-arg:SOURCE_DATE_EPOCH=253402300800")
	f.resolveErr = func(ref string) error { t.Errorf("resolved %s", ref); return nil }
	_, err := Build(t.Context(), f)
	const want = `SOURCE_DATE_EPOCH is "253402300800": expected seconds since 1970, up to the year 9999, or context`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
