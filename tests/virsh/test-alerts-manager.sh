#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A real Prometheus Alertmanager gets the alerts, keeps them as long as they are open (longer than
# its resolve_timeout), and hears that they are over; its own webhook receiver sees both.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"
port=19093
api=http://127.0.0.1:$port/api/v2/alerts

cat >"$tmp/alertmanager.yml" <<END
global:
  resolve_timeout: 3s
route:
  receiver: hook
  group_by: [alertname, uuid]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs:
      - url: http://127.0.0.1:$webhook_port/from-alertmanager
        send_resolved: true
END
webhook_start
prometheus-alertmanager --config.file="$tmp/alertmanager.yml" --storage.path="$tmp/am" \
	--web.listen-address=127.0.0.1:$port --cluster.listen-address= >"$tmp/am.log" 2>&1 &
manager_pid=$!
wait_for 20 listens $port || fail "Alertmanager does not listen: $(cat "$tmp/am.log")"

get() { curl -fsS "$api" 2>/dev/null || echo "[]"; }
# active KIND: how many such alerts are active there. Its answer holds only what has not ended.
active() { get | jq --arg kind "$1" '[.[] | select(.labels.alertname == $kind and .status.state == "active")] | length'; }
active_is() { [ "$(active "$1")" = "$2" ]; }
# heard STATUS KIND: how many notifications its receiver got.
heard() {
	jq -r --arg kind "$2" --arg status "$1" '.body | fromjson | select(.status == $status) | .alerts[] |
		select(.labels.alertname == $kind) | .status' "$webhook_log" | grep -c . || true
}
heard_is() { [ "$(heard "$1" "$2")" = "$3" ]; }

conf "alertmanager = http://127.0.0.1:$port/" 'resend-seconds = 1'
alert raise verify-failed 'web"1' $uuid beta 2 'web1 is dead' probe=disk net.rx-bytes=0 empty= >"$tmp/out"
alert raise no-domain '' '' beta 1 'a label without a value' >"$tmp/out"
messenger_start
begin=$SECONDS
wait_for 10 active_is verify-failed 1 || fail "Alertmanager has not got it: $(get) $(cat "$tmp/messenger.err")"
wait_for 10 active_is no-domain 1 || fail "an alert without a domain: $(get)"
get | jq -e '.[] | select(.labels.alertname == "verify-failed") |
	.labels == {"alertname":"verify-failed","host":"beta","domain":"web\"1","uuid":"'$uuid'","severity":"critical","source":"virt-warden"}
	and .annotations.summary == "web1 is dead" and .annotations.detail_probe == "disk" and .annotations.detail_net_rx_bytes == "0"' \
	>"$tmp/out" || fail "labels and annotations: $(get)"
wait_for 10 heard_is firing verify-failed 1 || fail "its receiver heard nothing: $(cat "$webhook_log")"
echo "firing after $((SECONDS - begin)) s"

# Open for longer than five times resend-seconds and than resolve_timeout: it does not expire.
sleep 8
active_is verify-failed 1 && heard_is resolved verify-failed 0 || fail "it expired: $(get)"

# The messenger is killed, and starts anew: still there, and no other.
kill -KILL "$messenger_pid"
wait "$messenger_pid" 2>/dev/null || true
messenger_start
sleep 2
active_is verify-failed 1 || fail "gone after a restart: $(get)"

# Alertmanager starts anew without its memory: it hears of what is open again.
kill "$manager_pid"
wait "$manager_pid" || true
rm -rf "$tmp/am"
alert raise meanwhile web2 "${uuid/1/2}" beta 0 'while it was down' >"$tmp/out"
sleep 2
prometheus-alertmanager --config.file="$tmp/alertmanager.yml" --storage.path="$tmp/am" \
	--web.listen-address=127.0.0.1:$port --cluster.listen-address= >"$tmp/am.log" 2>&1 &
wait_for 20 active_is verify-failed 1 || fail "not told again: $(get)"
wait_for 10 active_is meanwhile 1 || fail "lost while it was down: $(get)"
wait_for 10 heard_is firing meanwhile 1 || fail "its receiver heard nothing of meanwhile"

# Over: resolved there, and its receiver hears it; the messenger ends when nothing is open.
alert resolve verify-failed $uuid beta
begin=$SECONDS
wait_for 10 active_is verify-failed 0 || fail "not resolved: $(get)"
wait_for 10 heard_is resolved verify-failed 1 || fail "its receiver did not hear of the end: $(cat "$webhook_log")"
echo "resolved after $((SECONDS - begin)) s"
active_is meanwhile 1 || fail "another one was resolved, too"
alert resolve no-domain '' beta
alert resolve meanwhile "${uuid/1/2}" beta
messenger_ends 20
wait_for 10 active_is meanwhile 0 || fail "not resolved: $(get)"

# One that gets worse, and 500 at once.
alert raise worse web1 $uuid beta 0 'so so' >"$tmp/out"
messenger_start
wait_for 10 active_is worse 1 || fail "not there"
alert raise worse web1 $uuid beta 2 'bad' >"$tmp/out"
worse() { get | jq -e '.[] | select(.labels.alertname == "worse" and .labels.severity == "critical")' >"$tmp/out"; }
wait_for 10 worse || fail "the severity did not rise: $(get)"
alert many 500 flood beta
wait_for 20 active_is flood 500 || fail "$(active flood) of 500 there: $(tail -n 3 "$tmp/am.log")"
for i in $(seq 500); do
	printf -v id '%08d-0000-4000-8000-000000000000' "$i"
	alert resolve flood "$id" beta
done
wait_for 20 active_is flood 0 || fail "$(active flood) of 500 are not resolved"
alert resolve worse $uuid beta
messenger_ends 20
[ "$(in_state "done")" = "$(find "$VIRT_WARDEN_STATEDIR/alerts" -name '*.told' | wc -l)" ] || fail "not all are done"
