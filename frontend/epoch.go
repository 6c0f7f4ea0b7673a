package frontend

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// epochArg is the build argument with the time of an image, contextEpoch its
// value for that of the context.
const (
	epochArg     = "SOURCE_DATE_EPOCH"
	contextEpoch = "context"
)

// givenEpoch is the time that the client gives as a number: what BuildKit takes,
// before 1970 as well. Nil: it gives none.
func givenEpoch(value string) (*time.Time, error) {
	if value == "" || value == contextEpoch {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	t := time.Unix(seconds, 0).UTC()
	if err != nil || !isWritable(t) {
		return nil, fmt.Errorf("%s is %q: expected seconds since 1970, up to the year 9999, or %s", epochArg, value, contextEpoch)
	}
	return &t, nil
}

// isWritable reports whether the config of an image can hold a time: its year has
// four digits there (RFC 3339).
func isWritable(t time.Time) bool {
	_, err := t.UTC().MarshalText()
	return err == nil
}

// epoch is SOURCE_DATE_EPOCH: what was given, or the time of the context. Nil:
// the client asked for none.
func (b *build) epoch(ctx context.Context, given *time.Time) (*time.Time, error) {
	if b.ui.BuildArgs[epochArg] != contextEpoch {
		return given, nil
	}
	t, err := b.ui.ResolveMainContextSourceDateEpoch(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the time of the build context: %w", err)
	}
	if t != nil && !isWritable(*t) {
		return nil, fmt.Errorf("the time of the build context is in the year %d: expected one up to 9999", t.UTC().Year())
	}
	return t, nil
}
