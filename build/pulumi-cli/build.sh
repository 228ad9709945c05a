#!/usr/bin/env bash
# Builds the Pulumi CLI of go.mod into .local/pulumi-cli: minutes the first time, seconds from Go's cache. For machines that
# can't download the published one; it has no language hosts, so npm run engine brings its own.
set -euo pipefail
cd "$(dirname "$0")"
version=$(sed -n 's|.*github.com/pulumi/pulumi/pkg/v3 \(v[0-9.]*\).*|\1|p' go.mod | head -n 1)
target="../../.local/pulumi-cli/pulumi"
command -v go > /dev/null || { echo "Go 1.26 or later is needed to build the Pulumi CLI: https://go.dev/doc/install" >&2; exit 1; }
if [ "$("$target" version 2> /dev/null || true)" = "$version" ]; then exit 0; fi
echo "Building the Pulumi CLI $version (some minutes at the first time) …"
mkdir -p "$(dirname "$target")"
go build -p 2 -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$version" \
  -o "$target" github.com/pulumi/pulumi/pkg/v3/cmd/pulumi
