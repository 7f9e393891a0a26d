#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libosinfo's load of osinfo-db against mapping our index and finding one OS in it.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# shellcheck disable=SC2046 # several words are wanted
${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -I"$top" $(pkg-config --cflags libosinfo-1.0) \
	-o "$tmp/bench" "$top/tests/bench/bench-os-lookup.c" "$VW_BUILD"/lib/{osindex,engine,xml,base}.a \
	$(pkg-config --libs libosinfo-1.0 libxml-2.0)
"$VW_BUILD/virt-warden-osinfo" build --output "$tmp/os.index" >&2
"$tmp/bench" "$tmp/os.index"
