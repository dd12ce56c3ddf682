#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""`hole-punch ping`, and what both sides tell of the path meanwhile."""

import signal

import tools


class Ping(tools.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.listener = self.listen(self.server)

    def ping(self, *arguments, **kwargs):
        return self.start('ping', 'wq', '-m', self.server.server, *arguments,
                          **kwargs)

    def test_count(self):
        pinger = self.ping('--count', '5', '--interval', '0.02')
        self.assert_ends(pinger)
        self.assertEqual(pinger.event('resolved')['remote-id'], 'wq')
        pongs = [pinger.event('pong') for _ in range(5)]
        self.assertEqual([pong['sequence'] for pong in pongs],
                         [1, 2, 3, 4, 5])
        times = [pong['milliseconds'] for pong in pongs]
        self.assertGreater(min(times), 0)
        statistics = pinger.event('statistics')
        self.assertEqual(statistics['sent'], 5)
        self.assertEqual(statistics['received'], 5)
        self.assertEqual(statistics['lost'], 0)
        self.assertEqual(statistics['minimum'], min(times))
        self.assertEqual(statistics['maximum'], max(times))
        self.assertAlmostEqual(statistics['average'], sum(times) / 5,
                               delta=0.002)
        pinger.event('closed')
        self.assertIsNone(pinger.next_line())

    def test_four_unless_told(self):
        pinger = self.ping('--interval', '0.02', as_json=False)
        self.assert_ends(pinger)
        lines = pinger.text().splitlines()
        self.assertEqual(
            sum(line.startswith('56 bytes from wq: ping ') for line in lines),
            4)
        self.assertRegex(pinger.text(),
                         r'(?m)^4 sent, 4 answered, 0 lost; min/avg/max '
                         r'[\d.]+ m?s/[\d.]+ m?s/[\d.]+ m?s$')

    def test_sizes(self):
        for size in (0, 1, 1000, 70_000, 1024 * 1024):
            with self.subTest(size=size):
                pinger = self.ping('-c', '2', '-n', '0.02', '-s', str(size))
                self.assert_ends(pinger)
                self.assertEqual(pinger.event('pong')['bytes'], size)

    def test_until_ended(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            pinger = self.ping('--count', '0', '--interval', '0.02')
            for _ in range(10):
                pinger.event('pong')
            pinger.signal(number)
            self.assert_ends(pinger)
            self.assertGreaterEqual(pinger.event('statistics')['received'],
                                    10)
            # The other side is told at once.
            self.listener.event('closed')

    def test_ended_too_early(self):
        pinger = self.ping('--count', '1000')
        pinger.event('pong')
        pinger.signal(signal.SIGTERM)
        self.assert_ends(pinger, 1)
        self.assertEqual(pinger.event('statistics')['lost'], 0)

    def test_lost(self):
        pinger = self.ping('--count', '0', '--interval', '0.05',
                           '--timeout', '3')
        pinger.event('pong')
        self.listener.signal(signal.SIGSTOP)
        lost = pinger.event('lost')
        self.assertGreaterEqual(lost['sequence'], 1)
        pinger.signal(signal.SIGTERM)
        self.assert_ends(pinger, 1)
        self.assertGreaterEqual(pinger.event('statistics')['lost'], 1)

    def test_all_lost(self):
        pinger = self.ping('--count', '3', '--interval', '1',
                           '--timeout', '3')
        pinger.event('pong')
        self.listener.signal(signal.SIGSTOP)
        self.assert_ends(pinger, 1)
        statistics = pinger.event('statistics')
        self.assertEqual(statistics['sent'], 3)
        self.assertGreaterEqual(statistics['lost'], 1)

    def test_listener_ends(self):
        pinger = self.ping('--count', '0', '--interval', '0.02')
        pinger.event('pong')
        self.listener.signal(signal.SIGTERM)
        self.assert_ends(self.listener)
        pinger.event('closed')
        self.assert_error(pinger, 'closed')

    def test_interrupted(self):
        pinger = self.ping('--count', '0')
        pinger.event('pong')
        resolved = self.listener.event('resolved')
        pinger.signal(signal.SIGSTOP)
        interrupted = self.listener.event('interrupted', timeout=60)
        self.assertEqual(interrupted['fingerprint'], resolved['fingerprint'])
        pinger.signal(signal.SIGCONT)
        path = self.listener.event('path')
        self.assertEqual(path['fingerprint'], resolved['fingerprint'])
        self.assertEqual(path['path'], 'lan')
        self.assertTrue(path['address'])
        pinger.signal(signal.SIGTERM)
        pinger.wait()
        self.listener.event('closed')


if __name__ == '__main__':
    tools.main()
