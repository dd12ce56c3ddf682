#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""`hole-punch listen` with a peer that is another program: plain messages and
streams, and such that break docs/tool-protocol.md.
"""

import base64
import os
import struct

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import GLib  # noqa: E402

import tools  # noqa: E402
from peers import (  # noqa: E402
    MAGIC, OFFER, ACCEPT, END, FAILED, TICK, REPORT, PING, PONG, SIZELESS,
    number, message, record, offer, end, stored, ask_test, load,
    iterate_until, Peer)


class Plain(tools.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.peer = Peer(self, self.server)

    def listener_and_connection(self, *arguments, **kwargs):
        listener = self.listen(self.server, 'wq', *arguments, **kwargs)
        return listener, self.peer.reach('wq')

    def test_messages(self):
        listener, connection = self.listener_and_connection()
        texts = ['Hello, Grüße 🎉', 'two\nlines\t"quoted" \\ \x1b[2J\x7f', '',
                 'x' * 100_000, '\ufeff\u202e']
        for text in texts:
            self.peer.send(connection, text.encode())
            event = listener.event('message')
            self.assertEqual(event['text'], text)
            self.assertEqual(event['bytes'], len(text.encode()))
            self.assertEqual(
                event['fingerprint'],
                self.peer.peer.get_identity().get_fingerprint())
        for content in (b'\0', b'\xff', b'\0hptool', os.urandom(10_000)):
            self.peer.send(connection, content)
            event = listener.event('message')
            self.assertEqual(base64.b64decode(event['base64']), content)
            self.assertEqual(event['bytes'], len(content))

    def test_words(self):
        listener = self.start('listen', 'wq', '-m', self.server.server, '-d',
                              self.inbox, as_json=False)
        listener.next_line()
        listener.next_line()
        connection = self.peer.reach('wq')
        listener.next_line()
        name = self.peer.peer.get_identity().get_fingerprint()
        for content, shown in (
                (b'hello', [': hello']),
                (b'two\nlines\n', [': two', ': lines']),
                (b'\x1b[2J', [': \ufffd[2J']),
                (b'', [': an empty message']),
                (b'\xff' * 2000, [': a message that is no text, 2.0 kB']),
                ('ü'.encode() * 3000, [': ' + 'ü' * 2000,
                                       ': … 6.0 kB in all'])):
            self.peer.send(connection, content)
            for line in shown:
                told = listener.next_line()
                # The connection may find a better path meanwhile.
                while ': goes on by ' in told:
                    told = listener.next_line()
                self.assertEqual(told, f'{name}{line}\n')

    def test_once(self):
        listener, connection = self.listener_and_connection('--once')
        # Its acknowledgement comes, although the listener ends then.
        self.assertTrue(self.peer.send(connection, b'the only one'))
        self.assert_ends(listener)
        self.assertEqual(listener.event('message')['text'], 'the only one')
        iterate_until(lambda: self.peer.closed)

    def test_file(self):
        listener, connection = self.listener_and_connection()
        content = os.urandom(2000)
        for _ in range(3):
            stream = self.peer.open(connection, offer(2000, b'../a'))
            self.assertEqual(stream.next_record(), record(ACCEPT))
            stream.write(content[:1])
            # Anything may come between.
            self.peer.send(connection, b'plain')
            stream.write(content[1:])
            stream.write(end(content))
            self.assertEqual(stream.next_record(), stored(content))
            self.assertEqual(stream.read(1), b'')
            event = listener.event('file')
            with open(event['path'], 'rb') as file:
                self.assertEqual(file.read(), content)
        self.assertEqual(self.inbox_names(), ['a', 'a (1)', 'a (2)'])

    def test_file_without_a_size(self):
        """Its end is the END that the stream ends with, however that comes."""
        listener, connection = self.listener_and_connection()
        piece = 256 * 1024
        for size in (0, 1, piece - 44, piece - 43, piece - 42, piece,
                     piece + 1, 3 * piece - 43, 3 * piece + 100):
            # Which looks like one before
            content = (os.urandom(size) + end(b''))[-size:] if size else b''
            stream = self.peer.open(connection, offer(SIZELESS, b'a'))
            self.assertEqual(stream.next_record(), record(ACCEPT))
            stream.write(content[:size // 2])
            stream.write(content[size // 2:] + end(content))
            stream.end_output()
            self.assertEqual(stream.next_record(), stored(content))
            event = listener.event('file')
            self.assertEqual(event['bytes'], size)
            with open(event['path'], 'rb') as file:
                self.assertEqual(file.read(), content)
            os.unlink(event['path'])
        # The wrong hash, no END, and less than one
        for content, code in ((b'abc' + end(b'abd'), 'invalid-data'),
                              (bytes(1000), 'partial-input'),
                              (end(b'')[:-1], 'partial-input'),
                              (b'', 'partial-input')):
            stream = self.peer.open(connection, offer(SIZELESS) + content)
            self.assertEqual(stream.next_record(), record(ACCEPT))
            stream.end_output()
            self.assertEqual(listener.event('error')['code'], code)
            self.assertEqual(self.inbox_names(), [])

    def test_files_at_a_time(self):
        """On one connection, and without waiting for any answer."""
        listener, connection = self.listener_and_connection()
        contents = [os.urandom(size) for size in (0, 1, 300_000, 600_000)]
        streams = [self.peer.open(connection, offer(len(content))
                                  + content[:100])
                   for content in contents]
        for stream, content in reversed([*zip(streams, contents)]):
            stream.write(content[100:] + end(content))
            stream.end_output()
        for stream, content in zip(streams, contents):
            self.assertEqual(stream.next_record(), record(ACCEPT))
            self.assertEqual(stream.next_record(), stored(content))
        self.assertEqual({listener.event('file')['sha256']
                          for _ in contents},
                         set(map(tools.sha256, contents)))

    def test_damaged_file(self):
        listener, connection = self.listener_and_connection()
        stream = self.peer.open(connection, offer(3), b'abc', end(b'abd'))
        self.assertEqual(stream.next_record(), record(ACCEPT))
        self.assertEqual(stream.next_record(),
                         record(FAILED, b'invalid-data'))
        self.assertEqual(stream.read(1), b'')
        self.assertEqual(listener.event('error')['code'], 'invalid-data')
        self.assertEqual(self.inbox_names(), [])
        # The connection goes on.
        stream = self.peer.open(connection, offer(0))
        self.assertEqual(stream.next_record(), record(ACCEPT))

    def test_partial_file(self):
        """A stream that ends early, or is given up; the connection stays."""
        listener, connection = self.listener_and_connection()
        for content in (offer(3), offer(3) + b'ab', offer(0),
                        offer(3) + b'abc' + end(b'abc')[:-1]):
            stream = self.peer.open(connection, content)
            stream.next_record()
            stream.end_output()
            self.assertEqual(listener.event('error')['code'],
                             'partial-input')
            self.assertEqual(self.inbox_names(), [])
            stream = self.peer.open(connection, content)
            stream.next_record()
            del stream
            iterate_until(lambda: not listener.queue.empty())
            self.assertEqual(listener.event('error')['code'],
                             'partial-input')
            self.assertEqual(self.inbox_names(), [])
        # Of one that says nothing nothing need be told.
        for content in (b'', MAGIC, offer(0)[:-1]):
            self.peer.open(connection, content).end_output()
        self.peer.send(connection, b'still there')
        self.assertEqual(listener.event('message')['text'], 'still there')
        self.assertEqual(sum('"error"' in line for line in listener.lines), 8)

    def test_too_many_files(self):
        listener, connection = self.listener_and_connection()
        streams = [self.peer.open(connection, offer(1)) for _ in range(128)]
        for stream in streams:
            self.assertEqual(stream.next_record(), record(ACCEPT))
        stream = self.peer.open(connection, offer(1))
        self.assertEqual(stream.next_record(), record(FAILED, b'busy'))
        self.assertEqual(listener.event('error')['code'], 'busy')
        streams.pop().end_output()
        listener.event('error')
        stream = self.peer.open(connection, offer(1))
        self.assertEqual(stream.next_record(), record(ACCEPT))

    def read_report(self, stream):
        """The numbers of the REPORT; and those of the TICKs before."""
        ticks = []
        while True:
            content = stream.next_record()
            numbers = struct.unpack(f'>{len(content) // 8 - 1}Q',
                                    content[11:])
            if content[8] == REPORT:
                return numbers, ticks
            self.assertEqual(content[8], TICK)
            ticks.append(numbers)

    def test_speed(self):
        listener, connection = self.listener_and_connection()
        control = self.peer.open(connection, ask_test(9, 60_000, 2))
        self.assertEqual(control.next_record(), record(ACCEPT))
        streams = [self.peer.open(connection, load(9)) for _ in range(2)]
        streams[0].write(b'x' * 1000)
        # It need not take all its time.
        streams[0].end_output()
        streams[1].write(b'x' * 500_000)
        streams[1].end_output()
        report, ticks = self.read_report(control)
        self.assertEqual(report[0], 501_000)
        self.assertEqual(sum(n for n, _ in ticks), 501_000)
        self.assertLessEqual(sum(time for _, time in ticks), report[1])
        self.assertLess(report[1], 1e6 * tools.PATIENCE)
        self.assertGreater(report[2], 0)
        tested = listener.event('tested')
        self.assertEqual(tested['bytes'], 501_000)
        self.assertFalse(tested['reverse'])

    def test_speed_is_bounded(self):
        """What a tester does not end the listener ends."""
        _, connection = self.listener_and_connection()
        for reverse in (0, 1):
            control = self.peer.open(connection, ask_test(1, 300, 1, reverse))
            self.assertEqual(control.next_record(), record(ACCEPT))
            stream = self.peer.open(connection, load())
            with self.assertRaisesRegex(GLib.Error, 'other peer'):
                while True:
                    if reverse:
                        self.assertNotEqual(stream.read(100_000), b'')
                    else:
                        stream.write(b'x' * 100_000)
            report, _ = self.read_report(control)
            self.assertGreaterEqual(report[1], 300_000)
            self.assertGreater(report[0], 0)

    def test_one_speed_test_at_a_time(self):
        listener, connection = self.listener_and_connection()
        control = self.peer.open(connection, ask_test())
        self.assertEqual(control.next_record(), record(ACCEPT))
        # Whether on this connection or on another one
        other = Peer(self, self.server)
        for peer, line in ((self.peer, connection), (other,
                                                     other.reach('wq'))):
            late = peer.open(line, ask_test(2))
            self.assertEqual(late.next_record(), record(FAILED, b'busy'))
            self.assertEqual(listener.event('error')['code'], 'busy')
        # Nor does it take the streams of others.
        with self.assertRaisesRegex(GLib.Error, 'other peer'):
            other.open(line, load()).read(1)
        control.end_output()
        with self.assertRaisesRegex(GLib.Error, 'other peer'):
            control.read(1)
        late = self.peer.open(connection, ask_test(2))
        self.assertEqual(late.next_record(), record(ACCEPT))

    def test_speed_test_that_does_not_begin(self):
        _, connection = self.listener_and_connection()
        control = self.peer.open(connection, ask_test(1, 1))
        self.assertEqual(control.next_record(), record(ACCEPT))
        self.assertEqual(control.next_record(), record(FAILED, b'timed-out'))
        late = self.peer.open(connection, ask_test())
        self.assertEqual(late.next_record(), record(ACCEPT))

    def test_pings(self):
        _, connection = self.listener_and_connection()
        for content in (b'', b'x', os.urandom(5000)):
            numbered = number(2**64 - 1) + content
            self.peer.send(connection, message(PING, numbered))
            self.assertEqual(self.peer.next_message(),
                             message(PONG, numbered))

    def test_broken(self):
        """Each ends its connection, and nothing else."""
        listener, _ = self.listener_and_connection()
        broken = {
            'no type': message(0)[:8],
            'type 0': message(0),
            'unknown type': message(12, b'x' * 40),
            'a pong': message(PONG, number(1)),
            'short ping': message(PING, b'1234567'),
            'large ping': message(PING, number(1) + b'x' * (1024**2 + 1)),
            'a file': message(OFFER, number(1) + b'name'),
        }
        for name, content in broken.items():
            with self.subTest(name=name):
                peer = Peer(self, self.server)
                connection = peer.reach('wq')
                connection.send_message(GLib.Bytes.new(content))
                iterate_until(lambda: peer.closed)
                self.assertEqual(listener.event('error')['code'],
                                 'invalid-data')
        self.assert_ends(self.send(self.server, 'wq', self.file()))

    def test_broken_streams(self):
        """Each ends its connection, and nothing else."""
        listener, _ = self.listener_and_connection()
        broken = {
            'none of ours': b'GET / HTTP/1.1\r\n\r\n',
            'another version': b'\0hptool\1' + offer(1)[8:],
            'type 0': record(0),
            'unknown type': record(12),
            'a message': record(PING, number(1)),
            'short offer': record(OFFER, b'1234567'),
            'no name': offer(1, b''),
            'long name': offer(1, b'x' * 1025),
            'negative size': offer(2**63),
            'largest size': offer(2**64 - 2),
            'long record': MAGIC + bytes([OFFER]) + b'\xff\xff',
            'two offers': offer(0) + offer(0),
            'too much data': offer(1) + b'xy' + end(b'xy'),
            'a short end': offer(0) + record(END, b'x' * 31),
            'a long end': offer(0) + record(END, b'x' * 33),
            'an accept': record(ACCEPT),
            'an end': end(b''),
            'a stored': stored(b''),
            'a failed': record(FAILED, b'why'),
            'a tick': record(TICK, number(1) * 2),
            'a report': record(REPORT, number(1) * 6),
            'a test of no time': ask_test(milliseconds=0),
            'a long test': ask_test(milliseconds=60_001),
            'a test without streams': ask_test(streams=0),
            'a test of many streams': ask_test(streams=65),
            'a test of no direction': ask_test(reverse=2),
            'two tests': ask_test() + ask_test(),
        }
        for name, content in broken.items():
            with self.subTest(name=name):
                peer = Peer(self, self.server)
                stream = peer.open(peer.reach('wq'), content)
                iterate_until(lambda: peer.closed)
                self.assertEqual(listener.event('error')['code'],
                                 'invalid-data')
                self.assertEqual(self.inbox_names(), [])
                del stream
        self.assert_ends(self.send(self.server, 'wq', self.file()))

    def test_flood_without_reading(self):
        """Random bytes behind the magic do no harm."""
        listener, _ = self.listener_and_connection()
        for i in range(24):
            peer = Peer(self, self.server)
            connection = peer.reach('wq')
            noise = struct.pack('B', i % 12) + os.urandom(i * 3)
            connection.send_message(GLib.Bytes.new(MAGIC + noise))
            stream = peer.open(connection, MAGIC + noise)
            iterate_until(lambda: connection.get_queued_bytes() == 0
                          or peer.closed)
            del stream
            peer.close()
        self.assertTrue(listener.is_running(), listener.story())
        self.assert_ends(self.send(self.server, 'wq', self.file()))


if __name__ == '__main__':
    tools.main()
