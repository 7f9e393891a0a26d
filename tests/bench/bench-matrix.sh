#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The matrix of 1,000 hosts whose CPUs all differ, made from captured facts: time, memory, and that the
# cost of a pair is constant (time(1000) / time(250) <= 18).
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Host i lacks those features of the first ten whose bit is set in i: 1,000 sets that all differ.
jq -c 'range(1000) as $i | .name = "host\($i)" | .hostname = .name | .uuid = "uuid-\($i)"
	| .virts[0].features |= [to_entries[] | select(.key >= 10 or ($i / pow(2; .key) | floor) % 2 == 0) | .value]' \
	"$top/tests/migrate/facts/alpha.json" |
	awk -v dir="$work" '{ f = sprintf("%s/h%04d.json", dir, NR); print > f; close(f) }'

# seconds N: of the matrix of the first N hosts, without the output of its cells.
seconds()
{
	local files start status=0
	files=("$work"/h*.json)
	start=$EPOCHREALTIME
	/usr/bin/time -f %M -o "$work/kib" "$VW_BUILD/virt-warden" --quiet matrix "${files[@]:0:$1}" >"$work/out" || status=$?
	tail -n 1 "$work/kib" >"$work/kib-$1"
	[ "$status" = 1 ] || exit 1
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'
}

seconds 250 >"$work/warm"
small=$(seconds 250)
large=$(seconds 1000)
grep 'blocked:' "$work/out" >&2
echo "matrix-1000 $large s <=10"
awk '{ printf "matrix-1000-memory %.0f MB <=500\n", $1 / 1024 }' "$work/kib-1000"
awk -v a="$large" -v b="$small" 'BEGIN { printf "matrix-scaling %.1f x <=18\n", a / b }'
