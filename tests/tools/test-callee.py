#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""`hole-punch send` and `speed` with a peer that is another program: no
listener, or a bad one.
"""

import os
import time

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import GLib  # noqa: E402

import tools  # noqa: E402
from peers import (  # noqa: E402
    ACCEPT, STORED, FAILED, TICK, REPORT, PING, PONG, number, message, record,
    offer, end, stored, ask_test, iterate_until, Peer)


class Callee(tools.TestCase):
    """A program that is sent files, but is no listener, or a bad one."""

    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.peer = Peer(self, self.server, 'app')
        self.path = self.file(b'abc')

    def send_file(self, *arguments):
        return self.send(self.server, 'app', self.path, *arguments)

    def wait(self, process):
        """The peer must go on meanwhile."""
        iterate_until(lambda: not process.is_running())

    def start_and_take(self, *arguments):
        """The sender, and the stream on which it has made its offer."""
        sender = self.send_file(*arguments)
        stream = self.peer.next_stream()
        self.assertEqual(stream.next_record(),
                         offer(3, self.path.name.encode()))
        return sender, stream

    def test_no_listener(self):
        """Nobody takes its stream."""
        for arguments in (('send', 'app', self.path), ('speed', 'app')):
            process = self.start(*arguments, '-m', self.server.server)
            self.wait(process)
            error = self.assert_error(process, 'closed')
            self.assertIn('hole-punch listen', error['message'])
        self.assertEqual(self.peer.messages, [])

    def test_silence(self):
        self.peer.take_streams()
        for arguments in (('send', 'app', self.path), ('speed', 'app')):
            process = self.start(*arguments, '-m', self.server.server,
                                 '--timeout', '2')
            stream = self.peer.next_stream()
            self.wait(process)
            error = self.assert_error(process, 'timed-out')
            self.assertIn('hole-punch listen', error['message'])
            del stream

    def test_plain_answer(self):
        self.peer.take_streams()
        sender, stream = self.start_and_take('--timeout', '2')
        self.peer.connections[-1].send_message(GLib.Bytes.new(b'not now'))
        self.wait(sender)
        self.assertEqual(sender.event('message')['text'], 'not now')
        self.assert_error(sender, 'timed-out')
        del stream

    def test_refused(self):
        self.peer.take_streams()
        sender, stream = self.start_and_take()
        stream.write(record(FAILED, b'no\x1broom'))
        self.wait(sender)
        error = self.assert_error(sender, 'failed')
        self.assertIn('could not store it (no\ufffdroom)', error['message'])

    def test_refused_at_the_end(self):
        self.peer.take_streams()
        sender, stream = self.start_and_take()
        stream.write(record(ACCEPT))
        self.assertEqual(stream.read(3), b'abc')
        self.assertEqual(stream.next_record(), end(b'abc'))
        stream.write(record(FAILED))
        self.wait(sender)
        self.assert_error(sender, 'failed')

    def test_refused_midway(self):
        """Its answer counts, although it comes after the end of reading."""
        self.path = self.file(os.urandom(50 * 1024 * 1024))
        self.peer.take_streams()
        sender = self.send_file()
        stream = self.peer.next_stream()
        stream.next_record()
        stream.write(record(ACCEPT))
        stream.read(100_000)
        # It stops reading; why it says when the sender has noticed.
        self.peer.call(
            lambda *arguments: stream.input.close_async(0, *arguments),
            stream.input.close_finish)
        began = time.monotonic()
        iterate_until(lambda: time.monotonic() - began > 0.5)
        stream.write(record(FAILED, b'full'))
        self.wait(sender)
        self.assertIn('(full)', self.assert_error(sender,
                                                  'failed')['message'])

    def test_given_up(self):
        for accepts in (False, True):
            with self.subTest(accepts=accepts):
                if not accepts:
                    self.peer.take_streams()
                sender, stream = self.start_and_take()
                if accepts:
                    stream.write(record(ACCEPT))
                del stream
                self.wait(sender)
                self.assert_error(sender, 'closed')

    def test_good_answers(self):
        self.peer.take_streams()
        sender, stream = self.start_and_take()
        # Byte by byte, as a stream may
        for byte in record(ACCEPT):
            stream.write(bytes([byte]))
        self.assertEqual(stream.read(3), b'abc')
        self.assertEqual(stream.next_record(), end(b'abc'))
        self.assertEqual(stream.read(1), b'')
        stream.write(stored(b'abc'))
        self.wait(sender)
        self.assert_ends(sender)

    def test_bad_answers(self):
        self.peer.take_streams()
        for answers in (stored(b'abc'), record(ACCEPT) * 2,
                        record(ACCEPT) + record(STORED, b'x' * 32),
                        record(ACCEPT, b'x'), offer(1), b'HTTP/1.1 200 OK'):
            with self.subTest(answers=answers):
                sender, stream = self.start_and_take()
                stream.write(answers)
                self.wait(sender)
                self.assert_error(sender, 'invalid-data')

    def test_wrong_hash(self):
        self.peer.take_streams()
        sender, stream = self.start_and_take()
        stream.write(record(ACCEPT))
        stream.read(3)
        stream.next_record()
        stream.write(stored(b'abd'))
        self.wait(sender)
        self.assert_error(sender, 'invalid-data')

    def test_pongs(self):
        """Each ping is answered once, whatever comes."""
        self.peer.take_streams()
        process = self.start('speed', 'app', '-m', self.server.server)
        stream = self.peer.next_stream()
        stream.next_record()
        stream.write(record(ACCEPT))
        ping = self.peer.next_message()
        self.assertEqual(ping, message(PING, number(0) + bytes(64)))
        connection = self.peer.connections[-1]
        for _ in range(50):
            self.peer.send(connection, message(PONG, ping[9:]))
        self.peer.send(connection, message(PONG, number(2**64 - 1)))
        stream.write(record(REPORT, number(1) * 6))
        self.wait(process)
        self.assert_ends(process)
        self.assertEqual(process.event('speed')['pings-answered'], 1)

    def test_bad_reports(self):
        """What a listener may claim does a tester no harm."""
        largest = number(2**63 - 1)
        self.peer.take_streams()
        for answers, code in (
                (record(TICK, number(1) * 2), 'invalid-data'),
                (record(REPORT, number(1) * 6), 'invalid-data'),
                (record(ACCEPT) * 2, 'invalid-data'),
                (record(ACCEPT) + record(TICK, number(2**63) * 2),
                 'invalid-data'),
                (record(ACCEPT) + record(REPORT, number(0) * 6), 'failed'),
                (record(ACCEPT) + record(FAILED, b'\x1b[2J'), 'failed'),
                (record(ACCEPT) + record(TICK, number(1) + number(0))
                 + record(TICK, largest * 2)
                 + record(TICK, largest + number(1))
                 + record(REPORT, number(1) + largest * 5), None)):
            with self.subTest(answers=answers):
                process = self.start('speed', 'app', '-m', self.server.server)
                stream = self.peer.next_stream()
                self.assertEqual(stream.next_record(),
                                 ask_test(milliseconds=5000))
                stream.write(answers)
                self.wait(process)
                # Nothing of it comes any more.
                iterate_until(lambda: self.peer.closed)
                self.peer.closed.clear()
                self.peer.streams.clear()
                if code is None:
                    self.assert_ends(process)
                    self.assertEqual(process.event('speed')['bytes'], 1)
                else:
                    self.assert_error(process, code)

    def test_closed(self):
        self.peer.take_streams()
        sender, stream = self.start_and_take()
        connection = self.peer.connections[-1]
        self.peer.call(connection.close_async, connection.close_finish)
        self.wait(sender)
        self.assert_error(sender, 'closed')
        del stream


if __name__ == '__main__':
    tools.main()
