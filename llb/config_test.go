package llb

import (
	"testing"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/gopherfile/gopherfile/frontend/plan"
)

// TestUser says who runs a binary on a base image: whom the spec names, whom the
// base names, even when that is root, and otherwise nonroot. Windows has no
// such numbers.
func TestUser(t *testing.T) {
	tests := []struct{ name, os, spec, base, want string }{
		{"the spec names one", "linux", "1000", "root", "1000"},
		{"the base names one", "linux", "", "1000:1000", "1000:1000"},
		{"the base names root", "linux", "", "root", "root"},
		{"nobody names one", "linux", "", "", plan.DefaultUser},
		{"nobody names one for Windows", "windows", "", "", ""},
		{"the base names one for Windows", "windows", "", "ContainerUser", "ContainerUser"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := &dockerspec.DockerOCIImage{}
			base.Config.User = tt.base
			target := &plan.Target{Port: plan.Port{OS: tt.os}, Image: plan.Image{User: tt.spec}}
			if got := user(target, Base{Config: base}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
