#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# "It migrates one way but not back", for real: alpha has AES instructions, beta has none. Four kinds of
# CPU, from either side, and back: the forecast beside what libvirt does. And a guest that libvirt lets
# through, that dies of it, and of which libvirt says that it runs: verify says from afar that it failed, and
# the agent's sampler does not take it for a busy one.
# timeout: 480
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"
. "$LAB_DIR/lib/outcome.sh"

shopt -s lastpipe # scenario counts in this shell
lab_begin
"$lab" up --asymmetric >/dev/null
# shellcheck disable=SC2034 # scenario uses it
declare -A uri=([alpha]=$("$lab" uri alpha) [beta]=$("$lab" uri beta))

# guest NAME CPU: its XML; it runs no system.
guest()
{
	"$lab" guest "$1" --cpu "$2" --print |
		sed -E "s|<memory unit='MiB'>192<|<memory unit='MiB'>32<|; /<(kernel|initrd|cmdline|serial)/d"
}

# The hosts are what they should be; their facts tell what lies behind a pool, and which pages are free.
cat >"$work/pool.xml" <<-END
	<pool type='netfs'><name>shared</name><source><host name='filer'/><dir path='/export/vm'/><format type='nfs'/></source>
	<target><path>/srv/vm</path></target></pool>
END
real alpha pool-define "$work/pool.xml" >/dev/null
"$lab" exec alpha "$VW_BUILD/virt-warden" -c qemu:///system facts >"$work/alpha.json"
"$lab" exec beta "$VW_BUILD/virt-warden" -c qemu:///system facts >"$work/beta.json"
jq -e '.pools == [{name: "shared", type: "netfs", path: "/srv/vm", format: "nfs", source: "filer:/export/vm", active: false,
	volumes: [], cut: false}]' "$work/alpha.json" >/dev/null || fail "pools: $(jq -c .pools "$work/alpha.json")"
jq -e '[.pages[] | .free <= .total and .free >= 0] | all' "$work/alpha.json" >/dev/null ||
	fail "pages: $(jq -c .pages "$work/alpha.json")"
jq -e '.unasked == [] and .version == 1 and (.virts[0].machines | length > 10)' "$work/alpha.json" >/dev/null ||
	fail "facts: $(jq -c '[.unasked, .version]' "$work/alpha.json")"
has() { jq -e --arg f "$2" '.virts[0].features | index($f) != null' "$work/$1.json" >/dev/null; }
for feature in aes pclmuldq; do
	has alpha $feature || fail "alpha has no $feature"
	! has beta $feature || fail "beta has $feature"
done

printf '%-16s %-10s %-8s %-40s %-8s %-4s %s\n' CPU way forecast reasons outcome fits 'libvirt says'
guest popcnt Nehalem,+popcnt | scenario popcnt ok ""
guest popcnt2 Nehalem,+popcnt | from=beta scenario popcnt2 ok ""
guest aes Nehalem,+aes | scenario aes blocked cpu-features
guest host-model host-model | scenario host-model blocked cpu-features
guest host-model2 host-model | from=beta scenario host-model2 ok ""
guest maximum2 maximum | from=beta scenario maximum2 ok ""

# The one that needs AES can't even start there, if libvirt is told to look.
guest aes2 Nehalem,+aes | sed "s/<cpu /&check='full' /" >"$work/aes2.xml"
! real beta create "$work/aes2.xml" >"$work/out" 2>&1 || fail "a guest with aes starts on beta"
grep -q 'missing features: aes' "$work/out" || fail "aes on beta: $(<"$work/out")"

# sampler HOST: it looks at doomed as the agent's does, but once a second; $normal is what it wrote down.
sampler()
{
	"$lab" exec "$1" timeout 7 "$VW_BUILD/virt-warden" -c qemu:///system verify --watch-all 1 >/dev/null || true
	normal=$(real "$1" metadata doomed urn:virt-warden:baseline:1) || fail "the sampler wrote nothing on $1"
}

# far VERDICT PROBE TEXT OPTION…: alpha's verify of doomed, which is on beta, by qemu+tcp.
far()
{
	"$lab" exec alpha "$VW_BUILD/virt-warden" -c "${uri[beta]}" --json --quiet verify doomed "${@:4}" >"$work/far" || true
	jq -e --arg v "$1" --arg p "$2" --arg t "$3" '.verdict == $v and
		(.probes[] | select(.probe == $p) | .detail | contains($t))' "$work/far" >/dev/null ||
		fail "from afar, wanted $*: $(<"$work/far")"
}

# The guest that dies: forecast as a risk that names aes, let through, dead, and "running".
console=$("$lab" guest doomed --cpu maximum --payload aes --disk block)
predict alpha doomed "${uri[beta]}"
wanted doomed risk cpu-features-lost
jq -r '.directions[0].reasons[] | select(.id == "cpu-features-lost") | .source' "$work/json" | grep -w aes >/dev/null ||
	fail "the risk does not name aes: $(<"$work/json")"
sampler alpha
[[ $normal == *cpu=idle,* && $normal == *console=* && $normal != *panicked* ]] || fail "normal on alpha: $normal"
move alpha doomed "${uri[beta]}"
danger="CPUs of mode maximum are not compared" row doomed alpha-beta "$there" "$ids" ""
console_wait "$console" 'Kernel panic.*Attempted to kill init' 60 >/dev/null ||
	fail "the guest lives on without AES: $(tail -n 2 "$console")"
state=$(real beta domstate doomed --reason)
[ "$state" = "running (migrated)" ] || fail "libvirt says of the dead guest: $state"
ticks=$(grep -c '^VWLAB tick=' "$console")
sleep 2
[ "$(grep -c '^VWLAB tick=' "$console")" = "$ticks" ] || fail "a dead guest ticks"
echo "doomed: panicked on beta ($(grep -m 1 -o 'invalid opcode\|exitcode=0x00000004' "$console")); libvirt says: $state"

# Libvirt has no call that reads its console for us: without its past nobody can tell, but who can is said.
far unknown console "its console is a file of the host beta: run virt-warden verify doomed there" --window 5 --baseline none
far failed vcpu "spins (wants" --window 6
sampler beta
[[ $normal == *cpu=idle,* && $normal == *" panicked"* ]] || fail "learnt from a dead guest: $normal"
far failed console "died, as its host read on its console: virsh reset doomed" --window 6
real beta metadata doomed urn:virt-warden:baseline:1 --set '<baseline>1 cpu=unknown,0 panicked</baseline>' --key baseline >/dev/null
far failed console "died, as its host read on its console" --window 6
echo "doomed, from afar: $(jq -c '[.verdict, .seconds]' "$work/far"); normal for it: $normal"

# One that needs no AES goes there and back, and lives: its ticks go on, its disk holds what it wrote.
console=$("$lab" guest ticker --cpu Nehalem,+popcnt --disk nbd)
predict alpha ticker "${uri[beta]}"
wanted ticker ok ""
for way in "alpha beta" "beta alpha"; do
	move "${way% *}" ticker "${uri[${way#* }]}"
	row ticker "${way% *}-${way#* }" "$there" "$ids" ""
	old=$(grep -c '^VWLAB tick=' "$console")
	wait_ticks=$((old + 3))
	console_wait "$console" "^VWLAB tick=$wait_ticks " 30 >/dev/null || fail "the ticker stands still after $way"
done
! grep -q 'disk=bad' "$console" || fail "the ticker lost what it wrote"
outcome_end

# down leaves nothing: no guest, no NBD server, no loop device.
"$lab" down
if losetup --list --noheadings | grep "$work" || grep -lsa "[/]${work#/}" /proc/[0-9]*/cmdline; then
	fail "something of the lab was left"
fi
echo ok
