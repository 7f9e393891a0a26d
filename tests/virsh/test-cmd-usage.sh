#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command's frame: help, verbs and their nearest spelling, exit codes, JSON also on failure.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

verbs="check fix new os mode history undo doctor status"

# Help goes to stdout with 0; no verb at all is wrong usage, with the help on stderr.
run 0 virt-warden --help
for verb in $verbs; do has "$tmp/out" "^  $verb "; done
run 2 virt-warden
empty "$tmp/out"
has "$tmp/err" '^Verbs:'
for verb in $verbs; do
	run 0 virt-warden "$verb" --help
	has "$tmp/out" "^Usage: virt-warden $verb"
	has "$tmp/out" '--connect URI'
	empty "$tmp/err"
	cp "$tmp/out" "$tmp/help"
	run 0 virt-warden help "$verb"
	cmp -s "$tmp/out" "$tmp/help" || fail "help $verb differs from $verb --help"
done
run 0 virt-warden --version
has "$tmp/out" '^virt-warden [0-9]+\.[0-9]+\.[0-9]+$'
run 0 virt-warden check -V
has "$tmp/out" '^virt-warden [0-9]'
run 0 virsh warden --version
has "$tmp/out" '^virt-warden [0-9]'

# An unknown verb: one line, with the list and the nearest spelling.
run 2 virt-warden chek web1
empty "$tmp/out"
[ "$(wc -l <"$tmp/err")" = 1 ] || fail "more than one line"
has "$tmp/err" "did you mean 'check'"
for verb in $verbs; do has "$tmp/err" " $verb"; done
run 2 virt-warden histroy
has "$tmp/err" "'history'"
run 2 virt-warden xyzzyplugh
hasnt "$tmp/err" 'did you mean'
run 2 virt-warden "$(printf 'x%.0s' {1..3000})"
run 2 virt-warden preflight

# Wrong usage: 2, one line, nothing on stdout.
while read -r args; do
	# shellcheck disable=SC2086  # several words are wanted
	run 2 virt-warden $args
	empty "$tmp/out"
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "not one line: virt-warden $args"
done <<'END'
--nosuch
check --nosuch
check -c
check --all web1
fix
fix a b
fix --all a
fix --all --os debian11
fix a --allow
fix a --allow host
fix a --allow boot,nonsense
fix a --diff --print-xml
os
os nosuch
os show
os set a
os list a b
os show --family linux debian11
os show nosuch-os-at-all
mode
mode a b c
mode a harsh
mode a --skip nosuchrule
history
history a b
history a --diff x
history a --diff 0
history a --diff 1 --print 1
history a --diff 1 --json
undo
undo a b
undo a 1 2
undo a 99999999999999
doctor a
status a
new
new --os debian11
new --name a
new --os debian11 --name a/b
new --os debian11 --name a --memory 0
new --os debian11 --name a --memory 1g
new --os debian11 --name a --vcpus -1
new --os debian11 --name a --disk /x,size=0
new --os debian11 --name a --disk /x,bus=floppy
new --os debian11 --name a --disk /x,color=blue
new --os debian11 --name a --network default,mac=zz
new --os debian11 --name a --virttype xen
new --os debian11 --name a --graphics sdl
new --os debian11 --name a b
END

# Options of every verb may stand before it and behind it; the last URI counts.
run 3 virt-warden -c nosuch:/// check web1
empty "$tmp/out"
run 3 virt-warden check web1 --connect nosuch:///
has "$tmp/err" '^virt-warden: nosuch:'
LIBVIRT_DEFAULT_URI=nosuch:/// run 3 virt-warden check web1

# A failure: one line on stderr, 3, and with --json still JSON on stdout.
export LIBVIRT_DEFAULT_URI=nosuch:///
while read -r args; do
	# shellcheck disable=SC2086  # several words are wanted
	run 3 virt-warden $args --json
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "not one line: virt-warden $args"
	python3 -c 'import json, sys; assert json.load(sys.stdin)["version"] == 1' <"$tmp/out" ||
		fail "no JSON: virt-warden $args"
done <<'END'
check web1
check --all
check /nonexistent.xml
fix web1
fix --all
fix /nonexistent.xml
mode web1
history web1
undo web1
status
os detect web1
os set web1 debian11
END

# What can't be written is no success.
run 3 bash -c "virt-warden --help >/dev/full"
has "$tmp/err" 'could not be written'
