# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Peers and their connections, over the loopback interface."""

import gc

from harness import (Gio, GLib, HolePunch, NetworkTestCase, call, data,
                     implemented, later, on, read, read_all, wait_until)

TEN_KIB = data(b'\x08' * 10 * 1024)


class Messages(NetworkTestCase):
    def test_quick_start(self):
        """10 KiB there, "callee got you" back, and all that can be seen."""
        seen = []

        def answer(peer, connection, message):
            self.assertIs(peer, callee)
            self.assertIsInstance(message, GLib.Bytes)
            self.assertTrue(message.equal(TEN_KIB))
            connection.send_message(data('callee got you'))
        callee = self.make_peer('wq')
        on(callee, 'message-received', answer)
        on(callee, 'peer-resolved',
           lambda peer, connection: seen.append(connection))
        self.assertFalse(read(callee, 'registered'))
        self.assertTrue(call(callee, 'start'))
        self.assertTrue(read(callee, 'registered'))
        self.assertIsInstance(read(callee, 'local-address'),
                              Gio.InetSocketAddress)
        self.assertEqual(callee.props.public_address.get_port(),
                         callee.props.local_address.get_port())

        answers = []
        caller = self.make_peer()
        caller.props.max_datagram_size = 1024
        on(caller, 'message-received',
           lambda peer, connection, message: answers.append(message))
        self.assertTrue(call(caller, 'send_message', 'wq', TEN_KIB))
        wait_until(lambda: answers)
        self.assertIsInstance(answers[0], GLib.Bytes)
        self.assertEqual(answers[0].get_data(), b'callee got you')

        connection = call(caller, 'connect', 'wq')
        values = read_all(connection)
        self.assertEqual(values['remote-id'], 'wq')
        self.assertEqual(values['fingerprint'],
                         callee.props.identity.props.fingerprint)
        self.assertEqual(values['remote-address'].get_port(),
                         callee.props.local_address.get_port())
        self.assertEqual(values['local-address'].get_port(),
                         caller.props.local_address.get_port())
        self.assertEqual(values['path'], HolePunch.PathKind.LAN)
        self.assertEqual(values['state'],
                         HolePunch.ConnectionState.CONNECTED)
        self.assertEqual(values['datagram-size'], 1024)
        self.assertGreater(values['round-trip-time'], 0)
        self.assertGreater(values['setup-time'], 0)
        nat = read_all(callee.props.nat)
        self.assertEqual(nat['mapping'], HolePunch.NatMapping.NONE)
        self.assertEqual(nat['public-address'].get_port(), nat['first-port'])
        self.assertIn('no NAT', callee.get_nat().to_string())
        self.check_report(caller)
        statistics = read_all(values['statistics'])
        self.assertEqual(statistics['messages-sent'], 1)
        self.assertEqual(statistics['messages-received'], 1)
        self.assertGreaterEqual(statistics['bytes-sent'], 10 * 1024)
        self.assertGreater(statistics['datagrams-sent'], 10)
        self.assertIn('10', values['statistics'].to_string())
        self.assertEqual(len(seen), 1)
        self.assertEqual(seen[0].props.fingerprint,
                         caller.props.identity.props.fingerprint)

    def check_report(self, caller):
        report = call(caller, 'check_network')
        self.assertIs(read(caller, 'network-report'), report)
        values = read_all(report)
        self.assertEqual(values['prospects'],
                         HolePunch.Prospects.ALMOST_ALL)
        self.assertEqual(values['nat'].props.mapping,
                         HolePunch.NatMapping.NONE)
        self.assertEqual(values['public-addresses'], ['127.0.0.1'])
        self.assertEqual(values['attempts'], [])
        self.assertEqual(len(values['relays']), 0)
        match, = values['match-servers']
        facts = read_all(match)
        self.assertEqual(facts['kind'], HolePunch.ServerKind.MATCH)
        self.assertGreater(facts['round-trip-time'], 0)
        self.assertIn(values['summary'], report.to_string())
        self.assertIn(match.to_string(), report.to_string())

    def test_kinds(self):
        received = []
        callee = self.start_peer('wq')

        def on_resolved(peer, connection):
            on(connection, 'message-received',
               lambda connection, message: received.append(
                   message.get_data()))
        on(callee, 'peer-resolved', on_resolved)
        connection = call(self.make_peer(), 'connect', 'wq')
        flags = HolePunch.MessageFlags
        self.assertTrue(connection.send_message(data('1')))
        self.assertTrue(call(connection, 'send_message', data('2')))
        self.assertTrue(connection.send_message_full(
            data('3'), flags.UNORDERED, 0))
        self.assertTrue(call(connection, 'send_message_full', data('4'),
                             flags.UNRELIABLE, 10 * GLib.USEC_PER_SEC))
        self.assertTrue(call(connection, 'send_message', data('')))
        wait_until(lambda: len(received) == 5)
        self.assertEqual(sorted(received[:4]), [b'1', b'2', b'3', b'4'])
        self.assertFalse(received[4])
        self.assertEqual(read(connection, 'queued-bytes'), 0)

    def test_nothing_missed(self):
        """A handler that is connected when connect_async has called back
        misses nothing that the callee said at once."""
        callee = self.start_peer('wq')
        on(callee, 'peer-resolved', lambda peer, connection: [
            connection.send_message(data(str(i))) for i in range(20)])
        received = []
        caller = self.start_peer()

        def on_connected(caller, result):
            connection = caller.connect_finish(result)
            on(connection, 'message-received',
               lambda connection, message: received.append(
                   message.get_data()))
        caller.connect_async('wq', None, on_connected)
        wait_until(lambda: len(received) == 20)
        self.assertEqual(received, [str(i).encode() for i in range(20)])

    def test_direct_call(self):
        callee = self.start_peer('wq', direct_calls=True)
        caller = self.start_peer()
        address = Gio.InetSocketAddress.new_from_string(
            '127.0.0.1', callee.props.local_address.get_port())
        connection = call(caller, 'connect_to_address', address,
                          callee.props.identity.props.fingerprint)
        self.assertEqual(connection.props.fingerprint,
                         callee.props.identity.props.fingerprint)

    def test_targets(self):
        callee = self.start_peer('wq')
        fingerprint = callee.props.identity.props.fingerprint
        caller = self.start_peer()
        first = call(caller, 'connect', fingerprint)
        self.assertIs(call(caller, 'connect', 'wq@' + fingerprint), first)
        self.assertIs(call(caller, 'connect', 'wq'), first)

    def test_list(self):
        self.start_peer('wq')
        caller = self.start_peer()
        connections = read(caller, 'connections')
        self.assertIsInstance(connections, Gio.ListModel)
        self.assertIs(connections.get_item_type().pytype
                      or HolePunch.Connection, HolePunch.Connection)
        changes = []
        connections.connect('items-changed',
                            lambda model, *change: changes.append(change))
        connection = call(caller, 'connect', 'wq')
        self.assertEqual(list(connections), [connection])
        call(connection, 'close')
        wait_until(lambda: len(changes) == 2)
        self.assertEqual(changes, [(0, 0, 1), (0, 1, 0)])
        self.assertTrue(caller, 'a peer must not be falsy')


class Ends(NetworkTestCase):
    def test_close(self):
        closed = []
        callee = self.start_peer('wq')
        on(callee, 'connection-closed',
           lambda peer, connection: closed.append(('callee', None)))
        caller = self.start_peer()
        connection = call(caller, 'connect', 'wq')
        on(connection, 'closed',
           lambda connection, error: closed.append(('caller', error)))
        self.assertTrue(call(connection, 'close'))
        wait_until(lambda: len(closed) == 2)
        self.assertEqual(sorted(closed), [('callee', None), ('caller', None)])
        self.assertEqual(read(connection, 'state'),
                         HolePunch.ConnectionState.CLOSED)
        self.assert_io_error(Gio.IOErrorEnum.CLOSED, call, connection,
                             'send_message', data('late'))
        self.assert_io_error(Gio.IOErrorEnum.CLOSED, call, connection,
                             'send_message_full', data('late'),
                             HolePunch.MessageFlags.NONE, 0)
        # Closing again is no mistake, and a new call is a new connection.
        self.assertTrue(call(connection, 'close'))
        self.assertIsNot(call(caller, 'connect', 'wq'), connection)

    def test_replaced(self):
        """The error of a connection that did not end well."""
        identity = HolePunch.Identity()
        self.start_peer('wq')
        errors = []
        first = call(self.start_peer(identity=identity), 'connect', 'wq')
        on(first, 'closed',
           lambda connection, error: errors.append(error))
        call(self.start_peer(identity=identity), 'connect', 'wq')
        wait_until(lambda: errors)
        self.assertIsInstance(errors[0], GLib.Error)
        self.assertTrue(errors[0].matches(HolePunch.PunchError.quark(),
                                          HolePunch.PunchError.REPLACED))

    def test_close_in_callbacks(self):
        """Whatever a callback closes, what was told is told once."""
        def close_connection(peer, connection, *unused):
            connection.close_async(None, lambda connection, result:
                                   connection.close_finish(result))

        def close_peer(peer, *unused):
            peer.close_async(None, lambda peer, result:
                             peer.close_finish(result))
        for signal in 'peer-resolved', 'message-received':
            for close in close_connection, close_peer:
                closed = []
                callee = self.start_peer(f'{signal} {close.__name__}')
                on(callee, signal, close)
                on(callee, 'connection-closed',
                   lambda *arguments, closed=closed: closed.append(1))
                caller = self.start_peer()
                ended = []
                on(caller, 'connection-closed',
                   lambda *arguments, ended=ended: ended.append(1))
                caller.send_message_async(callee.props.id, TEN_KIB, None,
                                          lambda *arguments: None)
                wait_until(lambda: closed and ended)
                self.assertEqual((closed, ended), ([1], [1]))

    def test_close_in_closed(self):
        self.start_peer('wq')
        caller = self.start_peer()
        connection = call(caller, 'connect', 'wq')
        done = []

        def on_closed(connection, error):
            caller.close_async(None, lambda peer, result:
                               done.append(peer.close_finish(result)))
        on(connection, 'closed', on_closed)
        self.assertTrue(call(connection, 'close'))
        wait_until(lambda: done)
        self.assertEqual(done, [True])

    def test_pending_fail_once(self):
        self.start_peer('wq')
        caller = self.start_peer()
        connection = call(caller, 'connect', 'wq')
        outcomes = []

        def on_sent(connection, result):
            try:
                outcomes.append(connection.send_message_finish(result))
            except GLib.Error as error:
                outcomes.append(error.code)
        for _ in range(5):
            connection.send_message_async(data(b'x' * (1 << 20)), None,
                                          on_sent)
        call(connection, 'close')
        wait_until(lambda: len(outcomes) == 5)
        self.assertEqual(outcomes, [Gio.IOErrorEnum.CLOSED] * 5)

    def test_finalized(self):
        """A closed peer that nobody holds is gone."""
        self.start_peer('wq')
        peer = self.start_peer()
        connection = call(peer, 'connect', 'wq')
        call(peer, 'close')
        gone = []
        peer.weak_ref(gone.append, 'peer')
        connection.weak_ref(gone.append, 'connection')
        self.peers.remove(peer)
        del peer, connection
        gc.collect()
        # Callbacks that are still under way may hold one.
        wait_until(lambda: gc.collect() is None or len(gone) == 2)


class Errors(NetworkTestCase):
    def test_codes(self):
        codes = HolePunch.PunchError
        self.start_peer('wq')
        caller = self.start_peer()
        self.assert_punch_error(codes.UNKNOWN_ID, call, caller, 'connect',
                                'nobody')
        self.assert_punch_error(codes.UNKNOWN_ID, call, caller,
                                'send_message', 'nobody', data('hello'))
        self.assert_punch_error(codes.INVALID_TARGET, call, caller,
                                'connect', 'two\nlines')
        message = self.assert_punch_error(
            codes.ID_TAKEN, call, self.make_peer('wq'), 'start')
        self.assertIn('wq', message)
        other = HolePunch.Identity().props.fingerprint
        self.assert_punch_error(codes.IDENTITY_MISMATCH, call, caller,
                                'connect', 'wq@' + other)
        lonely = HolePunch.Peer(id='wq', connect_timeout=1)
        self.peers.append(lonely)
        self.assert_punch_error(codes.MATCH_SERVER, call, lonely, 'connect',
                                'sk')

    def test_too_large(self):
        self.start_peer('wq', max_message_size=1000)
        connection = call(self.start_peer(), 'connect', 'wq')
        for send in (connection.send_message,
                     lambda message: call(connection, 'send_message',
                                          message)):
            self.assert_punch_error(HolePunch.PunchError.MESSAGE_TOO_LARGE,
                                    send, TEN_KIB)

    def test_cancelled(self):
        self.start_peer('wq')
        caller = self.start_peer()
        connection = call(caller, 'connect', 'wq')
        for instance, method, arguments in (
                (self.make_peer('other'), 'start', ()),
                (caller, 'connect', ('wq',)),
                (caller, 'send_message', ('wq', data('hello'))),
                (connection, 'send_message', (TEN_KIB,)),
                (connection, 'send_message_full',
                 (TEN_KIB, HolePunch.MessageFlags.NONE, 0))):
            with self.subTest(method):
                cancellable = Gio.Cancellable()
                cancellable.cancel()
                self.assert_io_error(Gio.IOErrorEnum.CANCELLED, call,
                                     instance, method, *arguments,
                                     cancellable=cancellable)


class Authorization(NetworkTestCase):
    def start_with(self, handler, **properties):
        peer = self.make_peer('wq', **properties)
        on(peer, 'authorize-peer', handler)
        call(peer, 'start')
        return peer

    def test_allowed_later(self):
        asked = []

        def ask(peer, authorization):
            asked.append(read_all(authorization))
            later(authorization.allow)
        self.start_with(ask)
        caller = self.start_peer('sk')
        connection = call(caller, 'connect', 'wq')
        self.assertEqual(asked, [{
            'id': 'sk', 'wanted-id': 'wq',
            'fingerprint': caller.props.identity.props.fingerprint}])
        self.assertTrue(call(connection, 'send_message', TEN_KIB))

    def test_denied(self):
        """A refusal, now or later, and none at all read as an unknown id."""
        for handler in (
                lambda peer, authorization: authorization.deny(),
                lambda peer, authorization: later(authorization.deny),
                lambda peer, authorization: True):
            callee = self.start_with(handler)
            self.assert_punch_error(HolePunch.PunchError.UNKNOWN_ID, call,
                                    self.start_peer(), 'connect', 'wq')
            gc.collect()
            call(callee, 'close')

    def test_caller_asks(self):
        """Nothing leaves before the caller's own answer."""
        received = []
        callee = self.start_peer('wq')
        on(callee, 'message-received', lambda *arguments: received.append(1))
        caller = self.make_peer()
        asked = []

        def ask(peer, authorization):
            asked.append(authorization.props.fingerprint)
            authorization.deny()
        on(caller, 'authorize-peer', ask)
        self.assert_punch_error(HolePunch.PunchError.DENIED, call, caller,
                                'send_message', 'wq', TEN_KIB)
        self.assertEqual(asked, [callee.props.identity.props.fingerprint])
        self.assertEqual(received, [])


class Node(HolePunch.Peer):
    """Its own default handlers, as a user's class would have."""

    def __init__(self, **properties):
        super().__init__(**properties)
        self.log = []

    def do_message_received(self, connection, message):
        implemented('Peer', 'message_received')
        self.log.append(message.get_data())
        if self.props.id:
            connection.send_message(data('callee got you'))

    def do_peer_resolved(self, connection):
        implemented('Peer', 'peer_resolved')
        self.log.append(connection.props.state)

    def do_connection_closed(self, connection):
        implemented('Peer', 'connection_closed')
        self.log.append('closed')


class Subclass(NetworkTestCase):
    def test_virtual_methods(self):
        callee = self.start_peer('wq', klass=Node)
        caller = self.start_peer(klass=Node)
        connection = call(caller, 'connect', 'wq')
        call(connection, 'send_message', data('hello'))
        wait_until(lambda: len(caller.log) == 2)
        call(connection, 'close')
        wait_until(lambda: caller.log[-1] == callee.log[-1] == 'closed')
        connected = HolePunch.ConnectionState.CONNECTED
        self.assertEqual(caller.log, [connected, b'callee got you', 'closed'])
        self.assertEqual(callee.log, [connected, b'hello', 'closed'])
