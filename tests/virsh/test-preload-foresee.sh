#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virsh define FILE is planned while virsh starts: the result is as ever, whatever FILE is, and what
# was laid ready for the history is gone when it was not needed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start
history=/var/lib/virt-warden/history # the host's own

generic web1 >"$tmp/web1.xml"
libvirtd=$(on cat /run/libvirtd.pid)

# What lies ready, and the domains that have a history, as inode and path.
list() { on find "$@" -mindepth 1 -maxdepth 1 ! -name '.*' -printf '%i %p\n' 2>/dev/null || true; }
ahead() { list "$history/.ahead"; }
histories() { list "$history"; }
forget() { on rm -rf "$history"; }

# left WHEN N: nothing lies ready, and N domains have a history.
left() {
	[ -z "$(ahead)" ] || fail "$1: something lies ready still"
	[ "$(histories | wc -l)" -eq "$2" ] || fail "$1: not $2 histories: $(histories)"
}

# defined HOW COMMAND…: fixed, and both versions kept: as typed, and as fixed. Then undefined.
defined() {
	local how=$1 dir
	shift
	forget
	run 0 "$@"
	has "$tmp/err" 'virt-warden: web1: [0-9]+ fixes'
	left "$how" 1
	dir=$(histories)
	dir=${dir#* }
	on sh -c "cat $dir/000001-*.xml" >"$tmp/typed"
	on sh -c "cat $dir/000002-*.xml" >"$tmp/fixed"
	has "$tmp/typed" "<target dev='hda'"
	has "$tmp/typed" 'cause=client name=web1 who=root@virsh'
	has "$tmp/fixed" "<target dev='vda'"
	has "$tmp/fixed" 'cause=fix name=web1 who=root@virsh'
	stored web1
	sed -E 's/<uuid.*//; s/<mac.*//' "$tmp/xml" >"$tmp/stored"
	[ -e "$tmp/first" ] || cp "$tmp/stored" "$tmp/first"
	cmp "$tmp/first" "$tmp/stored" || fail "$how: another result"
	on "$real" undefine web1 >"$tmp/undefine"
}

defined "nothing is kept yet" on virsh define "$tmp/web1.xml"
defined file on virsh define "$tmp/web1.xml"
defined --file on virsh define --file "$tmp/web1.xml"
defined --file= on virsh define --file="$tmp/web1.xml"
defined --validate on virsh define --validate "$tmp/web1.xml"
defined relative on sh -c "cd '$tmp' && virsh define web1.xml"
defined stdin on sh -c "virsh define /dev/stdin <'$tmp/web1.xml'"
defined pipe on sh -c "cat '$tmp/web1.xml' | virsh define /dev/stdin"
mkfifo "$tmp/fifo"
cat "$tmp/web1.xml" >"$tmp/fifo" &
defined fifo on virsh define "$tmp/fifo"
wait "$!" || fail "the writer of the FIFO"
defined interactive on sh -c "virsh 'define $tmp/web1.xml'"
defined "two commands" on sh -c "virsh 'list; define $tmp/web1.xml; list'"

# Not new: judged by the domain that is there, not by what was foreseen.
forget
run 0 on virsh define "$tmp/web1.xml"
stored web1
cp "$tmp/xml" "$tmp/again.xml"
run 0 on virsh define "$tmp/again.xml"
hasnt "$tmp/err" 'fixes'
left "as it is" 1
run 1 on virsh define "$tmp/web1.xml" # another UUID: libvirt refuses it
left "refused" 1
on "$real" undefine web1 >"$tmp/undefine"

# Never defined: no trace of it.
forget
run 0 on virsh -c test:///default define "$tmp/web1.xml"
left "another hypervisor" 0
run 1 on virsh -c qemu+unix:///system?socket=/nonexistent define "$tmp/web1.xml"
left "no libvirtd" 0
run 1 on virsh define "$tmp/web1.xml" --no-such-option
left "a wrong option" 0
sed 's/<memory.*//' "$tmp/web1.xml" >"$tmp/bad.xml"
run 1 on virsh define "$tmp/bad.xml"
[ -z "$(ahead)" ] || fail "refused: something lies ready still"
forget
printf '[policy]\ndefine = warn\n' >"$tmp/warn.conf"
VIRT_WARDEN_CONF=$tmp/warn.conf run 0 on virsh define "$tmp/web1.xml"
has "$tmp/err" 'nothing was changed'
left "only warned" 1
on "$real" undefine web1 >"$tmp/undefine"

# While libvirtd does not answer it lies ready, and it is what is used then.
ready() {
	on kill -STOP "$libvirtd"
	on virsh define "$tmp/web1.xml" >"$tmp/out" 2>&1 &
	for _ in $(seq 100); do
		[ -z "$(ahead)" ] || return 0
		sleep 0.1
	done
	on kill -CONT "$libvirtd"
	fail "nothing was laid ready while libvirtd does not answer"
}
forget
ready
inode=$(ahead)
[ -z "$(histories)" ] || fail "in the history before it was defined"
on kill -CONT "$libvirtd"
wait
[ "$(histories | cut -d ' ' -f 1)" = "${inode%% *}" ] || fail "what lay ready was not used"
left "libvirtd was slow" 1
on "$real" undefine web1 >"$tmp/undefine"

# Killed meanwhile: it goes with the next define.
forget
ready
on pkill -KILL -x virsh
wait || true
on kill -CONT "$libvirtd"
[ -n "$(ahead)" ] || fail "a killed define takes away what lies ready?"
[ -z "$(histories)" ] || fail "a killed define is in the history"
run 0 on virsh define "$tmp/web1.xml"
left "after a killed one" 1
on "$real" undefine web1 >"$tmp/undefine"

# What it rests on is looked at each time: a template's file, and the configuration.
mkdir "$tmp/templates.d"
changed() {
	forget
	run 0 on virsh define "$tmp/web1.xml"
	on "$real" undefine web1 >"$tmp/undefine"
}
sed "s/period='10'/period='7'/" "$top/xml-templates/common.xml" >"$tmp/templates.d/common.xml"
changed
has "$tmp/err" 'balloon: none -> 7'
sed -i "s/period='7'/period='8'/" "$tmp/templates.d/common.xml"
changed
has "$tmp/err" 'balloon: none -> 8'
rm "$tmp/templates.d/common.xml"
changed
has "$tmp/err" 'balloon: none -> 10'
printf '[policy]\ndefine = nonsense\n' >"$VIRT_WARDEN_CONF"
run 0 on virsh define "$tmp/web1.xml"
has "$tmp/err" "warden.conf:2: .*the XML was used as it is"
stored_has web1 'hda'
