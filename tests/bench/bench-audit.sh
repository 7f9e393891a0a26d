#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What `check` costs over 10,000 domain XML files, against a program that only parses them.
#
# CPU time, user + system, children included. The files are made of four domains as
# libvirt stores them (two that are conformant, two generic ones), each with a
# name, UUID, MAC address and image path of its own, and every third with more disks.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
export VW_BUILD
files=${FILES:-10000} pairs=${PAIRS:-7}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cc=${CC:-cc}
$cc -O2 -o "$tmp/paired" "$here/paired.c"
# shellcheck disable=SC2046 # several words are wanted
$cc -O2 $(pkg-config --cflags libxml-2.0) -o "$tmp/parse" "$here/bench-audit-parse.c" $(pkg-config --libs libxml-2.0)

mkdir "$tmp/xml"
awk -v n="$files" -v dir="$tmp/xml" '
	FNR == 1 { bases++ }
	{ text[bases] = text[bases] $0 "\n" }
	END {
		for (i = 0; i < n; i++) {
			t = text[i % bases + 1]
			gsub(/@NAME@/, sprintf("guest%05d", i), t)
			gsub(/@UUID@/, sprintf("5f0c2a7e-0000-4000-8000-%012x", i), t)
			gsub(/52:54:00:[0-9a-f:]+/, sprintf("52:54:00:%02x:%02x:%02x", i / 65536, i / 256 % 256, i % 256), t)
			extra = ""
			for (d = 0; d < (i % 3 ? 0 : 1 + i % 4); d++)
				extra = extra sprintf("    <disk type=\"file\" device=\"disk\">\n" \
					"      <driver name=\"qemu\" type=\"raw\"/>\n" \
					"      <source file=\"/srv/guests/%05d-%d.raw\"/>\n" \
					"      <target dev=\"sd%c\" bus=\"scsi\"/>\n    </disk>\n", i, d, 112 + d)
			sub(/  <\/devices>/, extra "  </devices>", t)
			file = sprintf("%s/%05d.xml", dir, i)
			printf "%s", t > file
			close(file)
		}
	}' "$here"/bench-audit-*.xml

# All names in one call, and the OS index is there before the first.
cd "$tmp/xml"
export VIRT_WARDEN_STATEDIR=$tmp/state VIRT_WARDEN_CACHEDIR=$tmp/cache
status=0
"$top/run" virt-warden check -- *.xml >"$tmp/out" || status=$?
tail -n 3 "$tmp/out" >&2
if [ "$status" -ne 1 ] || ! grep -q "^$files checked: " "$tmp/out"; then
	echo "bench-audit: check ended with $status" >&2
	exit 1
fi
# run itself is a shell script: it is left out of the measurement.
ratio=$("$top/run" "$tmp/paired" -c -x -v -w 1 -n "$pairs" "$VW_BUILD/virt-warden" check ./*.xml -- "$tmp/parse" ./*.xml)
echo "audit-vs-parse $ratio ratio <=2.0"
