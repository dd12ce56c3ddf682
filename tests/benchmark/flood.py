#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A match server under attack, with its usual limits: who is registered is
still served.

Registered peers, each in a network of its own, PING and ASK by turns at a
steady rate, of which the table tells; meanwhile others send, from 100,000
addresses, HELLOs, INITIATIONs of nothing but chance, and ones that are right but
for the cookie; and 1,000 who are there shake hands over and over, as fast as
they are allowed to. What is lost is not repeated here, as a peer would do.

Before the first row the peers have been at it for --settle seconds: the server
remembers what they ask for a while, up to a bound, which takes memory. So what
the column memory grows by after that is what the floods cost.

All in a network namespace whose loopback has all of 10.0.0.0/8, so it needs
root. Server and everybody else have a core each.
"""

import contextlib
import functools
import os
import subprocess

import bench
import match

SERVER = '10.255.0.1'
PEERS = '10.1.0.0'
SPOOFED = '10.128.0.0'
REAL = '10.64.0.0'
N_SPOOFED = 100_000
NETWORK = 256  # a /24 for each


def add_options(parser):
    parser.add_argument('--seconds', type=float, default=5,
                        help='how long each flood lasts (5)')
    parser.add_argument('--settle', type=float, default=25,
                        help='how long they ask before the first row (25)')
    parser.add_argument('--peers', type=int, default=4000,
                        help='who is registered (4000)')
    parser.add_argument('--rate', type=float, default=2000,
                        help='what they ask a second, together (2000)')
    parser.add_argument('--flood', type=float, default=50_000,
                        help='datagrams a second of each flood (50000)')
    parser.add_argument('--real', type=int, default=1000,
                        help='who shakes hands (1000)')


@contextlib.contextmanager
def network():
    """What a program is started with to be there"""
    if os.geteuid() != 0:
        raise bench.Unavailable('network namespaces need root')
    name = f'hpflood-{os.getpid()}'
    try:
        bench.ip('netns', 'add', name)
        bench.ip('-n', name, 'link', 'set', 'lo', 'up')
        bench.ip('-n', name, 'route', 'add', 'local', '10.0.0.0/8', 'dev',
                 'lo')
        yield ['ip', 'netns', 'exec', name]
    finally:
        subprocess.run(['ip', 'netns', 'delete', name],
                       stderr=subprocess.DEVNULL, check=False)


class Spoofed:
    """A flood while the with block runs; `rate` is what it then was"""

    def __init__(self, kind, server, rate, prefix):
        self.rate = None
        self.process = subprocess.Popen(
            [*prefix, *match.pinned(
                [bench.program('match-flood'), '--kind', kind,
                 '--to', f'{SERVER}:{server.port}', '--first', SPOOFED,
                 '--addresses', str(N_SPOOFED), '--rate', str(rate)],
                match.cores()[1])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.rate = bench.last_line(self.process.communicate()[0])['rate']


class Scene:
    """The server, its peers, and the thousand"""

    def __init__(self, arguments, prefix, stack):
        self.arguments, self.prefix = arguments, prefix
        self.server = stack.enter_context(
            match.match_server('--limits', prefix=prefix))
        self.peers = stack.enter_context(self.load(
            arguments.peers, PEERS, arguments.peers))
        self.real = stack.enter_context(self.load(
            arguments.real, REAL, arguments.real, '--seed', '1'))
        self.peers.join(arguments.peers, rate=500)
        self.peers.run('mixed', seconds=arguments.settle, rate=arguments.rate)

    def load(self, count, first, addresses, *arguments):
        return match.Load(self.server, count, '--first', first,
                          '--addresses', str(addresses),
                          '--step', str(NETWORK), *arguments,
                          prefix=self.prefix, address=SERVER)

    def serve(self):
        """The figures of the peers"""
        figures = self.peers.run('mixed', seconds=self.arguments.seconds,
                                 rate=self.arguments.rate)
        figures['memory'] = self.peers.memory()
        figures['load'] = figures['server_seconds'] / figures['seconds']
        figures['flood'] = 0
        return figures

    def spoofed(self, kind):
        with Spoofed(kind, self.server, self.arguments.flood,
                     self.prefix) as flood:
            figures = self.serve()
        figures['flood'] = flood.rate
        return figures

    def shaking_hands(self):
        self.real.begin('connect', seconds=self.arguments.seconds,
                        window=self.arguments.real)
        figures = self.serve()
        figures['flood'] = self.real.finish()['rate']
        return figures


COLUMNS = {
    'flood a second': lambda figures: figures['flood'],
    'answered a second': lambda figures: figures['rate'],
    'p50 µs': lambda figures: figures['latency']['p50'],
    'p99 µs': lambda figures: figures['latency']['p99'],
    'p99.9 µs': lambda figures: figures['latency']['p999'],
    'refused': lambda figures: figures['refused'],
    'lost': lambda figures: figures['lost'],
    'lost %': lambda figures: 100 * figures['lost'] / figures['requests'],
    'core %': lambda figures: 100 * figures['load'],
    'memory MiB': lambda figures: figures['memory'] / (1 << 20),
}


def main():
    arguments = bench.parse(__doc__, add_options, rounds=1)
    try:
        with network() as prefix, contextlib.ExitStack() as stack:
            scene = Scene(arguments, prefix, stack)
            rows = bench.run([
                ('nothing', scene.serve),
                ('HELLOs', functools.partial(scene.spoofed, 'hello')),
                ('INITIATIONs, chance',
                 functools.partial(scene.spoofed, 'garbage')),
                ('INITIATIONs, no cookie',
                 functools.partial(scene.spoofed, 'forged')),
                (f'handshakes of {arguments.real:,}', scene.shaking_hands),
                ('nothing again', scene.serve),
            ], arguments.rounds, arguments.only)
            counted = scene.server.end()
    except bench.Unavailable as error:
        print(f'No flood: {error}')
        raise SystemExit(bench.SKIP) from None
    print(bench.table('Flood of', rows, COLUMNS), end='\n\n')
    print('The server has counted:')
    for name, value in counted.items():
        print(f'  {name}: {value:,}')
    bench.end(arguments, 'flood', {'Flood of': rows})


if __name__ == '__main__':
    main()
