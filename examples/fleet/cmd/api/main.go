// The command api answers with the greeting of its configuration. With -health
// it asks a running api whether it answers.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
)

func main() {
	health := flag.Bool("health", false, "ask the running api")
	name := flag.String("config", "/etc/fleet/fleet.json", "configuration")
	version := flag.Bool("version", false, "print the platform")
	flag.Parse()
	if err := run(*health, *version, *name); err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

func run(health, version bool, name string) error {
	if version {
		fmt.Println("api", runtime.GOOS+"/"+runtime.GOARCH)
		return nil
	}
	if health {
		resp, err := http.Get("http://127.0.0.1:8080/")
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var config struct {
		Greeting string `json:"greeting"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return err
	}
	return http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, config.Greeting)
	}))
}
