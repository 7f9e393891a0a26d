#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# All C files are as clang-format (.clang-format) writes them: version 14, for each writes macros otherwise.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=$(clang-format --version | grep -oE '[0-9]+' | head -n 1)
if [ "$version" != 14 ]; then
	echo "this is clang-format $version; the sources are as version 14 writes them"
	exit 77
fi
mapfile -t files < <(sources "${code[@]}" tests)
[ ${#files[@]} -gt 20 ] || bad "no sources found"
for file in "${files[@]}"; do
	clang-format "$file" | diff -q - "$file" >/dev/null || bad "$file: run clang-format -i $file"
done
exit "$status"
