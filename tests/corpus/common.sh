# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the corpus tests: the files, the OS index, and the variations of facts.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
export VW_BUILD
dir=$(mktemp -d)

fail() {
	echo "FAILED: $*"
	exit 1
}

# Which facts the corpus is planned with: name, then options of plan-all. Some rules fire
# only with certain ones. A name with "nocaps": domain capabilities are unknown, too.
variations() {
	cat <<'END'
unknown-os-new            --new yes --blank yes
unknown-os-installed      --new no --blank no
no-facts                  --new unknown --blank unknown
debian11-new              --os debian11 --new yes --blank yes
debian11-new-nocaps       --os debian11 --new yes --blank yes
debian11-installed        --os debian11 --new no --blank no
debian11-allowed          --os debian11 --new no --blank no --allow
win10-new                 --os win10 --new yes --blank yes
win10-new-drivers         --os win10 --new yes --blank yes --drivers yes
win11-new                 --os win11 --new yes --blank yes
win11-installed           --os win11 --new no --blank no
winxp-new                 --os winxp --new yes --blank yes
freebsd-new               --os freebsd13.0 --new yes --blank yes
rhel3-new                 --os rhel3 --new yes --blank yes
END
}

# prepare_corpus DIR: libvirt's files, those of them for KVM once more for QEMU without
# it (as kvm-NAME), and ours.
prepare_corpus() {
	local xml file
	xml=$("$top/tests/corpus/fetch-corpus") || fail "no corpus"
	mkdir -p "$1"
	cp "$xml"/*.xml "$1/"
	while read -r file; do
		sed -E "s/<domain type=['\"]kvm['\"]/<domain type='qemu'/" "$file" >"$1/kvm-$(basename "$file")"
	done < <(grep -lE "<domain type=['\"]kvm['\"]" "$1"/*.xml)
	for file in "$top"/tests/corpus/extra/*.xml; do
		cp "$file" "$1/extra-$(basename "$file")"
	done
	echo "$(find "$1" -name '*.xml' | wc -l) files"
}

# plan_corpus NAME CAPS-DIR IN OUT OPTION…: plans all of IN, output in $dir/plan.NAME
plan_corpus() {
	local name=$1 caps=$2 in=$3 out=$4
	shift 4
	mkdir -p "$out"
	[[ $name == *nocaps* ]] || set -- --caps "$caps/q35.xml" --caps "$caps/pc.xml" "$@"
	"$VW_BUILD/corpus/plan-all" --templates "$top/xml-templates" --index "$VW_BUILD/cache/os.index" \
		--out "$out" "$@" "$in"/*.xml \
		>"$dir/plan.$name" 2>"$dir/plan.err" ||
		fail "$name: $(grep '^broken' "$dir/plan.$name" | head -n 20; cat "$dir/plan.err")"
}

# names WORD FILE: the sorted names of the lines "WORD NAME …" of a program's output
names() {
	sed -n "s/^$1 \([^ :]*\).*/\1/p" "$2" | sort
}

[ -x "$VW_BUILD/corpus/plan-all" ] || fail "$VW_BUILD/corpus/plan-all is not built; run make unit"
"$top/run" test -s "$VW_BUILD/cache/os.index" || fail "no OS index in $VW_BUILD/cache"
