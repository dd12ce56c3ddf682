#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""`hole-punch check`, where there is no NAT; ../nat/test-check.py has them."""

import signal
import socket

import tools


class Check(tools.TestCase):
    def setUp(self):
        super().setUp()
        # A port that nobody answers at, and where nobody says so
        self.silence = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silence.bind(('127.0.0.1', 0))
        self.silent = '127.0.0.1:%d' % self.silence.getsockname()[1]

    def tearDown(self):
        self.silence.close()
        super().tearDown()

    def test_live(self):
        server = self.serve()
        checker = self.start('check', '-m', server.server, '-s', self.silent)
        match = checker.event('server')
        self.assertEqual(match['kind'], 'match')
        self.assertEqual(match['address'], match['name'])
        self.assertTrue(match['reachable'])
        self.assertGreater(match['milliseconds'], 0)
        self.assertIsNone(match['problem'])
        stun = checker.event('server')
        self.assertEqual((stun['kind'], stun['name']), ('stun', self.silent))
        self.assertFalse(stun['reachable'])
        self.assertIsNone(stun['milliseconds'])
        network = checker.event('network')
        self.assertEqual(network['prospects'], 'almost-all')
        self.assertEqual(network['mapping'], 'none')
        self.assertEqual(network['public-addresses'], ['127.0.0.1'])
        self.assertIs(network['udp-blocked'], False)
        self.assert_ends(checker)
        self.assertIsNone(checker.next_line())

    def test_words(self):
        server = self.serve()
        checker = self.start('check', '-m', server.server, as_json=False)
        self.assert_ends(checker)
        self.assertTrue(checker.text().startswith(
            'Direct connections work with almost everybody.\n\nUDP: passes\n'),
            checker.text())
        self.assertRegex(checker.text(), r'(?m)^Mapping: none, there is no NAT')
        self.assertRegex(checker.text(),
                         r'(?m)^Match server [\d.:]+: answers in [\d.]+ ms$')
        self.assertEqual(checker.errors(), '')

    def test_dead(self):
        checker = self.start('check', '-m', self.silent, '--turn',
                             f'turn:somebody:secret@{self.silent}')
        relays = []
        while not relays or relays[-1]['transport'] != 'TCP':
            event = checker.event('server')
            self.assertFalse(event['reachable'], event)
            self.assertTrue(event['problem'], event)
            if event['kind'] == 'relay':
                relays.append(event)
        self.assertEqual([relay['name'] for relay in relays],
                         [f'turn:{self.silent}?transport=udp',
                          f'turn:{self.silent}?transport=tcp'])
        self.assertEqual(checker.event('network')['prospects'], 'none')
        self.assert_ends(checker, 4)
        self.assertNotIn('secret', ''.join(checker.lines))

    def test_wrong_name(self):
        checker = self.start('check', '-m', self.silent, '-s', 'a,b,c,d')
        self.assertEqual(checker.event('error')['code'], 'invalid-target')
        self.assert_ends(checker, 1)

    def test_too_short(self):
        checker = self.start('check', '-m', self.silent, '-t', '0.2')
        self.assertEqual(checker.event('error')['code'], 'timed-out')
        self.assert_ends(checker, 1)

    def test_ended(self):
        # Once it has said something to the server, it is at work.
        checker = self.start('check', '-m', self.silent)
        self.silence.settimeout(tools.PATIENCE)
        self.silence.recv(2048)
        checker.signal(signal.SIGTERM)
        self.assert_ends(checker, 1)


if __name__ == '__main__':
    tools.main()
