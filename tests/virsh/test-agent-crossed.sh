#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Another client undefines or changes a domain in the very instant in which the agent stores its fix
# (libvirt has no compare-and-swap): what is undefined is not brought back, what is defined is not
# lost nor overwritten, every version is in the history.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start
cc -shared -fPIC -D_GNU_SOURCE -o "$tmp/at.so" "$top/tests/virsh/lib/at-define.c" -ldl
mkdir "$tmp/at"
on env LD_PRELOAD="$tmp/at.so" AT_DEFINE="$tmp/at" "$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/agent.pid" >>"$agent_log" 2>&1 &
wait_for 10 agent_is_up || fail "the agent does not come up: $(cat "$agent_log")"

# Each case: a domain NAME, and what another client does before or after the agent's first define of it.
# other.xml is the client's next version of it.
declare -A uuid
n=0
crossed() { # crossed NAME before|after COMMAND…
	local name=$1 when=$2
	shift 2
	n=$((n + 1))
	uuid[$name]=$(printf '4dea22b3-1d52-d8f3-2516-%012d' $n)
	generic "$name" "${uuid[$name]}" >"$tmp/$name.xml"
	sed "s,256,333," "$tmp/$name.xml" >"$tmp/$name.other.xml"
	printf '%s\n' 'set -e' "v() { $real -q -c qemu:///system \"\$@\"; }" "$@" >"$tmp/at/$name.$when"
	plain define "$tmp/$name.xml" >"$tmp/out"
	wait_for 10 test -e "$tmp/at/$name.$when.ran" || fail "$name: the agent defines nothing: $(cat "$agent_log")"
}
crossed gone before "v undefine gone"
crossed changed-gone before "v define $tmp/changed-gone.other.xml" "v undefine changed-gone"
crossed twice-gone before "v undefine twice-gone" "v define $tmp/twice-gone.xml" "v undefine twice-gone"
crossed anew before "v undefine anew" "v define $tmp/anew.other.xml"
crossed same before "v undefine same" "v define $tmp/same.xml"
crossed changed before "v define $tmp/changed.other.xml"
crossed changed-twice before "v define $tmp/changed-twice.xml" "v define $tmp/changed-twice.other.xml"
crossed later after "v define $tmp/later.other.xml"
crossed gone-later after "v undefine gone-later"
# What the agent made of it, undefined and defined anew as it is: theirs.
crossed copied after "v dumpxml --inactive --security-info copied >$tmp/copied.ours.xml" "v undefine copied" "v define $tmp/copied.ours.xml"
sleep 3
settled

for name in gone changed-gone twice-gone gone-later; do
	! plain domuuid $name >"$tmp/out" 2>&1 || fail "$name is back: $(cat "$agent_log")"
	causes "${uuid[$name]}" >"$tmp/out"
	has "$tmp/out" '^seen'
done
for name in gone changed-gone twice-gone; do
	[ "$(said $name 'it was undefined while it was being fixed, and is undefined again')" = 1 ] || fail "$name: not said: $(cat "$agent_log")"
done
for name in anew same changed changed-twice later copied; do
	plain domuuid $name >"$tmp/out" 2>&1 || fail "$name is lost: $(cat "$agent_log")"
	becomes $name "bus='virtio'"
	has "$tmp/xml" "cache='none'"
	hasnt "$tmp/xml" ':skip'
done
kib() { echo $(($1 * 1024)); }
for name in anew changed changed-twice later; do
	stored_has $name "<memory unit='KiB'>$(kib 333)<"
	# the client's own version of it is in the history, too
	for f in $(on sh -c "ls /var/lib/virt-warden/history/${uuid[$name]}/0*.xml"); do
		on cat "$f" >"$tmp/out"
		if grep -q "<memory unit='KiB'>$(kib 333)<" "$tmp/out" && grep -q "bus='ide'" "$tmp/out" && ! grep -q "cache='none'" "$tmp/out"; then
			continue 2
		fi
	done
	fail "$name: the client's version is not in the history: $(causes "${uuid[$name]}")"
done
agent_stop
