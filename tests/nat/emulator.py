# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes that emulate a link and a NAT; what they can do is written in
../emulator/emulator.c and ../emulator/nat.c."""

import json
import os
import subprocess


class Program:
    """Something that obeys lines. EMULATOR in the environment names the link
    emulator; the others are beside it."""

    def __init__(self, name, *arguments):
        emulator = os.environ.get('EMULATOR', 'emulator')
        self.process = subprocess.Popen(
            [os.path.join(os.path.dirname(emulator), name), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._answer() != 'ready':
            raise RuntimeError(f'{name} did not start')

    def _answer(self):
        return self.process.stdout.readline().strip()

    def _tell(self, command):
        self.process.stdin.write(command + '\n')
        self.process.stdin.flush()
        return self._answer()

    def order(self, command):
        answer = self._tell(command)
        if answer != 'ok':
            raise ValueError(answer)

    def statistics(self):
        return json.loads(self._tell('statistics'))

    def forget(self):
        """Begins to count anew."""
        self.order('forget')

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Emulator(Program):
    def __init__(self, *arguments):
        super().__init__('emulator', *arguments)

    def change(self, which, knobs):
        """Changes the direction 'there' or 'back', or 'both'."""
        self.order(f'{which} {knobs}')


class Nat(Program):
    """addresses: those it may have, one after the other."""

    def __init__(self, lans, wan, addresses, kind_rules, inside=(), seed=1):
        self.addresses = list(addresses)
        super().__init__(
            'nat', *(f'--lan={lan}' for lan in lans), f'--wan={wan}',
            f'--address={self.addresses[0]}', f'--rules={kind_rules}',
            *(f'--inside={prefix}' for prefix in inside), f'--seed={seed}')

    def change(self, which, knobs):
        """Changes the line outside: 'out', 'in' or 'both'."""
        self.order(f'{which} {knobs}')

    def set(self, rules='', **more):
        """Changes rules: set('hairpin=yes lifetime=20s'), or, as keywords,
        set(hairpin=True, lifetime=20, max_entries=100). Times are seconds. What
        is mapped stays as it is; a lifetime counts from the next packet on."""
        for name, value in more.items():
            if isinstance(value, bool):
                value = 'yes' if value else 'no'
            elif name in ('lifetime', 'absolute'):
                value = f'{value}s'
            rules += f' {name.replace("_", "-")}={value}'
        self.order(f'rules {rules}')

    def reboot(self):
        """Forgets all mappings."""
        self.order('reboot')

    def new_address(self):
        """Reboots with another public address; returns it."""
        self.addresses.append(self.addresses.pop(0))
        self.order(f'reboot {self.addresses[0]}')
        return self.addresses[0]

    @property
    def address(self):
        return self.addresses[0]

    def hosts(self):
        """For each inner address what was counted, see entries()."""
        return self.statistics()['hosts']

    def entries(self, address=None):
        """NAT entries for UDP, of the host with that address or of all hosts:
        'created' ever, 'now', 'peak' and 'mappings', the outer ports taken.
        'others' are those for TCP and ICMP."""
        total = dict.fromkeys(('created', 'now', 'peak', 'mappings', 'others'),
                              0)
        for host, counts in self.hosts().items():
            if address in (None, host):
                for name in total:
                    total[name] += counts[name]
        return total
