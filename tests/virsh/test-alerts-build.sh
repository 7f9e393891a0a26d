#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-warden-alert without libcurl: builds, links no curl, says so, and the other sinks work; its
# --help and manual page agree, in both builds.
# timeout: 200
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"

make -s -C "$top" --no-print-directory B="$tmp/build" WITH_CURL=no WERROR=-Werror "$tmp/build/virt-warden-alert" >"$tmp/make.log" 2>&1 ||
	fail "WITH_CURL=no does not build: $(tail -n 20 "$tmp/make.log")"
! readelf -d "$tmp/build/virt-warden-alert" | grep -q libcurl || fail "is linked with libcurl"
readelf -d "$messenger" | grep -q libcurl || fail "the usual build is not linked with libcurl"
messenger=$tmp/build/virt-warden-alert

printf '#!/bin/sh\ncat >>%s/ran\n' "$tmp" >"$tmp/alert.d/10-a"
chmod 0755 "$tmp/alert.d/10-a"
conf "webhook = http://127.0.0.1:$webhook_port/"
run 1 "$messenger" --test webhook
has "$tmp/err" 'webhook: http://127.0.0.1:18080/: virt-warden-alert was built without libcurl'
alert raise verify-failed web1 $uuid beta 2 'web1 is dead' >"$tmp/out"
messenger_start
wait_for 10 test -s "$tmp/ran" || fail "the scripts wait for the webhook"
messenger_stop
conf 'scripts = yes'
messenger_start
messenger_ends 10
[ "$(wc -l <"$tmp/ran")" = 0 ] && [ "$(jq -r .state "$tmp/ran")" = raised ] || fail "ran: $(cat "$tmp/ran")"

help_options() { "$1" --help | sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z-]+).*/\2/p' | sort; }
page_options() { sed -nE 's/^\.It .*Fl Fl ([a-z-]+).*/--\1/p' "$top/docs/virt-warden-alert.8" | sort; }
for program in "$messenger" "$VW_BUILD/virt-warden-alert"; do
	[ "$(help_options "$program")" = "$(page_options)" ] || fail "$program --help and its page differ"
	run 0 "$program" --version
	has "$tmp/out" '^virt-warden-alert [0-9]'
	run 2 "$program" --nonsense
	run 2 "$program" argument
done
