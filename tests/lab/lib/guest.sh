# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Guests for the lab: Debian's kernel and GRUB (fetched as packages and unpacked, never installed),
# an initramfs of busybox and modules. Needs common.sh.

# All the buses and devices that a fixed or a generic domain may have.
GUEST_MODULES="ata_piix ahci sd_mod sr_mod nvme mptsas megaraid_sas vmw_pvscsi sym53c8xx
	virtio_pci virtio_blk virtio_scsi virtio_net virtio_console virtio_rng virtio_balloon
	e1000 e1000e 8139cp 8139too af_packet ext4 crc32c_generic crc32c_intel
	pvpanic-pci pvpanic-mmio i6300esb xhci_pci uhci_hcd ehci_pci"

# fetch_deb PACKAGE DIR: leaves the .deb in DIR, prints its path.
fetch_deb()
{
	(cd -- "$2" && apt-get -q -o APT::Sandbox::User=root download "$1") >&2 ||
		die "can't fetch the package $1: run apt-get update"
	find "$2" -maxdepth 1 -name "$1_*.deb" -print -quit
}

# kernel_package: the package that the meta package stands for today.
kernel_package()
{
	apt-cache depends --important linux-image-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p;T;q'
}

# Where in a kernel package GUEST_MODULES and what they depend on can be: an eighth of it. What is built in
# differs from kernel to kernel, so none of these must be there.
KERNEL_PARTS="boot/vmlinuz-|/kernel/(arch/x86/crypto|crypto|lib|block|fs/(ext4|jbd2|mbcache)|net/(core|packet)|drivers/(
	ata|block/virtio_blk|cdrom|char/(hw_random|virtio_console)|message|misc/pvpanic|net/[^/]*\.ko|
	net/ethernet/(intel/e1000|realtek)|nvme|pps|ptp|scsi|usb/(common|core|host)|virtio|watchdog))|
	/modules\.(builtin|builtin\.modinfo|order)$"

# Builder for cached: DIR/vmlinuz, DIR/version, DIR/modules/lib/modules/VERSION/…
unpack_kernel()
{
	local package=$1 dir=$2 deb version
	version=${package#linux-image-}
	deb=$(fetch_deb "$package" "$dir") || return 1
	mkdir "$dir/tree"
	dpkg --fsys-tarfile "$deb" >"$dir/tar" || return 1
	tar -tf "$dir/tar" | grep -E "${KERNEL_PARTS//[[:space:]]/}" | grep -v '/$' |
		tar -x -C "$dir/tree" -f "$dir/tar" --no-recursion -T - || return 1
	rm "$deb" "$dir/tar"
	mv "$dir/tree/boot/vmlinuz-$version" "$dir/vmlinuz"
	rmdir "$dir/tree/boot"
	# With usrmerge the modules lie below usr/lib.
	[ -d "$dir/tree/lib" ] || mv "$dir/tree/usr/lib" "$dir/tree/lib"
	# Some kernels come with compressed modules; busybox need not know how.
	find "$dir/tree/lib/modules" -name '*.ko.xz' -exec unxz {} + || return 1
	find "$dir/tree/lib/modules" -name '*.ko.zst' -exec unzstd -q --rm {} + || return 1
	echo "$version" >"$dir/version"
	depmod -b "$dir/tree" "$version"
}

# kernel_dir: the directory of the unpacked kernel: an older one from the cache is good enough.
kernel_dir()
{
	local old package
	need dpkg tar depmod unxz
	for old in "$LAB_CACHE"/kernel-*/version; do
		[ -e "$old" ] && dirname "$old" && return 0
	done
	package=$(kernel_package)
	[ -n "$package" ] || die "no linux-image-amd64 in the package lists: run apt-get update"
	cached "kernel-${package#linux-image-}" unpack_kernel "$package" || return 1
	echo "$LAB_CACHE/kernel-${package#linux-image-}"
}

# copy_modules KERNELDIR ROOT MODULE…: they and what they need, with an own index.
copy_modules()
{
	local kernel=$1 root=$2 version base m
	shift 2
	version=$(<"$kernel/version")
	base=$kernel/tree/lib/modules/$version
	mkdir -p "$root/lib/modules/$version"
	for m; do
		modprobe -d "$kernel/tree" -S "$version" --show-depends "$m" || die "the kernel has no module $m"
	done | sed -n "s|^insmod $base/\([^ ]*\).*|\1|p" | sort -u |
		tar -C "$base" -cf - -T - | tar -C "$root/lib/modules/$version" -xf -
	cp "$base"/modules.{builtin,builtin.modinfo,order} "$root/lib/modules/$version/"
	depmod -b "$root" "$version"
}

# busybox_root ROOT: the tree of a system whose every program is busybox.
busybox_root()
{
	local root=$1 applet
	mkdir -p "$root"/{bin,dev,etc,lib,proc,run,sys,tmp,mnt,root,var}
	ln -s bin "$root/sbin"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for applet in $("$root/bin/busybox" --list | grep -vx busybox); do
		ln -s busybox "$root/bin/$applet"
	done
}

# pack_initramfs ROOT FILE: gzip, since a boot loader reads slowly under emulation.
pack_initramfs()
{
	(cd -- "$1" && find . -print0 | cpio --null -o -H newc --quiet -R 0:0) | gzip -9 >"$2"
}

# guest_key: changes with the scripts that guests are made of and by.
guest_key()
{
	cat "$LAB_DIR"/guest/* "$LAB_DIR"/lib/{guest,system-disk,bench}.sh | cksum | cut -d ' ' -f 1
}

# initramfs_dir KERNELDIR: the directory of the plain initramfs.
initramfs_dir()
{
	local name
	name=initramfs-$(guest_key)
	need busybox cpio gzip
	cached "$name" build_initramfs "$1" || return 1
	echo "$LAB_CACHE/$name"
}

# Builder for cached: DIR/root is the tree, DIR/initrd.img the packed one.
build_initramfs()
{
	local kernel=$1 dir=$2
	mkdir "$dir/root"
	busybox_root "$dir/root"
	# shellcheck disable=SC2086 # one word each
	copy_modules "$kernel" "$dir/root" $GUEST_MODULES
	install -m 755 "$LAB_DIR/guest/initramfs-init" "$dir/root/init"
	pack_initramfs "$dir/root" "$dir/initrd.img"
}

# add_program ROOT PROGRAM: copies a program of this machine with its libraries into a guest's tree.
add_program()
{
	local root=$1 path lib
	path=$(command -v -- "$2") || die "$2 is missing: run ./install.sh --deps=test"
	cp -L "$path" "$root/bin/"
	ldd "$path" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$root$(dirname "$lib")"
		cp -L "$lib" "$root$lib"
	done
}
