package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// imageFormat goes up when a recipe changes, or what makes an image of one, so
// that an older image in the registry is not used any more.
const imageFormat = 2

// recipe says what an image is made of. The same recipe always gives the same
// bytes.
type recipe struct {
	config v1.Config
	layers []layer
}

type layer struct {
	name  string
	write func(*tarWriter) error
}

// build makes the image, for the platform of this machine. It is wrapped in an
// index, as official images are: who asks for another platform is told that
// there is none, and does not get this one. The layers' bytes stay in the
// folder dir, since a toolchain is large.
func (r recipe) build(dir string) (v1.ImageIndex, error) {
	var layers []mutate.Addendum
	for i, l := range r.layers {
		made, err := buildLayer(filepath.Join(dir, strconv.Itoa(i)), l)
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", l.name, err)
		}
		layers = append(layers, mutate.Addendum{
			Layer:   made,
			History: v1.History{Created: v1.Time{Time: epoch()}, CreatedBy: l.name},
		})
	}
	platform := v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{
		OS:           platform.OS,
		Architecture: platform.Architecture,
		Created:      v1.Time{Time: epoch()},
		Config:       r.config,
		RootFS:       v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	if img, err = mutate.Append(img, layers...); err != nil {
		return nil, err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	return mutate.AppendManifests(index, mutate.IndexAddendum{
		Add:        plainImage{img},
		Descriptor: v1.Descriptor{Platform: &platform},
	}), nil
}

// plainImage keeps the index from calling the image an artifact.
type plainImage struct{ v1.Image }

// ArtifactType is what the index asks for.
func (plainImage) ArtifactType() (string, error) { return "", nil }

func buildLayer(path string, l layer) (*fileLayer, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return writeLayer(f, l.write)
}
