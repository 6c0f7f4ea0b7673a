// The command migrate stands for a program beside the api.
package main

import (
	"fmt"
	"runtime"
)

func main() { fmt.Println("migrate", runtime.GOOS+"/"+runtime.GOARCH) }
