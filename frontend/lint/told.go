package lint

// The rules without a check: somebody else tells.

func certsMissing() Rule {
	return Rule{
		Name:    "CertsMissing",
		Summary: "The builder image has no CA certificates to put into the image",
		Why: `
On scratch, the certificates of an image are those of the builder image. One
without them gives an image in which every TLS connection fails with "x509:
certificate signed by unknown authority". The build looks and tells.

Take a builder that has them, as all golang images do, or write certs: false
where the program makes no TLS connection or brings its own certificates.
`,
		Bad: Example{Spec: `
builder: registry.example.com/go-without-certs:1.26
`},
		Good: Example{Spec: `
builder: registry.example.com/go-without-certs:1.26
image:
  certs: false
`},
	}
}

func tzdataMissing() Rule {
	return Rule{
		Name:    "TzdataMissing",
		Summary: "The builder image has no time zones to put into the image",
		Why: `
On scratch, the time zones of an image are those of the builder image: its
/usr/share/zoneinfo, or else the copy that comes with the Go toolchain. Without
either, time.LoadLocation fails in the image and TZ means UTC. The build looks
and tells.

Take a builder that has them, as all golang images do, or write tzdata: false
where the program knows UTC only or embeds the time zones.
`,
		Bad: Example{Spec: `
builder: registry.example.com/go-without-zones:1.26
`},
		Good: Example{Spec: `
builder: registry.example.com/go-without-zones:1.26
build:
  tags: timetzdata
image:
  tzdata: false
`},
	}
}

func undeclaredBuildArg() Rule {
	return Rule{
		Name:    "UndeclaredBuildArg",
		Summary: "The client gives a build argument that the spec does not declare",
		Why: `
A build argument does something only where the spec declares it under args and
uses it as ${NAME}. One that is not declared is most often misspelled, and the
default is built instead of what was asked for.

The arguments of BuildKit, of buildx and of Gopherfile itself, those of proxies,
SOURCE_DATE_EPOCH, REVISION and SOURCE need no declaration.
`,
		Bad: Example{Options: "--build-arg VERSON=1.2.0", Spec: `
args:
  VERSION: dev
build:
  ldflags: -X main.version=${VERSION}
`},
		Good: Example{Options: "--build-arg VERSION=1.2.0", Spec: `
args:
  VERSION: dev
build:
  ldflags: -X main.version=${VERSION}
`},
	}
}

func unknownRule() Rule {
	return Rule{
		Name:    "UnknownRule",
		Summary: "The check directive or GOPHERFILE_CHECK names a rule that does not exist",
		Why: `
Rules are skipped by name. A name that no rule has skips nothing: it is
misspelled, or the rule belongs to another version of the frontend.
`,
		Bad: Example{Spec: `
# check=skip=RootUsr
image:
  user: nonroot
`},
		Good: Example{Spec: `
# check=skip=RootUser
image:
  user: root
`},
	}
}
