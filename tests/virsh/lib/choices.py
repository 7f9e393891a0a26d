#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a stored domain XML says, rule by rule: {"disk-bus": "virtio", "hyperv": "relaxed vapic" …}.
# "" = nothing. Of disks it takes the first one and the first CD-ROM.
# usage: choices.py FILE    prints "rule: value" lines of all that is not empty, sorted
import sys
import xml.etree.ElementTree as ET

AGENT = 'org.qemu.guest_agent.0'


def attr(element, path, name):
    found = element if path == '.' else element.find(path)
    return '' if found is None else found.get(name, '')


def join(words):
    return ' '.join(word for word in words if word)


def of_board(domain):
    machine = attr(domain, 'os/type', 'machine')
    efi = attr(domain, 'os', 'firmware') == 'efi' or attr(domain, 'os/loader', 'type') == 'pflash'
    ports = domain.findall("devices/controller[@model='pcie-root-port']")
    return {
        'machine': 'q35' if 'q35' in machine else 'pc' if machine.startswith(('pc', 'pc-i440fx')) else machine,
        'firmware': 'efi' if efi else 'bios',
        'acpi': join(name for name in ('acpi', 'apic') if domain.find('features/' + name) is not None),
        'pm': join(f'{e.tag}={e.get("enabled")}' for e in domain.findall('pm/*')),
        'pcie-ports': str(len(ports)) if ports else '',
    }


def of_cpu(domain):
    cpu = domain.find('cpu')
    mode = '' if cpu is None else cpu.get('mode', 'custom')
    if mode == 'custom':
        mode = join([cpu.findtext('model', '')] + sorted('+' + f.get('name') for f in cpu.findall('feature')))
    clock = domain.find('clock')
    timers = sorted((t.get('name'), t.get('tickpolicy') or t.get('present')) for t in clock.findall('timer'))
    flags = []
    for flag in domain.findall('features/hyperv/*'):
        if flag.get('state') == 'on':
            more = flag.get('retries') or ('direct' if attr(flag, 'direct', 'state') == 'on' else '')
            flags.append(flag.tag + ('=' + more if more else ''))
    return {
        'cpu-mode': mode,
        'clock': join([clock.get('offset')] + [f'{name}={policy}' for name, policy in timers]),
        'hyperv': join(sorted(flags)),
    }


def of_disks(domain):
    disks = {}
    for disk in domain.findall('devices/disk'):
        disks.setdefault(disk.get('device', 'disk'), disk)
    disk, cdrom = disks['disk'], disks.get('cdrom')
    found = {
        'disk-bus': attr(disk, 'target', 'bus'),
        'cdrom-bus': '' if cdrom is None else join(
            [attr(cdrom, 'target', 'bus'), 'read-only' if cdrom.find('readonly') is not None else '']),
    }
    for name in ('cache', 'io', 'discard', 'iothread'):
        found['disk-' + name] = attr(disk, 'driver', name)
    return found


def of_devices(domain):
    rng = domain.find('devices/rng')
    tpm = domain.find('devices/tpm')
    usb = sorted(c.get('model', '') + ('/' + c.get('ports') if c.get('ports') else '')
                 for c in domain.findall("devices/controller[@type='usb']"))
    return {
        'nic-model': attr(domain, 'devices/interface/model', 'type'),
        'nic-queues': attr(domain, 'devices/interface/driver', 'queues'),
        'usb': join(usb),
        'tablet': attr(domain, "devices/input[@type='tablet']", 'bus'),
        'video': attr(domain, 'devices/video/model', 'type'),
        'rng': '' if rng is None else join([rng.get('model'), rng.findtext('backend')]),
        'agent-channel': attr(domain, f"devices/channel/target[@name='{AGENT}']", 'type'),
        'balloon': join([attr(domain, 'devices/memballoon', 'model'),
                         attr(domain, 'devices/memballoon/stats', 'period')]),
        'panic-device': join([attr(domain, 'devices/panic', 'model'), domain.findtext('on_crash')]),
        'tpm': '' if tpm is None else join([tpm.get('model'), attr(tpm, 'backend', 'type'),
                                            attr(tpm, 'backend', 'version')]),
    }


def choices(text):
    domain = ET.fromstring(text)
    return {**of_board(domain), **of_cpu(domain), **of_disks(domain), **of_devices(domain)}


if __name__ == '__main__':
    with open(sys.argv[1], encoding='utf-8') as source:
        for rule, value in sorted(choices(source.read()).items()):
            if value:
                print(f'{rule}: {value}')
