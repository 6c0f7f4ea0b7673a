# docker buildx bake            the frontend for this machine; add --load to keep it
# docker buildx bake frontend   the frontend for all its platforms; add --push to publish it
# docker buildx bake examples   the examples with the frontend of this checkout
# docker buildx bake validate   --call=check of the Dockerfile and of the examples

variable "TAG" {
  default     = "gopherfile/gopherfile:1"
  description = "Name of the frontend's image"
}

variable "PLATFORMS" {
  default     = ["linux/amd64", "linux/arm64"]
  type        = list(string)
  description = "Platforms of build machines that the frontend runs on"
}

group "default" {
  targets = ["frontend-local"]
}

target "frontend" {
  platforms = PLATFORMS
  tags      = [TAG]
}

target "frontend-local" {
  inherits  = ["frontend"]
  platforms = ["local"]
}

# The name in an example's own syntax line means the image just built: BuildKit
# looks there before it asks a registry.
target "_example" {
  dockerfile = "Gopherfile.yaml"
  contexts   = { "gopherfile/gopherfile:1" = "target:frontend-local" }
  output     = ["type=cacheonly"]
}

group "examples" {
  targets = ["examples-single", "examples-fleet"]
}

target "examples-single" {
  name     = "example-${example}"
  matrix   = { example = ["hello", "http"] }
  inherits = ["_example"]
  context  = "examples/${example}"
}

target "examples-fleet" {
  name     = "example-fleet-${binary}"
  matrix   = { binary = ["api", "worker", "migrate"] }
  inherits = ["_example"]
  context  = "examples/fleet"
  target   = binary
}

group "validate" {
  targets = ["validate-dockerfile", "validate-examples"]
}

target "validate-dockerfile" {
  inherits  = ["frontend"]
  platforms = ["local"]
  call      = "check"
}

target "validate-examples" {
  name     = "validate-example-${example}"
  matrix   = { example = ["fleet", "hello", "http"] }
  inherits = ["_example"]
  context  = "examples/${example}"
  call      = "check"
}
