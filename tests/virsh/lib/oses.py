#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# The operating systems of the installed osinfo-db, through libosinfo.
# usage: oses.py all | kinds    prints short ids: all of them, or those that differ in what osinfo-db says
import sys

import gi
gi.require_version('Libosinfo', '1.0')
from gi.repository import Libosinfo  # noqa: E402  # pylint: disable=wrong-import-position

# Names that people look for, whatever else is chosen.
KNOWN = ('debian6 debian7 debian8 debian9 debian10 debian11 ubuntu8.04 ubuntu10.04 ubuntu14.04 ubuntu18.04 '
         'ubuntu20.04 ubuntu22.04 fedora1 fedora9 fedora18 fedora30 fedora36 rhl9 rhel5.4 rhel6.5 rhel7.0 rhel7.9 '
         'rhel8.6 rhel9.0 centos5.11 centos6.10 centos7.0 centos-stream9 sles10sp4 sles11sp4 sles12sp5 sles15sp4 '
         'opensuse11.4 opensuse15.4 archlinux alpinelinux3.8 alpinelinux3.16 mageia3 mageia8 gentoo freebsd9.3 '
         'freebsd11.4 freebsd13.1 openbsd5.3 openbsd7.0 netbsd9.0 dragonflybsd6.0.0 haikur1beta3 solaris11 '
         'opensolaris2009.06 msdos6.22 netware6 macosx10.7 unknown').split()


def load():
    loader = Libosinfo.Loader()
    loader.process_default_path()
    found = loader.get_db().get_os_list()
    return [found.get_nth(i) for i in range(found.get_length())]


def devices(os):
    links = os.get_all_device_links(None)
    targets = (links.get_nth(i).get_target() for i in range(links.get_length()))
    return frozenset(d.get_name() for d in targets if d)


def kinds(oses):
    """One OS for each combination of facts, every Windows, and the well-known."""
    seen, chosen = set(), []
    by_name = {os.get_short_id(): os for os in oses}
    for os in [by_name[name] for name in KNOWN if name in by_name] + oses:
        facts = (os.get_family(), devices(os))
        name = os.get_short_id()
        if name in KNOWN and name not in chosen or facts not in seen or os.get_family() == 'winnt':
            chosen.append(name)
        seen.add(facts)
    return list(dict.fromkeys(chosen))


if __name__ == '__main__':
    ids = load()
    print('\n'.join(os.get_short_id() for os in ids) if sys.argv[1] == 'all' else '\n'.join(kinds(ids)))
