#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is printed on a terminal: no line is wider than it, nothing of the text is lost, colours
# end where they begin, NO_COLOR and pipes have none; wide characters count twice.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export LIBVIRT_DEFAULT_URI=nosuch:///
cd "$tmp"

cat >terminal.py <<'END'
"""usage: terminal.py COLUMNS ROWS COMMAND…: runs it on a terminal of that size, prints what it wrote."""
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    size = struct.pack("HHHH", int(sys.argv[2]), int(sys.argv[1]), 0, 0)
    fcntl.ioctl(1, termios.TIOCSWINSZ, size)
    os.execvp(sys.argv[3], sys.argv[3:])
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
os.waitpid(pid, 0)
END
cat >judge.py <<'END'
"""usage: judge.py COLUMNS FILE: checks the width of each line, and the colours; prints the plain words."""
import re, sys, unicodedata
text = open(sys.argv[2], encoding="utf-8", newline="").read().replace("\r\n", "\n")
assert "\r" not in text
for line in text.split("\n"):
    on = False
    for code in re.findall(r"\x1b\[([0-9;]*)m", line):
        assert on != (code != "0"), f"colours don't pair: {line!r}"
        on = code != "0"
    assert not on, f"a colour goes on: {line!r}"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
    assert "\x1b" not in plain, f"{line!r}"
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in plain)
    # headings and the line with what to type are left to the terminal
    prose = "Next:" in line or plain.endswith("findings")
    assert width <= int(sys.argv[1]) or prose, f"{width} columns: {plain!r}"
    assert plain == plain.rstrip(), f"blanks at the end: {plain!r}"
print(" ".join(sorted(re.sub(r"\x1b\[[0-9;]*m", "", text).split())))
END

generic web1 >web1.xml
wide=$(printf '\xe4\xbb\xae\xe6\x83\xb3\xe6\xa9\x9f')
generic web1 | sed "s,<name>web1<,<name>$wide<," >wide.xml
export LC_ALL=C.UTF-8 TERM=xterm
unset NO_COLOR COLUMNS
for columns in 1 50 80 100 132 220; do
	for file in web1.xml wide.xml; do
		python3 terminal.py $columns 40 virt-warden check $file >shown
		grep -q $'\033\[' shown || fail "no colours on a terminal"
		python3 judge.py $((columns < 40 ? 40 : columns)) shown >words || fail "$file on $columns columns"
		# The narrowest and the widest say the same words (long ones may be cut in two); the
		# head of a column that has no room of its own is left out.
		sed 's,WHY,,' words | tr -d ' ' | fold -w1 | sort >letters.$columns.$file
	done
done
for file in web1.xml wide.xml; do cmp letters.50.$file letters.220.$file || fail "words are lost: $file"; done

NO_COLOR=1 python3 terminal.py 80 40 virt-warden check web1.xml >shown
! grep -q $'\033' shown || fail "colours in spite of NO_COLOR"
TERM=dumb python3 terminal.py 80 40 virt-warden check web1.xml >shown
! grep -q $'\033' shown || fail "colours on a dumb terminal"
run 1 virt-warden check web1.xml
! grep -q $'\033' out || fail "colours in a pipe"

# One finding, one line where there is no terminal: for grep and awk.
cp out plain
run 1 virt-warden check --json web1.xml
rows=$(jq '.domains[0].findings | length' out)
[ "$(grep -cE '^  [a-z-]+ .*(fix|skip|refuse)/' plain)" = "$rows" ] || fail "not one line each"

# The diff keeps its lines on a terminal, only coloured.
python3 terminal.py 80 40 virt-warden fix --quiet --diff web1.xml | tr -d '\r' | sed 's/\x1b\[[0-9;]*m//g' >shown
run 0 virt-warden fix --quiet --diff web1.xml
cmp shown out || fail "the diff on a terminal has other lines"

# Nobody is shown progress but a person; JSON on a terminal is JSON.
python3 terminal.py 80 40 virt-warden check --json web1.xml | jq -e .version >/dev/null || fail "JSON on a terminal"
