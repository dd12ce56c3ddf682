#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A match server that runs for long: reloads, its end, who is allowed."""

import shutil
import signal
import socket
import subprocess
import time

import operating
import tools


class Reloads(operating.TestCase):
    def test_changes(self):
        server = self.serve_with('max-peers=10', 'max-stun-per-second=2')
        self.assertEqual(self.reload(server, 'max-peers=10',
                                     'max-stun-per-second=2'),
                         {'event': 'reloaded', 'changed': [], 'kept': []})
        told = self.reload(server, 'max-peers=20', 'max-asks-per-minute=7',
                           'registry=redis://localhost', 'workers=1',
                           'second-port=-1', 'log=peers')
        self.assertEqual(told['changed'],
                         ['max-peers', 'max-asks-per-minute',
                          'max-stun-per-second', 'log'])
        self.assertEqual(told['kept'], ['second-port', 'workers', 'registry'])
        # As it was started
        self.assertEqual(self.reload(server, 'max-stun-per-second=2')['kept'],
                         [])

    def ask_stun(self, server, count):
        """How many of them are answered"""
        host, _, port = server.server.rpartition(':')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            for number in range(count):
                asker.sendto(operating.stun_request(number),
                             (host, int(port)))
            asker.settimeout(1)
            answers = 0
            try:
                while True:
                    asker.recv(2048)
                    answers += 1
            except TimeoutError:
                return answers

    def test_counts(self):
        """A limit that was changed is another one."""
        server = self.serve_with('max-stun-per-second=1')
        self.assertLess(self.ask_stun(server, 20), 10)
        self.reload(server, 'max-stun-per-second=1000')
        time.sleep(1)
        self.assertEqual(self.ask_stun(server, 20), 20)

    def test_command_line_counts_more(self):
        server = self.serve_with(arguments=('--verbose', '--port', '0'))
        self.assertEqual(self.reload(server, 'log=warnings', 'port=1'),
                         {'event': 'reloaded', 'changed': [], 'kept': []})

    def test_broken(self):
        server = self.serve_with('max-peers=10')
        for lines in (('max-peers=20', 'nonsense'), ('max-peers=20', 'x=1'),
                      ('max-peers=20', 'log=loud'),
                      ('max-peers=20', 'metrics=nowhere:x')):
            self.configure(*lines)
            server.signal(signal.SIGHUP)
            self.assertTrue(server.event('error')['message'])
        (self.folder / 'server.conf').unlink()
        server.signal(signal.SIGHUP)
        self.assertEqual(server.event('error')['code'], 'file')
        self.assertTrue(server.is_running())
        self.assertEqual(self.reload(server, 'max-peers=10')['changed'], [])
        self.assertEqual(self.reload(server, 'max-peers=20')['changed'],
                         ['max-peers'])

    def test_without_file(self):
        """Then there is nothing to read, and the terminal is gone."""
        server = self.serve()
        server.signal(signal.SIGHUP)
        self.assertEqual(server.wait(), -signal.SIGHUP)


class Shared(operating.TestCase):
    """A registry that is another program"""

    def setUp(self):
        super().setUp()
        if shutil.which('redis-server') is None:
            self.skipTest('redis-server is not installed')

    def start_redis(self, port):
        redis = subprocess.Popen(
            ['redis-server', '--port', str(port), '--bind', '127.0.0.1',
             '--save', '', '--requirepass', 'abra/cadabra', '--dir',
             self.folder], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL)
        self.addCleanup(redis.wait)
        self.addCleanup(redis.terminate)
        return redis

    def test_redis(self):
        """What one server has another one finds; the password is in a file."""
        port = operating.free_port()
        self.start_redis(port)
        self.file(b'abra/cadabra\n', 'password')
        lines = (f'registry=redis://127.0.0.1:{port}',
                 'registry-password-file=password')
        servers = []
        for _ in range(2):
            server = self.serve_with(*lines, as_json=True)
            servers.append(server)
        if any(not server.is_running() for server in servers):
            self.skipTest('built without hiredis')
        self.listen(servers[0], 'wq', '-t', '30')
        self.assert_ends(self.start('ping', 'wq', '-c', '1', '-m',
                                    servers[1].server))

    def test_not_there_yet(self):
        server = self.serve_with(
            f'registry=redis://127.0.0.1:{operating.free_port()}',
            as_json=False)
        self.await_log(server, 'Warning: The registry does not answer yet: ')
        server.signal(signal.SIGTERM)
        self.assert_ends(server)

    def test_wrong(self):
        for uri in ('redis://', 'redis://localhost/many', 'unix://'):
            server = self.serve_with(f'registry={uri}')
            self.assert_error(server, 'invalid-argument')


class Ends(operating.TestCase):
    def test_drain(self):
        server = self.serve_with()
        listeners = [self.listen(server, f'wq-{n}') for n in range(4)]
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        self.assert_ends(server)
        self.assertLess(time.monotonic() - began, 5)
        for listener in listeners:
            listener.event('unregistered', timeout=5)

    def test_second_signal(self):
        """Both come while it cannot run."""
        server = self.serve_with()
        server.signal(signal.SIGSTOP)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGINT)
        server.signal(signal.SIGCONT)
        self.assertIn(server.wait(), (-signal.SIGTERM, -signal.SIGINT))

    def test_ownership_survives(self):
        """Whose an id is, with a file."""
        port = operating.free_port(socket.SOCK_DGRAM)
        lines = (f'port={port}', 'registry-file=ids')
        server = self.serve_with(*lines)
        for name in ('mine', 'yours'):
            self.identity(name)
        listener = self.listen(server, 'wq', '-i', self.folder / 'mine')
        listener.signal(signal.SIGTERM)
        self.assert_ends(listener)
        for number in (signal.SIGTERM, signal.SIGINT):
            server.signal(number)
            self.assert_ends(server)
            server = self.serve_with(*lines)
            thief = self.start('listen', 'wq', '-m', server.server, '-i',
                               self.folder / 'yours')
            self.assert_error(thief, 'id-taken')
        listener = self.listen(server, 'wq', '-i', self.folder / 'mine')

    def test_ownership_is_forgotten(self):
        """Without one"""
        port = operating.free_port(socket.SOCK_DGRAM)
        server = self.serve_with(f'port={port}')
        for name in ('mine', 'yours'):
            self.identity(name)
        listener = self.listen(server, 'wq', '-i', self.folder / 'mine')
        listener.signal(signal.SIGTERM)
        self.assert_ends(listener)
        server.signal(signal.SIGTERM)
        self.assert_ends(server)
        server = self.serve_with(f'port={port}')
        self.listen(server, 'wq', '-i', self.folder / 'yours')


class Allowed(operating.TestCase):
    def listen_as(self, server, identity, name):
        return self.start('listen', name, '-m', server.server, '-i',
                          self.folder / identity)

    def assert_refused(self, server, identity, name):
        self.assert_error(self.listen_as(server, identity, name), 'refused')

    def assert_allowed(self, server, identity, name):
        listener = self.listen_as(server, identity, name)
        listener.event('registered')
        return listener

    def test_allowed_identities(self):
        mine, yours = self.identity('mine'), self.identity('yours')
        server = self.serve_with(f'allowed-identities={mine}')
        listener = self.assert_allowed(server, 'mine', 'wq')
        self.assert_refused(server, 'yours', 'other')
        # Nor ask
        ping = self.start('ping', 'wq', '-c', '1', '-m', server.server, '-i',
                          self.folder / 'yours')
        self.assert_error(ping, 'refused')
        self.file(f'# Both\n\n  {yours}  # yours\n'.encode(), 'allowed')
        told = self.reload(server, f'allowed-identities={mine}',
                           'allowed-identities-file=allowed')
        self.assertEqual(told['changed'], ['allowed-identities'])
        self.assert_allowed(server, 'yours', 'other')
        self.assert_ends(self.start('ping', 'wq', '-c', '1', '-m',
                                    server.server, '-i',
                                    self.folder / 'yours'))
        self.assertTrue(listener.is_running())
        # Everybody
        self.assertEqual(self.reload(server)['changed'],
                         ['allowed-identities'])
        self.identity('anybody')
        self.assert_allowed(server, 'anybody', 'a third')

    def test_taken_off(self):
        """Who is not allowed any more is gone when it next refreshes."""
        mine, yours = self.identity('mine'), self.identity('yours')
        both = f'{mine}; {self.identity("asker")}'
        lines = ('registration-lifetime=3', 'log=peers')
        server = self.serve_with(*lines,
                                 f'allowed-identities={both}; {yours}')
        self.assert_allowed(server, 'mine', 'wq')
        listener = self.assert_allowed(server, 'yours', 'other')
        self.reload(server, *lines, f'allowed-identities={both}')
        expired = server.event('peer-expired', timeout=10)
        self.assertEqual(expired['fingerprint'], yours)
        listener.event('unregistered')
        ping = ('-c', '1', '-t', '3', '-m', server.server, '-i',
                self.folder / 'asker')
        self.assert_error(self.start('ping', 'other', *ping), 'unknown-id')
        # Who is still allowed notices nothing.
        self.assert_ends(self.start('ping', 'wq', *ping))

    def test_nobody(self):
        self.file(b'# Nobody\n', 'allowed')
        self.identity('mine')
        server = self.serve_with('allowed-identities-file=allowed')
        self.assert_refused(server, 'mine', 'wq')

    def test_reserved_ids(self):
        mine, second = self.identity('mine'), self.identity('second')
        self.identity('yours')
        server = self.serve_with(
            f'reserved-ids=wq={mine}; wq={second}; a=b={mine}; c\\;={mine}')
        for name in ('wq', 'a=b', 'c;'):
            self.assert_refused(server, 'yours', name)
        for name in ('free', 'a', 'w', 'wq='):
            listener = self.assert_allowed(server, 'yours', name)
            listener.signal(signal.SIGTERM)
            self.assert_ends(listener)
        for identity in ('mine', 'second'):
            listener = self.listen_as(server, identity, f'by {identity}')
            listener.event('registered')
        self.assert_allowed(server, 'mine', 'a=b')
        self.assert_allowed(server, 'second', 'wq')
        self.reload(server)
        self.assert_allowed(server, 'yours', 'c;')


if __name__ == '__main__':
    tools.main()
