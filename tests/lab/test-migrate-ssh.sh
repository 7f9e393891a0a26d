#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virsh migrate --desturi qemu+ssh://…, with a real sshd, at a terminal: by root's key and by a user's own; with
# an unknown host key, a wrong user, and a host that asks for a password. virsh prompts as ever, once; the
# connections that we add (preflight, verify) never do: they are given up, and that is said.
# timeout: 300
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

need sshd ssh-keygen python3
lab_begin
lab_own_config
"$lab" up --hosts alpha,beta >/dev/null
chmod 711 "$work"
terminal=$LAB_DIR/lib/at-terminal.py password=open-sesame
to_beta=qemu+ssh://beta/system

# Both users have homes of the test's on both hosts (a host's /etc is its own), and on alpha a terminal.
add_users() # add_users HOST
{
	local etc=$VW_LAB/$1/etc user
	for user in root mover; do
		mkdir -p "$work/$1/$user/.ssh"
		chmod 700 "$work/$1/$user/.ssh"
	done
	sed -i "s,^root:.*,root:x:0:0:root:$work/$1/root:/bin/bash," "$etc/passwd"
	echo "mover:x:4711:4711::$work/$1/mover:/bin/bash" >>"$etc/passwd"
	echo "mover:x:4711:" >>"$etc/group"
	sed -i /^root:/d "$etc/shadow"
	for user in root mover; do
		echo "$user:$(openssl passwd -6 $password):19000:0:99999:7:::" >>"$etc/shadow"
	done
	chown -R 4711:4711 "$work/$1/mover"
	on "$1" mknod -m 666 /dev/tty c 5 0
	mkdir -p "$work/$1/tree" "$work/$1/build" # what the user may not reach by its path
	on "$1" mount --bind "$TOP_DIR" "$work/$1/tree"
	on "$1" mount --bind "$VW_BUILD" "$work/$1/build"
}

# start_sshd HOST: it takes keys and passwords.
start_sshd()
{
	local etc=$VW_LAB/$1/etc/ssh
	rm -rf "$etc"
	mkdir -p "$etc"
	ssh-keygen -q -t ed25519 -N '' -f "$etc/host_key"
	cat >"$etc/sshd_config" <<-END
		ListenAddress $1
		HostKey /etc/ssh/host_key
		PidFile /run/sshd.pid
		PasswordAuthentication yes
		PermitRootLogin yes
		UsePAM no
		UseDNS no
	END
	on "$1" mkdir -p /run/sshd
	on "$1" "$(command -v sshd)" -f /etc/ssh/sshd_config
}

# know HOST USER: that user of HOST knows the other host's key. key HOST USER: has a key that lets it in there.
other() { case $1 in alpha) echo beta ;; *) echo alpha ;; esac; }
know() { echo "$(other "$1") $(<"$VW_LAB/$(other "$1")/etc/ssh/host_key.pub")" >"$work/$1/$2/.ssh/known_hosts"; }
key()
{
	ssh-keygen -q -t ed25519 -N '' -f "$work/$1/$2/.ssh/id_ed25519"
	cp "$work/$1/$2/.ssh/id_ed25519.pub" "$work/$(other "$1")/$2/.ssh/authorized_keys"
	[ "$2" = root ] || chown 4711:4711 "$work/$1/$2/.ssh"/id* "$work/$(other "$1")/$2/.ssh/authorized_keys"
}

# at USER VIRSH ARGUMENT…: on alpha, at a terminal, with that virsh (ours, plain); $out is what was on it.
at()
{
	local user=$1 virsh=$work/alpha/build/virsh
	[ "$2" = ours ] || virsh=/usr/bin/virsh
	shift 2
	status=0
	on alpha "$terminal" 60 '\(yes/no[^)]*\)\?' "${hostkey-no}" "assword( for beta)?:" "$password" -- \
		setpriv --reuid "$user" --regid "$user" --init-groups env HOME="$work/alpha/$user" DISPLAY=:9 \
		VIRT_WARDEN_DATADIR="$work/alpha/tree" \
		VIRT_WARDEN_CACHEDIR="$work/alpha/build/test-cache" "$virsh" -c qemu:///system "$@" >"$work/out" || status=$?
	out=$(<"$work/out")
	echo "$SECONDS s: $user ${virsh##*/} ${*:3}: ${out##*$'\n'}"
}
prompts() { [[ $out == *"prompts=$1 exit=$2" ]] || fail "$3: wanted $1 prompts and exit $2: $out"; }
said() { grep -Eq -- "$1" <<<"$out" || fail "$2: not said: $1: $out"; }
silent() { ! grep -q virt-warden <<<"$out" || fail "$1: something was said: $out"; }
is_on() { [ "$(real "$1" domstate "$2" 2>/dev/null)" = running ] || fail "$2 does not run on $1"; }
policy() { printf '[policy]\n%s\n' "$@" >"$VIRT_WARDEN_CONF"; }
small()
{
	cat >"$work/$1.xml" <<-END
		<domain type='qemu'><name>$1</name><memory unit='KiB'>32768</memory><vcpu>1</vcpu>
		<os><type arch='x86_64' machine='q35'>hvm</type></os><cpu mode='host-model'/></domain>
	END
	real alpha define "$work/$1.xml" >/dev/null
	real alpha start "$1" >/dev/null
}
# again NAME: back at alpha, as if nothing had been.
again()
{
	real beta destroy "$1" >/dev/null 2>&1 || true
	real beta undefine "$1" >/dev/null 2>&1 || true
	real alpha destroy "$1" >/dev/null 2>&1 || true
	real alpha undefine "$1" >/dev/null 2>&1 || true
	small "$1"
}

for host in alpha beta; do
	start_sshd $host
	add_users $host
done
usual=(migrate --live --persistent --undefinesource --verbose --desturi "$to_beta" --domain)

# --- keys: root's, and the user's own; the guest is proved alive, and nobody is asked ---------------------
policy 'verify = wait' 'migrate = enforce'
"$lab" guest G --disk block --cache none >/dev/null
know alpha root
key alpha root
at root ours "${usual[@]}" G
prompts 0 0 "root's key"
said 'Migration: \[ *100 %\]' "root's key"
! grep -qE 'virt-warden.*(unknown|could not)' <<<"$out" || fail "root's key: $out"
is_on beta G
real beta destroy G >/dev/null

policy 'verify = off' 'migrate = enforce'
small H
know alpha mover
key alpha mover
at mover ours "${usual[@]}" H
prompts 0 0 "the user's key"
silent "the user's key"
is_on beta H

# --- an unknown host key: virsh asks, once; ours are not asked when it is not answered with yes -----------
again H
rm "$work/alpha/mover/.ssh/known_hosts"
at mover plain "${usual[@]}" H
prompts 1 1 "unknown host key, plain"
at mover ours "${usual[@]}" H
prompts 1 1 "unknown host key"
silent "unknown host key"
hostkey=yes at mover ours "${usual[@]}" H
prompts 1 0 "unknown host key, accepted"
silent "unknown host key, accepted"
is_on beta H

# --- peer to peer: libvirtd goes by root's key, the user has none: we give up, it goes on or not, by policy ---
again H
rm "$work/alpha/mover/.ssh/id_ed25519"
at mover ours migrate --live --p2p H "$to_beta"
prompts 0 0 "no key, p2p"
said 'virt-warden: .*unknown' "no key, p2p"
said 'virt-warden: it passes all the same: unknown = pass' "no key, p2p"
is_on beta H
again H
policy 'verify = off' 'migrate = enforce' 'unknown = refuse'
at mover ours migrate --live --p2p H "$to_beta"
prompts 0 1 "refused"
said 'error: migration refused before it began: whether it will work could not be told' refused
is_on alpha H
rm "$work/alpha/mover/.ssh/known_hosts"
at mover ours migrate --live --p2p H "$to_beta"
prompts 0 1 "unknown host key, p2p"
know alpha mover

# --- a host that asks for a password: virsh's prompt, one; preflight and verify give up, and say so -------
policy 'verify = wait' 'migrate = warn'
at mover plain "${usual[@]}" H
prompts 1 0 "password, plain"
again H
at mover ours "${usual[@]}" H
prompts 1 0 password
said 'virt-warden: (whether this migration will work could not be told|.*: unknown$)' "password, preflight"
said 'virt-warden: (whether the guest lives .*could not be told|H: unknown on beta after its migration)' "password, verify"
is_on beta H
again H
at mover ours migrate --live H "qemu+libssh://mover@beta/system?known_hosts_verify=ignore&sshauth=password"
prompts 1 0 "password, libssh"
is_on beta H

# --- a wrong user: plain virsh's fate, word by word ------------------------------------------------------
again H
for virsh in plain ours; do
	at mover $virsh migrate --live H qemu+ssh://nobody@beta/system
	grep -v '^prompts' <<<"$out" >"$work/$virsh.out"
	prompts 3 1 "wrong user, $virsh"
done
diff "$work/plain.out" "$work/ours.out" || fail "wrong user: another text"
is_on alpha H
