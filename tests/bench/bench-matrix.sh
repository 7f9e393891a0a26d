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

# run N TIMES: the matrix of the first N hosts, without the output of its cells. Best of TIMES: seconds in
# $wall, seconds of CPU (what the scaling is judged by: others use this machine, too) in $cpu; kB in $kib.
run()
{
	local files start took used status i
	files=("$work"/h*.json)
	wall='' cpu=''
	for ((i = 0; i < $2; i++)); do
		status=0
		start=$EPOCHREALTIME
		/usr/bin/time -f '%U %S %M' -o "$work/time" "$VW_BUILD/virt-warden" --quiet matrix "${files[@]:0:$1}" \
			>"$work/out" || status=$?
		took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }')
		[ "$status" = 1 ] || exit 1
		read -r used kib < <(tail -n 1 "$work/time" | awk '{ print $1 + $2, $3 }')
		wall=$(printf '%s\n' "${wall:-$took}" "$took" | sort -n | head -n 1)
		cpu=$(printf '%s\n' "${cpu:-$used}" "$used" | sort -n | head -n 1)
		echo "$1 hosts: $took s, CPU $used s, $kib kB" >&2
	done
}

run 250 5
small=$cpu
run 1000 2
grep 'blocked:' "$work/out" >&2
echo "matrix-1000 $wall s <=10"
awk -v kib="$kib" 'BEGIN { printf "matrix-1000-memory %.0f MB <=500\n", kib / 1024 }'
awk -v a="$cpu" -v b="$small" 'BEGIN { printf "matrix-scaling %.1f x <=18\n", a / b }'
