package spec

import "testing"

// TestShown hides values in whatever way they are written, and leaves all else where
// it is.
func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"main: ./cmd/server # é\n":                                                    "main: ./cmd/server # é\n",
		"# https://anna:pass@p.test\nmain: .\n":                                       "# https://*********@p.test\nmain: .\n",
		"modules: {proxy: https://anna:pass@p.test}\n":                                "modules: {proxy: https://*********@p.test}\n",
		"modules: {proxy: \"https:\\/\\/anna:12 34@p.test\"}":                         "modules: {proxy: ****************** ***********",
		"modules:\n  proxy: >-\n    https://anna:pa\n    ss@p.test\nmain: .\n":        "modules:\n  proxy: **\n    ***************\n    *********\nmain: .\n",
		"args: {A: &a https://anna:pa@p.test}\nbuild: {env: {B: *a}}\nmain: .\n":      "args: {A: &a https://*******@p.test}\nbuild: {env: {B: ****\nmain: .\n",
		"binaries: {a: {main: ., build: {env: {https_proxy: \"anna:pass@p:3128\"}}}}": "binaries: {a: {main: ., build: {env: {https_proxy: \"*********@p:3128\"}}}}",
		"image: {labels: {owner: anna@p.test, a_proxy: b@c}}\n":                       "image: {labels: {owner: anna@p.test, a_proxy: b@c}}\n",
	} {
		s, err := Parse("Gopherfile.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := string(s.Shown()); got != want || len(got) != len(text) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
