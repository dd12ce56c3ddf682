#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What a match server tells, whom, and what it does not.

test-log.py --inside COMMAND… is this program in a mount namespace of
its own: it has a journal there, runs the command, and prints what it logged.
"""

import ast
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import operating
import tools

JOURNAL = pathlib.Path('/run/systemd/journal')


def parse_entry(data):
    """The journal's protocol: NAME=VALUE lines, or NAME, a length, a value."""
    fields = {}
    while data:
        line, _, data = data.partition(b'\n')
        name, equals, value = line.partition(b'=')
        if not equals:
            length = int.from_bytes(data[:8], 'little')
            value, data = data[8:8 + length], data[8 + length + 1:]
        fields[name.decode()] = value.decode()
    return fields


def run_inside(arguments):
    """With a journal instead of standard error; prints its entries."""
    subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run'], check=True)
    JOURNAL.mkdir(parents=True)
    stdout = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stdout.bind(str(JOURNAL / 'stdout'))
    stdout.listen(1)
    entries = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    entries.bind(str(JOURNAL / 'socket'))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stderr:
        stderr.connect(str(JOURNAL / 'stdout'))
        process = subprocess.Popen(arguments, stderr=stderr)
    entries.settimeout(tools.PATIENCE)
    print(repr(parse_entry(entries.recv(65536))), flush=True)
    process.terminate()
    print(repr(parse_entry(entries.recv(65536))), flush=True)
    sys.exit(process.wait())


class Log(operating.TestCase):
    def log_of(self, server):
        server.signal(signal.SIGTERM)
        self.assert_ends(server)
        lines = server.errors().splitlines()
        for line in lines:
            self.assertRegex(line, r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S')
        return [line.partition(' ')[2] for line in lines]

    def visit(self, server):
        """Somebody comes, somebody else asks for it, it goes."""
        listener = self.listen(server)
        self.assert_ends(self.start('ping', 'wq', '-c', '1', '-m',
                                    server.server))
        listener.signal(signal.SIGTERM)
        self.assert_ends(listener)

    def test_quiet(self):
        """By default it tells of itself, not of its peers."""
        server = self.serve_with(as_json=False)
        self.visit(server)
        log = self.log_of(server)
        self.assertEqual(len(log), 2, log)
        self.assertRegex(log[0], r'^The match server [a-z2-7]{52} listens on '
                         r'127\.0\.0\.1:\d+$')
        self.assertIn('ended', log[1])
        self.assertEqual(server.text(), '')

    def test_peers(self):
        server = self.serve_with('log=peers', as_json=False)
        self.visit(server)
        self.await_log(server, ' Gone: wq$')
        log = self.log_of(server)
        self.assertIn('Registered: wq', log)
        self.assertTrue([line for line in log if re.fullmatch(
            'Introduced: [a-z2-7]{52} to wq', line)], log)
        self.assertNotIn('127.0.0.1', ''.join(log[1:]))
        self.assertEqual(server.text(), '')

    def test_addresses(self):
        server = self.serve_with('log=peers', 'log-addresses=yes',
                                 as_json=False)
        self.visit(server)
        self.await_log(server, ' Gone: wq')
        log = ''.join(self.log_of(server)[1:])
        self.assertRegex(log, r'Registered: wq \(127\.0\.0\.1:\d+\)')
        self.assertRegex(log, r'Introduced: [a-z2-7]{52} \(127\.0\.0\.1:\d+\)')

    def test_warnings(self):
        server = self.serve_with('log=server', as_json=False)
        self.configure('log=warnings', 'max-peers=5')
        server.signal(signal.SIGHUP)
        self.visit(server)
        self.configure('log=warnings', 'nonsense')
        server.signal(signal.SIGHUP)
        self.await_log(server, 'Warning: The configuration stays as it was: .'
                       '*nonsense')
        self.configure('log=warnings', 'max-peers=5', 'workers=1')
        server.signal(signal.SIGHUP)
        self.await_log(server, 'Warning: Not changed before .*: workers$')
        self.assertEqual(len(self.log_of(server)), 3)

    def test_reload(self):
        server = self.serve_with('max-peers=4', as_json=False)
        self.configure('max-peers=5', 'log-addresses=yes')
        server.signal(signal.SIGHUP)
        self.await_log(server, 'again, changed: max-peers, log-addresses$')
        # Who comes is told from now on.
        self.configure('log=peers')
        server.signal(signal.SIGHUP)
        self.await_log(server, 'changed: max-peers, log, log-addresses$')
        self.visit(server)
        self.await_log(server, ' Registered: wq$')
        self.configure('log=server')
        server.signal(signal.SIGHUP)
        self.await_log(server, 'changed: log$')
        before = server.errors()
        self.visit(server)
        self.assertEqual(server.errors(), before)

    def test_limits(self):
        """What was over them is told as a sum, and not again for a minute."""
        server = self.serve_with('max-stun-per-second=1', as_json=False)
        host, _, port = server.server.rpartition(':')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            for number in range(50):
                asker.sendto(operating.stun_request(number),
                             (host, int(port)))
            found = self.await_log(server, 'Not served: ([0-9]+) requests over '
                                   'a limit, 0 for which', timeout=15)
            self.assertGreater(int(found.group(1)), 20)
            self.assertLess(int(found.group(1)), 50)
            for number in range(50):
                asker.sendto(operating.stun_request(number),
                             (host, int(port)))
            time.sleep(6)
        self.assertEqual(server.errors().count('Not served'), 1)

    def test_verbose(self):
        """In words on standard output, as on a terminal"""
        server = self.start('serve', '-v', '-p', '0', '-l', '127.0.0.1', '-i',
                            self.folder / 'server', as_json=False)
        self.assertRegex(server.next_line(), '^The match server listens on ')
        self.assertRegex(server.next_line(), '^Fingerprint: ')
        server.server = re.search(r'HOST:(\d+)', server.next_line()).group(1)
        server.server = '127.0.0.1:' + server.server
        self.assertRegex(server.next_line(), r'^Port \d+ answers STUN')
        self.visit(server)
        for pattern in (r'Registered: wq \(127\.0\.0\.1:\d+\)',
                        r'Introduced: [a-z2-7]{52} \(127\.0\.0\.1:\d+\) to wq',
                        'Gone: wq'):
            self.assertRegex(server.next_line(), f'^{pattern}')
        server.signal(signal.SIGTERM)
        self.assert_ends(server)
        self.assertEqual(server.errors(), '')

    def test_harmless(self):
        """A name that comes from the network does not turn a line round."""
        server = self.serve_with('log=peers', as_json=False)
        self.listen(server, 'a\u202eb')
        self.await_log(server, ' Registered: a.+b$')
        self.assertNotIn('\u202e', server.errors())

    def test_journal(self):
        """Fields, if standard error is the journal's"""
        if shutil.which('unshare') is None:
            self.skipTest('unshare is not installed')
        if subprocess.run(['unshare', '-rm', 'true'], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest('there can be no mount namespace')
        result = subprocess.run(
            ['unshare', '-rm', sys.executable, __file__, '--inside',
             tools.TOOL, 'serve', '-v', '-p', '0', '-l', '127.0.0.1', '-i',
             self.folder / 'server'], env=tools.ENVIRONMENT,
            text=True, stdout=subprocess.PIPE, check=False, timeout=60)
        self.assertEqual(result.returncode, 0, result.stdout)
        started, stopped = map(ast.literal_eval,
                               result.stdout.splitlines())
        self.assertRegex(started['MESSAGE'], '^The match server .* listens on')
        self.assertEqual(started['PRIORITY'], '5')
        self.assertEqual(started['GLIB_DOMAIN'], 'hole-punch')
        self.assertEqual(started['HP_EVENT'], 'started')
        self.assertRegex(started['HP_FINGERPRINT'], '^[a-z2-7]{52}$')
        self.assertRegex(started['HP_LISTEN_ADDRESS'], r'^127\.0\.0\.1:\d+$')
        self.assertRegex(started['CODE_FILE'], r'hp-tool-tidings\.c$')
        self.assertRegex(started['CODE_LINE'], r'^\d+$')
        self.assertEqual(started['CODE_FUNC'], 'hp_tool_tidings_started')
        self.assertEqual(stopped['HP_EVENT'], 'stopped')


if __name__ == '__main__':
    if sys.argv[1:2] == ['--inside']:
        run_inside(sys.argv[2:])
    tools.main()
