#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every header can be included alone, and has a guard.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t flags < <(flags)
while read -r header; do
	printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		gcc -fsyntax-only -Wall -Wextra -Werror "${flags[@]}" -x c - || bad "$header can't be included alone, or twice"
done < <(sources "${code[@]}" | grep '\.h$')
exit "$status"
