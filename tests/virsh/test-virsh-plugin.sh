#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `virsh NAME …` runs virsh-NAME or virt-NAME when virsh has no command of that name;
# `virsh warden …` is virt-warden; virsh's own commands are never taken over.
# timeout: 60
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

t='test:///default'
mkdir "$tmp/bin"
plugin() { # plugin NAME EXIT
	cat >"$tmp/bin/$1" <<-END
		#!/bin/sh
		echo "$1 uri=\$LIBVIRT_DEFAULT_URI preload=\$LD_PRELOAD" "\$@"
		env >"$tmp/env"
		exit $2
	END
	chmod +x "$tmp/bin/$1"
}
plugin virsh-hello 5
plugin virt-hello 6
plugin virt-world 7
plugin virsh-list 8
plugin virt-define 9
plugin virsh-a-b_C9 10
export PATH=$VW_BUILD:$tmp/bin:$PATH

run 5 virsh hello one "two  three"
[ "$(cat "$tmp/out")" = 'virsh-hello uri= preload= one two  three' ] || fail "not what the plugin said"
hasnt "$tmp/env" 'VIRT_WARDEN_(LD_PRELOAD|CHAIN)'
run 7 virsh world
run 10 virsh a-b_C9 --help
has "$tmp/out" '^virsh-a-b_C9 uri= preload= --help$'

# The connection of virsh's own options, and of its environment, is the plugin's.
run 5 virsh -c $t hello
has "$tmp/out" "uri=$t "
run 5 virsh -q -d 0 -k5 --keepalive-count 3 --connect=$t hello -c other:///
has "$tmp/out" "uri=$t preload= -c other:///"
VIRSH_DEFAULT_CONNECT_URI=$t run 5 virsh -- hello
has "$tmp/out" "uri=$t "
LD_PRELOAD='' run 5 virsh hello

# A command that virsh has stays virsh's, whatever lies on PATH.
run 0 virsh -c $t list --name
[ "$(head -n 1 "$tmp/out")" = test ] || fail "list is not virsh's"
run 1 virsh -c $t define /nonexistent
hasnt "$tmp/out" virt-define

# A name that is no word is never a program: paths, several commands in one argument, options.
mkdir -p "$tmp/bin/virsh-x"
cp "$tmp/bin/virsh-hello" "$tmp/bin/virsh-x/y"
run 1 virsh -c $t x/y
run 1 virsh -c $t ../bin/virsh-hello
run 0 virsh -c $t "list --name; domuuid test"
has "$tmp/out" '^test$'
has "$tmp/out" '^[0-9a-f-]{36}$'
run 1 virsh -c $t "hello; list"
run 1 virsh -c $t nosuch
has "$tmp/err" "unknown command: 'nosuch'"
run 0 virsh -v hello
hasnt "$tmp/out" virsh-hello

# A plugin that is not executable is none.
chmod -x "$tmp/bin/virt-world"
run 1 virsh -c $t world

# warden: the command of the wrapper's own build, with its exit codes.
run 0 virsh warden --help
has "$tmp/out" 'virt-warden'
run 0 "$VW_BUILD/virt-warden" --version
cp "$tmp/out" "$tmp/own"
run 0 virsh -c $t warden --version
cmp -s "$tmp/own" "$tmp/out" || fail "another virt-warden"
run 2 virsh warden nosuchverb

# Off: the plain virsh.
VIRT_WARDEN=off run 1 virsh hello
VIRT_WARDEN=off run 1 virsh warden --help
