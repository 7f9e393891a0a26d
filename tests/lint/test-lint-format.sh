#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# All C files are as clang-format (.clang-format) writes them.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t files < <(sources lib plugin hooks agent tests)
[ ${#files[@]} -gt 20 ] || bad "no sources found"
for file in "${files[@]}"; do
	clang-format "$file" | diff -q - "$file" >/dev/null || bad "$file: run clang-format -i $file"
done
exit "$status"
