#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whatever is wrong with our installation or with the XML: one line, and the define is the plain
# virsh's, in time.
# timeout: 180
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

generic web1 >"$tmp/web1.xml"

# untouched WHAT PATTERN [ENV…]: defined as typed, with one line that matches.
untouched() {
	local what=$1 pattern=$2
	shift 2
	run 0 on env "$@" virsh define "$tmp/web1.xml"
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "$what: not one line"
	has "$tmp/err" "^virt-warden: .*$pattern"
	stored_has web1 "bus='ide'"
	hasnt "$tmp/xml" "cache='none'"
	run 0 on "$real" undefine web1
}

# The policy.
echo 'define = nonsense' >"$tmp/warden.conf"
untouched 'bad conf' 'warden.conf.*\(the XML was used as it is\)$'
echo -e '[policy]\ndefine = nonsense' >"$tmp/warden.conf"
untouched 'bad value' 'warden.conf:2'
: >"$tmp/warden.conf"
chown 12345 "$tmp/warden.conf"
untouched 'conf of another user' 'warden.conf is not used by root, .*\(the XML was used as it is\)$'
rm "$tmp/warden.conf"
mkdir "$tmp/warden.conf"
untouched 'conf is a directory' 'warden.conf'
rmdir "$tmp/warden.conf"

# The templates.
untouched 'no templates' 'nonexistent' VIRT_WARDEN_DATADIR=/nonexistent
mkdir "$tmp/templates.d"
echo '<template' >"$tmp/templates.d/x.xml"
untouched 'a bad template' 'templates.d/x.xml:[12]:'
rm -r "$tmp/templates.d"

# The history: no place for it, a full disk.
echo file >"$tmp/file"
untouched 'no place' "can't keep the history, so nothing was changed" VIRT_WARDEN_STATEDIR="$tmp/file"
on mkdir /run/small
on mount -t tmpfs -o mode=755,size=64k,nr_inodes=64 small /run/small
on sh -c 'head -c 64k /dev/zero >/run/small/full' 2>"$tmp/full" || true
untouched 'a full disk' "No space left on device.*nothing was changed" VIRT_WARDEN_STATEDIR=/run/small

# The OS index: rebuilt if it is missing or corrupt; without it, and no way to build one, said.
run 0 on env VIRT_WARDEN_CACHEDIR="$tmp/cache" virsh define "$tmp/web1.xml"
has "$tmp/err" '^virt-warden: web1: [0-9]+ fixes \(Debian 11\)$'
stored_has web1 "bus='virtio'"
run 0 on "$real" undefine web1
[ "$(find "$tmp/cache" -type f ! -name 'caps-*' ! -name 'template-*')" = "$tmp/cache/os.index" ] || fail "not just an index"
echo garbage >"$tmp/cache/os.index"
run 0 on env VIRT_WARDEN_CACHEDIR="$tmp/cache" virsh define "$tmp/web1.xml"
has "$tmp/err" '\(Debian 11\)$'
run 0 on "$real" undefine web1
run 0 on env VIRT_WARDEN_CACHEDIR="$tmp/file" virsh define "$tmp/web1.xml"
has "$tmp/err" '^virt-warden: web1: [0-9]+ fixes \(OS unknown: .*os.index.*\)$'
stored_has web1 "cache='none'"
run 0 on "$real" undefine web1

# quick SECONDS CMD…: on the host, in time, whatever the exit status
quick() {
	local limit=$1 got=0
	shift
	timeout "$limit" "$top/tests/lab/lab" exec alpha "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
	[ $got != 124 ] || fail "took more than $limit s: $*"
}

# Disks that must not be opened, or hang: a FIFO, /dev/zero, a directory, a loop of links.
mkfifo "$tmp/fifo"
ln -s "$tmp/loop" "$tmp/loop"
for path in "$tmp/fifo" /dev/zero "$tmp" "$tmp/loop" /nonexistent/x; do
	sed "s,<source file='.*',<source file='$path'," "$tmp/web1.xml" >"$tmp/path.xml"
	quick 10 virsh define "$tmp/path.xml"
	has "$tmp/out" "^Domain 'web1' defined"
	stored_has web1 "bus='ide'"
	run 0 on "$real" undefine web1
done

# Large, deep, full of disks: what virsh and libvirt make of it.
deep() { printf "%0.s<a>" $(seq "$1") && printf "%0.s</a>" $(seq "$1"); }
{
	sed '/<metadata>/q' "$tmp/web1.xml"
	deep 250
	sed -n '/<metadata>/,$p' "$tmp/web1.xml" | tail -n +2
} >"$tmp/deep.xml"
untouched_file() { # untouched_file FILE PATTERN
	local want=0
	on "$real" define "$1" >"$tmp/real.out" 2>"$tmp/real.err" || want=$?
	[ $want != 0 ] || run 0 on "$real" undefine web1
	run "$want" on virsh define "$1"
	cmp "$tmp/real.out" "$tmp/out" || fail "another stdout: $1"
	if [ $want = 0 ]; then
		has "$tmp/err" "$2"
		run 0 on "$real" undefine web1
	else
		cmp "$tmp/real.err" "$tmp/err" || fail "another stderr: $1"
	fi
}
untouched_file "$tmp/deep.xml" '^virt-warden: .*levels of elements'
{
	sed '/<description>/d;/<metadata>/,$d' "$tmp/web1.xml"
	echo "<description>$(head -c 9500000 /dev/zero | tr '\0' x)</description>"
	sed -n '/<memory/,$p' "$tmp/web1.xml"
} >"$tmp/large.xml"
quick 20 virsh -q define "$tmp/large.xml"
{
	sed '/<disk /,$d' "$tmp/web1.xml"
	seq 2000 | sed "s,.*,<disk type='file' device='disk'><source file='/nonexistent/&'/><target dev='sd&' bus='scsi'/></disk>,"
	sed -n '/<interface/,$p' "$tmp/web1.xml"
} >"$tmp/disks.xml"
quick 20 virsh -q define "$tmp/disks.xml" # libvirt's own time grows with the square: 10 s for 10,000
