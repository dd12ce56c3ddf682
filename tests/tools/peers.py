# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A peer in the test's own process that talks to the command, with what
docs/tool-protocol.md has it say, or something else.
"""

import hashlib
import time

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import GLib, HolePunch  # noqa: E402

import tools  # noqa: E402

MAGIC = b'\0hptool\2'
(OFFER, ACCEPT, END, STORED, FAILED, TEST, LOAD, TICK, REPORT, PING,
 PONG) = range(1, 12)


def number(value):
    return value.to_bytes(8, 'big')


def message(kind, content=b''):
    return MAGIC + bytes([kind]) + content


def record(kind, content=b''):
    return (MAGIC + bytes([kind]) + len(content).to_bytes(2, 'big')
            + content)


def offer(size, name=b'name'):
    return record(OFFER, number(size) + name)


# Of an offer whose end nobody knows
SIZELESS = 2**64 - 1


def end(content):
    return record(END, hashlib.sha256(content).digest())


def stored(content):
    return record(STORED, hashlib.sha256(content).digest())


def ask_test(run=1, milliseconds=1000, streams=1, reverse=0):
    return record(TEST, b''.join(map(number, (run, milliseconds, streams,
                                              reverse))))


def load(run=1):
    return record(LOAD, number(run))


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
        self.streams = []
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

    def take_streams(self):
        self.peer.connect('stream-opened', lambda _peer, _connection, stream:
                          self.streams.append(Stream(self, stream)))

    def next_stream(self):
        iterate_until(lambda: self.streams)
        return self.streams.pop(0)

    def open(self, connection, *contents):
        """A stream that begins with @contents."""
        stream = Stream(self, self.call(connection.open_stream_async,
                                        connection.open_stream_finish))
        for content in contents:
            stream.write(content)
        return stream


class Stream:
    """Some bytes at a time."""

    def __init__(self, peer, stream):
        self.peer = peer
        self.stream = stream
        self.input = stream.get_input_stream()
        self.output = stream.get_output_stream()

    def write(self, content):
        while content:
            n = self.peer.call(
                lambda *arguments: self.output.write_bytes_async(
                    GLib.Bytes.new(content), 0, *arguments),
                self.output.write_bytes_finish)
            content = content[n:]

    def read(self, length):
        """Less only at the end."""
        content = b''
        while len(content) < length:
            part = self.peer.call(
                lambda *arguments: self.input.read_bytes_async(
                    length - len(content), 0, *arguments),
                self.input.read_bytes_finish).get_data()
            if not part:
                break
            content += part
        return content

    def next_record(self):
        start = self.read(11)
        return start + self.read(int.from_bytes(start[9:], 'big'))

    def end_output(self):
        self.peer.call(
            lambda *arguments: self.output.close_async(0, *arguments),
            self.output.close_finish)
