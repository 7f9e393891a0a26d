#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The wrapper is virsh: same stdout, stderr, exit codes and arguments; it finds the real virsh
# wherever it stands itself, never loops, and gives the plain virsh when the library is missing.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

t='test:///default'

# same ARG…: the wrapper's stdout, stderr and exit status are those of the plain virsh.
same() {
	local want=0 got=0
	"$real" "$@" >"$tmp/real.out" 2>"$tmp/real.err" </dev/null || want=$?
	virsh "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
	[ "$got" = "$want" ] || fail "exit status $got, not $want: virsh $*"
	cmp -s "$tmp/real.out" "$tmp/out" || fail "another stdout: virsh $*"
	cmp -s "$tmp/real.err" "$tmp/err" || fail "another stderr: virsh $*"
}

[ "$(type -P virsh)" = "$VW_BUILD/virsh" ] || fail "the wrapper is not first on PATH"
same --version
same -v
same --version=long
same --help
same help define
same help nosuchcommand
same nosuchcommand
same --nosuchoption
same -c
same -c $t list --all
same -qc $t list --all
same -c$t list --all --name
same --connect=$t domuuid test
same --conn $t domuuid nosuchdomain
same -q -d 4 -k 5 -K 3 --connect $t -l "$tmp/log" -- domuuid test
same -r -c $t define /nonexistent.xml
same -c $t "list --all; domuuid test"
same -c $t "list --all" "domuuid nosuch"
same -c nosuch:///
same -c $t echo --shell "a b" '*' ''
same -c $t define "$0"

# Arguments and the name that it goes by reach the real one untouched.
mkdir -p "$tmp/bin"
cat >"$tmp/bin/virsh" <<'END'
#!/bin/sh
printf '<%s>' "$@" && exit 42
END
chmod +x "$tmp/bin/virsh"
PATH=$VW_BUILD:$tmp/bin:$PATH run 42 virsh -c $t "a  b" '' "\$HOME" -- '*'
[ "$(cat "$tmp/out")" = "<-c><$t><a  b><><\$HOME><--><*>" ] || fail "arguments were changed"

# A script named virsh that runs the wrapper again is not run for ever, by exec or as a child.
for how in exec ''; do
	printf '#!/bin/sh\n%s "%s/virsh" "$@"\n' "$how" "$VW_BUILD" >"$tmp/bin/virsh"
	PATH=$tmp/bin:/usr/bin:/bin run 0 timeout 20 virsh -c $t list --name
	has "$tmp/out" '^test$'
done

# A second copy of the wrapper, links to it, a directory and a plain file of that name are passed over.
mkdir -p "$tmp/copy" "$tmp/link" "$tmp/dir/virsh" "$tmp/file"
cp "$VW_BUILD/virsh" "$tmp/copy/"
ln -s "$VW_BUILD/virsh" "$tmp/link/virsh"
: >"$tmp/file/virsh"
PATH=$tmp/link:$VW_BUILD:$tmp/dir:$tmp/file:$tmp/copy:$tmp/copy/:$(dirname "$real") \
	run 0 "$VW_BUILD/virsh" -c $t list --name
has "$tmp/out" '^test$'

# PATH without a virsh, an empty one, none at all.
run 0 env PATH=/nonexistent "$VW_BUILD/virsh" -c $t list --name
run 0 env PATH= "$VW_BUILD/virsh" -c $t list --name
run 0 env -u PATH "$VW_BUILD/virsh" -c $t list --name
has "$tmp/out" '^test$'

# Without the library: the plain virsh, and one line that says so.
PATH=/usr/bin:/bin run 0 "$tmp/copy/virsh" -c $t list --name
has "$tmp/out" '^test$'
[ -e /usr/lib/virt-warden/virsh-warden.so ] || {
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "not one line"
	has "$tmp/err" '^virt-warden: .*virsh-warden.so is not there: run install.sh'
}
mkdir -p "$tmp/a b"
cp "$VW_BUILD/virsh" "$VW_BUILD/virsh-warden.so" "$tmp/a b/"
PATH=/usr/bin:/bin run 0 "$tmp/a b/virsh" -c $t list --name
has "$tmp/err" 'space or colon'

# LD_PRELOAD: virsh has it, what it had is kept, and its children see what was there before.
cat >"$tmp/editor" <<END
#!/bin/sh
env >"$tmp/env"
END
chmod +x "$tmp/editor"
before() { env -i PATH="$PATH" HOME="$HOME" EDITOR="$tmp/editor" "$@"; }
run 0 before virsh -c $t edit test
hasnt "$tmp/env" 'LD_PRELOAD|VIRT_WARDEN'
other=$(find /usr/lib /lib -name 'libm.so.6' -print -quit)
run 0 before LD_PRELOAD="$other" virsh -c $t edit test
has "$tmp/env" "^LD_PRELOAD=$other\$"
hasnt "$tmp/env" 'VIRT_WARDEN'
run 0 before LD_PRELOAD= virsh -c $t edit test
hasnt "$tmp/env" 'virsh-warden|VIRT_WARDEN'
PATH=$VW_BUILD:$tmp/copy:$PATH run 0 before LD_PRELOAD="$other" virsh -c $t edit test
has "$tmp/env" "^LD_PRELOAD=$other\$"
empty "$tmp/err"
printf '#!/bin/sh\n"%s" "$@"\n' "$real" >"$tmp/bin/virsh"
PATH=$VW_BUILD:$tmp/bin:$PATH run 0 before virsh -c $t edit test
hasnt "$tmp/env" 'LD_PRELOAD|VIRT_WARDEN'
before LD_PRELOAD="$other" LD_DEBUG=files virsh -c $t version >/dev/null 2>"$tmp/debug"
has "$tmp/debug" 'calling init: .*virsh-warden.so'

# Off: nothing of ours is loaded.
before VIRT_WARDEN=off LD_DEBUG=files virsh -c $t version >/dev/null 2>"$tmp/debug"
hasnt "$tmp/debug" 'virsh-warden.so'
