#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# All unit tests under valgrind: no invalid access, no use of undefined values, no lost memory.
# timeout: 1200
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
log=$(mktemp)
trap 'rm -f "$log"' EXIT

export VW_SANITIZED=yes
status=0 count=0
for program in "$VW_BUILD"/unit/test-*; do
	[ -e "$top/tests/unit/$(basename "$program").c" ] || continue
	count=$((count + 1))
	# A prober's child is killed in the middle of its work: what it held is no leak.
	if ! (cd "$top" && timeout 600 valgrind -q --error-exitcode=9 --leak-check=full \
		--show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
		--child-silent-after-fork=yes "$program") >"$log" 2>&1; then
		echo "FAILED: $(basename "$program")"
		cat "$log"
		status=1
	fi
done
echo "$count unit tests"
[ "$count" -gt 0 ] || status=1
exit "$status"
