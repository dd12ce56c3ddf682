#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shows two peers behind two NATs find each other and talk.

    quick-start.py PROGRAM

PROGRAM is a quick start in any language. Its three roles run at three places of
a small internet made of network namespaces (../tests/nat/lab.py), or, where
the system allows none, on this machine.
"""

import contextlib
import io
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'nat'))
sys.dont_write_bytecode = True
import lab  # noqa: E402

TROUBLE = (OSError, RuntimeError, subprocess.SubprocessError)
PATIENCE = 30
COUNT = 5
DELAY = 10  # milliseconds, one way, between everybody

INTERNET = '''
  Two networks behind NATs that let nobody in, and a match server:

         caller                                              callee "wq"
        10.1.0.2                                              10.2.0.2
           │                                                     │
     ┌─────┴──────┐                                        ┌─────┴──────┐
     │    NAT     │ 198.51.100.2              203.0.113.2  │    NAT     │
     └─────┬──────┘                                        └─────┬──────┘
           └──────────────────── the internet ───────────────────┘
                                      │   {delay}
                                 match server
                                192.0.2.2:4222
'''

LOOPBACK = '''
  No NATs here: {reason}.
  So all three are on this machine:

       caller ──────────────── callee "wq"
           └── match server ──────┘
'''


class Play:
    """Three programs, and what they say, in the order they say it."""

    def __init__(self, program, where):
        self.program = program
        self.where = where  # role → words before the command
        self.lines = queue.Queue()
        self.said = []
        self.processes = {}
        self.began = time.monotonic()

    def start(self, role, *arguments):
        process = subprocess.Popen(
            [*self.where[role], self.program, role, *arguments], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.processes[role] = process
        threading.Thread(target=self._read, args=(role, process),
                         daemon=True).start()

    def _read(self, role, process):
        for line in process.stdout:
            self.lines.put((time.monotonic() - self.began, line.rstrip('\n')))
        self.lines.put((0, role))

    def until(self, pattern=None, role=None):
        """Shows what is said until somebody says @pattern; nothing is to end
        before. With @role: until that program ends."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                when, line = self.lines.get(
                    timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise RuntimeError(f'nothing more within {PATIENCE} s') \
                    from None
            if line in self.processes:
                if line == role:
                    return
                raise RuntimeError(f'the {line} has ended')
            print(f'  {when:6.3f} s  {line}', flush=True)
            self.said.append(line)
            if pattern and re.match(pattern, line):
                return

    def find(self, pattern):
        """What the group of the pattern was, in the first line that fits."""
        for line in self.said:
            match = re.match(pattern, line)
            if match:
                return match[1]
        raise RuntimeError(f'nobody said "{pattern}"')

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in self.processes.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def act(play, server, port):
    play.start('server', port)
    play.until('server: listening')
    port = play.find(r'server: listening on port (\d+)')
    play.start('callee', 'wq', f'{server}:{port}')
    play.until('callee: registered')
    play.start('caller', 'wq', f'{server}:{port}', str(COUNT))
    play.until(role='caller')
    status = play.processes['caller'].wait()
    if status != 0:
        raise RuntimeError(f'the caller ended with {status}')
    answers = [line for line in play.said if re.match(
        r'caller: sent 10240 bytes, got "callee got you" back', line)]
    if len(answers) != COUNT:
        raise RuntimeError(f'{len(answers)} answers instead of {COUNT}')
    # The server is not in a hurry to tell.
    if not any(line.startswith('server: introduced') for line in play.said):
        play.until('server: introduced')


def show_addresses(play):
    rows = (
        ('', 'the match server sees', 'the other peer sees'),
        ('caller', play.find(r'server: introduced (\S+) to'),
         play.find(r'callee: found (\S+) after')),
        ('callee', play.find(r'callee: registered .* seen at (\S+)'),
         play.find(r'caller: found \S+ at (\S+) after')),
    )
    print()
    for row in rows:
        print('  {:10}{:26}{}'.format(*row))
    return rows[1][1:] + rows[2][1:]


def play_behind_nats(program, network, delay):
    with network:
        print(INTERNET.format(
            delay=f'({delay} ms between everybody)' if delay else ''))
        where = {role: ['ip', 'netns', 'exec', host] for role, host in (
            ('server', 's'), ('callee', 'b'), ('caller', 'a'))}
        before = network.server_bytes()
        with Play(program, where) as play:
            act(play, lab.SERVER, '4222')
            seen = show_addresses(play)
            crossed = network.server_bytes() - before
        nats = (lab.PUBLIC['a'], lab.PUBLIC['b'])
        if [address.split(':')[0] for address in seen] != \
                [nats[0], nats[0], nats[1], nats[1]]:
            raise RuntimeError('they did not meet through their NATs')
        print(f'\n  {COUNT * 10240} bytes of messages went straight from NAT '
              f'to NAT; all that crossed the\n  match server, for '
              f'introducing them, was {crossed} bytes.')
        if crossed > COUNT * 10240 / 2:
            raise RuntimeError('messages went through the match server')


def play_here(program, reason):
    print(LOOPBACK.format(reason=reason))
    here = {'server': [], 'callee': [], 'caller': []}
    with Play(program, here) as play:
        act(play, 'localhost', '0')
        show_addresses(play)


def can_enter():
    """Returns inside of namespaces, or says why there are none."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            lab.enter()
    except SystemExit:
        return said.getvalue().removeprefix('SKIP: ').strip()
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return None


def main(program):
    # The NATs and the delay are emulated where there is a TUN device.
    has_tun = os.access('/dev/net/tun', os.W_OK)
    delay = DELAY if has_tun else 0
    kind = 'port-restricted' if has_tun else 'kernel-port-restricted'
    reason = can_enter()
    network = None
    try:
        if reason is None:
            network = lab.Lab(kind, kind, round_trip=2 * delay)
    except TROUBLE as error:
        reason = str(error)
    try:
        if network is not None:
            where = 'through two NATs'
            play_behind_nats(program, network, delay)
        else:
            where = 'on this machine'
            play_here(program, reason)
    except KeyboardInterrupt:
        return 130
    except TROUBLE as error:
        print(f'\nFAILED: {error}', file=sys.stderr)
        return 1
    print(f'\nIt works: {COUNT} messages of 10 KiB and {COUNT} answers, '
          f'{where}, encrypted.')
    return 0


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    # The drawings, on a terminal that knows no such letters
    sys.stdout.reconfigure(errors='replace')
    sys.exit(main(os.path.abspath(sys.argv[1])))
