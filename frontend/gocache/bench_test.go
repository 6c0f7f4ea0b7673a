package gocache

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// averageSize is that of a compiled package without debugging information.
const averageSize = 400 << 10

func benchServer(b *testing.B, opt Options) *server {
	b.Helper()
	opt.Now, opt.Temp = time.Now, b.TempDir()
	s, err := newServer(opt)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if s.claims != nil {
			s.claims.close()
		}
		s.pins.release()
	})
	return s
}

// some is the number of objects in a benchmark.
const some = 200

func benchBody(i, size int) []byte {
	return []byte(fmt.Sprintf("!<arch>\n%8d", i) + strings.Repeat("x", size))
}

func benchPut(b *testing.B, s *server, i int, body []byte) {
	b.Helper()
	action, out := name(fmt.Sprint(i)), name(string(body))
	if r := s.put(&request{Command: "put", ActionID: action[:], OutputID: out[:], body: body}); r.err != nil {
		b.Fatal(r.err)
	}
}

// BenchmarkGet asks for objects, each for the first time, as a build does.
func BenchmarkGet(b *testing.B) {
	for _, size := range []int{1, averageSize} {
		store, out := b.TempDir(), b.TempDir()
		s := benchServer(b, Options{Store: store, Out: out})
		for i := range some {
			benchPut(b, s, i, benchBody(i, size))
		}
		if err := s.close(); err != nil {
			b.Fatal(err)
		}
		for place, opt := range map[string]Options{
			"layer": {Layers: []Layer{{Dir: out}}},
			"store": {Store: store},
		} {
			b.Run(fmt.Sprintf("%s/%dK", place, size>>10), func(b *testing.B) {
				b.SetBytes(int64(size))
				for i := 0; b.Loop(); i++ {
					if i%some == 0 {
						b.StopTimer()
						if i > 0 {
							s.pins.release()
						}
						s = benchServer(b, opt)
						b.StartTimer()
					}
					action := name(fmt.Sprint(i % some))
					if r := s.get(b.Context(), &request{ActionID: action[:]}); r.object == nil {
						b.Fatal(i)
					}
				}
			})
		}
	}
}

// BenchmarkMiss asks for what is not there: that is what the program adds to
// the time of a compile.
func BenchmarkMiss(b *testing.B) {
	s := benchServer(b, Options{Store: b.TempDir(), Layers: []Layer{{Dir: b.TempDir()}}, Wait: time.Minute})
	for i := 0; b.Loop(); i++ {
		action := name(fmt.Sprint(i))
		if r := s.get(b.Context(), &request{ActionID: action[:]}); r.object != nil {
			b.Fatal(i)
		}
		if i%8 == 7 {
			b.StopTimer()
			for j := range 8 {
				s.claims.release(name(fmt.Sprint(i - j)))
			}
			b.StartTimer()
		}
	}
}

// BenchmarkPut keeps objects that are new.
func BenchmarkPut(b *testing.B) {
	for _, size := range []int{0, 1, averageSize} {
		b.Run(fmt.Sprintf("%dK", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			dir := b.TempDir()
			var s *server
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				if i%some == 0 {
					if err := os.RemoveAll(filepath.Join(dir, "store")); err != nil {
						b.Fatal(err)
					}
					s = benchServer(b, Options{Store: filepath.Join(dir, "store")})
				}
				body := benchBody(i, size)
				b.StartTimer()
				benchPut(b, s, i, body)
			}
		})
	}
}

// BenchmarkDecoder reads a put of a package.
func BenchmarkDecoder(b *testing.B) {
	line := putRequest(averageSize)
	b.SetBytes(averageSize)
	for b.Loop() {
		if _, err := newDecoder(strings.NewReader(line)).next(); err != nil {
			b.Fatal(err)
		}
	}
}

func putRequest(size int) string {
	return fmt.Sprintf("{\"ID\":1,\"Command\":\"put\",\"BodySize\":%d}\n\n\"%s\"\n", size/3*3, strings.Repeat("QUJD", size/3))
}

// BenchmarkLayer opens a layer of a thousand packages.
func BenchmarkLayer(b *testing.B) {
	dir := b.TempDir()
	objects := map[id]*object{}
	for i := range 2000 {
		objects[name(fmt.Sprint(i))] = &object{out: emptyID(), sum: checksum(nil)}
	}
	if _, err := writeLayer(dir, objects); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := openLayer(dir, false); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChecksums compares the hashes that could check an object.
func BenchmarkChecksums(b *testing.B) {
	body := strings.NewReader(strings.Repeat("x", averageSize))
	b.Run("crc32c", func(b *testing.B) {
		b.SetBytes(averageSize)
		for b.Loop() {
			if _, err := read(body, averageSize, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sha256", func(b *testing.B) {
		b.SetBytes(averageSize)
		data, err := io.ReadAll(body)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			name(string(data))
		}
	})
}
