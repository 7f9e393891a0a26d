# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of the virsh front-end share: a scratch directory, a lab host, comparisons.
# Sourced by test-virsh-*.sh and test-preload-*.sh.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
export VW_BUILD
tmp=$(mktemp -d "${TMPDIR:-/tmp}/vw-virsh-XXXXXX")

# Our own templates; the default policy unless a test writes the file; state below $tmp or, in a
# lab, in the host's private /var/lib; one OS index for all tests (built when it is not there).
unset VIRT_WARDEN VIRT_WARDEN_LD_PRELOAD VIRT_WARDEN_CHAIN LD_PRELOAD VIRSH_DEFAULT_CONNECT_URI
export VIRT_WARDEN_DATADIR=$top
export VIRT_WARDEN_CONF=$tmp/warden.conf
export VIRT_WARDEN_STATEDIR=$tmp/state
export VIRT_WARDEN_CACHEDIR=$VW_BUILD/test-cache
mkdir -p "$VIRT_WARDEN_CACHEDIR"

# The plain virsh, before ours stands first on PATH.
real=$(PATH=${PATH//"$VW_BUILD":/} type -P virsh)
export PATH=$VW_BUILD:$PATH

cleanup() {
	[ -z "${VW_LAB-}" ] || "$top/tests/lab/lab" down || true
	rm -rf "$tmp"
}
trap cleanup EXIT

fail() {
	echo "FAILED (line ${BASH_LINENO[0]}): $*" >&2
	for f in "$tmp/out" "$tmp/err"; do
		[ ! -s "$f" ] || head -n 60 "$f" | cut -c1-400 | sed "s,^,  ${f##*/}: ," >&2
	done
	exit 1
}

# A lab host "alpha"; afterwards `on CMD…` runs there.
lab_start() {
	VW_LAB=$("$top/tests/lab/lab" up --hosts alpha --owner $$)
	export VW_LAB LIBVIRT_DEFAULT_URI=qemu:///system
}

on() { "$top/tests/lab/lab" exec alpha "$@"; }

# run STATUS CMD…: stdout and stderr to $tmp/out and $tmp/err, the status must be as given.
run() {
	local want=$1 got=0
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
	[ "$got" = "$want" ] || fail "exit status $got, not $want: $*"
}

has() { grep -qE -- "$2" "$1" || fail "${1##*/} has no: $2"; }
hasnt() { ! grep -E -- "$2" "$1" || fail "${1##*/} has: $2"; }
empty() { [ ! -s "$1" ] || fail "${1##*/} is not empty"; }

# The stored XML of a domain, into $tmp/xml.
stored() { on "$real" dumpxml --inactive --security-info "$1" >"$tmp/xml"; }
stored_has() { stored "$1" && has "$tmp/xml" "$2"; }
stored_hasnt() { stored "$1" && hasnt "$tmp/xml" "$2"; }

# How many versions the history has of a domain (by UUID), in the lab.
versions() { on find "/var/lib/virt-warden/history/$1" -name '0*.xml' 2>/dev/null | wc -l; }

# generic NAME [UUID]: the XML that anybody would write, on a blank disk, on stdout.
generic() {
	local name=$1 uuid=${2-}
	[ -e "$tmp/$name.img" ] || truncate -s 1G "$tmp/$name.img"
	cat <<-END
		<domain type='qemu'>
		  <name>$name</name>
		  ${uuid:+<uuid>$uuid</uuid>}
		  <metadata>
		    <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
		      <libosinfo:os id='http://debian.org/debian/11'/>
		    </libosinfo:libosinfo>
		  </metadata>
		  <memory unit='MiB'>256</memory>
		  <vcpu>1</vcpu>
		  <os>
		    <type arch='x86_64'>hvm</type>
		  </os>
		  <devices>
		    <disk type='file' device='disk'>
		      <driver name='qemu' type='raw'/>
		      <source file='$tmp/$name.img'/>
		      <target dev='hda' bus='ide'/>
		    </disk>
		    <interface type='network'>
		      <source network='default'/>
		    </interface>
		    <graphics type='vnc' passwd='s3kret'/>
		  </devices>
		</domain>
	END
}
