# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two hosts with an emulated link between them.

      left ─ link ─ [ emulator ] ─ link ─ right
      10.9.0.1, fd00:9::1              10.9.0.2, fd00:9::2

What the link is like is said in the emulator's words (../emulator/knobs.h):

    lab.enter()
    with Link(both='delay=25ms rate=100M queue=50ms loss=1%') as link:
        inside('left', 'ping', '-c1', link.RIGHT)
        print(link.statistics()['there']['queue-delay-ms'])
"""

import json

from emulator import Emulator
from lab import inside, run

# The queue that counts is the emulator's.
DEVICE_QUEUE = 20000


class Link:
    LEFT, RIGHT = '10.9.0.1', '10.9.0.2'
    LEFT6, RIGHT6 = 'fd00:9::1', 'fd00:9::2'
    HOSTS = ('left', 'right')

    def __init__(self, both='', there='', back='', seed=1, mtu=1500):
        for name in self.HOSTS:
            run('ip', 'netns', 'add', name)
        self.emulator = Emulator('--left', 'left:link', '--right',
                                 'right:link', '--both', both, '--there',
                                 there, '--back', back, '--seed', str(seed))
        for name, here, far in (('left', 1, 2), ('right', 2, 1)):
            inside(name, 'ip', 'link', 'set', 'lo', 'up')
            inside(name, 'ip', 'link', 'set', 'dev', 'link', 'mtu', str(mtu),
                   'txqueuelen', str(DEVICE_QUEUE), 'up')
            inside(name, 'ip', 'address', 'add', f'10.9.0.{here}', 'peer',
                   f'10.9.0.{far}', 'dev', 'link')
            inside(name, 'ip', 'address', 'add', f'fd00:9::{here}/64', 'dev',
                   'link', 'nodad')

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def change(self, which, knobs):
        """Changes the direction 'there' or 'back', or 'both'."""
        self.emulator.change(which, knobs)

    def forget(self):
        """Begins to count anew."""
        self.emulator.forget()

    def statistics(self):
        """What the emulator counted there and back, and, as "not-sent", how
        many packets a host lost before."""
        statistics = self.emulator.statistics()
        for name, direction in zip(self.HOSTS, ('there', 'back')):
            links = json.loads(inside(name, 'ip', '-j', '-s', 'link', 'show',
                                      'link'))
            statistics[direction]['not-sent'] = \
                links[0]['stats64']['tx']['dropped']
        return statistics

    def close(self):
        self.emulator.close()
        for name in self.HOSTS:
            run('ip', 'netns', 'delete', name, check=False)
