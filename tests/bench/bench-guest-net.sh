#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Network speed between guest and host over a tap: iperf3 in both directions, in a generic domain
# against the same domain as virt-warden fixes it.
#
# Emulated CPUs (TCG), two vCPUs; the host's end is in the lab's own network namespace.
set -euo pipefail
# shellcheck source=../lab/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib/common.sh"
# shellcheck source=../lab/lib/guest.sh
. "$LAB_DIR/lib/guest.sh"
# shellcheck source=../lab/lib/test.sh
. "$LAB_DIR/lib/test.sh"
# shellcheck source=../lab/lib/bench.sh
. "$LAB_DIR/lib/bench.sh"

bench_begin iperf3
there iperf3 --server --daemon --bind 10.77.0.1 </dev/null >/dev/null

nic="    <interface type='bridge'>
      <source bridge='br0'/>
    </interface>"
number=100
for name in generic fixed; do
	number=$((number + 1))
	truncate -s 1M "$work/$name.disk"
	generic_guest $name vwbench.kind=net vwbench.ip=10.77.0.$number/24 vwbench.peer=10.77.0.1 \
		<<<"$nic" >"$work/$name.xml"
done
fix_guest fixed
start_guest generic "$work/generic.xml" >&2
start_guest fixed "$work/fixed.fixed.xml" >&2
bench_pairs 2 fixed generic guest-net '>=2'
