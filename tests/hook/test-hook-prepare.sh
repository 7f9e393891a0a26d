#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# prepare: which disks are named, in what words, and when a start is refused.
set -euo pipefail
source "$(dirname "$0")/common.sh"
log_start

img=$(image a.img)
mkdir "$tmp/mnt-ramfs"
mount -t ramfs ramfs "$tmp/mnt-ramfs"
truncate -s 1M "$tmp/mnt-ramfs/b.img"

right=$(disk vda "cache='none'" "file='$img'"; disk vdb "cache='directsync'" "file='$img'")
wrong=$(disk vda "" "file='$img'"; disk vdb "cache='writeback'" "file='$img'")

# Caches as they should be: nothing is said, whatever the policy.
for start in warn refuse off; do
	policy '[policy]' "start = $start"
	run_hook prepare < <(domain "$right")
	expect_status 0
	expect_silent
	expect_no_log
done

# Without a configuration: warn. One line a disk, in the order of the disks.
policy
run_hook prepare < <(domain "$wrong")
expect_status 0
expect_silent
expect findings "$(findings)" "vda default none fix
vdb writeback none fix"
line=$(grep -m1 vda "$log")
[[ $line =~ ^\<28\>[A-Z][a-z][a-z]\ [\ 0-9][0-9]\ [0-9:]{8}\ virt-warden\[[0-9]+\]:\ finding\  ]] ||
	die "not a line of syslog's form: $line"
expect op "$(field op "$line")" prepare
expect domain "$(field domain "$line")" web1
expect uuid "$(field uuid "$line")" "$uuid"
expect class "$(field class "$line")" host
expect evidence "$(field evidence "$line")" proven
expect message "$(field message "$line")" "cache 'default' (QEMU's writeback) is not one of those \
allowed (none, directsync): \`virt-warden fix web1\` sets 'none'"

# start = refuse: exit 1 and one line that says what and how to mend it.
policy '[policy]' 'start = refuse'
run_hook prepare < <(domain "$wrong")
expect_status 1
expect stdout "$(cat "$tmp/out")" ""
expect refusal "$(cat "$tmp/err")" "virt-warden: web1 is not started: the cache mode of vda \
('default'), vdb ('writeback') is not allowed (start = refuse in $tmp/warden.conf); to mend it: \
virt-warden fix web1"
expect findings "$(findings)" "vda default none fix
vdb writeback none fix"
expect_log "refused op=prepare uuid=$uuid disks=2"

# start = off: nothing at all.
policy '[policy]' 'start = off'
run_hook prepare < <(domain "$wrong")
expect_status 0
expect_silent
expect_no_log

# The configuration chooses which caches are allowed.
policy '[policy]' 'start = refuse' '[cache]' 'allowed = writethrough, writeback'
run_hook prepare < <(domain "$wrong$(disk vdc "cache='none'" "file='$img'")")
expect_status 1
expect findings "$(findings)" "vdc none writethrough fix"

# What is not a file or block disk, or can't be helped, is named but never refused;
# read-only, empty and CD-ROM are not even named.
policy '[policy]' 'start = refuse'
others=$(
	disk vda "" "file='$tmp/mnt-ramfs/b.img'"
	disk vdb "" "protocol='rbd' name='pool/image'" network
	disk vdc "" "pool='p' volume='v'" volume
	disk vdd "" "type='pci' managed='yes' namespace='1'" nvme
	disk vde "" "file='relative.img'"
	disk vdf "" "file='$img'" file "<readonly/>"
	disk vdg "" "dir='$tmp'" dir
	disk vdh "" "type='unix' path='/s'" vhostuser
	disk vdi "" "startupPolicy='optional'"
	disk sda "" "file='$img'" | sed "s/device='disk'/device='cdrom'/"
)
run_hook prepare < <(domain "$others")
expect_status 0
expect_silent
expect findings "$(findings)" "vda default none skip
vdb default none skip
vdc default none skip
vdd default none skip
vde default none skip"
expect_log 'device="vda".*no O_DIRECT'
expect_log 'device="vdc".*evidence=unknown'

# … unless the policy takes network disks as any other.
policy '[policy]' 'start = refuse' '[cache]' 'network-disks = enforce'
run_hook prepare < <(domain "$(disk vdb "" "protocol='rbd' name='pool/image'" network)")
expect_status 1
expect findings "$(findings)" "vdb default none fix"

# A floppy and a LUN are disks.
policy
run_hook prepare < <(domain "$(disk fda "" "file='$img'" | sed "s/device='disk'/device='floppy'/")")
expect findings "$(findings)" "fda default none fix"
echo ok
