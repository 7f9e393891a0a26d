#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# clang-tidy is silent (.clang-tidy says what is asked, and why not all).
# timeout: 600
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t files < <(sources "${code[@]}" | grep '\.c$')
mapfile -t flags < <(flags)
[ ${#files[@]} -gt 20 ] || bad "no sources found"
clang-tidy --quiet "${files[@]}" -- "${flags[@]}" 2>/dev/null || status=1
exit "$status"
