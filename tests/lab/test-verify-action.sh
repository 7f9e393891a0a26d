#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# serial
# on-failed: a guest that died after its migration is dumped, or reset when the peer says that it does
# not run there; nothing is done to it where no peer is named, or one can't be asked.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

lab_begin
"$lab" up --asymmetric >/dev/null
alpha=$("$lab" uri alpha) beta=$("$lab" uri beta)
export VIRT_WARDEN_DATADIR=$LAB_DIR/../.. VIRT_WARDEN_CONF=$work/warden.conf
policy() { printf '[verify]\non-failed = %s\npeers = %s\n' "$1" "${2-}" >"$work/warden.conf"; }
says() # says SECONDS REGEX: the agent's log
{
	local until=$((SECONDS + $1))
	until grep -qE -- "$2" "$work/agent"; do
		[ $SECONDS -lt $until ] || fail "not said: $2; said: $(cat "$work/agent")"
		sleep 0.2
	done
}

policy alert
on beta "$VW_BUILD/virt-wardend" --foreground >"$work/agent" 2>&1 &
says 20 'domains compared'
dies() # dies NAME: a guest that dies on beta
{
	"$lab" guest "$1" --cpu maximum --payload aes --disk block >/dev/null
	real alpha migrate --live --persistent --undefinesource "$1" "$beta"
	says 20 "^$1: failed after its migration"
}

policy reset
dies nopeers
says 15 '^nopeers: not reset: warden.conf names no peers'

# Peers that never answer, and one that does: asked at once, not one after the other.
on beta python3 -c 'import socket, time
mute = socket.create_server(("127.0.0.1", 16510), backlog=64)
time.sleep(600)' &
mute=qemu+tcp://127.0.0.1:16510/system
policy reset "$mute $alpha $mute $mute"
dies nobody
asked=$SECONDS
says 20 '^nobody: not reset: a peer has it, too, or can.t be asked'
asked=$((SECONDS - asked))
echo "peers that do not answer: given up after $asked s"
[ $asked -ge 4 ] && [ $asked -le 12 ] || fail "three peers that never answer: given up after $asked s"
grep -q 'was reset' "$work/agent" && fail "a guest was reset: $(cat "$work/agent")"
for name in nopeers nobody; do # the dead take a CPU each as long as they are there
	[ "$(real beta domstate --reason $name)" = "running (migrated)" ] || fail "$name was touched"
	real beta destroy $name >/dev/null
done

policy reset "$beta $alpha" # one file for all hosts: it names us, too
dies again
says 30 '^again: the guest was reset$'
dies_anew() { grep -ac 'end Kernel panic' "$VW_LAB/guests/again.console"; } # there is no AES on beta
until=$((SECONDS + 60))
until [ "$(dies_anew)" -ge 2 ]; do
	[ $SECONDS -lt $until ] || fail "it does not boot again: $(tail -n 3 "$VW_LAB/guests/again.console")"
	sleep 0.5
done
real beta destroy again >/dev/null

policy dump
dies core
says 60 '^core: its memory was written to /var/lib/virt-warden/dumps/.*\.core '
dump=$(sed -n 's/^core: its memory was written to \(.*\.core\) .*/\1/p' "$work/agent")
[ "$(on beta head -c 4 "$dump" | tr -d '\177')" = ELF ] || fail "$dump is no ELF core"
on beta sh -c 'ls /var/lib/virt-warden/dumps' >"$work/dumps" # others that failed may be there, too
[ "$(wc -l <"$work/dumps")" -le 2 ] || fail "dumps: $(cat "$work/dumps")"
[ "$(real beta domstate core)" = running ] || fail "the dump stopped the guest: $(real beta domstate core)"
