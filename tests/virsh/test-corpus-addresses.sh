#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# No PCI address of an installed guest moves: domains of libvirt's own tests are started paused in a
# real libvirtd and QEMU, as they are and after the fix, and the addresses of all PCI devices compared.
# A sample; VW_LONG=yes: all files.
# timeout: 600
set -euo pipefail
# shellcheck source=../corpus/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../corpus/common.sh"
export VW_LAB=$dir/lab
trap '"$top/tests/lab/lab" down; rm -rf "$dir"' EXIT

lab() { "$top/tests/lab/lab" "$@"; }

# What any host can start: KVM's domains on the emulator, today's boards, little memory, each disk an
# empty raw file of its own.
startable() { # startable FILE
	images=$dir perl -0pe '
		s{<disk\b.*?</disk>}{
			$_ = $&;
			s/(<disk[^>]*) type=(["\x27])block\2/$1 type="file"/;
			s/(<driver[^>]*) type=(["\x27])qcow2\2/$1 type="raw"/;
			s/<source (?:file|dev)=(["\x27]).*?\1/"<source file=\"$ENV{images}\/disk" . $n++ % 16 . ".img\""/e;
			$_
		}gse;
		s{<memory\b[^>]*>\s*\d+}{<memory unit="MiB">64}; s{<currentMemory.*?</currentMemory>}{}s;
		s{<emulator>.*?</emulator>}{}s;
		s{machine=(["\x27])pc-q35.*?\1}{machine="q35"}; s{machine=(["\x27])(?:pc-|rhel).*?\1}{machine="pc"}' "$1"
}

prepare_corpus "$dir/all"
mkdir "$dir/plain" "$dir/fixed" "$dir/caps"
for i in {0..15}; do truncate -s 1M "$dir/disk$i.img"; done
mapfile -t files < <(grep -l "<domain type=.qemu" "$dir"/all/*.xml | xargs grep -lE "arch=['\"](x86_64|i686)['\"]")
step=28
[ "${VW_LONG-}" != yes ] || step=1
for ((i = 0; i < ${#files[@]}; i += step)); do
	startable "${files[i]}" >"$dir/plain/$(basename "${files[i]}")"
done
# Each device has its address, but for the balloon: libvirt adds that.
startable "$dir/all/extra-all-addresses.xml" | perl -0pe 's{<memballoon.*?</memballoon>}{}s' >"$dir/plain/no-balloon.xml"
lab up --hosts alpha --owner $$ >/dev/null
for machine in q35 pc; do
	lab exec alpha /usr/bin/virsh domcapabilities --virttype qemu --machine $machine >"$dir/caps/$machine.xml"
done
plan_corpus addresses "$dir/caps" "$dir/plain" "$dir/fixed" --os debian11 --new no --blank no

start() { # start NAME: $dir/NAME/*.xml; what is said goes to $dir/NAME.out
	lab exec alpha "$VW_BUILD/corpus/define-all" -s "$dir/$1"/*.xml >"$dir/$1.out" 2>"$dir/$1.err" ||
		fail "$1: $(tail -n 5 "$dir/$1.err")"
}
start plain
started=$(names started "$dir/plain.out" | wc -l)
echo "$(find "$dir/plain" -name '*.xml' | wc -l) files; as they are, $started start, $(names refused "$dir/plain.out" | wc -l)" \
	"are not accepted, $(names unstarted "$dir/plain.out" | wc -l) do not start:"
grep -E '^(refused|unstarted) ' "$dir/plain.out" || true
[ "$started" -ge 10 ] || fail "too few start"

mapfile -t rest < <(names started "$dir/plain.out" | comm -13 - <(cd "$dir/fixed" && ls))
(cd "$dir/fixed" && rm -f "${rest[@]}")
start fixed
for name in $(names started "$dir/plain.out"); do
	grep -q "^started $name\$" "$dir/fixed.out" ||
		echo "FAILED: $name: does not start any more: $(grep " $name:" "$dir/fixed.out")"
done >"$dir/wrong"
comm -23 <(grep '^place ' "$dir/plain.out" | sort) <(grep '^place ' "$dir/fixed.out" | sort) |
	sed 's/^/FAILED: moved: /' >>"$dir/wrong"
cat "$dir/wrong"
echo "$(grep -c '^planned [^ ]* ' "$dir/plan.addresses") files changed by the fix," \
	"$(grep -c '^place ' "$dir/plain.out") addresses compared"
[ ! -s "$dir/wrong" ]
