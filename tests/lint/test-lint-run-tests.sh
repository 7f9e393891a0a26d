#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tests/run-tests itself: verdicts, time limit, leftovers, skips, the last line.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}

mkdir -p "$dir/tests/"{lint,unit,hook,virsh,lab} "$dir/build/unit"
cp "$top/tests/run-tests" "$dir/tests/"

script() { # script NAME LINE…: an executable test
	local file=$dir/tests/$1.sh
	shift
	printf '%s\n' '#!/usr/bin/env bash' "$@" >"$file"
	chmod +x "$file"
}

run() { # run CI PATTERN…: output in $out, exit code in $rc
	local ci=$1
	shift
	rc=0
	CI=$ci VW_BUILD=$dir/build "$dir/tests/run-tests" "$@" >"$dir/out" 2>&1 || rc=$?
	out=$(cat "$dir/out")
	last=$(tail -n 1 "$dir/out")
}

run false
[ "$rc" -ne 0 ] || fail "no tests at all passed"
[ "$last" = "0 passed, 1 failed" ] || fail "no tests: last line is '$last'"

script virsh/test-a-good "exit 0"
script virsh/test-a-bad "echo because of this" "exit 3"
script virsh/test-a-skip "exit 77"
script virsh/test-a-slow "# timeout: 1" "sleep 60"
script lab/test-a-leftover "sleep 60 &"
script hook/test-a-notexec "exit 0"
chmod -x "$dir/tests/hook/test-a-notexec.sh"
: >"$dir/tests/unit/test-a-notbuilt.c"

run false virsh/test-a-good
[ "$rc" -eq 0 ] && [ "$last" = "1 passed, 0 failed" ] || fail "one good test: $out"
run false virsh/test-a-good virsh/test-a-skip
[ "$rc" -eq 0 ] && [ "$last" = "1 passed, 0 failed" ] || fail "a skip outside CI: $out"
run true virsh/test-a-good virsh/test-a-skip
[ "$rc" -ne 0 ] && [ "$last" = "1 passed, 1 failed" ] || fail "a skip in CI: $out"

run false
[ "$rc" -ne 0 ] && [ "$last" = "1 passed, 5 failed" ] || fail "all: $out"
grep -q "^ok virsh/test-a-good [0-9.]*$" "$dir/out" || fail "no ok line: $out"
grep -q "because of this" "$dir/out" || fail "no tail of the log: $out"
grep -q "no end after 1 s.* virsh/test-a-slow" "$dir/out" || fail "no time-out: $out"
grep -q "left processes behind.* lab/test-a-leftover" "$dir/out" || fail "leftover: $out"
grep -q "not built.*unit/test-a-notbuilt" "$dir/out" || fail "not built: $out"
grep -q "not executable.*hook/test-a-notexec" "$dir/out" || fail "not executable: $out"

# --long: only what has more to do then, ten times as long
# shellcheck disable=SC2016 # the test's own shell expands it
script lab/test-a-long "# All of it. VW_LONG=yes: a second row." "# timeout: 1" 'sleep 1.5 && echo "long is ${VW_LONG-no}"'
run false --long
[ "$rc" -eq 0 ] && [ "$last" = "1 passed, 0 failed" ] || fail "--long: $out"
grep -qx "long is yes" "$dir/build/logs/lab-test-a-long.log" || fail "--long sets no VW_LONG"
run false --long virsh/
[ "$rc" -ne 0 ] || fail "--long and a pattern that no long test has: $out"
run false lab/test-a-long
grep -q "no end after 1 s.* lab/test-a-long" "$dir/out" || fail "the limit without --long: $out"
