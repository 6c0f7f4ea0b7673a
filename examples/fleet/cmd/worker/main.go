// The command worker stands for a program beside the api.
package main

import (
	"fmt"
	"runtime"
)

func main() { fmt.Println("worker", runtime.GOOS+"/"+runtime.GOARCH) }
