#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The quick start, in Python:

    quick-start.py server [PORT]
    quick-start.py callee ID SERVER
    quick-start.py caller ID SERVER [COUNT]

The server introduces peers to each other. The callee registers an id and
answers every message. The caller asks for that id, and sends it 10 KiB COUNT
times (5; 0: until it is interrupted). SERVER is HOST or HOST:PORT.
"""

import signal
import sys
import time

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import GLib, HolePunch  # noqa: E402


class QuickStart:
    def __init__(self):
        self.loop = GLib.MainLoop()
        self.status = None

    def run(self):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT,
                             self.finish, 0)
        self.loop.run()
        return self.status

    def fail(self, message):
        if self.status is None:
            print('quick-start:', message, file=sys.stderr)
        self.finish(1)

    def finish(self, status):
        if self.status is None:
            self.status = status
            self.close()

    def close(self):
        self.peer.close_async(None, self.on_closed)

    def on_closed(self, peer, result):
        peer.close_finish(result)
        self.loop.quit()


class Server(QuickStart):
    def __init__(self, port='4222'):
        super().__init__()
        self.server = HolePunch.MatchServer(port=int(port))
        self.server.connect('peer-registered', self.on_registered)
        self.server.connect('introduced', self.on_introduced)
        self.server.start()
        port = self.server.get_local_address().get_port()
        print(f'server: listening on port {port}')

    def on_registered(self, server, peer):
        print(f'server: {peer.get_id()} is at '
              f'{peer.get_address().to_string()}')

    def on_introduced(self, server, caller, callee):
        print(f'server: introduced {caller.get_address().to_string()} to '
              f'{callee.get_id()}')

    def close(self):
        self.server.stop()
        self.loop.quit()


class Callee(QuickStart):
    def __init__(self, id, server):
        super().__init__()
        self.peer = HolePunch.Peer(id=id, match_server=server)
        self.peer.connect('peer-resolved', self.on_resolved)
        self.peer.connect('message-received', self.on_message)
        self.peer.start_async(None, self.on_started)

    def on_started(self, peer, result):
        try:
            peer.start_finish(result)
        except GLib.Error as error:
            self.fail(error.message)
            return
        print(f'callee: registered as {peer.get_id()}, seen at '
              f'{peer.get_public_address().to_string()}')

    def on_resolved(self, peer, caller):
        print(f'callee: found {caller.get_remote_address().to_string()} after '
              f'{caller.get_setup_time() / 1000:.1f} ms')

    def on_message(self, peer, caller, message):
        print(f'callee: got {message.get_size()} bytes')
        caller.send_message(GLib.Bytes.new(b'callee got you'))


class Caller(QuickStart):
    def __init__(self, id, server, count='5'):
        super().__init__()
        self.target = id
        self.message = GLib.Bytes.new(b'\x08' * 10 * 1024)
        self.left = int(count) or float('inf')
        self.found_at = 0
        self.peer = HolePunch.Peer(match_server=server)
        self.peer.connect('peer-resolved', self.on_resolved)
        self.peer.connect('message-received', self.on_answer)
        self.peer.connect('connection-closed', self.on_connection_closed)
        self.send()

    def send(self):
        """The first time, this finds the callee too."""
        self.sent_at = time.monotonic()
        self.peer.send_message_async(self.target, self.message, None,
                                     self.on_sent)

    def on_sent(self, peer, result):
        try:
            peer.send_message_finish(result)
        except GLib.Error as error:
            self.fail(error.message)

    def on_resolved(self, peer, callee):
        self.found_at = time.monotonic()
        print(f'caller: found {self.target} at '
              f'{callee.get_remote_address().to_string()} after '
              f'{callee.get_setup_time() / 1000:.1f} ms')

    def on_answer(self, peer, callee, answer):
        now = time.monotonic()
        since = ''
        if self.found_at > self.sent_at:
            since = (f', {(now - self.found_at) * 1000:.1f} ms of them since '
                     f'{self.target} was found')
        print(f'caller: sent {self.message.get_size()} bytes, got '
              f'"{answer.get_data().decode()}" back in '
              f'{(now - self.sent_at) * 1000:.1f} ms{since}')
        self.left -= 1
        if self.left > 0:
            self.send()
        else:
            self.finish(0)

    def on_connection_closed(self, peer, connection):
        self.fail('the callee has gone')


def main(arguments):
    roles = {'server': Server, 'callee': Callee, 'caller': Caller}
    try:
        quick_start = roles[arguments[0]](*arguments[1:])
    except (IndexError, KeyError, TypeError):
        print(__doc__, file=sys.stderr)
        return 2
    except GLib.Error as error:
        print('quick-start:', error.message, file=sys.stderr)
        return 1
    return quick_start.run()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
