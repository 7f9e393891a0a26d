#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Domains that were there when virt-warden was installed are audited only, until their owner's next
# define, mode enforce or fix; those of the time between installation and the agent's start are
# not among them. What others manage (OpenStack, oVirt, KubeVirt) stays audited.
# timeout: 90
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start
warden() { on "$VW_BUILD/virt-warden" "$@"; }

for name in old1 old2 old3 since; do
	generic $name >"$tmp/$name.xml"
	plain define "$tmp/$name.xml" >"$tmp/out"
done
# As install.sh writes it, and lines that are none; one of a domain that is gone.
on mkdir -p -m 700 /var/lib/virt-warden
{
	uuid_of old1
	uuid_of old2 | tr a-f A-F
	uuid_of old3
	echo 00000000-1111-2222-3333-444444444444
	printf '%s\n' '' xyz "$(uuid_of since)x" "$(head -c 300 /dev/zero | tr '\0' a)"
} >"$tmp/list"
on cp "$tmp/list" /var/lib/virt-warden/existing-domains

others=(nova:http://openstack.org/xmlns/libvirt/nova/1.1 ovirt:http://ovirt.org/vm/1.0 kubevirt:http://kubevirt.io)
for other in "${others[@]}"; do
	name=${other%%:*}
	generic "$name" | sed "s,<metadata>,&<o:x xmlns:o='${other#*:}'/>," >"$tmp/$name.xml"
	plain define "$tmp/$name.xml" >"$tmp/out"
done

agent_start
becomes since "cache='none'"
settled
stored_has since "bus='ide'" # not new here
for name in old1 old2 old3; do
	[ "$(said $name 'not fixed, because it was here before')" = 1 ] || fail "$name: $(cat "$agent_log")"
	stored_hasnt $name "cache='none'"
done
for other in "${others[@]}"; do
	name=${other%%:*}
	[ "$(said "$name" 'not fixed, because [A-Za-z]+ owns it')" = 1 ] || fail "$name: $(cat "$agent_log")"
	stored_hasnt "$name" "cache='none'"
done
agent_state | grep -q 'domains=7 .*existing=3 ' || fail "$(agent_state)"

# Started again: the same. Then each of the three ways out of it.
agent_stop
agent_start
settled
for name in old1 old2 old3; do stored_hasnt $name "cache='none'"; done
stored old1
sed -i 's,256,257,; s,262144,262400,' "$tmp/xml"
plain define "$tmp/xml" >"$tmp/out"
becomes old1 "cache='none'"
warden mode old2 enforce >"$tmp/out"
becomes old2 "cache='none'"
warden fix old3 >"$tmp/out" 2>&1 || true
becomes old3 "cache='none'"
settled
agent_state | grep -q 'existing=[01] ' || fail "$(agent_state)"
agent_stop
