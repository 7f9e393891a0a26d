# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Benchmarks with two guests that take turns: both are booted once and wait at their console; each job
# is asked for by a line. So the two sides of a pair lie seconds apart, whatever else the machine does.
# Needs common.sh, guest.sh and test.sh.
# shellcheck disable=SC2154 # lab and work come from test.sh

BENCH_ROUNDS=${BENCH_ROUNDS:-11}
BENCH_SECONDS=${BENCH_SECONDS:-2}
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
	printf '    <kernel>%s</kernel>\n    <initrd>%s</initrd>\n    <cmdline>%s %s</cmdline>\n' "$kernel" "$initrd" \
		"console=ttyS0 quiet panic=-1 vwlab.run=/bin/bench-guest $*" \
		"vwbench.rounds=$BENCH_ROUNDS vwbench.seconds=$BENCH_SECONDS"
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

# start_guest NAME XML: as it stands, past our own front-end; returns when the guest waits for its first job.
start_guest()
{
	local in out
	mkfifo "$work/$1.console.in" "$work/$1.console.out"
	exec {in}<>"$work/$1.console.in" {out}<>"$work/$1.console.out"
	console_in[$1]=$in
	console_out[$1]=$out
	: >"$work/$1.results"
	there /usr/bin/virsh -c qemu:///system define --validate "$2" >&2
	there /usr/bin/virsh -c qemu:///system start "$1" >&2
	console_until "$1" 'VWBENCH ready' 240
}

# console_until NAME LINE SECONDS: reads the console up to LINE; keeps the results that pass by.
console_until()
{
	local line end=$((SECONDS + $3))
	while [ $SECONDS -lt $end ]; do
		IFS= read -r -t 5 line <&"${console_out[$1]}" || continue
		line=${line%%$'\r'*}
		case $line in
		"$2") return 0 ;;
		"VWBENCH "*=*) printf '%s\n' "${line#VWBENCH }" >>"$work/$1.results" ;;
		VWBENCH* | go) ;;
		*) printf '%s: %s\n' "$1" "$line" >&2 ;;
		esac
	done
	fail "$1: no '$2' on the console within $3 s"
}

# bench_job NAME: lets the guest do its next job.
bench_job()
{
	echo go >&"${console_in[$1]}"
	console_until "$1" 'VWBENCH end' 120
}

# bench_pairs JOBS OURS OTHER FIGURE YARDSTICK: both guests take turns, job by job; JOBS is how many jobs a
# round has. Prints "FIGURE VALUE ratio YARDSTICK", VALUE being the geometric mean over the jobs of the
# median ratio ours/other.
bench_pairs()
{
	local jobs=$1 ours=$2 other=$3 i
	for ((i = 0; i < jobs * BENCH_ROUNDS; i++)); do
		# Who begins changes with every round.
		if [ $((i / jobs % 2)) = 0 ]; then
			bench_job "$ours"
			bench_job "$other"
		else
			bench_job "$other"
			bench_job "$ours"
		fi
	done
	console_until "$ours" 'VWBENCH done' 120
	console_until "$other" 'VWBENCH done' 120
	paste -d = "$work/$ours.results" "$work/$other.results" | bench_ratio $((jobs * BENCH_ROUNDS)) "$4" "$5" ||
		fail "not every job has a figure: $(paste "$work/$ours.results" "$work/$other.results")"
}

# bench_ratio PAIRS FIGURE YARDSTICK: from lines JOB=OURS=JOB=OTHER.
bench_ratio()
{
	awk -F = -v pairs="$1" '
		$1 == $3 && $2 > 0 && $4 > 0 {
			printf "  %-10s %10.0f %10.0f  %.2f\n", $1, $2, $4, $2 / $4 > "/dev/stderr"
			print $1, $2 / $4
			n++
		}
		END { exit n != pairs }' | sort -k 1,1 -k 2,2g | awk -v name="$2" -v yardstick="$3" '
		function close_job(m) {
			if (!n) return
			m = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
			printf "  %s: median %.2f of %d (%.2f to %.2f)\n", job, m, n, v[1], v[n] > "/dev/stderr"
			sum += log(m); jobs++; n = 0
		}
		$1 != job { close_job(); job = $1 }
		{ v[++n] = $2 }
		END {
			close_job()
			if (!jobs) exit 1
			printf "%s %.2f ratio %s\n", name, exp(sum / jobs), yardstick
		}'
}
