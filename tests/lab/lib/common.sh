# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What every lab program needs: where things lie, and how to complain.

LAB_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
TOP_DIR=$(cd -- "$LAB_DIR/../.." && pwd)
VW_BUILD=$(realpath -m -- "${VW_BUILD:-$TOP_DIR/build}")
LAB_CACHE=$VW_BUILD/cache/lab
export VW_BUILD

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# need PROGRAM…: each must be there, or one line says which is not.
need()
{
	local p
	for p; do
		command -v -- "$p" >/dev/null || die "$p is missing: run ./install.sh --deps=test"
	done
}

# cached NAME BUILDER…: $LAB_CACHE/NAME, made by `BUILDER… DIRECTORY` at the first call. Two callers
# at once: one builds, the other waits; what a killed builder left is never taken for the real thing.
cached()
{
	local name=$1 tmp
	shift
	[ -d "$LAB_CACHE/$name" ] && return 0
	mkdir -p "$LAB_CACHE"
	(
		flock 9
		[ -d "$LAB_CACHE/$name" ] && exit 0
		tmp=$(mktemp -d "$LAB_CACHE/.new-XXXXXX")
		trap 'rm -rf "$tmp"' EXIT
		"$@" "$tmp" || exit 1
		chmod 755 "$tmp"
		mv -T "$tmp" "$LAB_CACHE/$name"
	) 9>"$LAB_CACHE/.lock-${name%%[!a-z]*}"
}

# kvm_usable: has the CPU virtualisation, and can QEMU open a KVM machine? (A /dev/kvm that software
# emulates is there in some containers and machines, and stock kernels hang on it.)
kvm_usable()
{
	[ -w /dev/kvm ] && grep -E -w -q 'vmx|svm' /proc/cpuinfo && printf 'quit\n' |
		timeout 10 qemu-system-x86_64 -machine none,accel=kvm -nodefaults -display none -monitor stdio \
			>/dev/null 2>&1
}
