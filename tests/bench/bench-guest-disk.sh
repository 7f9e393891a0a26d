#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Disk speed inside a guest: fio with direct I/O (sequential reads of 1 MiB, random reads and writes of
# 4 KiB, depth 32), in a generic domain against the same domain as virt-warden fixes it.
#
# Emulated CPUs (TCG), two vCPUs. The disks are raw files, preallocated as production guests have
# them, and blank when the domain is fixed; then they are filled.
set -euo pipefail
# shellcheck source=../lab/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib/common.sh"
# shellcheck source=../lab/lib/guest.sh
. "$LAB_DIR/lib/guest.sh"
# shellcheck source=../lab/lib/test.sh
. "$LAB_DIR/lib/test.sh"
# shellcheck source=../lab/lib/bench.sh
. "$LAB_DIR/lib/bench.sh"

bench_begin fio

for name in generic fixed; do
	head -c 512M /dev/zero >"$work/$name.disk"
	generic_guest $name vwbench.kind=disk </dev/null >"$work/$name.xml"
done
fix_guest fixed
grep -q "cache='none' io='native'.*iothread='1'" "$work/fixed.fixed.xml" || fail "not all of the disk was fixed"
head -c 512M /dev/urandom >"$work/generic.disk"
cp "$work/generic.disk" "$work/fixed.disk"
sync "$work/generic.disk" "$work/fixed.disk"

start_guest generic "$work/generic.xml" >&2
start_guest fixed "$work/fixed.fixed.xml" >&2
bench_pairs 3 fixed generic guest-disk '>=2.5'
