group "default" {
  targets = ["fleet"]
}

target "fleet" {
  name       = binary
  matrix     = { binary = ["api", "worker", "migrate"] }
  dockerfile = "Gopherfile.yaml"
  target     = binary
  tags       = ["fleet/${binary}"]
}
