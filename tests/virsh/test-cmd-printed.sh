#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every command that check, fix and the front-end print can be typed as it is: for files and for
# domains, with -c and --os, of known and of unknown OS, with and without data on the disk. And those of
# doctor, status, history, undo and the agent's log.
# timeout: 150
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start

# The commands in what was printed, one a line; ID is any OS.
commands() {
	grep -ohE '(^|[^/])virt-warden (-c [^ ]+ )?[a-z]+( [^`;)"]*)?' "$tmp/out" "$tmp/err" | sed 's/^[^v]//' |
		grep -vE '^virt-warden [a-z]+:|^virt-warden check --all . less' |
		sed -E 's/( (sets|says|once|changes) |  ).*//; s/ +$//; s/( |=)ID\b/\1debian11/' | sort -u
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

# A network of which nothing is known: whom to ask.
generic net | sed "s,network='default',network='pool'," >"$tmp/net.xml"
prints "file, network" virt-warden check net.xml
has "$tmp/commands" '^virt-warden -c qemu:///system check net.xml'

# What else prints: a version that is not there, the agent, what looks at all of it.
prints "history" virt-warden history data --print 99
has "$tmp/commands" '^virt-warden history data$'
prints "undo" virt-warden undo data 99
agent_start --connect qemu:///system
on "$real" undefine unknown >"$tmp/define"
on "$real" define "$tmp/unknown.xml" >"$tmp/define"
wait_for 10 grep -q 'virt-warden check unknown' "$agent_log" || fail "the agent does not say what to type: $(cat "$agent_log")"
cat "$agent_log" >"$tmp/log"
prints "agent" cat "$tmp/log"
for what in doctor status 'check --all'; do
	# shellcheck disable=SC2086 # words
	(cd "$tmp" && on virt-warden $what) >"$tmp/out" 2>"$tmp/err" </dev/null || true
	[ -z "$(commands)" ] || typed "$what"
done
agent_stop
# No index of OSes: the program that makes it is none of PATH.
(cd "$tmp" && on env VIRT_WARDEN_CACHEDIR=/proc/no virt-warden doctor) >"$tmp/out" 2>&1 </dev/null || true
if grep -q 'osinfo build' "$tmp/out"; then
	program=$(grep -oE 'Remedy: [^ ]*/virt-warden-osinfo' "$tmp/out" | head -n 1)
	[ -x "${program#Remedy: }" ] || fail "doctor names '$program'"
fi

# What can't be typed is not printed.
run 1 on virt-warden check "$tmp/unknown.xml"
hasnt "$tmp/out" 'os set'
