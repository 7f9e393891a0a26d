#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# verify and what <w:health> declares: ports, checks of the admin (never a command from metadata), an
# expected agent; a libvirtd that does not answer; progress on a terminal; JSON's shape.
# timeout: 300
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

need jq script
lab_begin
"$lab" up --hosts alpha >/dev/null
"$lab" guest web --cpu none --disk block >/dev/null
etc=$("$lab" path alpha /etc/virt-warden)
mkdir -p "$etc/health.d"

run() # run OPTION…: verify the guest; leaves $status, $work/out, $work/err, $seconds
{
	local start
	start=$(date +%s%N)
	status=0
	"$lab" exec alpha "$VW_BUILD/virt-warden" -c qemu:///system verify "$@" web \
		>"$work/out" 2>"$work/err" 7</etc/passwd || status=$?
	seconds=$((($(date +%s%N) - start) / 1000000000))
}

declared() # declared ELEMENTS [AGENT]: put them into the live metadata
{
	"$lab" exec alpha /usr/bin/virsh -q -c qemu:///system metadata web --live \
		--uri urn:virt-warden:domain:1 --key w --set "<warden><health ${2-}>$1</health></warden>" >/dev/null
}

expect() # expect STATUS TEXT: of the probe "declared" (or another: $probe)
{
	local detail
	detail=$(jq -r --arg p "${probe-declared}" '.probes[] | select(.probe == $p) | .detail' "$work/out")
	[ "$status" = "$1" ] && [[ $detail == *"$2"* ]] ||
		fail "exit $status, '$detail', not $1, '$2': $(cat "$work/err")"
}

# --- nothing declared: the JSON that others read ----------------------------------------------
run --json
expect 0 none
jq -e '.version == 1 and .domain == "web" and (.uuid | length == 36) and .host == "alpha" and
	.verdict == "healthy" and (.seconds | type == "number") and .baseline == null and
	.may_reset == false and ([.probes[] | select(.status | IN("pass", "warn", "fail", "skip") | not)] | length == 0)' \
	"$work/out" >/dev/null || fail "JSON: $(<"$work/out")"
[ "$(jq -r '.probes[].probe' "$work/out" | sort | paste -s -d ' ')" = \
	"clock console declared disk-errors disk-progress events guest-agent job-stats monitor network-counters reachability source-host state vcpu" ] ||
	fail "probes: $(jq -r '.probes[].probe' "$work/out" | sort | paste -s -d ' ')"
"$lab" exec alpha ls "$etc" >/dev/null

# --- checks of the admin ----------------------------------------------------------------------
cat >"$etc/health.d/good" <<'END'
#!/bin/sh
[ "$VW_DOMAIN" = web ] && [ ${#VW_UUID} = 36 ] || exit 1
[ -z "$HOME" ] && [ "$(ls /proc/self/fd | wc -l)" = 4 ] || { ls -l /proc/self/fd; env; exit 1; }
echo all is well
END
printf '#!/bin/sh\necho "no \033[31mweb"; exit 7\n' >"$etc/health.d/bad"
printf '#!/bin/sh\nsleep 60\n' >"$etc/health.d/slow"
cp "$etc/health.d/good" "$etc/health.d/open"
ln -s good "$etc/health.d/link"
chmod 755 "$etc/health.d"/{good,bad,slow}
chmod 777 "$etc/health.d/open"
declared "<check name='good'/>"
run --json
expect 0 'check good: exit 0: all is well'
declared "<check name='good'/><check name='bad'/>"
run --json --window 5
expect 1 'check bad: exit 7: no ?[31mweb'
declared "<check name='slow'/>"
run --json --window 7
expect 1 'check slow: no end within 5 s'
[ $seconds -le 9 ] || fail "a check held it up for $seconds s"
for name in open link missing; do
	declared "<check name='$name'/>"
	run --json --window 2
	expect 1 "health.d/$name: "
done
for name in ../../bin/sh /bin/sh 'a b' '' -x "$(printf 'x%.0s' {1..40})"; do
	declared "<check name='$name'/>"
	run --json --window 2
	expect 1 "<w:check>: the metadata is not understood"
done
declared "<command>touch /tmp/x</command>"
run --json --window 2
expect 1 "<w:command>: the metadata is not understood"

# --- ports, agent -----------------------------------------------------------------------------
declared "<address ip='10.77.0.1'/><tcp port='16509'/>"
run --json
expect 0 'tcp 16509: 10.77.0.1 accepts'
declared "<address ip='10.77.0.1'/><tcp port='9'/>"
run --json --window 2
expect 1 'tcp 9: Connection refused'
declared "<tcp port='9'/>" # nothing says where it is: no word about the guest
run --json
expect 0 'tcp 9: not asked: none of its addresses'
jq -e '.probes[] | select(.probe == "declared") | .status == "skip"' "$work/out" >/dev/null || fail "$(<"$work/out")"
declared "<tcp port='99999'/>"
run --json --window 2
expect 1 '<w:tcp>: the metadata is not understood'
declared "" "agent='required'"
run --json --window 2
probe=guest-agent expect 1 'no channel'
declared ""

# --- a terminal sees what is waited for -------------------------------------------------------
"$lab" exec alpha script -qec "'$VW_BUILD/virt-warden' -c qemu:///system verify web" /dev/null \
	>"$work/out" 2>&1 </dev/null
grep -q 'waiting for .* [1-3] s / 12 s' "$work/out" || fail "no progress: $(cat -v "$work/out")"

# --- a frozen libvirtd, a guest that is not there ---------------------------------------------
pid=$("$lab" exec alpha cat /run/libvirtd.pid)
"$lab" exec alpha kill -STOP "$pid"
run --json --window 2
"$lab" exec alpha kill -CONT "$pid"
[ "$status" = 3 ] && [ $seconds -le 4 ] && [ "$(jq -r .verdict "$work/out")" = unknown ] ||
	fail "a frozen libvirtd: exit $status after $seconds s: $(cat "$work/out" "$work/err")"
"$lab" exec alpha "$VW_BUILD/virt-warden" -c qemu:///system verify nobody >"$work/out" 2>"$work/err" &&
	fail "a guest that is not there is healthy"
grep -q 'no such domain' "$work/err" || fail "$(<"$work/err")"
