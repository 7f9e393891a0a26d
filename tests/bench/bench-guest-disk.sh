#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Disk speed inside a guest: fio with direct I/O (sequential reads of 1 MiB, random reads and writes of
# 4 KiB, depth 32), in a generic domain against the same domain as virt-warden fixes it.
#
# Emulated CPUs (TCG), two vCPUs. The disks are raw files, blank when the domain is fixed, then filled.
set -euo pipefail
# shellcheck source=../lab/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib/common.sh"
. "$LAB_DIR/lib/guest.sh"
. "$LAB_DIR/lib/test.sh"
. "$LAB_DIR/lib/bench.sh"

bench_begin fio

domain_xml()
{
	cat <<END
<domain type='qemu'>
  <name>$1</name>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
      <libosinfo:os id='http://debian.org/debian/12'/>
    </libosinfo:libosinfo>
  </metadata>
  <memory unit='MiB'>640</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
$(boot_lines vwbench.kind=disk)
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='$work/$1.disk'/>
      <target dev='hda' bus='ide'/>
    </disk>
$(console_lines "$1")
  </devices>
</domain>
END
}

for name in generic fixed; do
	truncate -s 512M "$work/$name.disk"
	domain_xml $name >"$work/$name.xml"
done
here virt-warden -c qemu:///system fix "$work/fixed.xml" >"$work/ours.xml"
diff -u "$work/fixed.xml" "$work/ours.xml" >&2 || true
head -c 512M /dev/urandom >"$work/generic.disk"
cp "$work/generic.disk" "$work/fixed.disk"
sync "$work/generic.disk" "$work/fixed.disk"

start_guest generic "$work/generic.xml" >&2
start_guest fixed "$work/ours.xml" >&2
bench_pairs fixed generic guest-disk '>=2.5'
