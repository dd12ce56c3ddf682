# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Around the README's way to send a file: a connection, and what is told."""

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import Gio, GLib, HolePunch  # noqa: E402, F401


def on_connected(peer, result):
    found.append(peer.connect_finish(result))


def on_sent(output, result, stream):
    print('sent', output.splice_finish(result), flush=True)
    loop.quit()


loop = GLib.MainLoop()
found = []
peer = HolePunch.Peer(match_server='match.example.org')
peer.connect_async('wq', None, on_connected)
while not found:
    loop.get_context().iteration(True)
connection = found[0]

README

loop.run()
