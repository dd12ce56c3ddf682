# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the benchmark scripts share.

A benchmark is a list of cases: a name and a function that runs once and
returns a dictionary of figures, or raises Unavailable. run() goes through all
of them in turn, and that several times, so that whatever else the machine does
falls on all alike; what counts of each figure is the median of the rounds.

    arguments = bench.parse(__doc__)
    rows = bench.run(cases, arguments.rounds)
    bench.finish(arguments, 'bulk', {'Loopback': rows}, COLUMNS)

The programs are bench-NAME, beside each other in the folder that --programs or
BENCH_PROGRAMS in the environment names.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # s, for a single run of a program
SKIP = 77  # what a script ends with that cannot run here at all
MISSING = '–'

programs = pathlib.Path(os.environ.get('BENCH_PROGRAMS', '.'))


class Unavailable(Exception):
    """A case cannot run here; says why."""


def parse(description, add=None, rounds=5):
    """The options that all scripts have; add(parser) adds others."""
    global programs
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--programs', metavar='FOLDER', default=programs,
                        type=pathlib.Path,
                        help='where the benchmark programs were built')
    parser.add_argument('--rounds', type=int, default=rounds,
                        help=f'how often each case runs ({rounds})')
    parser.add_argument('--json', metavar='FILE',
                        help='write the figures of all rounds there')
    parser.add_argument('--only', metavar='WORD', action='append',
                        help='only cases with WORD in their name')
    if add is not None:
        add(parser)
    arguments = parser.parse_args()
    programs = arguments.programs
    return arguments


def program(name):
    path = programs / f'bench-{name}'
    if not path.exists():
        raise Unavailable(f'bench-{name} was not built: '
                          'its library was not there, or --programs is wrong')
    return str(path)


# Processes

class Serve:
    """A program that listens while the with block runs.

    `port` and `fingerprint` are what it said when it was ready; `figures` is
    its last line, after end()."""

    def __init__(self, argv, prefix=()):
        self.output = tempfile.TemporaryFile()
        self.figures = {}
        self.process = subprocess.Popen(
            [*prefix, *argv], stdin=subprocess.DEVNULL, stdout=self.output)
        deadline = time.monotonic() + PATIENCE
        while not (words := self._ready()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f'{argv[0]} did not get ready')
            time.sleep(0.01)
        self.port, self.fingerprint = int(words[1]), words[2]

    def _lines(self):
        # Not by seek(), since the program writes where its file stands, and
        # that is ours.
        descriptor = self.output.fileno()
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, size, 0).decode().splitlines()

    def _ready(self):
        for line in self._lines():
            if line.startswith('READY ') and len(line.split()) == 3:
                return line.split()
        return None

    def end(self, patience=2):
        """Waits for it to end by itself, for what it then says."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        lines = self._lines()
        if lines and lines[-1].startswith('{'):
            self.figures = json.loads(lines[-1])
        return self.figures

    @contextlib.contextmanager
    def stopped(self):
        """It gets no time of the processor while the with block runs."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.output.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()


def call(argv, prefix=(), patience=PATIENCE):
    """Runs a program to its end; what its last line says."""
    result = subprocess.run([*prefix, *argv], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, text=True,
                            timeout=patience, check=True)
    return last_line(result.stdout)


def last_line(output):
    """What a program says in the end"""
    return json.loads(output.splitlines()[-1])


class Place:
    """Where two processes meet: the callee's address, and what each is started
    with to be in its network."""

    def __init__(self, address='127.0.0.1', callee=(), caller=()):
        self.address, self.callee, self.caller = address, callee, caller


LOOPBACK = Place()


def pair(name, command, options=(), serve_options=(), place=LOOPBACK,
         patience=PATIENCE):
    """A callee and a caller of one program; the caller's figures, and in
    'receiver' those of the callee."""
    path = program(name)
    with Serve([path, 'serve', '--once', '--listen', place.address,
                *serve_options], place.callee) as callee:
        figures = call([path, command,
                        '--to', f'{place.address}:{callee.port}',
                        '--fingerprint', callee.fingerprint, *options],
                       place.caller, patience)
        if 'receiver' not in figures:
            figures['receiver'] = callee.end()
            if not figures['receiver']:
                raise RuntimeError(f'the callee of {name} did not report')
    return figures


# Networks

@contextlib.contextmanager
def veth():
    """Two network namespaces with a cable of Ethernet between them, all
    offloads off, so that the kernel cuts, sums and carries every packet."""
    if os.geteuid() != 0:
        raise Unavailable('network namespaces need root')
    names = [f'hpbench-{os.getpid()}-{side}' for side in 'ab']
    try:
        for name in names:
            ip('netns', 'add', name)
        ip('-n', names[0], 'link', 'add', 'cable', 'type', 'veth',
            'peer', 'name', 'cable', 'netns', names[1])
        for number, name in enumerate(names, 1):
            ip('-n', name, 'address', 'add', f'10.99.0.{number}/24',
                'dev', 'cable')
            ip('-n', name, 'link', 'set', 'lo', 'up')
            ip('-n', name, 'link', 'set', 'cable', 'up')
            _offloads_off(name)
        enter = [['ip', 'netns', 'exec', name] for name in names]
        yield Place('10.99.0.1', *enter)
    finally:
        for name in names:
            subprocess.run(['ip', 'netns', 'delete', name],
                           stderr=subprocess.DEVNULL, check=False)


def ip(*words):
    try:
        subprocess.run(['ip', *words], check=True, capture_output=True,
                       text=True)
    except FileNotFoundError:
        raise Unavailable('ip (iproute2) is missing') from None
    except subprocess.CalledProcessError as error:
        raise Unavailable(f'ip: {error.stderr.strip()}') from None


def _offloads_off(namespace):
    try:
        subprocess.run(
            ['ip', 'netns', 'exec', namespace, 'ethtool', '-K', 'cable',
             'tso', 'off', 'gso', 'off', 'gro', 'off',
             'tx-udp-segmentation', 'off', 'tx', 'off', 'rx', 'off'],
            check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise Unavailable('ethtool is missing') from None
    except subprocess.CalledProcessError as error:
        raise Unavailable(f'ethtool: {error.stderr.strip()}') from None


# Rounds

def run(cases, rounds, only=None):
    """Rows: name, the rounds' figures, their medians, or why there are none."""
    rows = [{'name': name, 'function': function, 'rounds': [], 'why': None}
            for name, function in cases
            if not only or any(word in name for word in only)]
    for number in range(rounds):
        for row in rows:
            if row['why'] is not None:
                continue
            show(f'round {number + 1} of {rounds}: {row["name"]}')
            try:
                row['rounds'].append(row['function']())
            except Unavailable as error:
                row['why'] = str(error)
            except (subprocess.SubprocessError, RuntimeError) as error:
                # Others are of use without it; finish() fails all the same
                row['why'] = f'failed: {error}'
    show('')
    for row in rows:
        del row['function']
        row['median'] = median(row['rounds'])
    return rows


def median(rounds):
    """Of each figure that is a number, also in dictionaries of dictionaries."""
    result = {}
    for key, value in (rounds[0] if rounds else {}).items():
        values = [figures[key] for figures in rounds if key in figures]
        if isinstance(value, dict):
            result[key] = median(values)
        elif isinstance(value, (int, float)):
            result[key] = statistics.median(values)
        else:
            result[key] = value
    return result


def show(text):
    """One line on a terminal that says what is being done."""
    if sys.stderr.isatty():
        print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)


# Output

def machine():
    """In general terms"""
    return {'system': platform.system(),
            'kernel': platform.release().split('-')[0],
            'processor': platform.machine(), 'cores': os.cpu_count()}


def number(value):
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    if value == 0 or abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.3g}'


def table(title, rows, columns):
    """columns: heading → function of a row's medians"""
    cells = [[title, *columns]]
    for row in rows:
        if row['median']:
            figures = [number(column(row['median']))
                       for column in columns.values()]
        else:
            figures = [MISSING] * len(columns)
        cells.append([row['name'], *figures])
    widths = [max(len(line[i]) for line in cells)
              for i in range(len(cells[0]))]
    lines = ['| ' + ' | '.join(cell.ljust(width) if i == 0
                               else cell.rjust(width)
                               for i, (cell, width) in
                               enumerate(zip(line, widths))) + ' |'
             for line in cells]
    lines.insert(1, '| ' + ' | '.join(
        '-' * width if i == 0 else '-' * (width - 1) + ':'
        for i, width in enumerate(widths)) + ' |')
    lines += [f'{row["name"]}: {row["why"]}' for row in rows if row['why']]
    return '\n'.join(lines)


def finish(arguments, name, tables, columns):
    """Prints the tables (title → rows), and ends with them."""
    for title, rows in tables.items():
        print(table(title, rows, columns), end='\n\n')
    end(arguments, name, tables)


def end(arguments, name, tables):
    """Writes the JSON, and ends the script: as failed when a case failed, or
    when none could run."""
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(
            {'benchmark': name, 'machine': machine(), 'tables': tables},
            indent=1) + '\n', encoding='utf-8')
    rows = [row for rows in tables.values() for row in rows]
    failed = any((row['why'] or '').startswith('failed') for row in rows)
    sys.exit(failed or not any(row['rounds'] for row in rows))
