#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The history's bound in bytes: who defines and undefines large domains again and again fills nothing,
# with the agent and without it; a full history changes nothing, and says so; doctor; verdicts.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start
printf '[agent]\ncompare-interval = 2\n[history]\nsize-mib = 8\n' >"$VIRT_WARDEN_CONF"
state() { on "$@"; }
store=/var/lib/virt-warden/history
size() { on du -s -B1 --apparent-size "$store" | cut -f1; }
versions() { on find "$store/$1" -name '*.xml' 2>/dev/null | wc -l; }
doctor() { { on env VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" virt-warden doctor || true; } >"$tmp/doctor" 2>&1; }
# large NAME UUID KIB: a domain with so much metadata, in $tmp/NAME.xml
large() {
	generic "$1" "$2" >"$tmp/$1.xml"
	head -c $(($3 * 1024)) /dev/zero | tr '\0' x >"$tmp/pad"
	sed -i "/<name>/r /dev/stdin" "$tmp/$1.xml" < <(echo "<metadata><x:y xmlns:x='urn:x'>" && cat "$tmp/pad" && echo '</x:y></metadata>')
}
id() { printf '4dea22b3-1d52-d8f3-2516-%012d' "$1"; }

# A small domain of somebody else, with a history.
generic other "$(id 1)" >"$tmp/other.xml"
run 0 on virsh define "$tmp/other.xml"
sed 's,256,300,' "$tmp/other.xml" >"$tmp/other2.xml"
run 0 on virsh define "$tmp/other2.xml"
before=$(versions "$(id 1)")
[ "$before" -ge 3 ] || fail "no history of other: $before"

# With the agent, which sees what is gone.
agent_start
for i in {10..21}; do
	large big "$(id "$i")" 1100
	run 0 on virsh define "$tmp/big.xml"
	run 0 on virsh undefine big
done
[ "$(size)" -le $((8 * 1048576 + 200000)) ] || fail "the history takes $(size) bytes"
[ "$(versions "$(id 1)")" -ge "$before" ] || fail "another's history went: $(versions "$(id 1)") of $before"
[ "$(versions "$(id 21)")" -ge 1 ] || fail "the last one is not kept"
doctor
has "$tmp/doctor" '^history +pass +[0-9]+ of 8 MiB'

# Verdicts go with the history of their domain.
on bash -c "mkdir -p /var/lib/virt-warden/verdicts && cd /var/lib/virt-warden/verdicts &&
	for i in {10000..29999}; do : >4dea22b3-1d52-d8f3-2517-0000000\$i; done; : >$(id 1); : >$(id 21)"
verdicts() { on find /var/lib/virt-warden/verdicts -type f | wc -l; }
[ "$(verdicts)" = 20002 ] || fail "$(verdicts) verdicts"
agent_signal HUP
two_verdicts() { [ "$(verdicts)" = 2 ]; }
wait_for 20 two_verdicts || fail "$(verdicts) verdicts are left: $(tail -n 5 "$agent_log")"
wait_for 5 grep -qE 'swept: .* 20000 verdicts' "$agent_log" || fail "not said: $(tail -n 20 "$agent_log")"
agent_stop

# Full of what may not go: domains that are there. What can't be kept is not changed; that is said.
for i in {31..40}; do
	large "full$i" "$(id "$i")" 700
	run 0 on virsh define "$tmp/full$i.xml"
done
has "$tmp/err" 'the history may take 8 MiB, and nothing in it may go; raise \[history\] size-mib'
has "$tmp/err" "can't keep the history, so nothing was changed"
stored full40
hasnt "$tmp/xml" "cache='none'"
[ "$(versions "$(id 40)")" = 0 ] || fail "full40 is kept"
[ "$(versions "$(id 1)")" -ge 3 ] || fail "of a living domain more went than may go"
doctor
has "$tmp/doctor" '^history +fail +[0-9]+ of 8 MiB, and nothing in it may go'
# With a larger bound it goes on.
sed -i 's/size-mib = 8/size-mib = 40/' "$VIRT_WARDEN_CONF"
run 0 on virsh define "$tmp/full40.xml"
stored full40
has "$tmp/xml" "cache='none'"
