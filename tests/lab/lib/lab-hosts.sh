# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How a lab comes to life and dies. Needs common.sh.
#
#   lab up ── keeper ──┬─ unshare --kill-child ── lab-host (PID 1 of "alpha") ── libvirtd, guests
#                      └─ unshare --kill-child ── lab-host (PID 1 of "beta")  ── …
#
# The keeper lives as long as the owner (the test) does; then it removes all. If the keeper itself is
# killed, the kernel kills the unshares (parent-death signal), and with each PID 1 its whole host.
# Networks are unnamed namespaces and loop devices detach themselves with their last user: there is
# nothing that could be left behind but the directory.

# Files in $VW_LAB: hosts (names), keeper (its pid), created (we made the directory), log,
# HOST/pid (its PID 1), HOST/ready, HOST/etc, HOST/var, … ; libvirt's socket lies in the host only.

host_pid()
{
	[ -n "${VW_LAB-}" ] || die "VW_LAB is not set: lab up prints the directory that it wants"
	[ -s "$VW_LAB/$1/pid" ] || die "no host $1 in the lab $VW_LAB"
	cat "$VW_LAB/$1/pid"
}

# in_host HOST COMMAND…: becomes the command, in all of the host's namespaces, same directory.
# Our uninstalled build keeps its state in the host's own /var there, not in one for all hosts.
in_host()
{
	local pid
	pid=$(host_pid "$1") || exit 1
	shift
	export VIRT_WARDEN_STATEDIR=/var/lib/virt-warden
	exec nsenter -t "$pid" -m -u -i -n -p -- env -C "$PWD" -- "$@"
}

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for()
{
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

start_host()
{
	local name=$1 number=$2 kvm=$3 older=$4 capabilities=$LAB_CACHE/capabilities
	[ "$older" = no ] || capabilities=$LAB_CACHE/capabilities-older
	mkdir -m 700 "$VW_LAB/$name"
	setpriv --pdeathsig KILL unshare -m -u -i -n -p --fork --kill-child -- \
		"$LAB_DIR/lib/lab-host" "$VW_LAB" "$name" "$number" "$kvm" "$older" "$capabilities" \
		>"$VW_LAB/$name/log" 2>&1 </dev/null &
}

# One wire: the first host's bridge has a port for each other host.
connect_hosts()
{
	local first=$1 name
	shift
	for name; do
		nsenter -t "$(host_pid "$first")" -n -- ip link add "to-$name" type veth \
			peer name uplink netns "$(host_pid "$name")"
		nsenter -t "$(host_pid "$first")" -n -- ip link set "to-$name" master br0 up
		nsenter -t "$(host_pid "$name")" -n -- ip link set uplink master br0 up
	done
}

host_up()
{
	[ -e "$VW_LAB/$1/network" ]
}

host_ready()
{
	[ -e "$VW_LAB/$1/ready" ]
}

# keep OWNER KVM ASYMMETRIC HOST…: the keeper's life. ASYMMETRIC: all hosts but the first are older.
keep()
{
	local owner=$1 kvm=$2 asymmetric=$3 older=no number=0 name watch=
	shift 3
	trap 'kill $watch; remove_lab; exit 0' TERM INT HUP
	for name; do
		number=$((number + 1))
		start_host "$name" $number "$kvm" "$older"
		older=$asymmetric
	done
	for name; do
		wait_for 60 host_up "$name" || { touch "$VW_LAB/failed"; break; }
	done
	[ -e "$VW_LAB/failed" ] || connect_hosts "$@" || touch "$VW_LAB/failed"
	: >"$VW_LAB/connected"
	if [ "$owner" = 0 ]; then
		setpriv --pdeathsig KILL sleep infinity &
	else
		setpriv --pdeathsig KILL tail --pid="$owner" -s 0.3 -f /dev/null &
	fi
	watch=$!
	wait $watch || true
	remove_lab
}

# remove_lab: end every host (its PID 1 takes all with it), remove what lab up made.
remove_lab()
{
	local name pid
	[ -e "$VW_LAB/hosts" ] || return 0
	for name in $(<"$VW_LAB/hosts"); do
		pid=$(cat "$VW_LAB/$name/pid" 2>/dev/null) || continue
		[ "$(readlink "/proc/$pid/ns/pid" 2>/dev/null)" = "$(cat "$VW_LAB/$name/ns" 2>/dev/null)" ] || continue
		kill -KILL "$pid" 2>/dev/null || continue
		tail --pid="$pid" -s 0.02 -f /dev/null
	done
	for name in $(<"$VW_LAB/hosts"); do
		rm -rf "${VW_LAB:?}/$name"
	done
	rm -f "$VW_LAB"/{hosts,keeper,connected,failed,log,loops}
	rm -rf "$VW_LAB/guests"
	if [ -e "$VW_LAB/created" ]; then
		rm -rf "${VW_LAB:?}"
	fi
}
