package gocache

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzDecoder checks that no input makes the decoder panic, loop, or believe a
// body that is not what was announced, and that it does not matter in which
// pieces the input comes.
func FuzzDecoder(f *testing.F) {
	for _, body := range []string{"", "a", "ab", "abc", "abcd", strings.Repeat("x", 1000)} {
		f.Add([]byte(fmt.Sprintf("{\"ID\":1,\"Command\":\"put\",\"BodySize\":%d}\n\n%q\n{\"ID\":2,\"Command\":\"close\"}\n\n",
			len(body), base64.StdEncoding.EncodeToString([]byte(body)))))
	}
	f.Add([]byte("{\"ID\":1,\"BodySize\":9000000000000000000}\n\"AAAA"))
	f.Add([]byte("{\"ID\":1,\"BodySize\":3}\n\"AA==AA==\"\n\n{}\n"))
	f.Add([]byte("{\"ID\":1,\"BodySize\":3}\n\"AA\\nAA\"\n\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		whole := decodeAll(t, bytes.NewReader(data))
		if bytewise := decodeAll(t, iotest.OneByteReader(bytes.NewReader(data))); bytewise != whole {
			t.Errorf("at once:\n%s\nbyte by byte:\n%s", whole, bytewise)
		}
	})
}

func decodeAll(t *testing.T, r io.Reader) string {
	var all strings.Builder
	for d := newDecoder(r); ; {
		req, err := d.next()
		if err != nil {
			fmt.Fprintf(&all, "EOF %t", errors.Is(err, io.EOF))
			return all.String()
		}
		if req.bad == nil && int64(len(req.body)) != req.BodySize {
			t.Errorf("body of %d bytes where %d were announced", len(req.body), req.BodySize)
		}
		fmt.Fprintf(&all, "%d %s %x %t\n", req.ID, req.Command, req.body, req.bad != nil)
	}
}

// FuzzIndex checks that whatever parseIndex accepts can be searched, and that
// each record of it is found.
func FuzzIndex(f *testing.F) {
	for n := range 4 {
		data := []byte(layerHeader)
		for i := range n {
			data = appendRecord(data, record{action: id{byte(i)}, out: name("out"), size: int64(i), sum: 7})
		}
		f.Add(data)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := parseIndex(data); err == nil {
			return // The fuzzer does not guess a CRC, but the seed of a crash may have one.
		}
		data = binary.BigEndian.AppendUint32(data, checksum(data))
		x, err := parseIndex(data)
		if err != nil {
			if !errors.Is(err, errCorrupt) {
				t.Errorf("%v", err)
			}
			return
		}
		for i := range x.len() {
			want := x.at(i)
			if got, ok := x.find(want.action); !ok || got != want {
				t.Errorf("record %d: %v, %t; want %v", i, got, ok, want)
			}
		}
		if _, ok := x.find(name("absent")); ok {
			t.Error("an action was found that is not there")
		}
	})
}

// FuzzEntry checks that an entry which is accepted is of the action that was
// asked for, in the form that the go command writes.
func FuzzEntry(f *testing.F) {
	action, out := name("a"), name("b")
	f.Add(fmt.Sprintf("v1 %s %s %20d %20d\n", action, out, 12, 13))
	f.Add("v1 \n")
	f.Fuzz(func(t *testing.T, line string) {
		e, err := parseEntry([]byte(line), action)
		if err != nil {
			return
		}
		if len(line) != entrySize || e.size < 0 || !strings.Contains(line, action.String()) {
			t.Errorf("%q gives %+v", line, e)
		}
	})
}
