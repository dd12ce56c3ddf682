# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every kind of NAT against every other: does it connect, how, how fast, and
how many NAT entries does it take?

    tests/nat/matrix BUILD --markdown docs/nat-matrix.md --section hole-punch

Of each pair of kinds some runs are made, each with fresh processes and NATs
that have forgotten everything: the callee has registered, both know their NAT,
and the clock goes from the caller's asking until the connection is usable.
With --library nice the same for libnice: both sides have gathered their
candidates, which need one round trip through the server to reach the other.
A TURN server is there unless --no-relay.

The pairs are spread over a few laboratories at a time, each with namespaces of
its own (see lab.py).
"""

import argparse
import json
import os
import select
import statistics
import subprocess
import sys
import time

import lab

KINDS = {
    'open': 'open',
    'stateful-firewall': 'firewall',
    'full-cone': 'full cone',
    'address-restricted': 'addr.-restr.',
    'port-restricted': 'port-restr.',
    'port-restricted-remapped': 'port-restr., remapped',
    'symmetric-sequential': 'sym. sequential',
    'symmetric-sequential-busy': 'sym. seq., busy',
    'symmetric-block-512': 'sym. block 512',
    'symmetric-random': 'sym. random',
    'carrier': 'carrier over home',
    'udp-blocked': 'UDP blocked',
}
DIRECT = ('lan', 'direct', 'mapped', 'host', 'reflexive')
# A better path than the relay is waited for so long, where UDP passes
PATIENCE = 10


class Process:
    """A program that is told lines and tells lines."""

    def __init__(self, network, host, command):
        self.process = network.spawn(host, *command, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
        self.rest = b''
        self.lines = []

    def tell(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()

    def read(self, seconds):
        """The next line as words, or None."""
        end = time.monotonic() + seconds
        while b'\n' not in self.rest:
            left = end - time.monotonic()
            pipe = self.process.stdout
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                return None
            more = os.read(pipe.fileno(), 65536)
            if not more:
                return None
            self.rest += more
        line, self.rest = self.rest.split(b'\n', 1)
        return line.decode(errors='replace').split(' ')

    def await_word(self, words, seconds):
        """The first line that begins with one of the words, or None."""
        end = time.monotonic() + seconds
        while True:
            line = self.read(end - time.monotonic())
            if line is None or line[0] in words:
                return line

    def close(self):
        self.process.kill()
        self.process.wait()


class Ours:
    """Pairs of hole-punch peers; the match server stays."""

    def __init__(self, network, options):
        self.network = network
        self.options = options
        self.server = network.spawn(
            's', os.path.join(options.build, 'hole-punch/tools/hole-punch'),
            'serve', '--listen-address', lab.SERVER, '--second-address',
            lab.SERVER_2, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.blocked = [host for host, kind in network.kinds.items()
                        if kind == 'udp-blocked']
        self.n = 0

    def start(self, host):
        command = [os.path.join(self.options.build, 'tests/nat/matrix-peer'),
                   '--server', lab.SERVER]
        if host == 'b':
            command += ['--id', f'callee-{self.n}']
        if self.options.relay:
            command += ['--turn', ','.join(map(turn.uri, (
                '?transport=udp', '?transport=tcp')))]
        return Process(self.network, host, command)

    def run(self):
        self.n += 1
        ends = [self.start('b'), self.start('a')]
        try:
            return self.connect(*ends)
        finally:
            for end in ends:
                end.close()

    def connect(self, callee, caller):
        for host, end in (('b', callee), ('a', caller)):
            seen = set()
            wanted = {'started', 'nat'}
            if host in self.blocked:
                wanted = {'started'}
            while not wanted <= seen:
                line = end.await_word(('started', 'nat'), 5)
                if line is None:
                    break
                # All of it
                if line[0] != 'nat' or line[3] != 'unknown':
                    seen.add(line[0])
            if 'started' not in seen:
                return {'outcome': 'no match server'}
        caller.tell(f'connect callee-{self.n}')
        line = caller.await_word(('usable', 'failed'), 30)
        if line is None or line[0] == 'failed':
            return {'outcome': 'failed',
                    'why': ' '.join(line[2:]) if line else 'no answer'}
        result = {'outcome': line[2], 'usable': float(line[1])}
        # A better path may come before the echo
        echo = caller.await_word(('echo', 'path'), 5)
        while echo is not None and echo[0] == 'path':
            self.take_path(echo, result)
            echo = caller.await_word(('echo', 'path'), 5)
        if echo is None:
            result['outcome'] = 'no echo'
        else:
            result['echo'] = float(echo[1])
        if result['outcome'] == 'relayed' and not self.blocked:
            self.await_better(caller, result)
        return result

    @staticmethod
    def take_path(line, result):
        if result['outcome'] == 'relayed' and line[2] in DIRECT:
            result['outcome'] = line[2]
            result['direct'] = float(line[1])

    def await_better(self, caller, result):
        end = time.monotonic() + PATIENCE
        while result['outcome'] == 'relayed':
            line = caller.await_word(('path',), end - time.monotonic())
            if line is None:
                return
            self.take_path(line, result)

    def close(self):
        self.server.kill()
        self.server.wait()


class Nice:
    """Pairs of libnice's agents."""

    def __init__(self, network, options):
        self.network = network
        self.options = options

    def start(self, host):
        command = [os.path.join(self.options.build, 'tests/nat/matrix-nice'),
                   '--local', self.network.addresses[host],
                   '--stun', lab.TURN]
        if host == 'a':
            command += ['--calls']
        if self.options.relay:
            command += ['--turn', lab.TURN]
        return Process(self.network, host, command)

    def run(self):
        ends = [self.start('b'), self.start('a')]
        try:
            return self.connect(*ends)
        finally:
            for end in ends:
                end.close()

    def connect(self, callee, caller):
        told = [end.await_word(('candidates',), 30)
                for end in (callee, caller)]
        if None in told:
            return {'outcome': 'failed', 'why': 'no candidates'}
        for end in (callee, caller):
            end.tell('go')
        time.sleep(self.options.round_trip / 1000)
        caller.tell('remote ' + ' '.join(told[0][1:]))
        callee.tell('remote ' + ' '.join(told[1][1:]))
        line = caller.await_word(('usable', 'failed'), 30)
        if line is None or line[0] == 'failed':
            return {'outcome': 'failed'}
        return {'outcome': line[2], 'usable': float(line[1])}

    def close(self):
        pass


def try_pair(options, kind_a, kind_b, seed):
    results = []
    with lab.Lab(kind_a, kind_b, round_trip=options.round_trip,
                 loss=options.loss, seed=seed) as network:
        relay = turn.start(network)
        library = (Nice if options.library == 'nice' else Ours)(network,
                                                                options)
        time.sleep(0.3)
        for _ in range(options.runs):
            network.reset()
            result = library.run()
            result['entries'] = [network.entries(host)['created']
                                 for host in ('a', 'b')]
            results.append(result)
        library.close()
        relay.kill()
        relay.wait()
    return results


def work(options):
    """One laboratory: pairs by lines in, results by lines out."""
    os.environ.setdefault(
        'EMULATOR', os.path.join(options.build, 'tests/emulator/emulator'))
    lab.need_tun()
    lab.enter()
    for line in sys.stdin:
        a, b, seed = line.split()
        try:
            results = try_pair(options, a, b, int(seed))
        except Exception as error:  # the others shall go on
            results = [{'outcome': 'error', 'why': repr(error)}]
        print(json.dumps([a, b, results]), flush=True)


def get_pairs(options):
    names = options.kinds.split(',') if options.kinds else list(KINDS)
    if options.pairs:
        return [tuple(pair.split(':')) for pair in options.pairs.split(',')]
    return [(a, b) for a in names for b in names]


def run_workers(options):
    """{(a, b): results}; each laboratory is given the next pair when it is
    ready for it."""
    pairs = get_pairs(options)
    todo = list(enumerate(pairs))
    arguments = [sys.executable, os.path.abspath(__file__), '--worker']
    arguments += [word for word in sys.argv[1:]]
    workers = [subprocess.Popen(arguments, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True, bufsize=1)
               for _ in range(min(options.at_a_time, len(todo)))]
    busy = {}

    def give(worker):
        if todo:
            seed, (a, b) = todo.pop(0)
            worker.stdin.write(f'{a} {b} {seed + options.seed}\n')
            worker.stdin.flush()
            busy[worker.stdout] = worker
        else:
            worker.stdin.close()

    table = {}
    for worker in workers:
        give(worker)
    while busy:
        for pipe in select.select(list(busy), [], [])[0]:
            worker = busy.pop(pipe)
            line = pipe.readline()
            if not line.startswith('['):
                print(line or 'a laboratory has ended', file=sys.stderr)
                if worker.wait() == lab.SKIP:
                    sys.exit(lab.SKIP)
                continue
            a, b, results = json.loads(line)
            table[a, b] = results
            if not options.quiet:
                print(f'{a} – {b}: {summarize(results)}', file=sys.stderr)
            give(worker)
    for worker in workers:
        worker.wait()
    return table


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def figures(results):
    """What the tables show of one pair."""
    usable = [r['usable'] for r in results if 'usable' in r]
    found = {
        'runs': len(results),
        'direct': sum(r['outcome'] in DIRECT for r in results),
        'relayed': sum(r['outcome'] == 'relayed' for r in results),
        'entries': [max((r['entries'][i] for r in results
                         if 'entries' in r), default=0) for i in (0, 1)],
    }
    if usable:
        found['median'] = statistics.median(usable)
        found['p95'] = percentile(usable, 0.95)
    late = [r['direct'] for r in results if 'direct' in r]
    if late:
        found['direct_median'] = statistics.median(late)
    return found


def summarize(results):
    found = figures(results)
    text = f"{found['direct']} direct, {found['relayed']} relayed " \
           f"of {found['runs']}"
    if 'median' in found:
        text += f"; {found['median']:.0f} ms, p95 {found['p95']:.0f}"
    if 'direct_median' in found:
        text += f", direct after {found['direct_median']:.0f}"
    text += f"; entries {found['entries'][0]} and {found['entries'][1]}"
    others = {r['outcome'] for r in results} - set(DIRECT) - {'relayed'}
    why = {r['why'] for r in results if 'why' in r}
    return text + ''.join(f'; {x}' for x in sorted(others | why))


def cell(results):
    """Direct runs (if it is all of them, not said), median and p95 in ms, when
    a direct path followed on a relayed one, NAT entries of either side."""
    found = figures(results)
    if 'median' not in found:
        return '✗'
    text = f"{found['median']:.0f} / {found['p95']:.0f}"
    if 'direct_median' in found:
        text += f" → {found['direct_median'] / 1000:.1f} s"
    if found['direct'] == 0:
        text = 'R ' + text
    elif found['direct'] < found['runs']:
        text = f"{found['direct']}/{found['runs']} " + text
    if found['direct'] + found['relayed'] < found['runs']:
        text += f" ({found['direct'] + found['relayed']} of {found['runs']})"
    return text + f"<br>{found['entries'][0]}·{found['entries'][1]}"


def to_markdown(table):
    names = [kind for kind in KINDS if any(kind in pair for pair in table)]
    lines = ['| caller ╲ callee | '
             + ' | '.join(KINDS[kind] for kind in names) + ' |',
             '| --- |' + ' --- |' * len(names)]
    for a in names:
        lines.append(f'| **{KINDS[a]}** | ' + ' | '.join(
            cell(table[a, b]) if (a, b) in table else '' for b in names)
            + ' |')
    return '\n'.join(lines) + '\n'


def replace_section(options, markdown):
    """What stands between <!-- NAME --> and <!-- end of NAME -->"""
    with open(options.markdown, encoding='utf-8') as file:
        page = file.read()
    begin = f'<!-- {options.section} -->\n'
    end = f'<!-- end of {options.section} -->'
    head, rest = page.split(begin, 1)
    with open(options.markdown, 'w', encoding='utf-8') as file:
        file.write(f'{head}{begin}\n{markdown}\n{end}{rest.split(end, 1)[1]}')


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n\n')[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('build', help='the build directory')
    parser.add_argument('--runs', type=int, default=10)
    parser.add_argument('--kinds', help='only these, separated by commas')
    parser.add_argument('--pairs', help='only these, CALLER:CALLEE,…')
    parser.add_argument('--library', choices=('hole-punch', 'nice'),
                        default='hole-punch')
    parser.add_argument('--round-trip', type=float, default=40,
                        help='between any two hosts, ms')
    parser.add_argument('--loss', type=float, default=0, help='percent')
    parser.add_argument('--no-relay', dest='relay', action='store_false')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--at-a-time', type=int, default=3,
                        help='laboratories')
    parser.add_argument('--json', help='where to write all results')
    parser.add_argument('--markdown', help='the page to put the table into')
    parser.add_argument('--section', default='hole-punch',
                        help='between which two comments of that page')
    parser.add_argument('--quiet', action='store_true')
    parser.add_argument('--worker', action='store_true',
                        help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse()
    if options.worker:
        work(options)
        return
    table = run_workers(options)
    markdown = to_markdown(table)
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump([[a, b, results] for (a, b), results in table.items()],
                      file)
    if options.markdown:
        replace_section(options, markdown)
    else:
        print(markdown)


if __name__ == '__main__':
    main()
