#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A webhook and an Alertmanager by https, of a certificate authority of one's own: delivered if
# ca-file names it; refused, with a line that says why, if it is another one, or unknown, if the name
# is another one's, or the certificate is out of date. The secret is in no log, and sent to nobody
# who was not proved.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"
secret=Ohs4ahzoo7ae

new_ca() # new_ca NAME
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
		-keyout "$tmp/$1.key" -out "$tmp/$1.pem" 2>"$tmp/openssl"
}
new_cert() # new_cert NAME SUBJECT-ALTERNATIVE-NAME CA
{
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
		-keyout "$tmp/$1.key" -out "$tmp/$1.csr" 2>"$tmp/openssl"
	openssl x509 -req -in "$tmp/$1.csr" -CA "$tmp/$3.pem" -CAkey "$tmp/$3.key" -CAcreateserial -days "${4-2}" \
		-extfile <(echo "subjectAltName=$2") -out "$tmp/$1.crt" 2>"$tmp/openssl"
	cat "$tmp/$1.crt" "$tmp/$1.key" >"$tmp/$1.both"
}
new_ca ours
new_ca theirs
new_cert right IP:127.0.0.1 ours
new_cert elsewhere DNS:elsewhere.example ours
new_cert old IP:127.0.0.1 ours 0

echo "bearer $secret" >"$tmp/token"
chmod 0600 "$tmp/token"
url=https://127.0.0.1:$webhook_port/
sink() # sink CERTIFICATE
{
	[ -z "${webhook_pid-}" ] || webhook_stop
	VW_WEBHOOK_CERT=$tmp/$1.both webhook_start
	: >"$webhook_log"
}
# refused REGEX: nothing got through, and the line says why.
refused()
{
	: >"$webhook_log"
	run 3 virt-warden alerts test webhook
	has "$tmp/err" "$1"
	[ ! -s "$webhook_log" ] || fail "sent all the same: $(cat "$webhook_log")"
	! grep -rE "$secret" "$tmp/err" "$tmp/out" "$VIRT_WARDEN_STATEDIR" || fail "the secret is told"
}

conf "webhook = $url" "webhook-auth = $tmp/token" "ca-file = $tmp/ours.pem"
sink right
run 0 virt-warden alerts test webhook
jq -e --arg secret "Bearer $secret" '.headers.Authorization == $secret' "$webhook_log" >"$tmp/out" ||
	fail "not delivered, or without its secret: $(cat "$webhook_log")"

conf "webhook = $url" "webhook-auth = $tmp/token" "ca-file = $tmp/theirs.pem"
refused "webhook.*https://127.0.0.1:$webhook_port/: .*certificate"
conf "webhook = $url" "webhook-auth = $tmp/token"
refused "https://127.0.0.1:$webhook_port/: .*certificate"
conf "webhook = $url" "webhook-auth = $tmp/token" "ca-file = $tmp/none.pem"
refused "$tmp/none.pem"
conf "webhook = $url" "webhook-auth = $tmp/token" "ca-file = $tmp/ours.pem"
sink elsewhere
refused "https://127.0.0.1:$webhook_port/: .*127.0.0.1"
sink old
refused "https://127.0.0.1:$webhook_port/: .*expired"

# What waits for a sink that can't be trusted is delivered, once, when it can.
alert raise verify-failed web1 $uuid beta 2 'web1 is dead' >"$tmp/id"
messenger_start
sleep 2
run 1 virt-warden alerts
has "$tmp/err" 'webhook fails, and is tried again: .*expired'
sink right
wait_for 10 delivered_is 1 raised || fail "not delivered: $(cat "$webhook_log" "$tmp/messenger.err")"
messenger_ends 10
! grep -rE "$secret" "$tmp/messenger.err" "$VIRT_WARDEN_STATEDIR" || fail "the secret is told"
alert resolve verify-failed $uuid beta
messenger_start
messenger_ends 10

# A real Alertmanager.
port=19093
printf 'tls_server_config:\n  cert_file: %s\n  key_file: %s\n' "$tmp/right.crt" "$tmp/right.key" >"$tmp/web.yml"
printf 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n' >"$tmp/alertmanager.yml"
prometheus-alertmanager --config.file="$tmp/alertmanager.yml" --storage.path="$tmp/am" --web.config.file="$tmp/web.yml" \
	--web.listen-address=127.0.0.1:$port --cluster.listen-address= >"$tmp/am.log" 2>&1 &
wait_for 20 listens $port || fail "Alertmanager does not listen: $(cat "$tmp/am.log")"
conf "alertmanager = https://127.0.0.1:$port/" "ca-file = $tmp/theirs.pem"
run 3 virt-warden alerts test alertmanager
has "$tmp/err" "https://127.0.0.1:$port/api/v2/alerts: .*certificate"
conf "alertmanager = https://127.0.0.1:$port/" "ca-file = $tmp/ours.pem"
run 0 virt-warden alerts test alertmanager
