# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `lab guest`: a guest that lives, on its first host, and says so on its console. Needs common.sh,
# guest.sh, lab-hosts.sh and lab-verbs.sh.
#
# Its files lie in $VW_LAB/guests, under the same path for every host: NAME.console (appended to by
# whichever host runs it), NAME.disk, NAME.xml.

# Builder for cached: DIR/initrd.img, DIR/vmlinuz is a link. The payload is one static program.
build_payload()
{
	local kernel=$1 agent=$2 dir=$3 root=$3/root
	mkdir "$root"
	busybox_root "$root"
	copy_modules "$kernel" "$root" virtio_{pci,blk,net,console,rng,balloon} pvpanic-pci pvpanic-mmio i6300esb
	"${CC:-cc}" -O2 -static -o "$root/bin/payload" "$LAB_DIR/guest/payload.c"
	install -m 755 "$LAB_DIR/guest/payload-init" "$root/init"
	echo 'ID=vwlab' >"$root/etc/os-release"
	[ "$agent" = no ] || add_program "$root" qemu-ga
	pack_initramfs "$root" "$dir/initrd.img"
	ln -s "$kernel/vmlinuz" "$dir/vmlinuz"
	rm -r "$root"
}

# payload_dir PAYLOAD: the directory with its kernel and initramfs.
payload_dir()
{
	local kernel name agent=no
	need "${CC:-cc}" busybox cpio gzip
	[ "$1" != agent ] || agent=yes
	kernel=$(kernel_dir) || return 1
	name=payload-$agent-$(cat "$LAB_DIR"/guest/payload* "$LAB_DIR"/lib/{guest,lab-guest}.sh | cksum | cut -d ' ' -f 1)
	cached "$name" build_payload "$kernel" "$agent" || return 1
	echo "$LAB_CACHE/$name"
}

# cpu_xml CPU: a mode, or MODEL[,+FEATURE]…; none = no element.
cpu_xml()
{
	local word words
	case $1 in
	none) return 0 ;;
	host-model | host-passthrough | maximum) echo "<cpu mode='$1'/>" && return 0 ;;
	esac
	IFS=, read -r -a words <<<"$1"
	printf "<cpu mode='custom' match='exact'><model fallback='forbid'>%s</model>" "${words[0]}"
	for word in "${words[@]:1}"; do
		printf "<feature policy='require' name='%s'/>" "${word#+}"
	done
	echo "</cpu>"
}

# nbd_server HOST FILE PORT: ends with its host.
nbd_server()
{
	(in_host "$1" setsid -f qemu-nbd --persistent --shared 8 --cache none -f raw -b 10.77.0.1 -p "$3" "$2") \
		>>"$VW_LAB/guests/nbd.log" 2>&1 </dev/null
	wait_for 30 nbd_answers "$1" "$3" || die "no NBD server: $(tail -n 1 "$VW_LAB/guests/nbd.log")"
}

nbd_answers()
{
	(in_host "$1" ss -Hltn "sport = :$2") | grep ':' >/dev/null
}

# disk_xml NAME KIND CACHE NUMBER HOST
disk_xml()
{
	local image=$VW_LAB/guests/$1.disk source type=raw
	[ "$2" != none ] || return 0
	[ -e "$image" ] || truncate -s 64M "$image"
	case $2 in
	block) source="<source dev='$(lab_loop "$image")'/>" ;;
	file) source="<source file='$image'/>" ;;
	nbd)
		nbd_server "$5" "$image" $((10809 + $4))
		source="<source protocol='nbd'><host name='10.77.0.1' port='$((10809 + $4))'/></source>"
		;;
	esac
	printf "<disk type='%s' device='disk'><driver name='qemu' type='%s' cache='%s'/>%s%s</disk>\n" \
		"${2/nbd/network}" "$type" "$3" "$source" "<target dev='vda' bus='virtio'/>"
}

# payload_devices PAYLOAD: what it needs beside a disk.
payload_devices()
{
	case $1 in
	net) echo "<interface type='network'><source network='default'/><model type='virtio'/></interface>" ;;
	agent) echo "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>" ;;
	esac
}

# guest_xml NAME CPU PAYLOAD NUMBER EXTRA <DISK: EXTRA devices.
guest_xml()
{
	local dir
	dir=$(payload_dir "$3") || return 1
	cat <<END
<domain type='qemu'>
  <name>$1</name>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>$dir/vmlinuz</kernel>
    <initrd>$dir/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet vwlab.payload=$3 vwlab.ip=10.77.0.$((100 + $4))</cmdline>
  </os>
  <features><acpi/><apic/></features>
  $(cpu_xml "$2")
  <devices>
    $(cat)
    $(payload_devices "$3")
    $5
    <serial type='file'><source path='$VW_LAB/guests/$1.console' append='on'/></serial>
  </devices>
</domain>
END
}

# guest_number: a new one for each guest of the lab.
guest_number()
{
	local number
	(
		flock 9
		number=$(($(cat "$VW_LAB/guests/number" 2>/dev/null || echo 0) + 1))
		echo $number | tee "$VW_LAB/guests/number"
	) 9>"$VW_LAB/guests/.lock"
}

# alive NAME HOST PAYLOAD: does it tick, and is its agent connected?
alive()
{
	grep -q '^VWLAB tick=' "$VW_LAB/guests/$1.console" || return 1
	[ "$3" != agent ] || (in_host "$2" /usr/bin/virsh -c qemu:///system dumpxml "$1") |
		grep "name='org.qemu.guest_agent.0' state='connected'" >/dev/null
}

lab_guest()
{
	local name='' host='' cpu=host-model disk=none cache=none payload=ticker extra='' print=no number
	while [ $# -gt 0 ]; do
		case $1 in
		--host | --cpu | --disk | --cache | --payload | --device)
			[ $# -ge 2 ] || { usage >&2 && exit 2; }
			case $1 in
			--host) host=$2 ;;
			--cpu) cpu=$2 ;;
			--disk) disk=$2 ;;
			--cache) cache=$2 ;;
			--payload) payload=$2 ;;
			--device) extra+=$2 ;;
			esac
			shift 2
			;;
		--print) print=yes && shift ;;
		-*) usage >&2 && exit 2 ;;
		*) [ -z "$name" ] || { usage >&2 && exit 2; }
			name=$1 && shift ;;
		esac
	done
	[[ $name =~ ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$ && $disk =~ ^(block|file|nbd|none)$ &&
		$payload =~ ^(ticker|aes|spin|compute|agent|net)$ ]] || { usage >&2 && exit 2; }
	[ -s "${VW_LAB:?which lab}/hosts" ] || die "no lab in $VW_LAB"
	[ -n "$host" ] || read -r host _ <"$VW_LAB/hosts"
	mkdir -p "$VW_LAB/guests"
	number=$(guest_number)
	disk_xml "$name" "$disk" "$cache" "$number" "$host" |
		guest_xml "$name" "$cpu" "$payload" "$number" "$extra" >"$VW_LAB/guests/$name.xml" || die "no guest $name"
	if [ $print = yes ]; then
		cat "$VW_LAB/guests/$name.xml"
		return 0
	fi
	start_guest_on "$host" "$name" "$payload"
	echo "$VW_LAB/guests/$name.console"
}

start_guest_on()
{
	local out
	: >"$VW_LAB/guests/$2.console"
	out=$( (in_host "$1" /usr/bin/virsh -q -c qemu:///system define "$VW_LAB/guests/$2.xml") 2>&1) &&
		out=$( (in_host "$1" /usr/bin/virsh -q -c qemu:///system start "$2") 2>&1) || die "$2: $out"
	wait_for 240 alive "$2" "$1" "$3" ||
		die "$2 does not live: $(tail -n 3 "$VW_LAB/guests/$2.console")"
}
