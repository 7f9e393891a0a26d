#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A preflight in both directions against the migration that it stands before: wall times in a lab of two
# hosts, of a guest of 192 MiB that runs Linux. The two take turns; medians.
set -euo pipefail
# shellcheck source=../lab/lib/common.sh
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/../lab/lib/common.sh"
# shellcheck source=../lab/lib/test.sh
. "$LAB_DIR/lib/test.sh"

ROUNDS=${BENCH_ROUNDS:-7}

lab_begin
export VIRT_WARDEN_DATADIR=$TOP_DIR VIRT_WARDEN_CONF=$TOP_DIR/docs/warden.conf
"$lab" up --hosts alpha,beta >/dev/null
"$lab" guest bench --disk block --cache none >&2

# timed COMMAND…: prints its wall time in seconds.
timed()
{
	local start=$EPOCHREALTIME
	"$@" >&2 || fail "$*"
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'
}

preflight() # preflight FROM TO, both ways
{
	"$lab" exec "$1" "$VW_BUILD/virt-warden" -c qemu:///system preflight bench "$("$lab" uri "$2")"
}
migrate()
{
	"$lab" exec "$1" /usr/bin/virsh -q -c qemu:///system migrate --live bench "$("$lab" uri "$2")"
}

from=alpha to=beta
for ((i = 0; i < ROUNDS; i++)); do
	printf '%s %s\n' "$(timed preflight "$from" "$to")" "$(timed migrate "$from" "$to")" | tee /dev/stderr
	read -r from to <<<"$to $from"
done >"$work/times"

median() { awk -v n="$1" '{ print $n }' "$work/times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
echo "medians: preflight $(median 1) s, migration $(median 2) s" >&2
awk -v a="$(median 1)" -v b="$(median 2)" 'BEGIN { printf "preflight-vs-migrate %.2f ratio <=0.5\n", a / b }'
