#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a define costs a user who waits for it: `virsh define` through us against the plain virsh.
#
# Cold processes, by turns, on the same libvirtd, of the same XML: a new domain each time (it is
# undefined in between, untimed), and through us with at least five fixes and the history on disk.
# The XML is virt-install's, which needs six; and the generic one by hand, which needs fifteen and is
# twice as long afterwards, so that libvirtd itself has 4 % more to do.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lab/lib/common.sh
. "$here/../lab/lib/common.sh"
# shellcheck source=../lab/lib/test.sh
. "$here/../lab/lib/test.sh"
pairs=${PAIRS:-150}

unset VIRT_WARDEN LD_PRELOAD VIRSH_DEFAULT_CONNECT_URI
export LIBVIRT_DEFAULT_URI=qemu:///system
lab_begin
"$lab" up --hosts alpha >/dev/null
real=$(PATH=${PATH//"$VW_BUILD":/} type -P virsh)
${CC:-cc} -O2 -o "$work/paired" "$here/paired.c"

# As installed: the shipped configuration, the history where the host has it.
cp "$TOP_DIR/docs/warden.conf" "$work/warden.conf"
export VIRT_WARDEN_CONF=$work/warden.conf VIRT_WARDEN_STATEDIR=/var/lib/virt-warden
on() { "$lab" exec alpha "$TOP_DIR/run" "$@"; }

truncate -s 4G "$work/web1.img"
generic_xml web1 "$work/web1.img" "$work/web1.log" >"$work/generic.xml"
on virt-install --osinfo debian11 --name web1 --memory 512 --vcpus 2 --disk "path=$work/web1.img,format=raw" \
	--network user --import --print-xml --virt-type qemu >"$work/new.xml" 2>"$work/err" || fail "virt-install: $(<"$work/err")"
sed '/<uuid>/d' "$work/new.xml" >"$work/virt-install.xml" # as one who makes another domain of it
printf '#!/bin/sh\nexec %s -q undefine web1\n' "$real" >"$work/undefine"
chmod 755 "$work/undefine"

# measure XML: the ratio, with the wrapper as users type it, found on PATH.
measure() {
	local xml=$work/$1.xml fixes
	on virsh define "$xml" >"$work/out" 2>&1 || fail "$(<"$work/out")"
	cat "$work/out" >&2
	fixes=$(sed -n -E 's/^virt-warden: web1: ([0-9]+) fixes.*/\1/p' "$work/out")
	[ "${fixes:-0}" -ge 5 ] || fail "only ${fixes:-0} fixes"
	on "$work/undefine"
	sync # what the benches before it left must not be what it waits for
	on "$work/paired" -v -n "$pairs" -w 10 -u "$work/undefine" virsh define "$xml" -- "$real" define "$xml"
}

echo "define-overhead $(measure virt-install) ratio <=1.15"
echo "define-overhead-generic $(measure generic) ratio <=1.25"
