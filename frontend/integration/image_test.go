package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxImage is the most that the frontend's image may have, compressed, in bytes:
// what docker/dockerfile of BuildKit v0.34 has when it is built like ours. Every
// build on an empty builder pulls the frontend first. gocache is 1.5 million of
// ours, what reads binaries back and looks into them 0.4, and what says what is
// wrong with a spec 0.1.
const maxImage = 8_400_000

// TestFrontendImage checks what BuildKit reads from the frontend's image, and
// its size.
func TestFrontendImage(t *testing.T) {
	builder(t)
	ref := os.Getenv("GOPHERFILE_REGISTRY") + "/gopherfile/gopherfile:1"
	var m ocispecs.Manifest
	inspect(t, &m, "--raw", ref)
	if len(m.Layers) != 1 {
		t.Fatalf("got %d layers, want 1", len(m.Layers))
	}
	t.Logf("%d bytes compressed", m.Layers[0].Size)
	if size := m.Layers[0].Size; size > maxImage {
		t.Errorf("got %d bytes compressed, want at most %d", size, maxImage)
	}
	var img ocispecs.Image
	inspect(t, &img, "--format", "{{json .Image}}", ref)
	if got := img.Config.Labels["moby.buildkit.frontend.network.none"]; got != "true" {
		t.Errorf("label network.none: got %q, want true", got)
	}
	if img.Config.Labels["moby.buildkit.frontend.caps"] == "" {
		t.Error("the image has no label with its capabilities")
	}
}

func inspect(t *testing.T, v any, args ...string) {
	t.Helper()
	out, err := exec.Command("docker", append([]string{"buildx", "imagetools", "inspect"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, v); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
