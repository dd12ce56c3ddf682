#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What can go wrong, and that the command says so; identities; endings."""

import os
import signal
import socket
import stat
import time

import tools


class Errors(tools.TestCase):
    def test_unknown_id(self):
        server = self.serve()
        for command in (('ping', 'nobody'), ('speed', 'nobody'),
                        ('send', 'nobody', self.file())):
            began = time.monotonic()
            caller = self.start(*command, '-m', server.server, '--timeout',
                                '3')
            error = self.assert_error(caller, 'unknown-id')
            self.assertIn('nobody', error['message'])
            self.assertIn('hole-punch listen', error['hint'])
            # It had asked until then.
            self.assertGreater(time.monotonic() - began, 2.5)

    def test_words(self):
        server = self.serve()
        pinger = self.start('ping', 'nobody', '-m', server.server, '-t',
                            '2', as_json=False)
        self.assert_ends(pinger, 1)
        self.assertEqual(pinger.text(), '')
        self.assertRegex(pinger.errors(),
                         '^hole-punch ping: “nobody” .*\n.*--timeout')

    def test_id_taken(self):
        server = self.serve()
        self.listen(server)
        other = self.start('listen', 'wq', '-m', server.server)
        error = self.assert_error(other, 'id-taken')
        self.assertIn('--identity', error['hint'])

    def test_wrong_match_server(self):
        # It is there, but says nothing.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(('127.0.0.1', 0))
            wrong = '127.0.0.1:%d' % silent.getsockname()[1]
            for command in (('listen', 'wq'), ('ping', 'wq'),
                            ('speed', 'wq'), ('send', 'wq', self.file())):
                process = self.start(*command, '-m', wrong, '-t', '1')
                error = self.assert_error(process, 'match-server')
                self.assertIn('--match-server', error['hint'])

    def test_not_a_match_server(self):
        process = self.start('listen', 'wq', '-m', 'no good name')
        self.assert_error(process, 'match-server')

    def test_wrong_pin(self):
        server = self.serve()
        identity = self.start('identity', '-i', self.folder / 'other')
        pin = identity.event('identity')['fingerprint']
        process = self.start('listen', 'wq', '-m',
                             f'holepunch://{pin}@{server.server}', '-t', '1')
        self.assert_ends(process, 1)
        self.assertIn(process.event('error')['code'],
                      ('identity-mismatch', 'match-server'))

    def test_match_server_from_the_environment(self):
        server = self.serve()
        env = {**tools.ENVIRONMENT, 'HOLE_PUNCH_MATCH_SERVER': server.server}
        listener = self.start('listen', 'wq', env=env)
        self.assertEqual(listener.event('registered')['id'], 'wq')

    def test_ids(self):
        server = self.serve()
        fingerprint = server.fingerprint
        for name in ('x' * 65, 'a\nb', fingerprint, f'a@{fingerprint}'):
            with self.subTest(name=name):
                listener = self.start('listen', name, '-m', server.server)
                self.assert_error(listener, 'invalid-target')
        listener = self.listen(server, 'Größe "x" \\')
        self.assertEqual(listener.registered['id'], 'Größe "x" \\')
        pinger = self.start('ping', 'Größe "x" \\', '-m', server.server,
                            '-c', '1')
        self.assert_ends(pinger)
        self.assertEqual(pinger.event('pong')['remote-id'], 'Größe "x" \\')

    def test_files(self):
        server = self.serve()
        os.mkfifo(self.folder / 'pipe')
        for path, code in (('missing', 'not-found'), ('.', 'is-directory'),
                           ('pipe', 'not-regular-file')):
            sender = self.send(server, 'nobody', self.file(),
                               self.folder / path)
            self.assert_error(sender, code)

    def test_directory(self):
        for path, code in (('missing', 'not-found'),
                           (self.file().name, 'not-directory')):
            listener = self.start('listen', 'wq', '-m', 'localhost', '-d',
                                  self.folder / path)
            self.assert_error(listener, code)

    def test_port_in_use(self):
        server = self.serve()
        port = server.server.rpartition(':')[2]
        other = self.start('serve', '-p', port, '-l', '127.0.0.1', '-i',
                           self.folder / 'other')
        error = self.assert_error(other, 'address-in-use')
        self.assertIn(port, error['message'])


class Identities(tools.TestCase):
    def test_made_and_kept(self):
        path = self.folder / 'identity'
        first = self.start('identity', '--identity', path)
        event = first.event('identity')
        self.assertTrue(event['new'])
        self.assertEqual(event['file'], str(path))
        self.assertRegex(event['fingerprint'], '^[a-z2-7]{52}$')
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        second = self.start('identity', '--identity', path).event('identity')
        self.assertFalse(second['new'])
        self.assertEqual(second['fingerprint'], event['fingerprint'])
        words = self.start('identity', '-i', path, as_json=False)
        self.assertEqual(words.text(), f'{path}: {event["fingerprint"]}\n')

    def test_damaged(self):
        path = self.file(b'not an identity')
        for command in (('identity',), ('serve', '-p', '0'),
                        ('listen', 'wq', '-m', 'localhost'),
                        ('ping', 'wq', '-m', 'localhost')):
            process = self.start(*command, '--identity', path)
            self.assert_error(process, 'invalid-identity')
        self.assertEqual(path.read_bytes(), b'not an identity')

    def test_nowhere(self):
        process = self.start('identity', '-i', self.folder / 'a' / 'b')
        self.assert_error(process, 'file')

    def test_server_keeps_its_key(self):
        env = {**tools.ENVIRONMENT, 'XDG_DATA_HOME': str(self.folder / 'data')}
        fingerprints = set()
        for _ in range(2):
            server = self.start('serve', '-p', '0', '-l', '127.0.0.1',
                                env=env)
            fingerprints.add(server.event('listening')['fingerprint'])
            server.signal(signal.SIGTERM)
            self.assert_ends(server)
        identity = self.start('identity', env=env)
        fingerprints.add(identity.event('identity')['fingerprint'])
        self.assertEqual(len(fingerprints), 1)
        path = self.folder / 'data/hole-punch/match-server.identity'
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(path.parent.stat().st_mode), 0o700)

    def test_same_listener_again(self):
        server = self.serve()
        path = self.folder / 'mine'
        first = self.listen(server, 'wq', '--identity', path)
        first.signal(signal.SIGKILL)
        first.wait()
        second = self.listen(server, 'wq', '--identity', path)
        self.assertEqual(first.registered['fingerprint'],
                         second.registered['fingerprint'])
        self.assert_ends(self.send(server, 'wq', self.file()))
        self.assertEqual(second.event('file')['bytes'], 7)


class Restarts(tools.TestCase):
    def test_match_server(self):
        """It ends, and comes back: the listener is there again by itself."""
        server = self.serve()
        port = server.server.rpartition(':')[2]
        listener = self.listen(server)
        server.signal(signal.SIGTERM)
        self.assert_ends(server)
        self.assertEqual(listener.event('unregistered')['id'], 'wq')
        again = self.start('serve', '-p', port, '-l', '127.0.0.1', '-i',
                           self.folder / 'server')
        again.server = again.event('listening')['address']
        self.assertEqual(again.server, server.server)
        self.assertEqual(listener.event('registered', timeout=60)['id'], 'wq')
        self.assert_ends(self.send(again, 'wq', self.file()))
        self.assertEqual(listener.event('file')['bytes'], 7)


class Endings(tools.TestCase):
    def test_signals(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.serve()
            listener = self.listen(server)
            listener.signal(number)
            self.assert_ends(listener)
            self.assertEqual(server.event('peer-expired')['id'], 'wq')
            server.signal(number)
            self.assert_ends(server)

    def test_before_the_match_server_answers(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(('127.0.0.1', 0))
            wrong = '127.0.0.1:%d' % silent.getsockname()[1]
            for command, status in ((('listen', 'wq'), 0),
                                    (('ping', 'wq', '-c', '0'), 0),
                                    (('ping', 'wq'), 1),
                                    (('send', 'wq', self.file()), 1)):
                process = self.start(*command, '-m', wrong, '-t', '60')
                # It is at work when its HELLO comes.
                silent.settimeout(tools.PATIENCE)
                silent.recv(2048)
                process.signal(signal.SIGTERM)
                self.assert_ends(process, status)
                self.assertEqual(process.events(), [])
                # What else it has sent
                silent.settimeout(0)
                try:
                    while True:
                        silent.recv(2048)
                except BlockingIOError:
                    pass

    def test_once_message_and_file(self):
        server = self.serve()
        listener = self.listen(server, 'wq', '--once')
        pinger = self.start('ping', 'wq', '-m', server.server, '-c', '1')
        self.assert_ends(pinger)
        self.assert_ends(self.send(server, 'wq', self.file()))
        self.assert_ends(listener)
        events = [event['event'] for event in listener.events()]
        self.assertEqual(events.count('file'), 1)

    def test_nobody_reads(self):
        server = self.serve()
        reader, writer = os.pipe()

        def use_pipe():
            os.dup2(writer, 1)

        listener = self.start('listen', 'wq', '-m', server.server,
                              prepare=use_pipe)
        os.close(writer)
        with open(reader, 'rb') as lines:
            self.assertIn(b'"registered"', lines.readline())
        pinger = self.start('ping', 'wq', '-m', server.server)
        self.assert_ends(listener, 1)
        self.assert_ends(pinger, 1)
        self.assertEqual(listener.errors(), '')

    def test_cannot_be_written(self):
        def use_full():
            os.dup2(os.open('/dev/full', os.O_WRONLY), 1)

        for options in ({'as_json': True}, {'as_json': False}):
            identity = self.start('identity', '-i', self.folder / 'identity',
                                  prepare=use_full, **options)
            self.assert_ends(identity, 1)
            self.assertEqual(
                identity.errors(), 'hole-punch: Cannot write to standard '
                'output: No space left on device\n')


if __name__ == '__main__':
    tools.main()
