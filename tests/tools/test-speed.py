#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""`hole-punch speed` and its listener, and what either does to the other."""

import os
import signal

import tools

MEBI = 1024 * 1024


class Speed(tools.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def speed(self, *arguments, **kwargs):
        return self.start('speed', 'wq', '-m', self.server.server, *arguments,
                          **kwargs)

    def check(self, speed, seconds, reverse, streams):
        """What must hold of the numbers, however fast the machine is."""
        self.assertEqual(speed['remote-id'], 'wq')
        self.assertEqual(speed['reverse'], reverse)
        self.assertEqual(speed['streams'], streams)
        self.assertGreater(speed['bytes'], 0)
        # The receiver's clock: late at most, and by what a busy machine takes
        self.assertGreaterEqual(speed['milliseconds'], 1000 * seconds)
        self.assertLess(speed['milliseconds'], 1000 * (seconds + 5))
        rate = speed['bytes'] / speed['milliseconds'] * 1000
        self.assertAlmostEqual(speed['bytes-per-second'] / rate, 1, places=3)
        self.assertGreaterEqual(speed['best-bytes-per-second'],
                                speed['bytes-per-second'])
        cpu = speed['cpu-milliseconds'] + speed['remote-cpu-milliseconds']
        self.assertGreater(speed['cpu-milliseconds'], 0)
        self.assertGreater(speed['remote-cpu-milliseconds'], 0)
        self.assertAlmostEqual(
            speed['cpu-milliseconds-per-gigabyte'] / (cpu / speed['bytes']
                                                      * 1e9),
            1, places=3)
        self.assertGreaterEqual(speed['datagram-size'], 1024)
        # Who sent them counts them, with all that was around the bytes.
        self.assertGreater(speed['datagrams-sent'] * speed['datagram-size'],
                           speed['bytes'] / 2)
        self.assertLess(speed['datagrams-lost'], speed['datagrams-sent'])
        self.assertGreater(speed['pings-answered'], 0)
        self.assertLessEqual(speed['pings-answered'], speed['pings-sent'])
        self.assertGreater(speed['round-trip-50'], 0)
        self.assertLessEqual(speed['round-trip-50'], speed['round-trip-90'])
        self.assertLessEqual(speed['round-trip-90'], speed['round-trip-99'])

    def check_run(self, seconds, reverse, streams, *arguments):
        process = self.speed('--seconds', str(seconds), *arguments)
        self.assert_ends(process)
        events = process.events()
        self.assertEqual([event['event'] for event in events
                          if event['event'] not in ('interval', 'path')],
                         ['resolved', 'speed', 'closed'])
        speed, = [event for event in events if event['event'] == 'speed']
        intervals = [event for event in events
                     if event['event'] == 'interval']
        self.check(speed, seconds, reverse, streams)
        self.assertGreaterEqual(len(intervals), int(seconds))
        self.assertLessEqual(len(intervals), int(seconds) + 6)
        self.assertEqual(sum(interval['bytes'] for interval in intervals),
                         speed['bytes'])
        best = [interval['bytes-per-second'] for interval in intervals
                if interval['milliseconds'] > 900]
        self.assertEqual(speed['best-bytes-per-second'],
                         max(best + [speed['bytes-per-second']]))
        return speed

    def test_there(self):
        listener = self.listen(self.server)
        speed = self.check_run(2, False, 1)
        tested = listener.event('tested')
        self.assertFalse(tested['reverse'])
        self.assertEqual(tested['bytes'], speed['bytes'])
        self.assertEqual(tested['milliseconds'], speed['milliseconds'])

    def test_back(self):
        listener = self.listen(self.server)
        speed = self.check_run(1.5, True, 1, '--reverse')
        tested = listener.event('tested')
        self.assertTrue(tested['reverse'])
        # At the end some were on their way.
        self.assertGreaterEqual(tested['bytes'], speed['bytes'] * 0.9)

    def test_several_streams(self):
        self.listen(self.server)
        self.check_run(0.5, False, 64, '-n', '64')
        self.check_run(0.5, True, 5, '-n', '5', '-r')

    def test_words(self):
        self.listen(self.server)
        for arguments, word in (((), 'To'), (('-r',), 'From')):
            process = self.speed('-s', '0.3', *arguments, as_json=False)
            self.assert_ends(process)
            size = r'[\d.]+ (bytes|[kMG]B)'
            time = r'[\d.]+ m?s'
            self.assertRegex(
                process.text(),
                f'(?m)^{word} wq: {size} in {time}, {size}/s; '
                f'best second {size}/s\n'
                f'Processors: {time} here, {time} there; {time} for a '
                'gigabyte\n'
                r'Datagrams: \d+ of up to \d+ bytes, \d+ lost\n'
                f'Round trip meanwhile: 50 % within {time}, 90 % {time}, '
                rf'99 % {time}; \d+ of \d+ pings answered\n')
            # Nothing each second where there is no terminal
            self.assertEqual(process.errors(), '')

    def test_listener_tells_in_words(self):
        listener = self.start('listen', 'wq', '-m', self.server.server, '-d',
                              self.inbox, as_json=False)
        self.assertEqual(listener.next_line()[:19], 'Registered as “wq” ')
        self.assert_ends(self.speed('-s', '0.2'))
        self.assert_ends(self.speed('-s', '0.2', '-r'))
        listener.signal(signal.SIGTERM)
        self.assert_ends(listener)
        self.assertRegex(listener.text(),
                         '(?m)^[a-z2-7]{52}: tested the speed: sent [^ ]+ .B ')
        self.assertRegex(listener.text(),
                         '(?m)^[a-z2-7]{52}: tested the speed: was sent ')

    def test_terminal(self):
        try:
            controller, terminal = os.openpty()
        except OSError as error:
            self.skipTest(f'no terminals here: {error}')
        self.addCleanup(os.close, controller)

        def use_terminal():
            os.dup2(terminal, 2)

        self.listen(self.server)
        process = self.speed('-s', '2', as_json=False, prepare=use_terminal)
        os.close(terminal)
        shown = b''
        try:
            while True:
                shown += os.read(controller, 65536)
        except OSError:
            pass
        self.assert_ends(process)
        self.assertRegex(shown, rb'\r\x1b\[Kwq  +[\d.]+ [kMG]B/s')
        self.assertTrue(shown.endswith(b'\r\x1b[K'), shown[-100:])

    def test_refused(self):
        listener = self.listen(self.server, 'wq', '--no-speed')
        for arguments in ((), ('-r',)):
            error = self.assert_error(self.speed(*arguments),
                                      'permission-denied')
            self.assertEqual(error['message'], 'wq takes no speed tests: it '
                             'runs with --no-speed')
            self.assertEqual(listener.event('error')['code'],
                             'permission-denied')
        # Only that
        self.assert_ends(self.send(self.server, 'wq', self.file()))
        self.assert_ends(self.start('ping', 'wq', '-m', self.server.server,
                                    '-c', '1'))

    def test_busy(self):
        listener = self.listen(self.server)
        first = self.speed('-s', '30')
        first.event('interval')
        error = self.assert_error(self.speed(), 'busy')
        self.assertEqual(error['message'], 'wq is busy with another speed '
                         'test, which takes a minute at most; try again then')
        self.assertEqual(listener.event('error')['code'], 'busy')
        # One that is ended makes room.
        first.signal(signal.SIGINT)
        self.assert_ends(first, 1)
        listener.event('closed')
        listener.event('closed')
        self.assert_ends(self.speed('-s', '0.2'))

    def test_file_meanwhile(self):
        listener = self.listen(self.server)
        process = self.speed('-s', '30', '-n', '4')
        process.event('interval')
        content = os.urandom(2 * MEBI)
        self.assert_ends(self.send(self.server, 'wq', self.file(content)))
        self.assertEqual(listener.event('file')['sha256'],
                         tools.sha256(content))
        self.assertTrue(process.is_running(), process.story())

    def test_not_the_one_of_once(self):
        listener = self.listen(self.server, 'wq', '--once')
        self.assert_ends(self.speed('-s', '0.2'))
        self.assert_ends(self.send(self.server, 'wq', self.file()))
        self.assert_ends(listener)

    def test_ended_tester(self):
        listener = self.listen(self.server)
        for number, arguments in ((signal.SIGINT, ()),
                                  (signal.SIGTERM, ('-r', '-n', '3'))):
            process = self.speed('-s', '60', *arguments)
            process.event('interval' if arguments else 'resolved')
            process.signal(number)
            self.assert_ends(process, 1)
            self.assertNotIn('speed', [event['event']
                                       for event in process.events()])
            listener.event('closed')
            # And it goes on.
            self.assert_ends(self.speed('-s', '0.2'))
            listener.event('closed')

    def test_ended_listener(self):
        for number, arguments in ((signal.SIGINT, ()),
                                  (signal.SIGTERM, ('-r', '-n', '3'))):
            listener = self.listen(self.server)
            process = self.speed('-s', '60', *arguments)
            process.event('interval')
            listener.signal(number)
            self.assert_ends(listener)
            self.assert_error(process, 'closed')

    def test_silent_listener(self):
        """It stops and goes on: so does the test, and the result shows it."""
        listener = self.listen(self.server)
        process = self.speed('-s', '8')
        process.event('interval')
        listener.signal(signal.SIGSTOP)
        process.event('interrupted')
        listener.signal(signal.SIGCONT)
        self.assert_ends(process)
        speed = process.event('speed')
        self.assertLess(speed['bytes-per-second'],
                        speed['best-bytes-per-second'])
        self.assertGreater(speed['round-trip-99'], 1000)


if __name__ == '__main__':
    tools.main()
