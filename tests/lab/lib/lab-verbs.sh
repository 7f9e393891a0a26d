# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lab's verbs: lab_VERB for each. Needs common.sh and lab-hosts.sh.

lab_up()
{
	local hosts=alpha,beta owner=$PPID kvm=no asymmetric=no name
	while [ $# -gt 0 ]; do
		case $1 in
		--hosts) hosts=${2:?--hosts wants names} && shift 2 ;;
		--owner) owner=${2:?--owner wants a process id} && shift 2 ;;
		--kvm) kvm=yes && shift ;;
		--asymmetric) asymmetric=yes && shift ;;
		*) usage >&2 && exit 2 ;;
		esac
	done
	[ "$(id -u)" = 0 ] || die "needs root (namespaces, libvirtd)"
	need ip libvirtd nsenter qemu-system-x86_64 setpriv unshare virsh
	make_lab_directory
	echo "${hosts//,/ }" >"$VW_LAB/hosts"
	# shellcheck disable=SC2046 # names are one word each
	set -- $(<"$VW_LAB/hosts")
	for name; do
		[[ $name =~ ^[a-z][a-z0-9]{0,7}$ ]] || die "a host's name is a short lower-case word, not $name"
	done
	keep "$owner" $kvm $asymmetric "$@" >"$VW_LAB/log" 2>&1 </dev/null &
	echo $! >"$VW_LAB/keeper"
	for name; do
		if ! wait_for 90 host_ready "$name"; then
			tail -n 5 "$VW_LAB/log" "$VW_LAB/$name/log" >&2
			lab_down
			die "the host $name did not come up"
		fi
	done
	if ! wait_for 60 test -e "$VW_LAB/connected" || [ -e "$VW_LAB/failed" ]; then
		tail -n 5 "$VW_LAB/log" >&2
		lab_down
		die "the hosts could not be connected"
	fi
	disown
	echo "$VW_LAB"
}

make_lab_directory()
{
	if [ -z "${VW_LAB-}" ]; then
		VW_LAB=$(mktemp -d "${TMPDIR:-/tmp}/vw-lab-XXXXXX")
		touch "$VW_LAB/created"
		return 0
	fi
	VW_LAB=$(realpath -m -- "$VW_LAB")
	[ ! -e "$VW_LAB/hosts" ] || die "there is a lab in $VW_LAB already"
	[ -d "$VW_LAB" ] || { mkdir -p "$VW_LAB" && touch "$VW_LAB/created"; }
}

lab_down()
{
	local keeper
	[ -n "${VW_LAB-}" ] || die "VW_LAB is not set: which lab?"
	keeper=$(cat "$VW_LAB/keeper" 2>/dev/null) || true
	if [ -n "$keeper" ] && tr '\0' ' ' 2>/dev/null <"/proc/$keeper/cmdline" | grep 'lab up' >/dev/null; then
		kill -TERM "$keeper" 2>/dev/null && tail --pid="$keeper" -s 0.05 -f /dev/null
	fi
	remove_lab
}

lab_exec()
{
	[ $# -ge 2 ] || { usage >&2 && exit 2; }
	in_host "$@"
}

lab_virsh()
{
	local host=${1:?which host}
	shift
	in_host "$host" virsh -c qemu:///system "$@"
}

lab_uri()
{
	host_pid "${1:?which host}" >/dev/null
	echo "qemu+tcp://$1/system"
}

lab_reload()
{
	host_pid "${1:?which host}" >/dev/null
	# shellcheck disable=SC2016 # the host's shell expands it
	(in_host "$1" sh -c 'kill -HUP "$(cat /run/libvirtd.pid)"')
}

libvirtd_answers()
{
	(in_host "$1" virsh -c qemu:///system uri) >/dev/null 2>&1
}

lab_restart()
{
	local old
	old=$(in_host "${1:?which host}" cat /run/libvirtd.pid)
	(in_host "$1" sh -c "kill -TERM $old; tail --pid=$old -s 0.05 -f /dev/null")
	wait_for 60 libvirtd_answers "$1" || die "libvirtd of $1 did not come back: see $VW_LAB/$1/log"
}

# path HOST PATH: a private directory's place outside of the host.
lab_path()
{
	local host=${1:?which host} path
	host_pid "$host" >/dev/null
	path=$(realpath -m -- "${2:?which path}")
	case $path in
	/etc/* | /var/*) echo "$VW_LAB/$host$path" ;;
	*) die "$path is not private to a host" ;;
	esac
}

# loop FILE: the device detaches itself when its last holder, a sleeper in the first host, ends.
lab_loop()
{
	local file host dev first
	file=$(realpath -e -- "${1:?which file}") || exit 1
	read -r first _ <"$VW_LAB/hosts"
	dev=$(losetup --find --show -- "$file") || die "no loop device for $file"
	exec 8<"$dev"
	losetup --detach "$dev"
	for host in $(<"$VW_LAB/hosts"); do
		(in_host "$host" sh -c "test -b $dev || mknod -m 660 $dev b 7 ${dev#/dev/loop}")
	done
	(in_host "$first" setsid -f sleep infinity) >/dev/null 2>&1 </dev/null
	exec 8<&-
	echo "$dev"
}
