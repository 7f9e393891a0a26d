# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Benchmarks with two guests that take turns: both are booted once and wait at their console; a round
# is asked for by a line. So a pair of rounds lies seconds apart, whatever else the machine does.
# Needs common.sh, guest.sh and test.sh.
# shellcheck disable=SC2154 # lab and work come from test.sh

BENCH_ROUNDS=${BENCH_ROUNDS:-7}
BENCH_SECONDS=${BENCH_SECONDS:-3}
declare -A console_in console_out

# Builder for cached: DIR/initrd.img with PROGRAM and bench-guest; not packed, it need not be read by a BIOS.
build_bench_initramfs()
{
	local program=$1 initramfs=$2 dir=$3
	cp -a "$initramfs/root" "$dir/root"
	add_program "$dir/root" "$program"
	install -m 755 "$LAB_DIR/guest/bench-guest" "$dir/root/bin/bench-guest"
	(cd -- "$dir/root" && find . -print0 | cpio --null -o -H newc --quiet -R 0:0) >"$dir/initrd.img"
	rm -r "$dir/root"
}

# bench_begin PROGRAM: a lab, and $kernel and $initrd for guests that run PROGRAM.
bench_begin()
{
	local kernel_dir initramfs
	kernel_dir=$(kernel_dir)
	initramfs=$(initramfs_dir "$kernel_dir")
	cached "bench-$1-$(guest_key)" build_bench_initramfs "$1" "$initramfs"
	kernel=$kernel_dir/vmlinuz
	initrd=$LAB_CACHE/bench-$1-$(guest_key)/initrd.img
	lab_begin
	"$lab" up --hosts alpha >/dev/null
}

# here COMMAND…: on the host, with our build in front. there: without.
here()
{
	"$lab" exec alpha "$TOP_DIR/run" "$@"
}

there()
{
	"$lab" exec alpha "$@"
}

# boot_lines ARGUMENT…: what goes into <os> of every benchmark guest.
boot_lines()
{
	printf '    <kernel>%s</kernel>\n    <initrd>%s</initrd>\n    <cmdline>%s</cmdline>\n' "$kernel" "$initrd" \
		"console=ttyS0 quiet panic=-1 vwlab.run=/bin/bench-guest vwbench.seconds=$BENCH_SECONDS $*"
}

# console_lines NAME: the console, two FIFOs.
console_lines()
{
	printf "    <serial type='pipe'>\n      <source path='%s'/>\n    </serial>\n" "$work/$1.console"
}

# generic_guest NAME ARGUMENT…: what people write by hand; ARGUMENTs go onto the kernel command line, and
# stdin among the devices.
generic_guest()
{
	cat <<END
<domain type='qemu'>
  <name>$1</name>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
      <libosinfo:os id='http://debian.org/debian/12'/>
    </libosinfo:libosinfo>
  </metadata>
  <memory unit='MiB'>640</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
$(boot_lines "${@:2}")
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='$work/$1.disk'/>
      <target dev='hda' bus='ide'/>
    </disk>
$(cat)
$(console_lines "$1")
  </devices>
</domain>
END
}

# fix_guest NAME: $work/NAME.xml as virt-warden fixes it, in $work/NAME.fixed.xml.
fix_guest()
{
	here virt-warden -c qemu:///system fix "$work/$1.xml" >"$work/$1.fixed.xml"
	diff -u "$work/$1.xml" "$work/$1.fixed.xml" >&2 || true
}

# start_guest NAME XML: as it stands, past our own front-end; returns when the guest waits for its first round.
start_guest()
{
	local in out
	mkfifo "$work/$1.console.in" "$work/$1.console.out"
	exec {in}<>"$work/$1.console.in" {out}<>"$work/$1.console.out"
	console_in[$1]=$in
	console_out[$1]=$out
	there /usr/bin/virsh -c qemu:///system define --validate "$2" >&2
	there /usr/bin/virsh -c qemu:///system start "$1" >&2
	console_until "$1" 'VWBENCH ready' 240
}

# console_until NAME WORDS SECONDS: reads the console up to a line with WORDS; prints what is KEY=VALUE.
console_until()
{
	local line end=$((SECONDS + $3))
	while [ $SECONDS -lt $end ]; do
		IFS= read -r -t 5 line <&"${console_out[$1]}" || continue
		line=${line%%$'\r'*}
		printf '%s: %s\n' "$1" "$line" >&2
		case $line in
		*"$2"*) return 0 ;;
		"VWBENCH "*=*) printf '%s\n' "${line#VWBENCH }" ;;
		esac
	done
	fail "$1: no '$2' on the console within $3 s"
}

# bench_round NAME: one round; prints its KEY=VALUE lines on one line.
bench_round()
{
	echo go >&"${console_in[$1]}"
	console_until "$1" 'VWBENCH end' 240 | paste -s -d ' '
}

# bench_pairs OURS OTHER FIGURE YARDSTICK: takes turns; prints "FIGURE VALUE ratio YARDSTICK", VALUE being
# the median over the pairs of the geometric mean of ours/other over the jobs.
bench_pairs()
{
	local ours=$1 other=$2 a b i
	for ((i = 0; i < BENCH_ROUNDS; i++)); do
		if [ $((i % 2)) = 0 ]; then
			a=$(bench_round "$ours") b=$(bench_round "$other")
		else
			b=$(bench_round "$other") a=$(bench_round "$ours")
		fi
		pair_ratio "$a" "$b" || fail "round $i: '$a' against '$b'"
	done | sort -n | awk -v name="$3" -v yardstick="$4" '
		{ v[NR] = $1 }
		END {
			if (!NR) exit 1
			m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
			printf "%s %.2f ratio %s\n", name, m, yardstick
		}'
}

# pair_ratio OURS OTHER: geometric mean of the ratios of the same keys; every job must have a figure.
pair_ratio()
{
	awk -v a="$1" -v b="$2" 'BEGIN {
		n = split(a, x, " ")
		if (!n || n != split(b, y, " ")) exit 1
		for (i = 1; i <= n; i++) {
			split(x[i], k, "="); split(y[i], l, "=")
			if (k[1] != l[1] || k[2] <= 0 || l[2] <= 0) exit 1
			sum += log(k[2] / l[2])
			printf "  %-10s %10.0f %10.0f  %.2f\n", k[1], k[2], l[2], k[2] / l[2] > "/dev/stderr"
		}
		printf "%.4f\n", exp(sum / n)
	}'
}
