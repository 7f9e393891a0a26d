#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 300
# serial
# From a guest that dies in a migration to a real Prometheus Alertmanager, and back: the agent is
# killed between verdict and delivery, and both sinks are down; afterwards each is told once. When the
# guest is well again, which the new agent sees though it did not see it fail, that is told, once.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/lab-hosts.sh"
. "$LAB_DIR/lib/test.sh"

lab_begin
"$lab" up --asymmetric >/dev/null
beta=$("$lab" uri beta)
export VIRT_WARDEN_DATADIR=$LAB_DIR/../.. VIRT_WARDEN_CONF=$work/warden.conf
cat >"$work/warden.conf" <<END
[alerts]
log = no
retry-seconds = 1
retry-max-seconds = 2
webhook = http://127.0.0.1:18080/
alertmanager = http://127.0.0.1:19093/
END
agent_start()
{
	on beta "$VW_BUILD/virt-wardend" --foreground >"$work/agent" 2>&1 &
	wait_for 20 grep 'domains compared' "$work/agent" || fail "no agent: $(cat "$work/agent")"
}
ours_run() { on beta pgrep -x 'virt-wardend|virt-warden-ale'; }
agent_kill()
{
	on beta pkill -KILL -x 'virt-wardend|virt-warden-ale' || true
	wait_for 5 eval '! ours_run' || fail "not killed"
}
says() { grep -E -- "$1" "$work/agent"; }

agent_start
"$lab" guest dies --cpu maximum --payload aes --disk block >/dev/null
real alpha migrate --live --persistent --undefinesource dies "$beta"
wait_for 15 says '^dies: failed after its migration' || fail "no verdict: $(cat "$work/agent")"
agent_kill

# The sinks come up, then a new agent.
echo ok >"$work/mode"
: >"$work/webhook"
on beta /usr/bin/python3 "$TOP_DIR/tests/virsh/lib/webhook.py" 18080 "$work/mode" "$work/webhook" 2>"$work/webhook.err" &
printf 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n' >"$work/alertmanager.yml"
on beta prometheus-alertmanager --config.file="$work/alertmanager.yml" --storage.path="$work/am" \
	--web.listen-address=127.0.0.1:19093 --cluster.listen-address= >"$work/am.log" 2>&1 &
get() { on beta curl -fsS http://127.0.0.1:19093/api/v2/alerts 2>/dev/null; }
wait_for 30 get || fail "Alertmanager does not answer: $(cat "$work/am.log")"
[ ! -s "$work/webhook" ] || fail "delivered by nobody"
agent_start
active() { get | jq -e '[.[] | select(.status.state == "active") | .labels |
	select(.alertname == "verify-failed" and .domain == "dies" and .severity == "critical")] | length == '"$1"; }
wait_for 20 active 1 || fail "Alertmanager has not heard of it: $(get) $(cat "$work/agent")"
got() { jq -r '.body | fromjson | "\(.kind) \(.state)"' "$work/webhook"; }
got_is() { [ "$(got | sort | uniq -c | xargs)" = "$1" ]; }
wait_for 10 got_is '1 verify-failed raised' || fail "the webhook heard: $(got)"

# The new agent looks at it, too, and finds the same: nobody hears that twice.
wait_for 30 says '^dies: failed' || fail "the new agent does not look: $(cat "$work/agent")"
sleep 2
got_is '1 verify-failed raised' || fail "told again: $(got)"

# While no agent runs it is given something else to do.
agent_kill
real beta dumpxml --inactive --security-info dies | sed 's/payload=aes/payload=ticker/' >"$work/dies.xml"
real beta destroy dies
real beta define "$work/dies.xml"
ticks() { grep -ac 'VWLAB tick' "$VW_LAB/guests/dies.console"; }
ticks_more() { [ "$(ticks)" -gt "$1" ]; }
before=$(ticks)
real beta start dies
wait_for 90 ticks_more "$before" || fail "it does not live: $(tail -n 3 "$VW_LAB/guests/dies.console")"
active 1 >/dev/null || fail "Alertmanager forgot it: $(get)"
agent_start
wait_for 30 says '^dies: healthy' || fail "not healthy: $(cat "$work/agent")"
wait_for 20 active 0 || fail "not resolved: $(get)"
wait_for 10 got_is '1 verify-failed raised 1 verify-failed resolved' || fail "the webhook heard: $(got)"
