# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# For the tests, benches and the demo that use a lab: a work directory, the end of it all, a generic
# guest and its serial console. Needs common.sh.

lab=$LAB_DIR/lab

# lab_begin: $work is a directory that goes away at exit, with the lab in it.
lab_begin()
{
	work=$(mktemp -d "${TMPDIR:-/tmp}/vw-test-XXXXXX")
	export VW_LAB=$work/lab
	mkdir "$VW_LAB"
	trap lab_end EXIT
	trap 'exit 130' INT TERM HUP
}

# lab_own_config: our programs of this checkout with a configuration of the test's, $work/warden.conf; nothing
# of the caller's environment. They find the OS index that an earlier test made.
lab_own_config()
{
	unset VIRT_WARDEN LIBVIRT_DEFAULT_URI VIRSH_DEFAULT_CONNECT_URI
	export VIRT_WARDEN_DATADIR=$TOP_DIR VIRT_WARDEN_CONF=$work/warden.conf
	export VIRT_WARDEN_CACHEDIR=$VW_BUILD/test-cache
	mkdir -p "$VIRT_WARDEN_CACHEDIR"
}

lab_end()
{
	local status=$?
	trap - EXIT
	"$lab" down || true
	rm -rf "$work"
	exit $status
}

fail()
{
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

# on HOST COMMAND…
on()
{
	"$lab" exec "$@"
}

# real HOST ARGUMENT…: libvirt's own virsh, there.
real()
{
	local host=$1
	shift
	on "$host" /usr/bin/virsh -q -c qemu:///system "$@"
}

# until_true SECONDS COMMAND…: waits; what it says goes nowhere. Return: 1 = it never was.
until_true()
{
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.2
	done
}

# generic_xml NAME DISK SERIAL-FILE [VIRT-TYPE]: what people write by hand: libvirt fills in the rest
# (IDE disk, Realtek NIC, the emulated default CPU).
generic_xml()
{
	cat <<END
<domain type='${4:-qemu}'>
  <name>$1</name>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
      <libosinfo:os id='http://debian.org/debian/12'/>
    </libosinfo:libosinfo>
  </metadata>
  <memory unit='MiB'>256</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
    <boot dev='hd'/>
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='$(disk_format "$2")'/>
      <source file='$2'/>
      <target dev='hda' bus='ide'/>
    </disk>
    <interface type='bridge'>
      <source bridge='br0'/>
    </interface>
    <serial type='file'>
      <source path='$3'/>
    </serial>
  </devices>
</domain>
END
}

# disk_format FILE: as qemu-img sees it.
disk_format()
{
	qemu-img info --force-share --output=json -- "$1" | sed -n 's/^    "format": "\(.*\)",\{0,1\}$/\1/p'
}

# console_wait FILE REGEX SECONDS: until a line of the serial console (carriage returns taken away)
# matches; prints the first such line.
console_wait()
{
	local end=$((SECONDS + $3)) line=
	while [ -z "$line" ]; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
		line=$(sed -n -E "s/\r//g; \\%$2%{p;q}" "$1" 2>/dev/null) || true
	done
	printf '%s\n' "$line"
}

# fact LINE KEY: the value of KEY=… in a VWLAB line.
fact()
{
	sed -n "s/.* $2=\([^ ]*\).*/\1/p" <<<"$1"
}
