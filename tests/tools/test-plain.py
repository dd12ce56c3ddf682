#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""`hole-punch listen` and `send` with a peer that is another program: plain
messages, and messages that break docs/tool-protocol.md.
"""

import base64
import hashlib
import os
import struct
import time

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import GLib, HolePunch  # noqa: E402

import tools  # noqa: E402

MAGIC = b'\0hptool\1'
OFFER, ACCEPT, DATA, END, STORED, FAILED, PING, PONG = range(1, 9)


def message(kind, *fields):
    """Numbers are (value, bytes), the rest bytes."""
    return MAGIC + bytes([kind]) + b''.join(
        field if isinstance(field, bytes) else field[0].to_bytes(field[1],
                                                                 'big')
        for field in fields)


def offer(transfer, size, name=b'name'):
    return message(OFFER, (transfer, 4), (size, 8), name)


def data(transfer, offset, content):
    return message(DATA, (transfer, 4), (offset, 8), content)


def end(transfer, content):
    return message(END, (transfer, 4), hashlib.sha256(content).digest())


def iterate_until(condition, timeout=tools.PATIENCE):
    """Runs the main loop until @condition."""
    context = GLib.MainContext.default()
    # So that it is looked at the clock now and then
    source = GLib.timeout_add(100, lambda: GLib.SOURCE_CONTINUE)
    deadline = time.monotonic() + timeout
    try:
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError('nothing came')
            context.iteration(True)
    finally:
        GLib.source_remove(source)


class Peer:
    """A peer in this process."""

    def __init__(self, test, server, name=None):
        self.peer = HolePunch.Peer(id=name, match_server=server.server)
        self.messages = []
        self.connections = []
        self.closed = []
        self.peer.connect('message-received', self.on_message)
        self.peer.connect('peer-resolved', self.on_resolved)
        self.peer.connect('connection-closed', self.on_closed)
        self.call(self.peer.start_async, self.peer.start_finish)
        test.addCleanup(self.close)

    def on_message(self, _peer, connection, content):
        self.messages.append(content.get_data() or b'')
        self.connections.append(connection)

    def on_resolved(self, _peer, connection):
        self.connections.append(connection)

    def on_closed(self, _peer, connection):
        self.closed.append(connection)

    def call(self, begin, finish, *arguments):
        results = []
        begin(*arguments, None, lambda _self, result: results.append(result))
        iterate_until(lambda: results)
        return finish(results[0])

    def close(self):
        self.call(self.peer.close_async, self.peer.close_finish)

    def reach(self, name):
        return self.call(self.peer.connect_async, self.peer.connect_finish,
                         name)

    def send(self, connection, content):
        """Until it was acknowledged."""
        return self.call(connection.send_message_async,
                         connection.send_message_finish,
                         GLib.Bytes.new(content))

    def next_message(self):
        iterate_until(lambda: self.messages)
        return self.messages.pop(0)


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
        for transfer in (7, 0, 0xffffffff):
            self.peer.send(connection, offer(transfer, 2000, b'../a'))
            self.assertEqual(self.peer.next_message(),
                             message(ACCEPT, (transfer, 4)))
            self.peer.send(connection, data(transfer, 0, content[:1]))
            # Anything may come between.
            self.peer.send(connection, b'plain')
            self.peer.send(connection, data(transfer, 1, content[1:]))
            self.peer.send(connection, end(transfer, content))
            self.assertEqual(
                self.peer.next_message(),
                message(STORED, (transfer, 4),
                        hashlib.sha256(content).digest()))
            event = listener.event('file')
            with open(event['path'], 'rb') as stored:
                self.assertEqual(stored.read(), content)
        self.assertEqual(self.inbox_names(), ['a', 'a (1)', 'a (2)'])

    def test_damaged_file(self):
        listener, connection = self.listener_and_connection()
        self.peer.send(connection, offer(1, 3))
        self.peer.send(connection, data(1, 0, b'abc'))
        self.peer.send(connection, end(1, b'abd'))
        self.peer.next_message()
        failed = self.peer.next_message()
        self.assertTrue(failed.startswith(message(FAILED, (1, 4))), failed)
        self.assertEqual(listener.event('error')['code'], 'invalid-data')
        self.assertEqual(self.inbox_names(), [])
        # The connection goes on.
        self.peer.send(connection, offer(2, 0))
        self.assertEqual(self.peer.next_message(), message(ACCEPT, (2, 4)))

    def test_pings(self):
        _, connection = self.listener_and_connection()
        for content in (b'', b'x', os.urandom(5000)):
            self.peer.send(connection, message(PING, (2**64 - 1, 8), content))
            self.assertEqual(self.peer.next_message(),
                             message(PONG, (2**64 - 1, 8), content))

    def test_broken(self):
        """Each ends its connection, and nothing else."""
        listener, _ = self.listener_and_connection()
        broken = {
            'no type': [MAGIC],
            'type 0': [message(0)],
            'unknown type': [message(9, b'x' * 40)],
            'short offer': [message(OFFER, b'x' * 11)],
            'no name': [offer(1, 1, b'')],
            'long name': [offer(1, 1, b'x' * 1025)],
            'negative size': [offer(1, 2**63)],
            'largest size': [offer(1, 2**64 - 1)],
            'two offers': [offer(1, 1), offer(2, 1)],
            'data of nothing': [data(1, 0, b'x')],
            'no data': [offer(1, 1), data(1, 0, b'')],
            'too much data': [offer(1, 1), data(1, 0, b'xy')],
            'data of another': [offer(1, 1), data(2, 0, b'x')],
            'a gap': [offer(1, 9), data(1, 1, b'x')],
            'data twice': [offer(1, 9), data(1, 0, b'x'), data(1, 0, b'x')],
            'huge offset': [offer(1, 9), data(1, 2**64 - 1, b'x')],
            'too large': [offer(1, 2**40),
                          data(1, 0, b'x' * (1024 * 1024 + 1))],
            'early end': [offer(1, 2), data(1, 0, b'x'), end(1, b'x')],
            'end of another': [offer(1, 0), end(2, b'')],
            'short end': [offer(1, 0), end(1, b'')[:-1]],
            'long end': [offer(1, 0), end(1, b'') + b'x'],
            'an accept': [message(ACCEPT, (1, 4))],
            'a stored': [message(STORED, (1, 4), b'x' * 32)],
            'a failed': [message(FAILED, (1, 4), b'why')],
            'a pong': [message(PONG, (1, 8))],
            'large ping': [message(PING, (1, 8), b'x' * (1024 * 1024 + 1))],
        }
        for name, messages in broken.items():
            with self.subTest(name=name):
                peer = Peer(self, self.server)
                connection = peer.reach('wq')
                for content in messages[:-1]:
                    peer.send(connection, content)
                connection.send_message(GLib.Bytes.new(messages[-1]))
                iterate_until(lambda: peer.closed)
                self.assertEqual(listener.event('error')['code'],
                                 'invalid-data')
                self.assertEqual(self.inbox_names(), [])
        self.assert_ends(self.send(self.server, 'wq', self.file()))

    def test_flood_without_reading(self):
        """Random bytes behind the magic do no harm."""
        listener, _ = self.listener_and_connection()
        for i in range(30):
            peer = Peer(self, self.server)
            connection = peer.reach('wq')
            connection.send_message(GLib.Bytes.new(
                MAGIC + struct.pack('B', i % 10) + os.urandom(i * 3)))
            iterate_until(lambda: connection.get_queued_bytes() == 0
                          or peer.closed)
            peer.close()
        self.assertTrue(listener.is_running(), listener.story())
        self.assert_ends(self.send(self.server, 'wq', self.file()))


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

    def answer(self, content):
        self.peer.connections[-1].send_message(GLib.Bytes.new(content))

    def test_no_listener(self):
        sender = self.send_file('--timeout', '2')
        self.wait(sender)
        error = self.assert_error(sender, 'timed-out')
        self.assertIn('hole-punch listen', error['message'])
        # It was only asked.
        self.assertEqual(self.peer.messages,
                         [offer(0, 3, self.path.name.encode())])

    def test_plain_answer(self):
        sender = self.send_file('--timeout', '2')
        self.peer.next_message()
        self.answer(b'not now')
        self.wait(sender)
        self.assertEqual(sender.event('message')['text'], 'not now')
        self.assert_error(sender, 'timed-out')

    def test_refused(self):
        sender = self.send_file()
        self.peer.next_message()
        self.answer(message(FAILED, (0, 4), b'no\x1broom'))
        self.wait(sender)
        error = self.assert_error(sender, 'failed')
        self.assertIn('could not store it (no\ufffdroom)', error['message'])

    def test_refused_at_the_end(self):
        sender = self.send_file()
        self.peer.next_message()
        self.answer(message(ACCEPT, (0, 4)))
        self.assertEqual(self.peer.next_message(), data(0, 0, b'abc'))
        self.assertEqual(self.peer.next_message(), end(0, b'abc'))
        self.answer(message(FAILED, (0, 4)))
        self.wait(sender)
        self.assert_error(sender, 'failed')

    def test_good_answers(self):
        sender = self.send_file()
        self.peer.next_message()
        # Of no transfer at hand: passed over
        self.answer(message(STORED, (1, 4), b'x' * 32))
        self.answer(message(ACCEPT, (0, 4)))
        self.peer.next_message()
        self.peer.next_message()
        self.answer(message(STORED, (0, 4), hashlib.sha256(b'abc').digest()))
        self.wait(sender)
        self.assert_ends(sender)

    def test_bad_answers(self):
        digest = hashlib.sha256(b'abc').digest()
        for answers in ([message(STORED, (0, 4), digest)],
                        [message(ACCEPT, (0, 4)), message(ACCEPT, (0, 4))],
                        [message(ACCEPT, (0, 4)),
                         message(STORED, (0, 4), b'x' * 32)],
                        [message(ACCEPT, (0, 4), b'x')],
                        [MAGIC]):
            with self.subTest(answers=answers):
                sender = self.send_file()
                self.peer.next_message()
                for answer in answers:
                    self.answer(answer)
                self.wait(sender)
                self.assert_error(sender, 'invalid-data')
                self.peer.messages.clear()

    def test_closed(self):
        sender = self.send_file()
        self.peer.next_message()
        connection = self.peer.connections[-1]
        self.peer.call(connection.close_async, connection.close_finish)
        self.wait(sender)
        self.assert_error(sender, 'closed')


if __name__ == '__main__':
    tools.main()
