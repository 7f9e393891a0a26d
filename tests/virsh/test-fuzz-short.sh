#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every fuzz target with its seeds, and for ten seconds beyond them.
# timeout: 900
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
make -s -C "$top" --no-print-directory -j 2 B="$VW_BUILD" fuzz-build
VW_BUILD=$VW_BUILD "$top/tests/fuzz/run-fuzz" 10
