# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams, over the loopback interface."""

import gc
import os
import tempfile
import threading

from harness import (Gio, GLib, HolePunch, NetworkTestCase, call, change,
                     data, implemented, on, read, wait_until)

PRIORITY = GLib.PRIORITY_DEFAULT
CLOSE_BOTH = (Gio.OutputStreamSpliceFlags.CLOSE_SOURCE
              | Gio.OutputStreamSpliceFlags.CLOSE_TARGET)


class Host(HolePunch.Peer):
    __gtype_name__ = 'StreamHost'

    def __init__(self, **properties):
        super().__init__(**properties)
        self.streams = []

    def do_stream_opened(self, connection, stream):
        implemented('Peer', 'stream_opened')
        self.streams.append(stream)


class Streams(NetworkTestCase):
    def open_pair(self):
        if not self.peers:
            self.host = self.make_peer('wq', klass=Host)
            call(self.host, 'start')
            self.connection = call(self.make_peer(), 'connect', 'wq')
        near = call(self.connection, 'open_stream')
        wait_until(lambda: self.host.streams)
        return near, self.host.streams.pop()

    def test_talk(self):
        opened = []
        near, far = self.open_pair()
        on(self.host, 'stream-opened',
           lambda peer, connection, stream: opened.append(stream))
        self.assertIsInstance(near, Gio.IOStream)
        self.assertIs(read(near, 'connection'), self.connection)
        self.assertEqual(read(near, 'weight'), 16)
        change(self, near, 'weight', 1, 256)
        output, input = near.get_output_stream(), near.get_input_stream()
        self.assertTrue(output.can_poll() and input.can_poll())
        self.assertEqual(call(output, 'write_bytes', data('hello'), PRIORITY),
                         5)
        self.assertEqual(call(far.get_input_stream(), 'read_bytes', 100,
                              PRIORITY).get_data(), b'hello')
        self.assertEqual(far.get_output_stream().write_bytes(data('you too')),
                         7)
        self.assertTrue(call(far, 'close', PRIORITY))
        self.assertEqual(call(input, 'read_bytes', 100, PRIORITY).get_data(),
                         b'you too')
        self.assertEqual(call(input, 'read_bytes', 100, PRIORITY).get_size(),
                         0)
        self.assertTrue(call(near, 'close', PRIORITY))

        again = []
        on(self.host.props.connections[0], 'stream-opened',
           lambda connection, stream: again.append(stream))
        self.open_pair()
        self.assertEqual(len(opened), 1)
        self.assertEqual(again, opened)

    def test_file(self):
        """A file into the stream, the stream into a file."""
        near, far = self.open_pair()
        content = os.urandom(3_000_001)
        results = []

        def on_spliced(stream, result):
            results.append(stream.splice_finish(result))
        with tempfile.TemporaryDirectory() as directory:
            source = Gio.File.new_for_path(f'{directory}/source')
            target = Gio.File.new_for_path(f'{directory}/target')
            with open(source.get_path(), 'wb') as file:
                file.write(content)
            near.get_output_stream().splice_async(
                source.read(), CLOSE_BOTH, PRIORITY, None, on_spliced)
            target.create(Gio.FileCreateFlags.NONE).splice_async(
                far.get_input_stream(), CLOSE_BOTH, PRIORITY, None, on_spliced)
            wait_until(lambda: len(results) == 2)
            self.assertEqual(results, [len(content)] * 2)
            with open(target.get_path(), 'rb') as file:
                self.assertEqual(file.read(), content)

    def test_thread(self):
        """Blocking, in a thread, while the main loop runs here."""
        near, far = self.open_pair()
        answers = []

        def ask():
            near.get_output_stream().write_all(b'question\n')
            lines = Gio.DataInputStream.new(near.get_input_stream())
            answers.append(lines.read_line_utf8())
            near.close()
            answers.append('closed')
        thread = threading.Thread(target=ask)
        thread.start()
        lines = Gio.DataInputStream.new(far.get_input_stream())
        self.assertEqual(call(lines, 'read_line', PRIORITY)[0], b'question')
        far.get_output_stream().write_all(b'answer\n')
        wait_until(lambda: len(answers) == 2 or GLib.idle_add(lambda: False)
                   < 0)
        thread.join()
        self.assertEqual(answers, [('answer', 6), 'closed'])

    def test_errors(self):
        near, far = self.open_pair()
        # In the peer's own thread nothing blocks.
        self.assert_io_error(Gio.IOErrorEnum.WOULD_BLOCK,
                             near.get_input_stream().read_bytes, 1)
        del far
        gc.collect()
        self.assert_io_error(Gio.IOErrorEnum.CONNECTION_CLOSED, call,
                             near.get_input_stream(), 'read_bytes', 1,
                             PRIORITY)
        call(self.connection, 'close')
        self.assert_io_error(Gio.IOErrorEnum.CLOSED, call, self.connection,
                             'open_stream')
        bare = HolePunch.Stream()
        self.assertIsNone(bare.get_connection())
        self.assert_io_error(Gio.IOErrorEnum.CLOSED,
                             bare.get_output_stream().write_bytes, data('x'))
