package frontend

import (
	"strings"
	"testing"
)

// TestProxies checks which proxies are refused, and that no password is shown.
func TestProxies(t *testing.T) {
	for value, ok := range map[string]bool{
		"": true, "proxy.test:3128": true, "http://proxy.test:3128": true, "http://anna:s3cret-1@proxy.test": true,
		"http://anna:s%23cret@proxy.test": true, "http://anna:x#s3cret-1@proxy.test:3128": false,
		"http://anna:x/s3cret-1@proxy.test": false, "http://anna:s3cret-1 @proxy.test": false,
	} {
		for _, name := range []string{"HTTPS_PROXY", "all_proxy"} {
			f := hello(t, "build-arg:"+name+"="+value)
			_, err := Build(t.Context(), f)
			if (err == nil) != ok {
				t.Errorf("%s: got %v", value, err)
			}
			if err != nil && (strings.Contains(err.Error(), "s3cret") || !strings.HasPrefix(err.Error(), "--build-arg "+name+" is not a URL")) {
				t.Errorf("%s: got %v", value, err)
			}
		}
	}
}
