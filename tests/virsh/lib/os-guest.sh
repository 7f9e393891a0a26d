# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of guest systems share: the XML that anybody would write by hand, and a disk that
# proves by its own boot sector that the firmware boots from it. Needs lib.sh.

: "${top:?source lib.sh first}" "${tmp:?}"
export PYTHONDONTWRITEBYTECODE=1

# hand_made NAME OS-ID DISK [FORMAT]: nothing but what libvirt insists on, and a console.
hand_made() {
	local metadata=""
	[ -z "$2" ] || metadata="
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
      <libosinfo:os id='$2'/>
    </libosinfo:libosinfo>
  </metadata>"
	cat <<-END
		<domain type='qemu'>
		  <name>$1</name>$metadata
		  <memory unit='MiB'>256</memory>
		  <vcpu>2</vcpu>
		  <os>
		    <type arch='x86_64'>hvm</type>
		  </os>
		  <devices>
		    <disk type='file' device='disk'>
		      <driver name='qemu' type='${4:-raw}'/>
		      <source file='$3'/>
		      <target dev='hda' bus='ide'/>
		    </disk>
		    <disk type='file' device='cdrom'>
		      <target dev='hdc' bus='ide'/>
		      <readonly/>
		    </disk>
		    <interface type='network'>
		      <source network='default'/>
		    </interface>
		    <serial type='file'>
		      <source path='$tmp/$1.serial'/>
		    </serial>
		    <graphics type='vnc'/>
		  </devices>
		</domain>
	END
}

# boot_sector FILE: 16-bit code that writes "VW boot sector" to the first serial port, and waits.
boot_sector() {
	printf '\x31\xc0\x8e\xd8\xfc\xbe\x16\x7c\xba\xf8\x03\xac\x84\xc0\x74\x03\xee\xeb\xf8\xf4\xeb\xfdVW boot sector\r\n\0' |
		dd of="$1" bs=512 conv=notrunc status=none
	printf '\x55\xaa' | dd of="$1" bs=1 seek=510 conv=notrunc status=none
}

# says NAME REGEX SECONDS: until the guest's serial port has written that.
says() {
	local end=$((SECONDS + $3))
	until grep -qaE -- "$2" "$tmp/$1.serial" 2>/dev/null; do
		[ $SECONDS -lt $end ] || fail "$1 did not say '$2' within $3 s, but: $(tail -c 300 "$tmp/$1.serial" 2>/dev/null | tr -cd '[:print:]\n')"
		sleep 0.2
	done
}

# devices NAME: rule by rule, what is stored of a domain, to $tmp/devices.
devices() {
	stored "$1"
	"$top/tests/virsh/lib/choices.py" "$tmp/xml" >"$tmp/devices"
}

# devices_are NAME: what is stored must be what is on stdin, lines "rule: value".
devices_are() {
	devices "$1"
	diff -u - "$tmp/devices" >"$tmp/diff" || fail "$1 has other devices: $(cat "$tmp/diff")"
}
