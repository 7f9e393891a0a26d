#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What our hook costs at `prepare`: against a minimal libxml2 program and against a python3 hook.
#
# Both with a realistic domain of two disks, once with caches as they should be (the
# usual case) and once with a finding (a disk is looked at in a child, a line is logged).
# The figure is the worse of the two.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$here/../../build}")
pairs=${PAIRS:-100}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cc=${CC:-cc}
$cc -O2 -o "$tmp/paired" "$here/paired.c"
# shellcheck disable=SC2046 # several words are wanted
$cc -O2 $(pkg-config --cflags libxml-2.0) -o "$tmp/parse" "$here/bench-hook-parse.c" $(pkg-config --libs libxml-2.0)

# The shipped configuration, as on a host where virt-warden is installed.
cp "$here/../../docs/warden.conf" "$tmp/warden.conf"
export VIRT_WARDEN_CONF=$tmp/warden.conf VIRT_WARDEN_STATEDIR=$tmp/state
truncate -s 1G "$tmp/root.img" "$tmp/data.img"
sed "s,@DIR@,$tmp," "$here/bench-hook.xml" >"$tmp/good.xml"
sed "s, cache='none',," "$tmp/good.xml" >"$tmp/bad.xml"

hook=("$VW_BUILD/hook" web1 prepare begin -)
python=(/usr/bin/python3 "$here/bench-hook-python.py" web1 prepare begin -)

measure() { # measure INPUT B…: ratio of our hook to B
	local input=$1
	shift
	"$tmp/paired" -v -n "$pairs" -i "$tmp/$input.xml" "${hook[@]}" -- "$@"
}

worse() { printf '%s\n' "$@" | sort -g | tail -n 1; }

for input in good bad; do
	echo "$input: hook against parse, then against python" >&2
	parse+=("$(measure "$input" "$tmp/parse")")
	py+=("$(measure "$input" "${python[@]}")")
done
echo "hook-vs-parse $(worse "${parse[@]}") ratio <=1.3"
# How many times faster than python; the worse is the smaller.
awk -v r="$(worse "${py[@]}")" 'BEGIN { printf "hook-vs-python %.2f ratio >=6\n", 1 / r }'
