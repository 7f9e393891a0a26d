#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The domain's own word counts: mode off, audit, enforce, a skipped rule, a foreign owner.
set -euo pipefail
source "$(dirname "$0")/common.sh"
log_start

policy '[policy]' 'start = refuse'
img=$(image a.img)
wrong=$(disk vda "cache='writeback'" "file='$img'")
warden() { echo "<w:warden xmlns:w='urn:virt-warden:domain:1'$1"; }
nova='<n:instance xmlns:n="http://openstack.org/xmlns/libvirt/nova/1.1"/>'
kubevirt='<kubevirt xmlns="http://kubevirt.io"><uid/></kubevirt>'

check() { # check METADATA START-STATUS CHANGED FINDING
	run_hook prepare < <(domain "$wrong" "$1")
	expect_status "$2"
	expect "findings at prepare with $1" "$(findings)" "$4"
	run_hook migrate < <(domain "$wrong" "$1")
	expect_status 0
	expect "stdout of migrate with $1" "$([ ! -s "$tmp/out" ] || echo changed)" "$3"
	expect "findings at migrate with $1" "$(findings)" "$4"
	[ ! -e "$tmp/state/run/incoming/$uuid" ] || rm "$tmp/state/run/incoming/$uuid"
}

fix='vda writeback none fix'
skip='vda writeback none skip'
check '' 1 changed "$fix"
check "$(warden '/>')" 1 changed "$fix"
check "$(warden " mode='enforce'/>")" 1 changed "$fix"
check "$(warden " mode='audit'/>")" 0 '' "$skip"
check "$(warden " mode='off'/>")" 0 '' ''
check "$(warden " mode='nonsense'/>")" 0 '' "$skip"
check "$(warden "><w:skip rule='disk-cache'/></w:warden>")" 0 '' ''
check "$(warden "><w:skip rule='disk-bus'/></w:warden>")" 1 changed "$fix"
check "<warden mode='off'/>" 1 changed "$fix"
check "$nova" 0 '' "$skip"
check "$kubevirt" 0 '' "$skip"
check "$nova$(warden " mode='enforce'/>")" 1 changed "$fix"
echo ok
