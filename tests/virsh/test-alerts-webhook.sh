#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The webhook sink: JSON of the contract, once each; a webhook that is down, answers 500, refuses,
# hangs, redirects elsewhere, sends a body without end; secrets; per-minute; proxies of the environment.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"
url="http://127.0.0.1:$webhook_port/hook?a=b"
last() { tail -n 1 "$webhook_log" | jq -r "$1"; }

# One alert: raised, then over, each once; the messenger ends.
conf "webhook = $url"
webhook_start
id=$(alert raise verify-failed web1 $uuid beta 2 'web1 is dead' probe=disk seconds=9)
http_proxy=http://127.0.0.1:9 messenger_start
messenger_ends 10
[ "$(requests)" = 1 ] || fail "requests: $(cat "$webhook_log")"
last .body | jq -e --arg id "$id" '.version == 1 and .id == $id and .host == "beta" and .domain == "web1" and
	.uuid == "'$uuid'" and .kind == "verify-failed" and .severity == "critical" and .summary == "web1 is dead" and
	.details == {"probe":"disk","seconds":"9"} and .state == "raised" and .resolved == null and
	(.time | fromdateiso8601) > 1700000000' >"$tmp/out" || fail "the JSON: $(last .body)"
[ "$(last .path)" = '/hook?a=b' ] && [ "$(last '.headers["Content-Type"]')" = application/json ] || fail "the request"
alert raise verify-failed web1 $uuid beta 2 'web1 is dead' >"$tmp/out" # again: nobody hears it before repeat-seconds
messenger_start
messenger_ends 10
[ "$(requests)" = 1 ] || fail "an open alert was told twice"
alert resolve verify-failed $uuid beta
messenger_start
messenger_ends 10
[ "$(requests)" = 2 ] && delivered_is 1 resolved && [ "$(in_state "done")" = 1 ] || fail "not resolved"

# What goes on is told again after repeat-seconds; a higher severity at once.
conf "webhook = $url" 'repeat-seconds = 2'
alert raise slow web1 $uuid beta 1 'slow' >"$tmp/out"
messenger_start
messenger_ends 10
alert raise slow web1 $uuid beta 1 'slow' >"$tmp/out"
messenger_start
messenger_ends 10
[ "$(requests)" = 3 ] || fail "repeated too soon: $(requests) requests"
sleep 2
alert raise slow web1 $uuid beta 1 'slow' >"$tmp/out"
messenger_start
messenger_ends 10
[ "$(requests)" = 4 ] || fail "not repeated: $(requests) requests"
conf "webhook = $url"
alert raise slow web1 $uuid beta 2 'slower' >"$tmp/out"
messenger_start
messenger_ends 10
[ "$(requests)" = 5 ] && [ "$(last '.body|fromjson|.severity')" = critical ] || fail "a higher severity is not told"
alert resolve slow $uuid beta
messenger_start
messenger_ends 10

# Down for ten minutes (scaled to 6 s): delivered once when it is up; meanwhile the error can be seen.
webhook_stop
rm "$webhook_log"
alert raise verify-failed web1 $uuid beta 2 'dead again' >"$tmp/out"
messenger_start
sleep 3
run 1 virt-warden alerts
has "$tmp/err" 'webhook fails, and is tried again: .*http://127.0.0.1:18080'
has "$tmp/out" 'webhook\?'
sleep 3
webhook_mode 500
webhook_start
# … then it answers 500, then hangs, then redirects; nothing is lost, nothing comes twice.
says() { { virt-warden alerts 2>&1 || true; } | grep -E "webhook fails, and is tried again: .*$1" >"$tmp/out"; }
wait_for 10 says 'status 500: no, says the test' || fail "not tried again"
conf "webhook = $url" 'http-seconds = 1'
webhook_mode hang
wait_for 20 says 'timed out' || fail "not tried again after 500, or it waits for ever"
/usr/bin/python3 "$top/tests/virsh/lib/webhook.py" 18081 "$tmp/mode" "$tmp/elsewhere.log" &
wait_for 10 listens 18081 || fail "elsewhere does not listen"
: >"$webhook_log"
webhook_mode redirect http://127.0.0.1:18081/elsewhere
wait_for 10 says 'redirects \(status 307\), which is not followed' || fail "not tried again after hanging"
[ ! -s "$tmp/elsewhere.log" ] || fail "a redirect was followed: $(cat "$tmp/elsewhere.log")"
webhook_mode ok
messenger_ends 10
delivered_is 1 . || fail "after the trouble: $(cat "$webhook_log")"

# A body without end, or one byte after the other: the status is what counts, and it is soon.
for mode in endless drip; do
	webhook_mode $mode
	: >"$webhook_log"
	alert resolve verify-failed $uuid beta
	alert raise verify-failed web1 $uuid beta 2 $mode >"$tmp/out"
	begin=$SECONDS
	messenger_start
	messenger_ends 10
	[ $((SECONDS - begin)) -le 4 ] && [ "$(requests)" = 2 ] || fail "$mode: $(requests) requests"
done
webhook_mode ok

# Refused for what it is (400): the others go on.
alert resolve verify-failed $uuid beta
messenger_start
messenger_ends 10
webhook_mode 400
: >"$webhook_log"
alert raise refused web1 $uuid beta 2 'bad one' >"$tmp/out"
messenger_start
wait_for 10 test -s "$webhook_log" || fail "no request"
sleep 0.5
webhook_mode ok
alert raise fine web2 $uuid beta 2 'good one' >"$tmp/out"
wait_for 10 delivered_is 2 raised || fail "a refused alert holds up others"
messenger_ends 10

# Secrets: bearer and basic from a file; not if others can read it, or if it holds a newline in the token.
: >"$webhook_log"
echo 'bearer s3cret' >"$tmp/token"
chmod 0600 "$tmp/token"
conf "webhook = $url" "webhook-auth = $tmp/token"
run 0 virt-warden alerts test webhook
[ "$(last '.headers.Authorization')" = 'Bearer s3cret' ] || fail "no bearer token"
[ "$(requests)" = 2 ] || fail "a test alert is raised and over"
echo 'basic user:pass' >"$tmp/token"
run 0 virt-warden alerts test webhook
[ "$(last '.headers.Authorization')" = "Basic $(printf user:pass | base64)" ] || fail "no basic authentication"
for mode in 0644 0604 0660 0602; do
	chmod $mode "$tmp/token"
	: >"$webhook_log"
	run 3 virt-warden alerts test webhook
	has "$tmp/err" "token: others can read or change it"
	[ ! -s "$webhook_log" ] || fail "sent with a secret that others can read"
done
chmod 0600 "$tmp/token"
printf 'bearer a\033b\n' >"$tmp/token"
run 3 virt-warden alerts test webhook
has "$tmp/err" 'control character'
printf 's3cret\n' >"$tmp/token"
run 3 virt-warden alerts test webhook
has "$tmp/err" 'must be "bearer TOKEN" or "basic USER:PASSWORD"'
hasnt "$tmp/err" s3cret

# More than per-minute: one by one as far as they may, the rest in one summary; none is lost.
conf "webhook = $url" 'per-minute = 5'
virt-warden alerts --json >"$tmp/json" || true
mapfile -t ids < <(jq -r '.alerts[].id' "$tmp/json")
run 0 virt-warden alerts resolve "${ids[@]}"
messenger_start
messenger_ends 10
: >"$webhook_log"
alert many 100 flood beta
messenger_start
messenger_ends 10
[ "$(requests)" = 5 ] || fail "$(requests) messages, not 5"
[ "$(last '.body|fromjson|.kind')" = alerts-summary ] || fail "no summary"
[ "$(last '.body|fromjson|.summary')" = '96 alerts at once: 96 raised, 0 over; see virt-warden alerts --all' ] || fail "summary: $(last .body)"
[ "$(last '.body|fromjson|.details|length')" = 64 ] || fail "details of the summary"
