#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A match server under load: what a request costs it.

Many thousand peers, each with an address of its own of 127.0.0.0/8, with the
real protocol, against a server with its limits out of the way, beside a bare
echo (the limit) and coturn's STUN Binding. Server and load have a core each.
"a core" is what the server answers in a second of its processor time; the
latency of the first table is that of a full queue, that of the second of a
server with something to spare. The third shows that a request costs as much
among a million peers as among ten thousand: how many is --peers. Those servers
are there side by side, and asked by turns.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import bench

# Requests in flight: enough that the server never waits, and no more than the
# usual receive buffer of a socket (net.core.rmem_max) holds
WINDOW = 400
SHARES = 0.25, 0.5, 0.75
# Of one identity, in all rounds together: 30 a minute are allowed, whatever the
# limits. No server takes so many a second, on one core
REFRESHES = 20
MOST_A_SECOND = 250_000


def add_options(parser):
    parser.add_argument('--seconds', type=float, default=2,
                        help='how long each load lasts (2)')
    parser.add_argument('--peers', type=int, nargs='+', metavar='N',
                        default=[10_000, 100_000],
                        help='for the third table (10000 100000)')
    parser.add_argument('--beside', type=int, default=10_000, metavar='N',
                        help='peers for the first two (10000)')


# Who is measured

def cores():
    """One for the server, one for the load, if there are two"""
    there = sorted(os.sched_getaffinity(0))
    return there[:1], there[-1:]


def pinned(argv, core):
    return ['taskset', '-c', str(core[0]), *argv]


class Server(bench.Serve):

    def __init__(self, argv, prefix=()):
        super().__init__(pinned(argv, cores()[0]), prefix)

    def end(self, patience=10):
        self.process.send_signal(signal.SIGTERM)
        return super().end(patience)


def match_server(*arguments, prefix=()):
    return Server([bench.program('match-server'), *arguments], prefix)


def echo(mode):
    return Server([bench.program('echo'), '--mode', mode])


class Coturn:
    """As fast as it goes: STUN and nothing else, no attributes but the one"""

    def __init__(self):
        program = shutil.which('turnserver')
        if program is None:
            raise bench.Unavailable('coturn is not installed')
        self.folder = tempfile.TemporaryDirectory()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            pinned([program, '-n', '--stun-only', '--no-tls', '--no-dtls',
                    '--no-tcp', '--no-cli', '--no-rfc5780',
                    '--no-stun-backward-compatibility',
                    '--listening-ip', '127.0.0.1',
                    '--listening-port', str(self.port),
                    '--log-file', '/dev/null',
                    '--pidfile', f'{self.folder.name}/pid',
                    '--userdb', f'{self.folder.name}/db'], cores()[0]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise

    def _wait(self):
        request = bytes.fromhex('000100002112a442') + 12 * b'x'
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.1)
            for _ in range(100):
                asker.sendto(request, ('127.0.0.1', self.port))
                with contextlib.suppress(OSError):
                    asker.recv(1000)
                    return
        raise RuntimeError('coturn does not answer')

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


class Load:
    """bench-match, and what it says of each order"""

    def __init__(self, server, peers, *arguments, prefix=(),
                 address='127.0.0.1'):
        self.server = server
        self.process = subprocess.Popen(
            [*prefix, *pinned([bench.program('match'),
                               '--to', f'{address}:{server.port}',
                               '--pid', str(server.process.pid),
                               '--peers', str(peers), *arguments],
                              cores()[1])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, kind, **words):
        words = [f'{name}={value:.12g}' for name, value in words.items()]
        self.process.stdin.write(' '.join([kind, *words]) + '\n')
        self.process.stdin.flush()

    def finish(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError('the load ended too soon')
        return json.loads(line)

    def run(self, kind, **words):
        self.begin(kind, **words)
        return self.finish()

    def join(self, count, **words):
        """Sessions and registrations: figures of both. Who got lost in the
        crowd tries again."""
        words = words or {'window': 256}
        figures = self.run('connect', count=count, **words)
        for _ in range(5):
            if self.run('connect', count=count, **words)['requests'] == 0:
                return {'connect': figures,
                        'register': self.run('register', count=count,
                                             **words)}
        raise RuntimeError('not everybody could join')

    def memory(self):
        """Of the server, bytes"""
        status = pathlib.Path(f'/proc/{self.server.process.pid}/status')
        for line in status.read_text().splitlines():
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) * 1024
        raise RuntimeError('the server is gone')

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


# The tables

def stateless(make, kind, seconds):
    def measure():
        with make() as server, Load(server, 100_000) as load:
            load.run(kind, seconds=seconds / 4, window=WINDOW)
            return load.run(kind, seconds=seconds, window=WINDOW)
    return measure


class Joined:
    """A server with its peers, for all the cases that want one"""

    def __init__(self, peers):
        self.peers, self.stack, self.load = peers, None, None
        self.figures = {}

    def get(self):
        if self.load is None:
            with contextlib.ExitStack() as stack:
                server = stack.enter_context(match_server())
                load = stack.enter_context(Load(server, self.peers))
                empty = load.memory()
                self.figures = load.join(self.peers)
                self.figures['memory'] = load.memory() - empty
                self.figures['peers'] = self.peers
                self.stack, self.load = stack.pop_all(), load
        return self.load

    def case(self, kind, seconds, window=WINDOW):
        return lambda: self.get().run(kind, seconds=seconds,
                                      window=min(window, self.peers // 4))

    def joining(self, kind):
        """That happens once: the same figures in all rounds"""
        def measure():
            self.get()
            return self.figures[kind]
        return measure

    def share(self, kind, share, seconds):
        """The latency at so large a part of what it can do"""
        def measure():
            load = self.get()
            most = load.run(kind, seconds=seconds / 2,
                            window=min(WINDOW, self.peers // 4))['per_core']
            return load.run(kind, seconds=seconds, rate=most * share)
        return measure

    def close(self):
        if self.stack is not None:
            self.stack.close()


def beside(joined, seconds):
    return [
        ('echo, recvmmsg and sendmmsg',
         stateless(lambda: echo('batch'), 'echo', seconds)),
        ('echo, GSocket\'s batches',
         stateless(lambda: echo('glib'), 'echo', seconds)),
        ('echo, one by one',
         stateless(lambda: echo('single'), 'echo', seconds)),
        ('coturn, STUN Binding', stateless(Coturn, 'stun', seconds)),
        ('STUN Binding', joined.case('stun', seconds)),
        ('keepalive', joined.case('ping', seconds)),
        # Of one identity 30 a minute are allowed, whatever the limits.
        ('refresh', joined.case('register', seconds / 2)),
        ('ask, introduced at once', joined.case('ask', seconds)),
        ('ask, callee asked first', joined.case('ask-reply', seconds)),
        ('handshake', joined.joining('connect')),
    ]


def shares(joined, seconds):
    return [(f'{kind} at {share * 100:.0f} %',
             joined.share(order, share, seconds))
            for kind, order in (('keepalive', 'ping'), ('ask', 'ask'))
            for share in SHARES]


GROWN = {
    'keepalive': 'ping',
    'ask': 'ask',
    'ask, callee first': 'ask-reply',
    'Binding': 'stun',
}


def grown(joined, seconds, rounds):
    """What it costs among so many; memory before anybody has asked, since an
    ask is remembered for half a minute"""
    def refresh():
        most = joined.peers * REFRESHES / rounds / MOST_A_SECOND
        figures = joined.case('register', min(seconds, most))()
        if figures['refused'] > 0:
            raise RuntimeError('refreshes were refused')
        return figures

    def measure():
        joined.get()
        return {**joined.figures, 'refresh': refresh(),
                **{name: joined.case(order, seconds)()
                   for name, order in GROWN.items()}}
    return measure


COLUMNS = {
    'a second': lambda figures: figures['rate'],
    'a core': lambda figures: figures['per_core'],
    'CPU µs': lambda figures: figures['cpu_us'],
    'p50 µs': lambda figures: figures['latency']['p50'],
    'p99 µs': lambda figures: figures['latency']['p99'],
    'p99.9 µs': lambda figures: figures['latency']['p999'],
    'refused': lambda figures: figures['refused'],
    'lost': lambda figures: figures['lost'],
}


def cost(kind):
    return lambda figures: figures[kind]['cpu_us']


GROWTH = {
    'handshake': cost('connect'),
    **{name: cost(name) for name in ('register', 'refresh', *GROWN)},
    'memory MiB': lambda figures: figures['memory'] / (1 << 20),
    'bytes a peer': lambda figures: figures['memory'] / figures['peers'],
}


def main():
    arguments = bench.parse(__doc__, add_options, rounds=3)
    tables = {}

    def show(title, rows, columns):
        print(bench.table(title, rows, columns), end='\n\n', flush=True)
        tables[title] = rows

    with contextlib.closing(Joined(arguments.beside)) as joined:
        show(f'Requests, {arguments.beside:,} peers',
             bench.run(beside(joined, arguments.seconds), arguments.rounds,
                       arguments.only), COLUMNS)
        show('Latency under load',
             bench.run(shares(joined, arguments.seconds), arguments.rounds,
                       arguments.only), COLUMNS)
    with contextlib.ExitStack() as stack:
        crowds = [stack.enter_context(contextlib.closing(Joined(size)))
                  for size in arguments.peers]
        show('CPU µs of a request',
             bench.run([(f'{crowd.peers:,} peers',
                         grown(crowd, arguments.seconds, arguments.rounds))
                        for crowd in crowds],
                       arguments.rounds, arguments.only), GROWTH)
    bench.end(arguments, 'match', tables)


if __name__ == '__main__':
    main()
