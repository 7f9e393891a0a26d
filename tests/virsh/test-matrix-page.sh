#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The page of `virt-warden matrix --html` in a real browser: 100 hosts can be read, a cell opens its
# reasons, columns sort, hosts can be filtered, hostile names stay text, nothing comes from elsewhere.
# With VW_SCREENSHOT=FILE it leaves the picture for the manual there.
# timeout: 120
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
facts=$top/tests/migrate/facts

# hosts N PREFIX: facts of N hosts of four generations of CPUs, some with an older QEMU.
hosts()
{
	jq -c --argjson n "$1" --arg prefix "$2" 'range($n) as $i | ($i / $n * 4 | floor) as $old
		| .name = $prefix + "\($i + 1)" | .hostname = .name | .uuid = "uuid-\($i)"
		| .virts[0].features |= [to_entries[] | select(.key >= (3 - $old) * 3) | .value]
		| if $i % 7 == 3 then .qemu = 5002000 else . end' "$facts/alpha.json" |
		awk -v dir="$work/$2" '{ f = sprintf("%s%03d.json", dir, NR); print > f; close(f) }'
}

# page NAME MATRIX-ARGUMENT…: $work/NAME.html
page()
{
	local status=0
	"$VW_BUILD/virt-warden" matrix --html "$work/$1.html" "${@:2}" >"$work/table" 2>"$work/err" || status=$?
	[ $status = 1 ] || { cat "$work/err" && exit 1; }
}

hosts 99 node
page large "$work"/node*.json "$work/gone.json"

evil='</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1">'
jq --arg evil "$evil" '.name = $evil | .uuid = "evil" | .networks = []' "$facts/alpha.json" >"$work/evil.json"
cat >"$work/evil.xml" <<'END'
<domain type='qemu'><name>&lt;img src=x onerror=window.pwned=1&gt;</name>
<uuid>5f0e3b1a-0000-4000-8000-000000000001</uuid><memory unit='KiB'>2097152</memory>
<os><type arch='x86_64' machine='pc-q35-5.2'>hvm</type></os><cpu mode='host-model'/>
<devices><interface type='network'><source network='&lt;script>window.pwned=1&lt;/script>'/></interface></devices></domain>
END
page hostile --domain "$work/evil.xml" "$facts/alpha.json" "$work/evil.json" "$facts/beta-older.json"

rm "$work"/node*.json
hosts 20 rack1-node
page picture "$work"/rack1-*.json

mkdir "$work/tmp"
PYTHONDONTWRITEBYTECODE=1 TMPDIR=$work/tmp /usr/bin/python3 - "$top/tests/virsh/lib" "$work" "${VW_SCREENSHOT-}" <<'END'
import sys

sys.path.insert(0, sys.argv[1])
work, picture = sys.argv[2:]
from chromium import Page


def check(truth, what):
    if not truth:
        sys.exit(f"FAIL: {what}")


def column(page, k):
    """What stands in the k-th column, row by row, without the host itself."""
    return [c for c in page.js(f"[...document.querySelectorAll('tbody tr')].map(r => r.children[{k}].textContent)") if c]


def rows(page):
    return page.js("[...document.querySelectorAll('tbody th')].map(e => e.textContent)")


with Page(f"{work}/large.html") as page:
    check(page.js("document.querySelectorAll('tbody td').length") == 100 * 100, "not all cells are there")
    # Readable: no name is cut off or narrower than its text, cells can be hit, heads stay in sight.
    check(page.js("[...document.querySelectorAll('tbody th')].every(e => e.scrollWidth <= e.clientWidth)"),
          "a host's name is cut off")
    check(page.js("[...document.querySelectorAll('td')].every(e => e.offsetWidth >= 16 && e.offsetHeight >= 16)"),
          "cells are too small")
    check(page.js("parseFloat(getComputedStyle(document.querySelector('td')).fontSize)") >= 12, "small print")
    page.js("document.getElementById('wrap').scrollTo(1e6, 1e6)")
    for corner in ("r.x + 10, r.bottom - 30", "r.right - 30, r.y + 60"):
        check(page.js("(r => document.elementFromPoint(" + corner + ").closest('th') !== null)"
                      "(document.getElementById('wrap').getBoundingClientRect())"), "heads scroll out of sight")
    check(page.js("document.elementFromPoint(innerWidth / 2, 500).closest('td') !== null"), "no cell in the middle")
    page.js("document.getElementById('wrap').scrollTo(0, 0)")

    # A cell opens its reasons, and says whose they are.
    page.click("tbody tr:nth-child(99) td.blocked")
    text = page.js("document.getElementById('why').innerText")
    check("node99 \u2192 node" in text and "cpu-features" in text and "Remedy" in text, f"reasons: {text}")
    check(page.js("document.querySelectorAll('td.on').length") == 1, "the cell is not marked")
    page.click("tbody tr:nth-child(1) td.ok")
    check("nothing stands against it" in page.js("document.getElementById('why').innerText"), "an ok cell")
    page.js("document.getElementById('wrap').scrollTo(1e6, 0)")
    page.click("tbody tr:nth-child(1) td.unknown")
    check("gone.json" in page.js("document.getElementById('why').innerText"), "an unknown cell does not say why")
    page.js("document.getElementById('wrap').scrollTo(0, 0)")

    # Sorting: by a column, back, by name.
    order = {"x": 3, "!": 2, "?": 1, "o": 0}
    before = rows(page)
    page.click("thead th:nth-child(2)")
    got = [order[c] for c in column(page, 1)]
    check(got == sorted(got, reverse=True) and len(set(got)) > 1, f"not sorted: {got}")
    check(page.js("document.querySelector('thead th:nth-child(2)').ariaSort") == "ascending", "sorted, and not shown")
    page.click("thead th:nth-child(2)")
    got = [order[c] for c in column(page, 1)]
    check(got == sorted(got), f"not sorted the other way: {got}")
    page.click("thead th:first-child")
    check([r for r in rows(page) if r.startswith("node")] == [f"node{i}" for i in range(1, 100)], "not sorted by name")
    page.click("#filter")
    page.type("node9")
    check(rows(page) == ["node9"] + [f"node{i}" for i in range(90, 100)], f"filter: {rows(page)}")
    check(page.complaints() == [], page.complaints())

with Page(f"{work}/hostile.html") as page:
    for i in range(1, 4):
        for k in range(2, 5):
            if i + 1 != k:
                page.click(f"tbody tr:nth-child({i}) :nth-child({k})")
    check("onerror" in page.js("document.body.innerText"), "the hostile name is not shown")
    check("<script>" in page.js("document.getElementById('why').innerText"), "the hostile network is not shown")
    check(page.js("window.pwned") is None, "a hostile name ran as script")
    check(page.js("document.querySelectorAll('img, script').length") == 2, "a hostile name became an element")
    check(page.complaints() == [], page.complaints())

with Page(f"{work}/picture.html", 1040, 920) as page:
    page.click("tbody tr:nth-child(14) td.blocked")
    if picture:
        page.screenshot(picture)
    check(page.complaints() == [], page.complaints())
END
left=$(find "$work/tmp" -mindepth 1 -maxdepth 1)
[ -z "$left" ] || { echo "FAIL: the browser left $left" && exit 1; }
