#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What make prints: one short line for each step, whole commands with V=1, nothing with -s; and
# `make bench` prints nothing of the build among its figures.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}
build() { # build OPTION…: a file, an archive, the wrapper and a unit; output in $dir/out
	rm -rf "$dir/build"
	make -C "$top" --no-print-directory B="$dir/build" WERROR=-Werror "$@" \
		"$dir"/build/{lib/base.a,virsh,virt-wardend.service} >"$dir/out" 2>&1 || fail "make $*: $(cat "$dir/out")"
	[ -x "$dir/build/virsh" ] || fail "make $*: no virsh"
}

build V=
! grep -vE '^(CC|AR|LINK|GEN) [^ ]+$' "$dir/out" || fail "make prints the lines above"
grep -qx 'CC lib/base/err.c' "$dir/out" || fail "no 'CC lib/base/err.c': $(cat "$dir/out")"
grep -q '^AR .*/lib/base.a$' "$dir/out" || fail "no AR line: $(cat "$dir/out")"
grep -qE '^(CC|LINK) .*/virsh$' "$dir/out" || fail "no line for the wrapper: $(cat "$dir/out")"
build -s
[ ! -s "$dir/out" ] || fail "make -s prints: $(cat "$dir/out")"
build V=1
grep -q -- '-std=c11 .*-c -o .* lib/base/err.c$' "$dir/out" || fail "V=1 shows no commands: $(cat "$dir/out")"

# However the build directory is written, it is the same one: else a changed header is not noticed.
for b in build "$top/build" ./build; do
	# shellcheck disable=SC2016 # make's variable
	[ "$(make -s -C "$top" --no-print-directory B="$b" --eval 'where: ; @echo $(B)' where)" = build ] ||
		fail "B=$b is another directory than B=build"
done

# As if a source had changed: the build of `make bench` writes to stderr.
make -n -C "$top" --no-print-directory B="$VW_BUILD" -W lib/engine/plan.c bench >"$dir/out" 2>"$dir/err"
grep -q 'lib/engine/plan\.c' "$dir/err" || fail "make bench does not build: $(cat "$dir/err")"
! grep 'lib/engine/plan\.c' "$dir/out" || fail "make bench builds on stdout"
grep -q 'run-bench' "$dir/out" || fail "make bench runs no bench: $(cat "$dir/out")"
