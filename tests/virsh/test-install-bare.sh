#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The README's two commands where nothing is installed, not even make: packages first, then make. (The
# package manager and make are stand-ins here; tests/hosts/run-host does it on real bare systems.)
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}

# A bare system's programs, and an apt-get that brings the make which it is told to install.
mkdir "$dir/bin"
for program in bash env cat dirname realpath id nproc sort grep chmod rm; do
	ln -s "$(type -P $program)" "$dir/bin/$program"
done
stand_in() { # stand_in NAME LINE…
	local file=$dir/bin/$1
	shift
	printf '%s\n' "#!$dir/bin/bash" "$@" >"$file"
	chmod +x "$file"
}
stand_in dpkg-query 'exit 1'
stand_in apt-cache 'exit 0'
# shellcheck disable=SC2016 # expanded by the stand-in
stand_in apt-get 'echo "apt-get $*" >>"$LOG"' \
	'[[ " $* " != *" install "*" make "* ]] || { printf "#!%s\necho \"make \$*, WERROR=\$WERROR\" >>\"\$LOG\"\n" "${0%/*}/bash" >"${0%/*}/make"; chmod +x "${0%/*}/make"; }' \
	'[[ " $* " != *" install "* ]] || [ ! -e "${0%/*}/broken" ]'

bare() { # bare STATUS OPTION…: what was called is in $dir/log
	local want=$1 rc=0
	shift
	rm -f "$dir/bin/make" "$dir/log"
	env -i PATH="$dir/bin" LOG="$dir/log" WERROR=-Werror VW_BUILD="$dir/build" "$top/install.sh" "$@" >"$dir/out" 2>&1 || rc=$?
	[ "$rc" -eq "$want" ] || fail "install.sh $*: exit $rc: $(cat "$dir/out")"
}

for verb in demo check; do
	bare 0 --$verb
	[ "$(cut -d' ' -f1 "$dir/log" | tr '\n' ' ')" = "apt-get apt-get make " ] || fail "--$verb called: $(cat "$dir/log")"
	grep -Eq "^make -j [0-9]+ B=$dir/build $verb, WERROR=-Werror\$" "$dir/log" || fail "--$verb: $(cat "$dir/log")"
	bare 0 --$verb --dry-run
	[ ! -e "$dir/log" ] || fail "--$verb --dry-run called: $(cat "$dir/log")"
done
grep -q "valgrind" "$dir/out" || fail "--check does not install what the tests need"

# What can't be installed ends it.
touch "$dir/bin/broken"
bare 1 --check
! grep -q "^make" "$dir/log" || fail "went on though apt-get had failed"

# The README says just this, and CI types what the README says.
for verb in demo check; do
	grep -q "^\./install\.sh --$verb " "$top/README.md" || fail "the README has no ./install.sh --$verb"
done
[ ! -e "$top/.ci/run" ] || grep -q "^\./install\.sh --check " "$top/.ci/run" || fail "CI does not call what the README says"
