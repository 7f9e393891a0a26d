#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-warden alerts: table, JSON, --follow, resolve, test; the log sink (journal and syslog); the
# metrics file; hostile text everywhere; a queue that is damaged or somebody else's.
# timeout: 90
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"
once() {
	messenger_start
	messenger_ends 10
}

# Nothing yet.
conf 'scripts = no'
run 0 virt-warden alerts
empty "$tmp/out"
has "$tmp/err" 'no alert$'
run 0 virt-warden alerts --json
jq -e '. == {"version":1,"alerts":[]}' "$tmp/out" >"$tmp/jq" || fail "empty list"

# Two domains; filter; JSON of the contract; exit 1 while one is open.
id=$(alert raise verify-failed web1 $uuid beta 2 'web1 is dead' probe=disk)
alert raise slow web2 "${uuid/1/2}" beta 1 'web2 is slow' >"$tmp/id2"
run 1 virt-warden alerts
has "$tmp/out" '^ID +RAISED +STATE +SEVERITY +DOMAIN +KIND +TOLD +SUMMARY$'
has "$tmp/out" "^${id:0:8} +20[0-9-]+ [0-9:]+ +open +critical +web1 +verify-failed +- +web1 is dead$"
run 1 virt-warden alerts web2
hasnt "$tmp/out" web1
run 1 virt-warden alerts $uuid --json
jq -e --arg id "$id" '.version == 1 and (.alerts | length) == 1 and (.alerts[0] | .version == 1 and .id == $id and
	.details == {"probe":"disk"} and .state == "raised" and .sinks == [])' "$tmp/out" >"$tmp/jq" || fail "JSON: $(cat "$tmp/out")"
run 0 virt-warden alerts web3
run 2 virt-warden alerts web1 web2
run 2 virt-warden alerts test nowhere
has "$tmp/err" 'no sink; they are log, scripts, webhook, alertmanager, mail'
run 3 virt-warden alerts test webhook
has "$tmp/err" 'sink webhook is not set up'

# --follow: what is open, then what happens; a line each in JSON.
virt-warden alerts --follow >"$tmp/follow" 2>&1 &
follow=$!
virt-warden alerts --follow --json web1 >"$tmp/follow.json" 2>&1 &
follow_json=$!
lines() { [ "$(wc -l <"$tmp/$1")" = "$2" ]; }
wait_for 10 lines follow 2 || fail "follow: $(cat "$tmp/follow")"
wait_for 10 lines follow.json 1 || fail "follow --json: $(cat "$tmp/follow.json")"
alert raise verify-failed web1 $uuid beta 2 'still dead' >"$tmp/out"
wait_for 10 lines follow 3 || fail "follow: $(cat "$tmp/follow")"
run 0 virt-warden alerts resolve "${id:0:8}"
has "$tmp/err" 'resolved'
wait_for 10 lines follow 4 || fail "follow: $(cat "$tmp/follow")"
kill $follow $follow_json
has "$tmp/follow" 'again +critical +verify-failed +web1: still dead$'
has "$tmp/follow" 'over +critical +verify-failed +web1: still dead$'
[ "$(jq -r .state "$tmp/follow.json" | tr '\n' ' ')" = 'raised raised resolved ' ] || fail "follow --json: $(cat "$tmp/follow.json")"
run 0 virt-warden alerts resolve "$id"
has "$tmp/err" 'was over already'
run 3 virt-warden alerts resolve 00000000 ../../etc
has "$tmp/err" 'there is no alert of that id'
run 0 virt-warden alerts web1
run 0 virt-warden alerts web1 --all
has "$tmp/out" ' over +critical '
# A reader that goes away ends it.
virt-warden alerts --follow | head -n 1 >"$tmp/out" &
piped=$!
wait_for 10 eval "! kill -0 $piped 2>/dev/null" || fail "--follow does not end with its reader"

# Hostile text: the terminal, the journal, syslog, the metrics, JSON.
printf 'x\nVIRT_WARDEN_KIND=forged\r\033[31m\302\233 \377\376 \xe2\x80\xae"\\ ' >"$tmp/hostile"
head -c 1000000 /dev/zero | tr '\0' 'A' >>"$tmp/hostile"
alert raise hostile "@$tmp/hostile" $uuid 'be"ta' 2 "@$tmp/hostile" >"$tmp/id3"
run 1 virt-warden alerts
LC_ALL=C grep -qP '[^\x0a\x20-\x7e]' "$tmp/out" && fail "control characters in the table"
[ "$(wc -l <"$tmp/out")" = 3 ] || fail "hostile text makes lines"
run 1 virt-warden alerts --json
jq -e '.alerts | length == 2' "$tmp/out" >"$tmp/jq" || fail "JSON of hostile text"

# Syslog.
mkdir -p /run/systemd/journal
/usr/bin/python3 "$top/tests/hook/log-sink.py" /dev/log "$tmp/syslog" &
conf 'scripts = no' 'log = yes' "metrics = $tmp/alerts.prom"
wait_for 10 test -S /dev/log
once
has "$tmp/syslog" '^<2[0-9]>[A-Z][a-z]{2} .*virt-warden\[[0-9]+\]: alert=[0-9a-f]{32} state=raised severity=critical kind=hostile uuid='$uuid' domain="x VIRT_WARDEN_KIND=forged \?\[31m\? \?\? \?\\"\\\\ A+\.\.\." message="x VIRT_WARDEN'
[ "$(grep -c state=raised "$tmp/syslog")" = 3 ] && [ "$(grep -c state=resolved "$tmp/syslog")" = 1 ] || fail "syslog: $(cut -c1-200 "$tmp/syslog")"
# The metrics: two open, none forged.
has "$tmp/alerts.prom" '^virt_warden_alerts_open\{severity="critical"\} 1$'
has "$tmp/alerts.prom" '^virt_warden_alerts_open\{severity="warning"\} 1$'
has "$tmp/alerts.prom" '^virt_warden_alert\{kind="slow",host="beta",domain="web2",uuid="[0-9-]+",severity="warning"\} 1[0-9]{9}$'
has "$tmp/alerts.prom" 'host="be\\"ta"'
hasnt "$tmp/alerts.prom" '^VIRT'
[ "$(grep -vcE '^(# |virt_warden_alert(s_open)?\{([a-z]+="([^"\\]|\\.)*",?)+\} [0-9]+$)' "$tmp/alerts.prom")" = 0 ] || fail "the metrics: $(cut -c1-300 "$tmp/alerts.prom")"

# The journal, where there is one.
/usr/bin/python3 "$top/tests/hook/log-sink.py" /run/systemd/journal/socket "$tmp/journal" &
wait_for 10 test -S /run/systemd/journal/socket
alert raise verify-failed web1 $uuid beta 2 'web1 is dead' net.rx-bytes=0 >"$tmp/out"
alert resolve hostile $uuid 'be"ta'
once
for field in 'MESSAGE=web1: web1 is dead' PRIORITY=2 SYSLOG_IDENTIFIER=virt-warden VIRT_WARDEN_KIND=verify-failed \
	VIRT_WARDEN_DOMAIN=web1 "VIRT_WARDEN_UUID=$uuid" VIRT_WARDEN_HOST=beta VIRT_WARDEN_SEVERITY=critical \
	VIRT_WARDEN_STATE=raised VIRT_WARDEN_STATE=resolved VIRT_WARDEN_DETAIL_NET_RX_BYTES=0; do
	grep -qxF "$field" "$tmp/journal" || fail "the journal lacks $field: $(cut -c1-200 "$tmp/journal")"
done
! grep -qx 'VIRT_WARDEN_KIND=forged.*' "$tmp/journal" || fail "a field was forged"
run 1 virt-warden alerts
has "$tmp/out" ' log +web1 is dead$'
run 0 virt-warden alerts test log
# A journal that is stuck: nothing waits for it, nothing is lost.
rm /dev/log /run/systemd/journal/socket
/usr/bin/python3 -c 'import socket, signal
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/systemd/journal/socket")
signal.pause()' &
stuck=$!
wait_for 10 test -S /run/systemd/journal/socket
: >"$tmp/journal"
alert many 600 flood beta
messenger_start
sleep 3
{ virt-warden alerts 2>&1 >/dev/null || true; } | grep -q 'log fails, and is tried again: journald: ' || fail "a stuck journal is not told"
# Nor while it is started anew, and nothing listens.
kill $stuck
rm /run/systemd/journal/socket
sleep 3
messenger_is_gone && fail "nobody waits for a journal that is started anew"
/usr/bin/python3 "$top/tests/hook/log-sink.py" /run/systemd/journal/socket "$tmp/journal2" &
sink=$!
messenger_ends 30
stuck_had=$({ virt-warden alerts --json || true; } | jq '[.alerts[] | select(.kind == "flood" and (.sinks[0].raised | not))] | length')
[ "$stuck_had" = 0 ] || fail "$stuck_had alerts were lost to a stuck journal"
# Nor is it forgotten that an alert is over, when all begins while nothing listens.
grep -q '^VIRT_WARDEN_STATE=raised$' "$tmp/journal2" || fail "nothing arrived: $(cut -c1-200 "$tmp/journal2" | tail -n 5)"
kill "$sink"
rm /run/systemd/journal/socket
alert resolve verify-failed $uuid beta
messenger_start
sleep 1
/usr/bin/python3 "$top/tests/hook/log-sink.py" /run/systemd/journal/socket "$tmp/journal3" &
messenger_ends 30
grep -qx VIRT_WARDEN_STATE=resolved "$tmp/journal3" || fail "that it is over was told to nobody"

# A damaged file, and another's directory.
echo 'virt-warden-alert 1' >"$VIRT_WARDEN_STATEDIR/alerts/0123456789abcdef-$(printf '%032d' 7).open"
run 1 virt-warden alerts web2
has "$tmp/err" '1 damaged file is left there'
chown 65534 "$VIRT_WARDEN_STATEDIR/alerts"
run 3 virt-warden alerts
has "$tmp/err" 'cannot open the queue of alerts: Operation not permitted; run as its owner'
