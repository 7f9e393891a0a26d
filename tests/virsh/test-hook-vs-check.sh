#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 240
# From the same XML and facts the hook finds what `check --json` finds of disk caches, word for
# word: all of libvirt's own domain XML and ours, as they are and with images that are there.
set -euo pipefail
# shellcheck source=tests/virsh/lib.sh
. "$(dirname "$0")/lib.sh"
export LIBVIRT_DEFAULT_URI=nosuch:/// VW_TOP=$top
images=$(mktemp -d "$VW_BUILD/test-hook-vs-check-XXXXXX") # on a disk; $tmp may be a tmpfs
trap 'rm -rf "$images"; cleanup' EXIT
corpus=$("$top/tests/corpus/fetch-corpus" 2>"$tmp/err") || fail "no corpus"
: >"$tmp/err"
truncate -s 1M "$images/a.img" "$tmp/b.img"
cd "$tmp"

cat >compare.py <<'PYTHON'
import glob, json, os, re, subprocess, sys

corpus, images, policy = sys.argv[1:]
build = os.environ["VW_BUILD"]
LINE = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')
KEYS = ("rule", "class", "device", "before", "after", "action", "evidence", "message")


def with_images(text):
    """Each file source is a file that is there, in turn on two file systems, or is not there."""
    paths = [images + "/a.img", os.getcwd() + "/b.img", images + "/none/c.img"]
    turn = iter(range(1 << 30))
    return re.sub(r"(<source file=)(['\"])[^'\"]*\2", lambda m: f"{m[1]}'{paths[next(turn) % 3]}'", text)


def prepare():
    files = sorted(glob.glob(corpus + "/*.xml") + glob.glob(os.environ["VW_TOP"] + "/tests/corpus/extra/*.xml"))
    os.makedirs("xml", exist_ok=True)
    for number, path in enumerate(files):
        text = open(path, encoding="utf-8", errors="surrogateescape").read()
        for kind, change in (("as-is", str), ("images", with_images)):
            name = f"{kind}-{number}"
            changed, n = re.subn(r"<name>[^<]*</name>", f"<name>{name}</name>", change(text), count=1)
            if n:
                with open(f"xml/{name}.xml", "w", encoding="utf-8", errors="surrogateescape") as out:
                    out.write(changed)
    return sorted(os.listdir("xml")), len(files)


def of_check(names):
    p = subprocess.run([build + "/virt-warden", "check", "--json", *names], cwd="xml", capture_output=True, timeout=120)
    found, moved = {}, set()
    for domain in json.loads(p.stdout)["domains"]:
        found[domain["name"]] = [
            tuple(f[k].replace(domain["name"] + ".xml", domain["name"]) for k in KEYS)
            for f in domain["findings"] if f["rule"] == "disk-cache"]
        # A file is read as a domain that is yet to be defined: a plan that names disks anew
        if any(f["rule"] in ("disk-bus", "machine") and f["action"] == "fix" for f in domain["findings"]):
            moved.add(domain["name"])
    return found, moved


def of_hook(name):
    with open(f"xml/{name}.xml", "rb") as xml:
        p = subprocess.run([build + "/hook", name, "prepare", "begin", "-"], stdin=xml, capture_output=True,
                           timeout=30, env=dict(os.environ, VIRT_WARDEN_LOG="stderr"))
    if p.returncode != (1 if b"refused op=" in p.stderr else 0) or p.stdout:
        sys.exit(f"{name}: the hook exits {p.returncode}, prints {p.stdout!r}")
    found = []
    for line in p.stderr.decode().splitlines():
        if line.startswith("finding "):
            words = {k: re.sub(r"\\(.)", r"\1", v[1:-1]) if v[0] == '"' else v for k, v in LINE.findall(line)}
            found.append(tuple(words[k] for k in KEYS))
    return found


# What a volume is only libvirtd can tell: the hook may not ask it, check did.
VOLUME = re.compile(r"\((the volume's path is not known here|libvirtd does not know the volume)\)")


def same(a, b, is_moved):
    """Equal; the message of the hook may be cut, a line of the system log is short."""
    skip = KEYS.index("device") if is_moved else len(KEYS)
    a, b = ([tuple(VOLUME.sub("(a volume)", v) for i, v in enumerate(f) if i != skip) for f in x] for x in (a, b))
    return len(a) == len(b) and all(
        x[:-1] == y[:-1] and (x[-1] == y[-1] or x[-1].endswith("…") and y[-1].startswith(x[-1][:-1].rstrip()))
        for x, y in zip(a, b))


names, files = prepare()
checked, moved = of_check(names)
differ = findings = 0
kinds = set()
for name in sorted(checked):
    hook = of_hook(name)
    findings += len(hook)
    kinds |= {f[5:7] for f in hook}
    if not same(hook, checked[name], name in moved):
        differ += 1
        print(f"{name}:\n  hook  {hook}\n  check {checked[name]}")
print(f"{policy}: {files} files, {len(checked)} compared, {findings} findings, kinds {sorted(kinds)}, {len(moved)} moved, {differ} differ")
if len(checked) < 1500 or findings < 1000 or len(kinds) < 3 or len(moved) > 20 or differ:
    sys.exit(1)
PYTHON

# policy NAME LINE…
policy() {
	printf '%s\n' "${@:2}" >"$VIRT_WARDEN_CONF"
	python3 compare.py "$corpus" "$images" "$1" >out || fail "$1"
	cat out
}
policy default ''
policy other '[policy]' 'start = refuse' '[cache]' 'allowed = writethrough none' 'network-disks = enforce'
