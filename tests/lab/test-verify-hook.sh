#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# serial
# A host without an agent: the hook leaves a verifier behind that waits for the end of the migration,
# and raises an alert if the guest died. It inherits nothing and holds nobody up; a migration that
# fails leaves none; where an agent runs there is none.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

lab_begin
"$lab" up --asymmetric >/dev/null
alpha=$("$lab" uri alpha) beta=$("$lab" uri beta)

# As installed, on beta only: the hook, and the programs before those of /usr/bin.
mkdir "$work/bin"
cp "$VW_BUILD/virt-warden" "$VW_BUILD/virt-warden-alert" "$work/bin"
on beta mount -t overlay overlay -o "lowerdir=$work/bin:/usr/bin" /usr/bin
# The older emulator lay over the one there; it must be the same file, or libvirt probes it anew.
on beta mount --bind "$LAB_DIR/lib/older-emulator" /usr/bin/qemu-system-x86_64
on beta install -D "$VW_BUILD/hook" /etc/libvirt/hooks/qemu.d/virt-warden
on beta install -m 644 "$VW_BUILD/virt-warden-hook.so" /etc/libvirt/hooks/qemu.d
"$lab" reload beta

verifiers() { on beta pgrep -f 'virt-warden .*verify --await'; }
alerts() { on beta virt-warden alerts --json --all >"$work/alerts" || [ $? = 1 ]; }
told() { alerts && grep -E "$1" "$work/alerts"; }
move() { real "$2" migrate --live --persistent --undefinesource "$1" "$3"; }

"$lab" guest tick --cpu Nehalem --disk block >/dev/null
"$lab" guest dies --cpu maximum --payload aes --disk block >/dev/null

# A migration that is refused on the way: nobody waits for ever.
"$lab" guest refused --cpu host-model >/dev/null
move refused alpha "$beta" 2>"$work/err" && fail "a host-model guest went to an older CPU"
until_true 90 eval '! verifiers' || fail "a verifier waits for a guest that never came: $(verifiers)"
real alpha destroy refused

move tick alpha "$beta"
verifiers >"$work/pids" || fail "no verifier was left behind"
# Its own descriptors only: no pipe to libvirtd.
while read -r pid; do
	on beta ls -l "/proc/$pid/fd" >"$work/fds" </dev/null || continue
	! grep -q 'pipe:' "$work/fds" || fail "inherited: $(cat "$work/fds")"
done <"$work/pids"
until_true 25 eval '! verifiers' || fail "the verifier of a healthy guest does not end"
! told '"verify-' || fail "an alert for a healthy guest: $(cat "$work/alerts")"

began=$SECONDS
move dies alpha "$beta"
moved=$SECONDS
until_true 15 told '"kind": *"verify-failed"' || { alerts; fail "no alert: $(cat "$work/alerts")"; }
echo "dies: migrated in $((moved - began)) s, told after $((SECONDS - moved)) s"
[ "$(real beta domstate --reason dies)" = "running (migrated)" ] || fail "it was touched"

# With an agent there is none.
on beta env -u VIRT_WARDEN_STATEDIR VIRT_WARDEN_DATADIR="$LAB_DIR/../.." "$VW_BUILD/virt-wardend" --foreground >"$work/agent" 2>&1 &
until_true 20 grep -q 'domains compared' "$work/agent" || fail "no agent: $(cat "$work/agent")"
move tick beta "$alpha"
move tick alpha "$beta"
! verifiers || fail "a verifier beside the agent"
until_true 25 grep -q '^tick: healthy after its migration' "$work/agent" || fail "agent: $(cat "$work/agent")"
