#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A broken configuration never stops a guest: a line in the log that names the place, exit 0,
# nothing changed; and it does not make a later incoming guest one that may be refused.
set -euo pipefail
source "$(dirname "$0")/common.sh"
log_start

img=$(image a.img)
wrong=$(disk vda "cache='writeback'" "file='$img'")

try() { # try WHAT-THE-LOG-SAYS
	for op in prepare migrate restore; do
		run_hook "$op" < <(domain "$wrong")
		expect_status 0
		expect_silent
		expect "lines logged: $op" "$(wc -l <"$log")" 1
		expect_log "op=$op.*: nothing was (checked|changed): .*$1"
	done
}

policy '[policy]' 'start = refuse' 'strat = refuse'
try "$tmp/warden.conf:3: unknown key 'strat' in \[policy\]; known: define, start"
policy '[cache]' 'allowed = nonsense'
try "$tmp/warden.conf:2: .*must be a list, each once, of: none, directsync"
policy
mkdir "$tmp/warden.conf"
try "$tmp/warden.conf: it is a directory"
rmdir "$tmp/warden.conf"
mkfifo "$tmp/warden.conf"
try "$tmp/warden.conf: it is a FIFO"
rm "$tmp/warden.conf"
head -c 70000 /dev/zero >"$tmp/warden.conf"
try "larger than 64 KiB"
printf '[policy]\nstart = refuse\0\n' >"$tmp/warden.conf"
try "NUL"

# The mark was left although the configuration was broken: mended in between, it counts.
policy '[policy' 'start = refuse'
run_hook migrate < <(domain "$wrong")
policy '[policy]' 'start = refuse'
run_hook prepare < <(domain "$wrong")
expect_status 0
expect findings "$(findings)" "vda writeback none fix"

# The shipped configuration is what counts without one.
cp "$here/../../docs/warden.conf" "$tmp/warden.conf"
run_hook prepare < <(domain "$wrong")
expect_status 0
expect findings "$(findings)" "vda writeback none fix"
echo ok
