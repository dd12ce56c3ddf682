# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The match server, its questions, and a registry of one's own."""

from harness import (Gio, GLib, HolePunch, NetworkTestCase, call, data,
                     implemented, later, on, read, read_all, wait_until)
from objects import Partial, Shared, Slow


class Signals(NetworkTestCase):
    def test_signals(self):
        log = []
        on(self.server, 'peer-registered',
           lambda server, peer: log.append(('registered', read_all(peer))))
        on(self.server, 'peer-expired',
           lambda server, peer: log.append(('expired', peer.props.id)))
        on(self.server, 'introduced', lambda server, caller, callee:
           log.append((caller.props.id, callee.props.id)))
        callee = self.start_peer('wq')
        self.assertEqual(len(log), 1)
        registration = log[0][1]
        self.assertEqual(registration['id'], 'wq')
        self.assertEqual(registration['fingerprint'],
                         callee.props.identity.props.fingerprint)
        self.assertEqual(registration['address'].get_port(),
                         callee.props.local_address.get_port())
        call(self.start_peer(), 'connect', 'wq')
        wait_until(lambda: len(log) == 2)
        self.assertEqual(log[1], (None, 'wq'))
        call(callee, 'close')
        wait_until(lambda: len(log) == 3)
        self.assertEqual(log[2], ('expired', 'wq'))

    def test_properties(self):
        self.assertGreater(read(self.server, 'port'), 0)
        self.assertEqual(read(self.server, 'port'),
                         self.server.props.local_address.get_port())
        self.assertIsInstance(read(self.server, 'registry'),
                              HolePunch.MemoryRegistry)
        self.assertIsInstance(read(self.server, 'identity'),
                              HolePunch.Identity)
        self.start_peer('wq')
        self.assertEqual(self.server.props.registry.props.size, 1)
        statistics = read(self.server, 'statistics')
        values = read_all(statistics)
        self.assertEqual(values['registrations'], 1)
        self.assertGreater(values['datagrams-received'], 0)
        self.assertIn('1', statistics.to_string())

    def test_start_and_stop(self):
        self.assertTrue(self.server.start())
        other = HolePunch.MatchServer(listen_address='127.0.0.1',
                                      port=self.server.props.port)
        message = self.assert_io_error(Gio.IOErrorEnum.ADDRESS_IN_USE,
                                       other.start)
        self.assertIn(str(other.props.port), message)
        self.server.stop()
        self.server.stop()
        self.assertIsNone(read(self.server, 'local-address'))
        self.assertTrue(other.start())
        other.stop()
        self.server.start()

    def test_pinned(self):
        """A server that is not the one whose key was given is none."""
        port = self.server.props.port
        good = self.server.props.identity.props.fingerprint
        bad = HolePunch.Identity().props.fingerprint
        peer = HolePunch.Peer(
            id='wq', match_server=f'holepunch://{good}@127.0.0.1:{port}')
        self.peers.append(peer)
        self.assertTrue(call(peer, 'start'))
        peer = HolePunch.Peer(
            id='sk', match_server=f'holepunch://{bad}@127.0.0.1:{port}')
        self.peers.append(peer)
        self.assert_punch_error(HolePunch.PunchError.IDENTITY_MISMATCH, call,
                                peer, 'start')


class Guarded(NetworkTestCase):
    def test_registration(self):
        asked = []

        def ask(server, authorization):
            asked.append(read_all(authorization))
            if authorization.props.id == 'wq':
                later(authorization.allow)
            else:
                later(authorization.deny)
        on(self.server, 'authorize-registration', ask)
        self.assertTrue(call(self.make_peer('wq'), 'start'))
        self.assertEqual(asked[0]['id'], 'wq')
        self.assert_punch_error(HolePunch.PunchError.REFUSED, call,
                                self.make_peer('sk'), 'start')

    def test_review(self):
        """Who may register has changed."""
        allowed = ['wq']

        def ask(server, authorization):
            if authorization.props.id in allowed:
                authorization.allow()
            else:
                authorization.deny()
        self.server.props.registration_lifetime = 3
        on(self.server, 'authorize-registration', ask)
        peer = self.start_peer('wq')
        self.assertTrue(peer.props.registered)
        allowed.clear()
        self.server.review_registrations()
        wait_until(lambda: not peer.props.registered)
        self.assertEqual(self.server.props.statistics.props.registrations, 0)

    def test_introduction(self):
        friend = self.start_peer()
        stranger = self.start_peer()
        self.start_peer('wq')

        def ask(server, authorization):
            if authorization.props.fingerprint \
                    == friend.props.identity.props.fingerprint:
                later(authorization.allow)
            else:
                authorization.deny()
        on(self.server, 'authorize-introduction', ask)
        call(friend, 'connect', 'wq')
        with self.assertRaises(GLib.Error) as context:
            call(stranger, 'connect', 'wq')
        self.assertEqual(context.exception.domain, 'hp-punch-error-quark')
        self.assertIn(context.exception.code,
                      (HolePunch.PunchError.UNKNOWN_ID,
                       HolePunch.PunchError.REFUSED))


class Server(HolePunch.MatchServer):
    def __init__(self, **properties):
        super().__init__(**properties)
        self.log = []

    def do_peer_registered(self, peer):
        implemented('MatchServer', 'peer_registered')
        self.log.append('registered ' + peer.props.id)

    def do_peer_expired(self, peer):
        implemented('MatchServer', 'peer_expired')
        self.log.append('expired ' + peer.props.id)

    def do_introduced(self, caller, callee):
        implemented('MatchServer', 'introduced')
        self.log.append('introduced to ' + callee.props.id)


class Subclass(NetworkTestCase):
    def make_server(self):
        return Server(port=0, listen_address='127.0.0.1', registry=Slow())

    def test_virtual_methods(self):
        callee = self.start_peer('wq')
        call(self.start_peer(), 'connect', 'wq')
        call(callee, 'close')
        wait_until(lambda: len(self.server.log) == 3)
        self.assertEqual(self.server.log, [
            'registered wq', 'introduced to wq', 'expired wq'])

    def test_registry(self):
        """Who holds what is the registry's to say, in its own time."""
        callee = self.start_peer('wq', identity=HolePunch.Identity())
        registry = self.server.props.registry
        self.assertEqual(registry.requests[0]['id'], 'wq')
        self.assertEqual(registry.requests[0]['fingerprint'],
                         callee.props.identity.props.fingerprint)
        registry.holders['sk'] = HolePunch.Registration(
            id='sk', fingerprint=HolePunch.Identity().props.fingerprint)
        self.assert_punch_error(HolePunch.PunchError.ID_TAKEN, call,
                                self.make_peer('sk'), 'start')
        connection = call(self.start_peer(), 'connect', 'wq')
        self.assertTrue(call(connection, 'send_message', data('hello')))


class Together(NetworkTestCase):
    """Two servers with a registry in common, and a peer at each."""

    def make_server(self):
        self.store = {}
        self.south = HolePunch.MatchServer(
            port=0, listen_address='127.0.0.1',
            registry=Shared('south', self.store))
        self.south.start()
        self.addCleanup(self.south.stop)
        return HolePunch.MatchServer(port=0, listen_address='127.0.0.1',
                                     registry=Shared('north', self.store))

    def start_peer_in_south(self, **properties):
        port = self.south.props.port
        peer = HolePunch.Peer(match_server=f'127.0.0.1:{port}', **properties)
        self.peers.append(peer)
        self.assertTrue(call(peer, 'start'))
        return peer

    def test_introduction(self):
        callee = self.start_peer_in_south(id='wq')
        caller = self.start_peer('sk')
        connection = call(caller, 'connect', 'wq')
        self.assertEqual(connection.props.fingerprint,
                         callee.props.identity.props.fingerprint)
        self.assertTrue(call(connection, 'send_message', data('hello')))
        connection = call(callee, 'connect', 'sk')
        self.assertEqual(connection.props.fingerprint,
                         caller.props.identity.props.fingerprint)
        self.assert_punch_error(HolePunch.PunchError.UNKNOWN_ID, call, caller,
                                'connect', 'nobody')

    def test_by_fingerprint(self):
        callee = self.start_peer_in_south(id='wq')
        fingerprint = callee.props.identity.props.fingerprint
        connection = call(self.start_peer(), 'connect', fingerprint)
        self.assertEqual(connection.props.fingerprint, fingerprint)

    def test_taken(self):
        self.start_peer_in_south(id='wq')
        self.assert_punch_error(
            HolePunch.PunchError.ID_TAKEN, call,
            self.make_peer('wq', identity=HolePunch.Identity()), 'start')


class Broken(NetworkTestCase):
    def make_server(self):
        return HolePunch.MatchServer(port=0, listen_address='127.0.0.1',
                                     registry=Partial())

    def test_registry(self):
        """A registry that cannot claim: the peer is told, nothing crashes."""
        peer = self.make_peer('wq', connect_timeout=2)
        self.assert_punch_error(HolePunch.PunchError.MATCH_SERVER, call,
                                peer, 'start')
        self.assertFalse(peer.props.registered)
