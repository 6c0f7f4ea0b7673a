package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMountsUnder(t *testing.T) {
	const table = `22 1 0:20 / / rw - ext4 /dev/vda rw
30 22 0:30 / /x/work/a rw - overlay overlay rw
31 30 0:31 / /x/work/a/b\040c rw - tmpfs tmpfs rw
32 22 0:32 / /x/workshop rw - tmpfs tmpfs rw
`
	if diff := cmp.Diff([]string{"/x/work/a/b c", "/x/work/a"}, mountsUnder(table, "/x/work")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
