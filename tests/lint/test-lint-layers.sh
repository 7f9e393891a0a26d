#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who may use whom (docs/ARCHITECTURE.md): by the includes, by what is called, and by what is linked.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

libc='assert|byteswap|ctype|dirent|dlfcn|elf|endian|errno|fcntl|fnmatch|getopt|glob|grp|ifaddrs|inttypes|langinfo
|libgen|limits|link|locale|malloc|math|mntent|poll|pthread|pwd|sched|search|semaphore|setjmp|signal|spawn|stdarg|stdatomic|stdbool
|stddef|stdint|stdio|stdlib|string|strings|syslog|termios|time|unistd|wchar|wctype|arpa/.*|linux/.*|net/.*
|netdb|netinet/.*|sys/.*'
libc=$(tr -d '\n' <<<"$libc")

# --- includes: room | rooms whose headers it may include | other headers ------------------
rooms() {
	cat <<'END'
lib/base         |                                                       |
lib/json         | lib/base                                              | jansson
lib/xml          | lib/base                                              | libxml/.*
lib/engine       | lib/xml lib/base                                      | libxml/.*
lib/conf         | lib/engine lib/xml lib/base                           | ini
lib/history      | lib/base                                              |
lib/diskprobe    | lib/engine lib/base                                   | libudev
lib/osindex      | lib/engine lib/base                                   |
lib/migrate      | lib/engine lib/xml lib/base                           | libxml/.*
lib/health       | lib/engine lib/base                                   |
lib/alert        | lib/base                                              |
lib/daemon       | lib/base                                              |
osinfo           | lib/osindex lib/conf lib/base                         | osinfo/.*|glib.*|gio/.*|libxml/.*
hooks            | lib/conf lib/history lib/diskprobe lib/engine lib/xml lib/base | libxml/.*
virt/cache       | lib/engine lib/base                                   |
virt             | virt/cache lib/alert lib/history lib/conf lib/diskprobe lib/osindex lib/health lib/engine lib/xml lib/base | libvirt/.*|libxml/.*
virt/hostfacts   | virt lib/migrate lib/xml lib/json lib/base            | libvirt/.*|libxml/.*|jansson
virt/verify      | virt lib/alert lib/conf lib/health lib/engine lib/xml lib/json lib/base | libvirt/.*|libxml/.*|jansson
plugin/wrapper   | lib/diskprobe lib/base                                |
plugin/preload   | virt plugin/wrapper lib/engine lib/base               | libvirt/.*|libxml/.*
plugin/out       | lib/json lib/alert lib/engine lib/base                | jansson
plugin/cmd       | plugin/out virt/hostfacts virt/verify virt lib/alert lib/conf lib/engine lib/xml lib/json lib/base | libvirt/.*|libxml/.*|jansson
agent            | virt lib/daemon lib/alert lib/diskprobe lib/health lib/engine lib/xml lib/base | libvirt/.*|libxml/.*|libudev|jansson|systemd/.*
messenger        | plugin/out lib/daemon lib/alert lib/conf lib/engine lib/base     | jansson|curl/.*
END
}

declare -A known
while IFS='|' read -r room folders others; do
	room=${room// /} others=${others// /}
	known[$room]=yes
	for file in "$room"/*.[ch]; do
		while read -r header; do
			[[ " $room $folders " == *" ${header%/*} "* && -f $header ]] ||
				bad "$file: includes \"$header\", which is in none of: $room $folders"
		done < <(sed -nE 's/^#[[:space:]]*include[[:space:]]+"([^"]*)".*/\1/p' "$file")
		while read -r header; do
			[[ ${header%.h} =~ ^($libc)$ ]] || { [ -n "$others" ] && [[ ${header%.h} =~ ^($others)$ ]]; } ||
				bad "$file: may not include <$header>"
		done < <(sed -nE 's/^#[[:space:]]*include[[:space:]]+<([^>]*)>.*/\1/p' "$file")
	done
done < <(rooms)
for file in $(sources "${code[@]}"); do
	[ -n "${known[${file%/*}]:-}" ] || bad "$file: stands in no room that this test knows"
done

# --- calls: an identifier followed by "(", comments apart ------------------------------------
calls() { # calls FILE REGEX
	code "$1" | grep -nE "(^|[^A-Za-z0-9_>.])($2)[[:space:]]*\("
}
never() { # never REGEX WHY FILE…
	local regex=$1 why=$2 file
	shift 2
	for file in "$@"; do
		! calls "$file" "$regex" || bad "$file: $why"
	done
}
all_but() { # all_but REGEX FOLDER…: their sources, except the files that match
	local except=$1
	shift
	sources "$@" | grep -vE "$except"
}
# shellcheck disable=SC2046  # our file names have no spaces
{
	never 'system|popen|wordexp|execlp|execvp|execvpe|posix_spawnp' \
		"no shell, and no program found by PATH" $(sources "${code[@]}")
	never 'getenv|secure_getenv' "only lib/conf/paths.c, lib/daemon/unit.c and programs read the environment" \
		$(all_but '^lib/conf/paths\.c$|^lib/daemon/unit\.c$' lib)
	never 'printf|vprintf|puts|putchar|perror|exit|abort|err|errx|warn|warnx' \
		"a library returns errors; only programs print and exit" $(sources lib)
	never 'time|gettimeofday|clock_gettime|localtime|localtime_r' "the engine knows no clock" lib/engine/*.[ch] lib/xml/*.[ch]
	never 'open|fopen|openat|opendir|stat|lstat|fork|read|write|unlink|rename' \
		"the engine touches no file (templates are loaded by template-load.c)" \
		$(all_but '^lib/engine/template-load\.c$' lib/engine lib/xml)
	never 'virDomainDefineXML|virDomainDefineXMLFlags' \
		"only virt/apply.c, the preload library and 'new' define a domain" \
		$(all_but '^virt/apply\.c$|^plugin/preload/|^plugin/cmd/new\.c$' virt plugin agent)
}
# Paths: who else chose one, it is looked at before it is opened, by lib/base/open.c. These may ask
# the kernel themselves: files | why. Only what is in the table; each line of it is needed.
path_calls='open|openat|fopen|freopen|opendir|scandir|stat|lstat|statfs|statvfs|access|realpath|fopen64|open64'
asks() {
	cat <<'END'
lib/base/open.c lib/base/trust.c                     | the helper; who may write to a path: it opens nothing
lib/base/private-dir.c lib/history/*.c lib/alert/*.c agent/known.c agent/sweep.c hooks/mark.c hooks/verifier.c virt/cache/kept.c virt/past.c virt/witness.c virt/verify/act.c | names of ours, in a directory that is root's alone
lib/base/replace-file.c plugin/cmd/new-image.c plugin/cmd/matrix-html.c | a file of its own, which it makes
lib/engine/template-load.c osinfo/*.c messenger/script.c plugin/cmd/doctor-data.c | O_DIRECTORY, opendir, stat: a directory is no device
lib/osindex/fresh.c lib/conf/paths.c lib/base/input.c messenger/round.c | stat, access: nothing is opened
virt/verify/declared.c                             | lstat in a thread that is given up; what it runs is root's
virt/verify/watch.c                                | lstat; the agent gives that process up
virt/hostfacts/domain.c                                 | statfs in a child with a deadline
lib/diskprobe/look.c lib/diskprobe/lun.c                     | in the prober's child: access, statfs, and attributes of /sys
agent/needs.c virt/verify/bridge.c virt/hostdevs.c | attributes of /sys
lib/daemon/log-socket.c agent/main.c agent/context.c lib/daemon/unit.c hooks/main.c plugin/cmd/doctor-host.c plugin/cmd/install.c plugin/cmd/new.c plugin/cmd/os.c plugin/cmd/status.c plugin/wrapper/virsh.c virt/cache/caps-cache.c virt/daemon.c virt/local.c virt/osindex.c | fixed places of the system, of libvirt and of this installation
END
}
asking=
while IFS='|' read -r globs _; do
	read -ra globs <<<"$globs"
	for glob in "${globs[@]}"; do
		found=no
		for file in $(compgen -G "$glob" || true); do
			asking+=" $file"
			! calls "$file" "$path_calls" >/dev/null || found=yes
		done
		[ "$found" = yes ] || bad "$glob: asks for no path, and need not be in the table of this test"
	done
done < <(asks)
for file in $(sources "${code[@]}"); do
	[[ " $asking " == *" $file "* ]] ||
		never "$path_calls" "looks at a path itself: use lib/base/open.h, or say in this test why not" "$file"
done
for file in $(sources lib); do
	! code "$file" | grep -nE '(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)' ||
		bad "$file: a library has no terminal"
done

# --- links: what each built thing needs, beside libc and the loader --------------------------
needs() { # needs THING LIBRARY…: the libraries that it may be linked with
	local thing=$1 library allowed found=no
	shift
	if [ ! -e "$VW_BUILD/$thing" ]; then
		bad "$VW_BUILD/$thing is not built"
		return
	fi
	while read -r library; do
		for allowed in libc ld-linux libm libgcc_s libasan libubsan "$@"; do
			[[ $library != "$allowed".so* && $library != "$allowed"-* ]] || found=yes
		done
		[ "$found" = yes ] || bad "$thing: is linked with $library"
		found=no
	done < <(readelf -d "$VW_BUILD/$thing" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
}
needs hook # what libvirtd runs must start whatever else is broken
needs virt-warden-hook.so libxml2 libinih libudev
needs virsh
needs virsh-warden.so libvirt libxml2 libinih libudev
needs virt-warden libvirt libvirt-qemu libxml2 libinih libudev libjansson
needs virt-warden-osinfo libosinfo-1.0 libglib-2.0 libgobject-2.0 libgio-2.0 libxml2 libinih
needs virt-wardend libvirt libvirt-qemu libxml2 libinih libudev libjansson
needs virt-warden-alert libinih libjansson libcurl libxml2

# The preload library lends its process nothing but what it interposes.
while read -r symbol; do
	case $symbol in
	virDomain* | virConnect* | virSetErrorFunc) ;;
	*) bad "virsh-warden.so: exports $symbol" ;;
	esac
done < <(nm -D --defined-only "$VW_BUILD/virsh-warden.so" | awk '$2 != "A" { print $3 }' | sed 's/@.*//')

exports=$(nm -D --defined-only "$VW_BUILD/virt-warden-hook.so" | awk '{ print $3 }')
[ "$exports" = vw_hook ] || bad "virt-warden-hook.so: exports not vw_hook alone: $exports"

# The engine: all that it leaves undefined comes from libc or libxml2.
undefined=$(comm -23 \
	<(nm -u "$VW_BUILD"/lib/engine.a "$VW_BUILD"/lib/xml.a "$VW_BUILD"/lib/base.a | awk '$1 == "U" { print $2 }' | sort -u) \
	<({
		nm --defined-only "$VW_BUILD"/lib/engine.a "$VW_BUILD"/lib/xml.a "$VW_BUILD"/lib/base.a | awk 'NF == 3 { print $3 }'
		for library in libc.so.6 libm.so.6 libxml2.so; do
			nm -D --defined-only "$(gcc -print-file-name=$library)" | awk '{ print $NF }' | sed 's/@.*//'
		done
		printf '%s\n' _GLOBAL_OFFSET_TABLE_ __stack_chk_fail
	} | sort -u))
[ -z "$undefined" ] || bad "lib/engine.a needs more than libc and libxml2: $undefined"
exit "$status"
