# syntax=docker/dockerfile:1

# The frontend image: static programs on scratch. The builder image needs no
# shell, so every RUN is in exec form. The tag grpcnotrace leaves out pages for
# debugging gRPC in a browser, a fifth of the image. gocache runs in
# build steps, of which the keys have its bytes: nothing that a release changes
# may reach it.
ARG GO_VERSION=1.26

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-alpine AS build
ARG TARGETOS TARGETARCH
ENV CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH
WORKDIR /src
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    ["go", "build", "-trimpath", "-buildvcs=false", "-tags=grpcnotrace", "-gcflags=all=-dwarf=false", "-ldflags=-s -w", "-o", "/out/gopherfile", "./frontend/cmd/gopherfile"]
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    ["go", "build", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-ldflags=-s -w", "-o", "/out/", "./frontend/cmd/gocache"]

FROM scratch
LABEL moby.buildkit.frontend.network.none="true" \
      moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd" \
      org.opencontainers.image.title="gopherfile" \
      org.opencontainers.image.description="BuildKit frontend that builds Go programs" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out /bin
ENTRYPOINT ["/bin/gopherfile"]
