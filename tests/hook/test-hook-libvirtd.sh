#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The hook where it belongs: two real libvirtds, a real guest. A cold start is refused at
# the prompt; a live migration, a restore and a start from a managed save are not, and the
# first two get their caches set; the XML that we write is one that libvirtd takes.
# timeout: 180
# shellcheck disable=SC2154 # $lab and $work are from tests/lab/lib
set -euo pipefail
# shellcheck source-path=SCRIPTDIR/../lab
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/../lab/lib/common.sh"
. "$LAB_DIR/lib/test.sh"
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")

lab_begin
"$lab" up --hosts alpha,beta >/dev/null
truncate -s 1M "$work/disk"
dev=$("$lab" loop "$work/disk")

policy() { # policy HOST TEXT
	mkdir -p "$("$lab" path "$1" /etc/virt-warden)"
	printf '%b' "$2" >"$("$lab" path "$1" /etc/virt-warden/warden.conf)"
}
for host in alpha beta; do
	dir=$("$lab" path "$host" /etc/libvirt/hooks)/qemu.d
	mkdir -p "$dir"
	install -m 755 "$VW_BUILD/hook" "$dir/virt-warden"
	install -m 644 "$VW_BUILD/virt-warden-hook.so" "$dir"
	"$lab" exec "$host" /usr/bin/python3 "$here/log-sink.py" /dev/log "$work/log-$host" &
	disown
	policy "$host" '[policy]\nstart = refuse\n'
done
until [ -e "$work/log-alpha" ] && [ -e "$work/log-beta" ]; do sleep 0.1; done
"$lab" reload alpha
"$lab" reload beta
sleep 0.5

virsh() { "$lab" exec "$1" /usr/bin/virsh -c qemu:///system "${@:2}"; }
cache_of() { # cache_of HOST: of the running guest
	virsh "$1" dumpxml guest | sed -n "/target dev='vda'/q; s/.*<driver.*cache='\([a-z]*\)'.*/\1/p"
}
refused() { # refused WHAT COMMAND…: the user sees who refuses, and what mends it
	local what=$1
	shift
	! "$@" >"$work/out" 2>&1 || fail "not refused: $what"
	grep -q "virt-warden: guest is not started: the cache mode of vda ('.*') is not allowed" "$work/out" ||
		fail "$what: $(cat "$work/out")"
	grep -q 'to mend it: virt-warden fix guest' "$work/out" || fail "no remedy: $(cat "$work/out")"
}
in_log() { # in_log HOST REGEX
	local n=50
	until grep -qE "$2" "$work/log-$1"; do
		[ $((n -= 1)) -gt 0 ] || fail "not in the log of $1: $2: $(cat "$work/log-$1")"
		sleep 0.1
	done
}

# No driver element at all: libvirtd fills in the format; caches as people write them.
define() { # define DRIVER
	cat >"$work/guest.xml" <<-END
		<domain type='qemu'>
		  <name>guest</name>
		  <uuid>7ac1ad4f-7d2b-4a0b-a8a6-5a3f0c2b1e10</uuid>
		  <memory unit='MiB'>64</memory>
		  <os><type arch='x86_64'>hvm</type></os>
		  <devices>
		    <disk type='block'>
		      $1
		      <source dev='$dev'/>
		      <target dev='vda'/>
		    </disk>
		  </devices>
		</domain>
	END
	virsh alpha define "$work/guest.xml" >/dev/null
}

define ""
refused "a cold start" virsh alpha start guest
in_log alpha 'finding op=prepare domain="guest" .* device="vda" before="default" after="none" action=fix'
virsh alpha list --name | grep -qx guest && fail "the guest runs"

# What a fix writes where there was no driver element is what libvirtd takes.
define "<driver name='qemu' cache='none'/>"
virsh alpha start guest >/dev/null
[ "$(cache_of alpha)" = none ] || fail "the cache is not none"
virsh alpha destroy guest >/dev/null

# A guest that runs with the wrong cache (the policy only warned) …
policy alpha '[policy]\nstart = warn\n'
define "<driver name='qemu' type='raw' cache='writeback'/>"
virsh alpha start guest >/dev/null
policy alpha '[policy]\nstart = refuse\n'

# … saved and started from its managed save: not refused, and mended.
virsh alpha managedsave guest >/dev/null
virsh alpha start guest >/dev/null || fail "the start from a managed save was refused"
[ "$(cache_of alpha)" = none ] || fail "the managed save came back with cache $(cache_of alpha)"
virsh alpha destroy guest >/dev/null
refused "a cold start, after the mark was taken" virsh alpha start guest

# … saved to a file and restored.
policy alpha '[policy]\nstart = warn\n'
virsh alpha start guest >/dev/null
policy alpha '[policy]\nstart = refuse\n'
virsh alpha save guest "$work/saved" >/dev/null
virsh alpha restore "$work/saved" >/dev/null || fail "the restore was refused"
[ "$(cache_of alpha)" = none ] || fail "the restored guest has cache $(cache_of alpha)"
virsh alpha destroy guest >/dev/null

# … and migrated: the destination neither refuses nor keeps the cache.
policy alpha '[policy]\nstart = warn\n'
virsh alpha start guest >/dev/null
[ "$(cache_of alpha)" = writeback ] || fail "the guest has cache $(cache_of alpha)"
virsh alpha migrate --live guest "$("$lab" uri beta)" || fail "the migration was refused"
[ "$(cache_of beta)" = none ] || fail "the guest arrived with cache $(cache_of beta)"
in_log beta 'finding op=migrate domain="guest" .* before="writeback" after="none" action=fix'
kept=$("$lab" path beta /var/lib/virt-warden/history)
grep -rq "cache='writeback'" "$kept" || fail "what came in was not kept"

# The mark was taken: the same guest, started there anew with the wrong cache, is refused.
virsh beta destroy guest >/dev/null
virsh beta define "$work/guest.xml" >/dev/null
refused "a cold start on the destination" virsh beta start guest

# A domain that says mode='off' is left alone.
virsh beta metadata guest urn:virt-warden:domain:1 --config --key w --set "<warden mode='off'/>" >/dev/null
virsh beta start guest >/dev/null || fail "mode='off' is refused"
[ "$(cache_of beta)" = writeback ] || fail "mode='off' was changed"
echo ok
