# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of alerts share, beside lib.sh. Source it first: the test starts anew in mount,
# network and process namespaces of its own, with a private /dev and /run. All that it starts
# ends with it.

if [ "${VW_ALERTS_INSIDE:-}" != 1 ]; then
	VW_ALERTS_INSIDE=1 exec unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc -- \
		bash "$0" "$@"
fi
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
end_jobs() {
	local jobs
	mapfile -t jobs < <(jobs -p)
	[ ${#jobs[@]} -eq 0 ] || kill -KILL "${jobs[@]}" 2>/dev/null || true
	wait
}
trap 'end_jobs 2>/dev/null; cleanup' EXIT
ip link set lo up
for node in null zero urandom random tty; do
	mkdir -p "$tmp/dev"
	[ ! -e "/dev/$node" ] || cp -a "/dev/$node" "$tmp/dev/$node"
done
mount -t tmpfs -o mode=755 tmpfs /dev
cp -a "$tmp"/dev/* /dev/
ln -s /proc/self/fd /dev/fd
mkdir -p /run && mount -t tmpfs -o mode=755 tmpfs /run

messenger=$VW_BUILD/virt-warden-alert
webhook_port=18080
webhook_log=$tmp/webhook.log
uuid=11111111-2222-4333-8444-555555555555
mkdir -p "$tmp/alert.d"
chmod 0755 "$tmp" "$tmp/alert.d"

gcc -std=c11 -D_GNU_SOURCE -I"$top" -o "$tmp/raise" "$top/tests/virsh/lib/raise.c" \
	"$VW_BUILD"/lib/{alert,base}.a
# alert raise KIND DOMAIN UUID HOST SEVERITY SUMMARY [KEY=VALUE]… | resolve KIND UUID HOST | many N KIND HOST
alert() { "$tmp/raise" "$VIRT_WARDEN_STATEDIR" "$@"; }

# conf LINE…: [alerts] with these lines; no log unless a line says so, and little patience.
conf() {
	printf '%s\n' '[alerts]' 'retry-seconds = 1' 'retry-max-seconds = 2' "$@" >"$VIRT_WARDEN_CONF.new"
	[[ $* == *"log = "* ]] || echo 'log = no' >>"$VIRT_WARDEN_CONF.new"
	mv "$VIRT_WARDEN_CONF.new" "$VIRT_WARDEN_CONF"
}

wait_for() { # wait_for SECONDS COMMAND…: until it succeeds
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
}

webhook_mode() { echo "$*" >"$tmp/mode.new" && mv "$tmp/mode.new" "$tmp/mode"; }
webhook_start() {
	[ -e "$tmp/mode" ] || webhook_mode ok
	: >>"$webhook_log"
	/usr/bin/python3 "$top/tests/virsh/lib/webhook.py" "$webhook_port" "$tmp/mode" "$webhook_log" 2>"$tmp/webhook.err" &
	webhook_pid=$!
	wait_for 10 listens "$webhook_port" || fail "the webhook does not listen: $(cat "$tmp/webhook.err")"
}
webhook_stop() {
	kill "$webhook_pid"
	wait "$webhook_pid" 2>/dev/null || true
}
listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# delivered [STATE]: how many messages the webhook took (answered with 2xx), of that state.
delivered() {
	jq -r 'select(.mode | IN("ok", "endless", "drip")) | .body | fromjson | .state' "$webhook_log" |
		grep -c "${1:-.}" || true
}
delivered_is() { [ "$(delivered "$2")" = "$1" ]; }
requests() { wc -l <"$webhook_log"; }

messenger_start() {
	"$messenger" 2>>"$tmp/messenger.err" &
	messenger_pid=$!
}
messenger_ends() { # messenger_ends SECONDS: by itself, and well
	local rc=0
	wait_for "$1" messenger_is_gone || fail "line ${BASH_LINENO[0]}: virt-warden-alert does not end: $(cat "$tmp/messenger.err")"
	wait "$messenger_pid" || rc=$?
	[ "$rc" = 0 ] || fail "line ${BASH_LINENO[0]}: virt-warden-alert ends with $rc: $(cat "$tmp/messenger.err")"
}
messenger_is_gone() { ! kill -0 "$messenger_pid" 2>/dev/null; }
messenger_stop() {
	kill "$messenger_pid"
	messenger_ends 10
}
# Files of the queue in a state: open, over, done.
in_state() { find "$VIRT_WARDEN_STATEDIR/alerts" -name "*.$1" | wc -l; }
