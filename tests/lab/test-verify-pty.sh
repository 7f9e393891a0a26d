#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# serial
# A console that is a pty is read after a migration, if nobody has it: a panic on it is named, what is
# written is a sign of life; who has it open keeps it, and it is free again with the verdict.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/lab-hosts.sh"
. "$LAB_DIR/lib/test.sh"

lab_begin
"$lab" up >/dev/null
virsh_on() # virsh_on HOST ARGUMENT…: libvirt's own virsh
{
	local host=$1
	shift
	"$lab" exec "$host" /usr/bin/virsh -q -c qemu:///system "$@"
}
# verify OPTION…: on beta, or on $at by $uri; its JSON is in $work/json, the console's probe in $console.
verify()
{
	"$lab" exec "${at-beta}" "$VW_BUILD/virt-warden" -c "${uri-qemu:///system}" --json --quiet verify "$@" pty \
		>"$work/json" 2>"$work/err" || true
	verdict=$(jq -r .verdict "$work/json") || fail "no verdict: $(cat "$work/err" "$work/json")"
	console=$(jq -r '.probes[] | select(.probe == "console") | "\(.status) \(.detail)"' "$work/json")
}

"$lab" guest pty --cpu none --print |
	sed -e "s|<serial type='file'>.*</serial>|<serial type='pty'/>|" -e 's|console=ttyS0|& unknown_nmi_panic|' >"$work/pty.xml"
virsh_on alpha create "$work/pty.xml"
"$lab" exec alpha timeout 120 grep -am 1 'VWLAB tick' "$(virsh_on alpha ttyconsole pty)" >"$work/tick" ||
	fail "the guest does not live"
virsh_on alpha migrate --live pty "$("$lab" uri beta)"

verify --after-migration
[ "$verdict" = healthy ] && [[ $console == "pass "*" bytes written, nothing bad among them" ]] ||
	fail "a guest that lives: $(cat "$work/json")"

# It is free again; and who has it keeps it.
mkfifo "$work/keys"
exec 4<>"$work/keys" # nobody types, and it does not end
"$lab" exec beta script -qec '/usr/bin/virsh -c qemu:///system console pty' /dev/null \
	>"$work/session" 2>&1 <&4 &
session=$!
wait_for 10 grep -a tick= "$work/session" || fail "no console after a verdict: $(cat "$work/session")"
verify --after-migration --window 4
[[ $console == "skip its console is a pty that was not read: somebody else has it open" ]] ||
	fail "a console that somebody has: $console"
ticks_more() { [ "$(grep -ac tick= "$work/session")" -gt "$1" ]; }
seen=$(grep -ac tick= "$work/session")
wait_for 10 ticks_more "$seen" || fail "the session broke off"
kill -KILL "$session"
wait "$session" 2>/dev/null || true
"$lab" exec beta pkill -KILL -f '^/usr/bin/virsh .*console pty' || true

# By hand, at any time: it is left alone.
verify --window 4
[[ $console == "skip no serial port writes to a file that can be read here" ]] ||
	fail "read though it has not just come: $console"

# It panics while a verifier is at it, from afar: libvirt hands the console over to it, too.
at=alpha uri=$("$lab" uri beta) verify --after-migration &
sleep 2
virsh_on beta inject-nmi pty
wait $!
verify_again() { jq -e '.verdict == "failed" and (.probes[] | select(.probe == "console") |
	.status == "fail" and (.detail | test("Kernel panic - not syncing: NMI")))' "$work/json"; }
verify_again >/dev/null || fail "a panic on a pty: $(cat "$work/json" "$work/err")"
jq -r '.probes[] | select(.probe == "console") | .detail' "$work/json"
[ "$(virsh_on beta domstate pty)" = running ] || fail "libvirt says $(virsh_on beta domstate pty)"
