#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Mail by a real sendmail(1) (msmtp) to a real SMTP server: whole, once, when the server comes back;
# no header from hostile text; a sendmail that hangs or is not there.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"
port=12525
mkdir "$tmp/mail"
mails() { find "$tmp/mail" -name '*.json' | wc -l; }
mails_are() { [ "$(mails)" = "$1" ]; }
server_start() {
	/usr/bin/python3 "$top/tests/virsh/lib/smtp-sink.py" $port "$tmp/mail" 2>"$tmp/smtp.err" &
	server_pid=$!
	wait_for 20 listens $port || fail "the SMTP server does not listen: $(cat "$tmp/smtp.err")"
}
says() { { virt-warden alerts 2>&1 || true; } | grep -E "mail fails, and is tried again: .*$1" >"$tmp/out"; }

# msmtp reads a file in /etc: an /etc of our own, in this mount namespace only.
msmtp=$(PATH=$PATH:/usr/sbin:/usr/lib type -P msmtp)
printf 'host 127.0.0.1\nport %s\ntls off\nauth off\n' $port >"$tmp/msmtprc"
mkdir "$tmp/etc"
cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/hosts /etc/ld.so.cache /etc/alternatives "$tmp/etc/" 2>/dev/null || true
cp "$tmp/msmtprc" "$tmp/etc/msmtprc"
mount --bind "$tmp/etc" /etc

# No server: msmtp says 75 or so, and it is tried again; then it is there: one mail.
conf "mail-to = root@example.org, ops@example.org" "mail-from = warden@example.org" "sendmail = $msmtp"
alert raise verify-failed web1 $uuid beta 2 'web1 is dead' probe=disk >"$tmp/out"
messenger_start
wait_for 20 says 'msmtp: exit 75' || { virt-warden alerts >"$tmp/out" 2>"$tmp/err" || fail "not told why"; }
server_start
wait_for 20 mails_are 1 || fail "no mail: $(virt-warden alerts 2>&1)"
messenger_ends 10
jq -e '.from == "warden@example.org" and .to == ["root@example.org","ops@example.org"] and
	.subject == "[critical] web1: web1 is dead" and (.body | contains("web1 is dead") and contains("probe: disk") and
	contains("'$uuid'")) and ([.headers[][0]] | (index("Date") and index("Message-ID") and index("Auto-Submitted")))' \
	"$tmp/mail/1.json" >"$tmp/out" || fail "the mail: $(cat "$tmp/mail/1.eml")"

# Over: a mail that answers the first one.
alert resolve verify-failed $uuid beta
messenger_start
messenger_ends 10
mails_are 2 || fail "no mail at the end"
first=$(jq -r '.headers[] | select(.[0] == "Message-ID")[1]' "$tmp/mail/1.json")
[ "$(jq -r '.headers[] | select(.[0] == "In-Reply-To")[1]' "$tmp/mail/2.json")" = "$first" ] || fail "no thread"
[ "$(jq -r .subject "$tmp/mail/2.json")" = '[over] web1: web1 is dead' ] || fail "subject of the end"

# Hostile text: newlines, control characters, broken UTF-8, encoded words, a dot alone, a million bytes.
hostile=$(printf 'x\nBcc: evil@example.org\r\n\r\n.\r\n=?UTF-8?Q?y?= \033[31m \377\376 Grüße 世界 ')
{ printf '%s' "$hostile"; head -c 1000000 /dev/zero | tr '\0' 'A'; } >"$tmp/hostile"
alert raise hostile "@$tmp/hostile" $uuid beta 1 "@$tmp/hostile" "k=$hostile" >"$tmp/out"
messenger_start
messenger_ends 10
mails_are 3 || fail "no mail of hostile text: $(virt-warden alerts 2>&1)"
jq -e '(.to | length) == 2 and ([.headers[][0]] == ["Date","From","To","Subject","Message-ID","Auto-Submitted","MIME-Version",
	"Content-Type","Content-Transfer-Encoding"]) and (.subject | contains("Grüße 世界") and (test("[[:cntrl:]]") | not))' \
	"$tmp/mail/3.json" >"$tmp/out" || fail "hostile text: $(jq -c '[.to,.subject,.headers]' "$tmp/mail/3.json")"
[ "$(sed '/^\r*$/q' "$tmp/mail/3.eml" | grep -ci '^bcc')" = 0 ] || fail "a header came from hostile text"
[ "$(awk '{ if (length($0) > n) n = length($0) } END { print n }' "$tmp/mail/3.eml")" -le 900 ] || fail "a line is too long"
alert resolve hostile $uuid beta

# A sendmail that fails, that is not there, that hangs: said; nothing else waits for it.
printf '#!/bin/sh\necho "the disk is full" >&2\nexit 75\n' >"$tmp/sendmail"
chmod 0755 "$tmp/sendmail"
webhook_start
conf "mail-to = root" "sendmail = $tmp/sendmail" "webhook = http://127.0.0.1:$webhook_port/"
messenger_start
wait_for 10 says 'sendmail: exit 75: the disk is full' || fail "why is not told: $(virt-warden alerts 2>&1)"
delivered_is 2 . || fail "the webhook waits for the mail"
conf "mail-to = root" "sendmail = /nowhere/sendmail" "webhook = http://127.0.0.1:$webhook_port/"
wait_for 10 says '/nowhere/sendmail: No such file' || fail "why is not told: $(virt-warden alerts 2>&1)"
conf "mail-to = root@example.org" "sendmail = $msmtp"
wait_for 10 mails_are 4 || fail "the end of hostile is lost"
messenger_ends 10

run 0 virt-warden alerts test mail
mails_are 6 || fail "the test alert's mails"
kill "$server_pid"
run 3 virt-warden alerts test mail
has "$tmp/err" 'mail: .*msmtp: exit'
