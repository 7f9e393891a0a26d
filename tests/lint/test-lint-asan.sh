#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# All unit tests, and all bad input, under AddressSanitizer and UBSan: the first report ends the program.
# timeout: 1200
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")

make -s -C "$top" --no-print-directory B="$VW_BUILD" asan-build
export VW_BUILD=$VW_BUILD/asan
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16:malloc_context_size=10 UBSAN_OPTIONS=print_stacktrace=1

# Tests know by it that a sanitizer's time and memory are not ours.
export VW_SANITIZED=yes
status=0 count=0
for program in "$VW_BUILD"/unit/test-*; do
	[ -e "$top/tests/unit/$(basename "$program").c" ] || continue
	count=$((count + 1))
	if ! (cd "$top" && timeout 300 "$program") >"$VW_BUILD/asan.log" 2>&1; then
		echo "FAILED: $(basename "$program")"
		cat "$VW_BUILD/asan.log"
		status=1
	fi
done
echo "$count unit tests"
[ "$count" -gt 0 ] || status=1

for test in virsh/test-cmd-hostile hook/test-hook-hostile; do
	"$top/tests/$test.sh" >"$VW_BUILD/asan.log" 2>&1 || {
		echo "FAILED: $test"
		cat "$VW_BUILD/asan.log"
		status=1
	}
done
exit "$status"
