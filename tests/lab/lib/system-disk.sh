# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lab's system disk: builders for cached. Needs common.sh and guest.sh.

# GRUB for BIOS, unpacked: DIR/usr/bin/grub-mkimage, DIR/usr/lib/grub/i386-pc
unpack_grub()
{
	local package deb
	for package in grub-common grub-pc-bin; do
		deb=$(fetch_deb "$package" "$1") || return 1
		dpkg --fsys-tarfile "$deb" |
			tar -x -C "$1" --wildcards './usr/bin/grub-mkimage' './usr/lib/grub/i386-pc*' \
				2>/dev/null || true
		rm "$deb"
	done
	[ -x "$1/usr/bin/grub-mkimage" ] && [ -e "$1/usr/lib/grub/i386-pc/boot.img" ]
}

# The tree of the root filesystem: what an inspection expects of a Debian, as far as it goes.
system_tree()
{
	local kernel=$1 initramfs=$2 root=$3 uuid=$4 options=$5 version
	version=$(<"$kernel/version")
	busybox_root "$root"
	install -m 755 "$LAB_DIR/guest/system-init" "$root/bin/init.new"
	mv "$root/bin/init.new" "$root/bin/init"
	mkdir -p "$root/boot/grub" "$root/etc" "$root/lib/modules"
	cp "$kernel/vmlinuz" "$root/boot/vmlinuz-$version"
	cp "$initramfs/initrd.img" "$root/boot/initrd.img-$version"
	cp -a "$initramfs/root/lib/modules/$version" "$root/lib/modules/"
	echo lab-system >"$root/etc/hostname"
	echo "UUID=$uuid / ext4 defaults 0 1" >"$root/etc/fstab"
	cat >"$root/etc/os-release" <<-END
		PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
		NAME="Debian GNU/Linux"
		VERSION_ID="12"
		ID=debian
	END
	echo 12.0 >"$root/etc/debian_version"
	cat >"$root/boot/grub/grub.cfg" <<-END
		serial --unit=0 --speed=115200
		terminal_output serial
		echo "VWLAB grub root=\$root"
		linux /boot/vmlinuz-$version root=UUID=$uuid ro console=ttyS0,115200 quiet panic=-1 vwlab.bootloader=grub $options
		initrd /boot/initrd.img-$version
		boot
	END
}

# build_system KERNEL INITRAMFS OPTIONS DIR: DIR/disk.raw. GRUB's core lies between MBR and the first
# partition: its first sector knows by default that the rest follows, and boot.img that it is at sector 1.
build_system()
{
	local kernel=$1 initramfs=$2 options=$3 dir=$4 uuid grub=$LAB_CACHE/grub
	local disk=$dir/disk.raw size=67108864
	uuid=$(</proc/sys/kernel/random/uuid)
	mkdir "$dir/root"
	system_tree "$kernel" "$initramfs" "$dir/root" "$uuid" "$options"
	truncate -s $size "$disk"
	mke2fs -q -t ext4 -F -L vwlab-root -U "$uuid" -E offset=1048576,root_owner=0:0 -O ^metadata_csum_seed,^orphan_file \
		-d "$dir/root" "$disk" $((size / 1024 - 1024))k
	cat >"$dir/early.cfg" <<-END
		search --no-floppy --fs-uuid --set=root $uuid
		set prefix=(\$root)/boot/grub
	END
	"$grub/usr/bin/grub-mkimage" -d "$grub/usr/lib/grub/i386-pc" -O i386-pc -p /boot/grub \
		-c "$dir/early.cfg" -o "$dir/core.img" \
		biosdisk part_msdos ext2 search search_fs_uuid normal configfile linux serial terminal echo
	[ "$(stat -c %s "$dir/core.img")" -lt $((2047 * 512)) ] || return 1
	dd if="$grub/usr/lib/grub/i386-pc/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
	# The partition table: one active Linux partition, 129024 sectors from sector 2048; three empty ones.
	printf '\x80\xfe\xff\xff\x83\xfe\xff\xff\x00\x08\x00\x00\x00\xf8\x01\x00' |
		dd of="$disk" bs=1 seek=446 conv=notrunc status=none
	printf '\x55\xaa' | dd of="$disk" bs=1 seek=510 conv=notrunc status=none
	dd if="$dir/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none
	rm -r "$dir/root" "$dir/core.img" "$dir/early.cfg"
}
