#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The corpus through a real libvirtd: whatever a plain define accepts is accepted after the
# engine's fix, with every variation of facts, and through the front-end with no fall-back.
# And what was fixed and defined needs no second fix: libvirt's own additions change no opinion.
# timeout: 1200
set -euo pipefail
# shellcheck source=../corpus/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../corpus/common.sh"
export VW_LAB=$dir/lab
trap '"$top/tests/lab/lab" down; rm -rf "$dir"' EXIT

lab() { "$top/tests/lab/lab" "$@"; }
status=0

# define NAME DIR [PREFIX…]: defines all files of DIR on the host; output in $dir/define.NAME
define() {
	local name=$1 in=$2
	shift 2
	mkdir -p "$dir/stored.$name"
	lab exec alpha "$@" "$VW_BUILD/corpus/define-all" -o "$dir/stored.$name" "$in"/*.xml >"$dir/define.$name" 2>"$dir/err.$name" ||
		fail "$name: define-all: $(tail -n 5 "$dir/err.$name")"
}

# compare NAME PLAIN: what PLAIN accepts must be accepted in NAME
compare() {
	local lost
	lost=$(comm -23 <(names ok "$dir/define.$2") <(names ok "$dir/define.$1"))
	echo "$1: $(names ok "$dir/define.$1" | wc -l) accepted, $(names ok "$dir/define.$2" | wc -l) by plain libvirt"
	[ -n "$lost" ] || return 0
	echo "FAILED: $1: no longer accepted: $(wc -w <<<"$lost")"
	grep -Fw "${lost//$'\n'/$'\n'refused }" "$dir/define.$1" | head -n 30 # a pattern per line
	status=1
}

has_disk() { # has_disk FILE: another than CD-ROM and floppy drives
	grep '<disk ' "$1" | grep -qvE "device=[\"'](cdrom|floppy)"
}

# settled NAME FIXED MAX OPTION…: what libvirtd stored of FIXED's files, planned again with the same
# facts, changes nothing. Except: a domain without <devices> (they come from libvirt), and a random
# generator or agent channel for which the guest's places were not fixed before (at most MAX). A guest
# that is not blank gets those only then; without a disk no guest counts as blank, and is not counted.
settled() {
	local name=$1 fixed=$2 max=$3 late=0 file rules
	shift 3
	plan_corpus "again.$name" "$dir/caps" "$dir/stored.$name" "$dir/again" "$@"
	while read -r _ file rules; do
		grep -q '<devices>' "$fixed/$file" || continue
		case $rules in
		rng | agent-channel | 'rng agent-channel') ! has_disk "$fixed/$file" || late=$((late + 1)) ;;
		*)
			echo "FAILED: $name: $file changes again: $rules"
			status=1
			;;
		esac
	done < <(grep '^planned [^ ]* ' "$dir/plan.again.$name")
	echo "$name: $(find "$dir/stored.$name" -name '*.xml' | wc -l) stored, $late of those with a disk get an additive device later"
	if [ "$late" -gt "$max" ]; then
		echo "FAILED: $name: more than $max:"
		grep '^planned [^ ]* ' "$dir/plan.again.$name"
		status=1
	fi
	rm -rf "$dir/again" "$dir/stored.$name"
}

lab up --hosts alpha --owner $$ >/dev/null
prepare_corpus "$dir/xml"
mkdir -p "$dir/caps"
for machine in q35 pc; do
	lab exec alpha /usr/bin/virsh domcapabilities --virttype qemu --machine $machine >"$dir/caps/$machine.xml"
done

define plain "$dir/xml"
[ "$(names ok "$dir/define.plain" | wc -l)" -gt 500 ] || fail "plain libvirt accepts too little: $(cat "$dir/err.plain")"
while read -r name options; do
	# shellcheck disable=SC2086  # options are words
	plan_corpus "$name" "$dir/caps" "$dir/xml" "$dir/out" $options
	define "$name" "$dir/out"
	compare "$name" plain
	case $name in *-installed) max=600 ;; *-allowed) max=40 ;; *) max=15 ;; esac
	# shellcheck disable=SC2086
	settled "$name" "$dir/out" $max $options
	rm -rf "$dir/out"
done < <(variations)

# What libvirt has stored, as `fix DOMAIN` meets it: each device in its place. All comes with the
# first fix (but on two q35 boards without a root port, where libvirt adds one for another device).
while read -r name options; do
	# shellcheck disable=SC2086
	plan_corpus "kept-$name" "$dir/caps" "$dir/stored.plain" "$dir/out" $options
	define "kept-$name" "$dir/out"
	# shellcheck disable=SC2086
	settled "kept-$name" "$dir/out" 2 $options
	rm -rf "$dir/out"
done <<'END'
debian11-installed --os debian11 --new no --blank no
debian11-allowed   --os debian11 --new no --blank no --allow
freebsd-allowed    --os freebsd13.0 --new no --blank no --allow
END

# The front-end itself: with the files as they are; and with an OS that the metadata names,
# all disks being new and empty.
front_end() { # front_end NAME DIR PLAIN
	# The history goes to the host's own /run, a tmpfs: thousands of fsync() are not the point here.
	define "$1" "$2" env VIRT_WARDEN_STATEDIR=/run/corpus "$top/run" env "LD_PRELOAD=$VW_BUILD/virsh-warden.so"
	compare "$1" "$3"
	rm -rf "$dir/stored.$1"
	if grep -q "refuses the fixed XML" "$dir/err.$1"; then
		echo "FAILED: $1: fell back to the original $(grep -c "refuses the fixed XML" "$dir/err.$1") times"
		grep "refuses the fixed XML" "$dir/err.$1" | head -n 30
		status=1
	fi
	# A front-end that does nothing would pass all of this.
	[ "$(lab exec alpha find /run/corpus/history -type f | wc -l)" -gt 300 ] || fail "$1: hardly anything was fixed"
	lab exec alpha rm -rf /run/corpus
}
front_end front-end "$dir/xml" plain

# rewrite DIR OS-ID: disks get empty sources, the metadata names the OS
rewrite() {
	local metadata="<metadata>\n    <libosinfo:libosinfo xmlns:libosinfo='http:\/\/libosinfo.org\/xmlns\/libvirt\/domain\/1.0'>"
	metadata+="\n      <libosinfo:os id='${2//\//\\/}'\/>\n    <\/libosinfo:libosinfo>\n  <\/metadata>"
	cp -r "$dir/xml" "$1"
	sed -E -i "s|source file='[^']*'|source file='$dir/blank.img'|; s|source dev='/dev/[^']*'|source dev='$loop'|
		s|type='qcow2'|type='raw'|" "$1"/*.xml
	grep -L '<metadata' "$1"/*.xml | xargs sed -i "0,/<\/name>/s//<\/name>\n  $metadata/"
	[ "$(grep -l "$2" "$1"/*.xml | wc -l)" -gt 1000 ] || fail "$1: the OS was not put in"
}

# A block device is read to the end to see that it is empty: a small one.
truncate -s 1G "$dir/blank.img"
truncate -s 4M "$dir/blank.block"
loop=$(lab loop "$dir/blank.block")
while read -r os id; do
	rewrite "$dir/$os" "$id"
	define "plain-$os" "$dir/$os"
	rm -rf "$dir/stored.plain-$os"
	front_end "front-end-$os" "$dir/$os" "plain-$os"
done <<'END'
debian11 http://debian.org/debian/11
win10 http://microsoft.com/win/10
win11 http://microsoft.com/win/11
freebsd http://freebsd.org/freebsd/13.0
END
exit "$status"
