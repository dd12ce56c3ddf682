# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Around the README's way to receive a file: a peer with an id."""

import threading  # noqa: F401

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import Gio, GLib, HolePunch  # noqa: E402, F401


def on_started(peer, result):
    peer.start_finish(result)
    print('registered as', peer.get_id(), flush=True)


peer = HolePunch.Peer(id='wq', match_server='match.example.org')

README

peer.start_async(None, on_started)
GLib.MainLoop().run()
