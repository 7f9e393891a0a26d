#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every command that check, fix and the front-end print can be typed as it is: for files and for
# domains, with -c and --os, of known and of unknown OS, with and without data on the disk.
# timeout: 150
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

# The commands in what was printed, one a line; ID is any OS.
commands() {
	grep -ohE 'virt-warden (-c [^ ]+ )?[a-z]+( [^`;)"]*)?' "$tmp/out" "$tmp/err" | grep -vE '^virt-warden [a-z]+:' |
		sed -E 's/ (sets|says|once) .*//; s/ +$//; s/( |=)ID\b/\1debian11/' | sort -u
}

# typed WHAT: run each; none may be wrong usage, or about something that is not there.
typed() {
	local cmd got n=0
	commands >"$tmp/commands" || true
	[ -s "$tmp/commands" ] || fail "$1: no command is printed"
	while read -r cmd; do
		got=0
		(cd "$tmp" && on sh -c "$cmd" </dev/null) >"$tmp/typed" 2>&1 || got=$?
		[ $got -le 1 ] || fail "$1: exit status $got: $cmd: $(cat "$tmp/typed")"
		n=$((n + 1))
	done <"$tmp/commands"
	echo "ok $1 ($n)"
}

# Runs whatever its status is, then what it printed.
prints() {
	local what=$1
	shift
	(cd "$tmp" && on "$@") >"$tmp/out" 2>"$tmp/err" </dev/null || true
	typed "$what"
}

# as NAME: with data on its disk or without, of known or unknown OS
data() { dd if=/dev/urandom of="$tmp/$1.img" bs=64K count=1 conv=notrunc status=none; }
unknown() { sed '/<metadata>/,/<\/metadata>/d'; }

for how in blank data unknown; do
	truncate -s 1G "$tmp/$how.img"
	[ $how = blank ] || data $how
	generic $how >"$tmp/$how.xml"
done
generic unknown | unknown >"$tmp/unknown.xml"

for how in blank data unknown; do
	prints "file $how" virt-warden check $how.xml
	prints "file $how, json" virt-warden check --json "./$how.xml"
	prints "file $how, -c" virt-warden -c qemu:///system check $how.xml
	on "$real" define "$tmp/$how.xml" >"$tmp/define"
	prints "domain $how" virt-warden check $how
	on "$real" undefine $how >"$tmp/define"
	on "$real" define "$tmp/$how.xml" >"$tmp/define"
	prints "domain $how, json, -c" virt-warden -c qemu:///system check --json $how
done
prints "file, --os" virt-warden check --os debian11 unknown.xml
has "$tmp/commands" 'fix .*--os debian11.* unknown.xml'
on "$real" undefine data >"$tmp/define"
on "$real" define "$tmp/data.xml" >"$tmp/define"
prints "domain, fix" virt-warden fix data

# The front-end's own lines.
on "$real" undefine data >"$tmp/define"
prints "define" virsh define "$tmp/data.xml"
has "$tmp/commands" 'fix data --allow'

# On a libvirt that virt-warden would not ask by itself.
on "$real" undefine data >"$tmp/define"
prints "define -c" env -u LIBVIRT_DEFAULT_URI virsh -c "qemu+unix:///system" define "$tmp/data.xml"
has "$tmp/commands" '^virt-warden -c qemu\+unix:///system fix data --allow'

# A name that begins as an option does.
data -d
sed "s,<name>data,<name>-d," "$tmp/data.xml" >"$tmp/dash.xml"
prints "define, dash" virsh define "$tmp/dash.xml"
has "$tmp/commands" 'fix --allow (boot|visible) -- -d'

# What can't be typed is not printed.
run 1 on virt-warden check "$tmp/unknown.xml"
hasnt "$tmp/out" 'os set'
