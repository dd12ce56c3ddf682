# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What needs no network: identities, values, registries, errors."""

import os
import shutil
import stat
import subprocess
import tempfile

from harness import (EVERYTHING, Gio, GLib, GObject, HolePunch, TestCase,
                     call, change, data, implemented, later, on, read,
                     read_all, wait_until)

FINGERPRINT = HolePunch.Identity().get_fingerprint()


class Bare(TestCase):
    """Objects that nobody handed out must not crash whoever plays with
    them."""

    def test_properties(self):
        for name, members in EVERYTHING.items():
            klass = getattr(HolePunch, name)
            if not issubclass(klass, GObject.Object) \
                    or klass is HolePunch.Registry:
                continue
            with self.subTest(name):
                values = read_all(klass())
                self.assertEqual(sorted(values),
                                 sorted(members['properties']))

    def test_new(self):
        self.assertIsNone(HolePunch.Peer.new(None, None).props.id)
        peer = HolePunch.Peer.new('wq', 'match.example.org')
        self.assertEqual(read(peer, 'id'), 'wq')
        self.assertEqual(read(peer, 'match-server'), 'match.example.org')
        self.assertEqual(HolePunch.MatchServer.new(7).props.port, 7)
        self.assertEqual(HolePunch.MatchServer().props.port,
                         HolePunch.DEFAULT_PORT)
        self.assertEqual(len(HolePunch.Identity.new().props.fingerprint), 52)
        self.assertEqual(HolePunch.MemoryRegistry.new().props.size, 0)

    def test_answers_to_nobody(self):
        HolePunch.Authorization().allow()
        HolePunch.Authorization().deny()
        request = HolePunch.RegistryRequest()
        request.return_registration(None)
        request.return_error(GLib.Error.new_literal(
            Gio.io_error_quark(), 'no', Gio.IOErrorEnum.FAILED))

    def test_connection(self):
        connection = HolePunch.Connection()
        self.assertEqual(connection.props.state,
                         HolePunch.ConnectionState.CLOSED)
        self.assert_io_error(Gio.IOErrorEnum.CLOSED, connection.send_message,
                             data('hello'))
        self.assert_io_error(Gio.IOErrorEnum.CLOSED, call, connection,
                             'send_message', data('hello'))
        self.assertTrue(call(connection, 'close'))

    def test_server(self):
        HolePunch.MatchServer().stop()


class Redis(TestCase):
    def test_settings(self):
        registry = HolePunch.RedisRegistry.new('redis://127.0.0.1:1')
        values = read_all(registry)
        self.assertEqual(values['uri'], 'redis://127.0.0.1:1')
        self.assertEqual(values['key-prefix'], 'hole-punch')
        self.assertFalse(values['connected'])
        self.assertRegex(values['server-name'], '^[0-9a-f]{16}$')
        change(self, registry, 'max-in-flight', 1, 7)
        change(self, registry, 'presence-lifetime', 1, 600)
        with self.assertRaises(GLib.Error):
            call(registry, 'claim', 'wq', FINGERPRINT, 60, True)

    def test_claim(self):
        program = shutil.which('redis-server')
        if program is None:
            self.skipTest('there is no redis-server here')
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'redis.sock')
            process = subprocess.Popen(
                [program, '--port', '0', '--unixsocket', path, '--save', '',
                 '--dir', directory], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL)
            try:
                self.check_claim('unix://' + path)
            finally:
                process.kill()
                process.wait()

    def check_claim(self, uri):
        registry = HolePunch.RedisRegistry(uri=uri, server_name='north')
        try:
            call(registry, 'lookup', 'wq')
        except GLib.Error as error:
            if error.matches(Gio.io_error_quark(),
                             Gio.IOErrorEnum.NOT_SUPPORTED):
                self.skipTest(error.message)
        # It connects by itself when Redis is there.
        if not registry.props.connected:
            changes = []
            registry.connect('notify::connected',
                             lambda *arguments: changes.append(arguments))
            wait_until(lambda: changes)
        self.assertTrue(registry.props.connected)
        holder = call(registry, 'claim', 'wq', FINGERPRINT, 60, False)
        self.assertEqual(read_all(holder), {
            'id': 'wq', 'fingerprint': FINGERPRINT, 'address': None,
            'server': 'north'})
        messages = []
        on(registry, 'message-received',
           lambda registry, message: messages.append(message.get_data()))
        call(registry, 'post', 'north', data('hello'))
        wait_until(lambda: messages)
        self.assertEqual(messages, [b'hello'])
        holder = call(registry, 'lookup_key', FINGERPRINT)
        self.assertEqual(holder.props.server, 'north')


class Identity(TestCase):
    def test_keys(self):
        identity = HolePunch.Identity()
        fingerprint = read(identity, 'fingerprint')
        public_key = read(identity, 'public-key')
        self.assertRegex(fingerprint, '^[a-z2-7]{52}$')
        self.assertIsInstance(public_key, GLib.Bytes)
        self.assertEqual(public_key.get_size(), 32)
        self.assertNotEqual(HolePunch.Identity().props.fingerprint,
                            fingerprint)

    def test_file(self):
        with tempfile.TemporaryDirectory() as directory:
            name = os.path.join(directory, 'identity')
            with self.assertRaises(GLib.Error) as context:
                HolePunch.Identity.load(name)
            self.assertTrue(context.exception.matches(
                GLib.file_error_quark(), GLib.FileError.NOENT))
            identity = HolePunch.Identity()
            self.assertTrue(identity.save(name))
            self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), 0o600)
            again = HolePunch.Identity.load(name)
            self.assertEqual(again.props.fingerprint,
                             identity.props.fingerprint)
            with open(name, 'w', encoding='ascii') as file:
                file.write('something else')
            self.assert_punch_error(HolePunch.PunchError.INVALID_IDENTITY,
                                    HolePunch.Identity.load, name)
            with self.assertRaises(GLib.Error):
                identity.save(os.path.join(directory, 'no', 'folder'))


class Values(TestCase):
    def test_registration(self):
        registration = HolePunch.Registration.new('wq', FINGERPRINT)
        self.assertEqual(read_all(registration), {
            'id': 'wq', 'fingerprint': FINGERPRINT, 'address': None,
            'server': None})
        address = Gio.InetSocketAddress.new_from_string('192.0.2.1', 4222)
        registration = HolePunch.Registration(
            id='wq', fingerprint=FINGERPRINT, address=address, server='north')
        self.assertIs(read(registration, 'address'), address)
        self.assertEqual(read(registration, 'server'), 'north')

    def test_statistics(self):
        self.assertIn('0', HolePunch.Statistics().to_string())
        self.assertIn('not known', HolePunch.NatInfo().to_string())
        self.assertIn('0', HolePunch.ServerStatistics().to_string())
        self.assertIn('not known', HolePunch.NetworkReport().to_string())
        self.assertIn('not known', HolePunch.ServerReport().to_string())
        self.assertEqual(set(read_all(HolePunch.Statistics()).values()), {0})

    def test_errors(self):
        self.assertEqual(GLib.quark_to_string(HolePunch.PunchError.quark()),
                         'hp-punch-error-quark')
        error = GLib.Error.new_literal(HolePunch.PunchError.quark(), 'who?',
                                       HolePunch.PunchError.UNKNOWN_ID)
        self.assertTrue(error.matches(HolePunch.PunchError.quark(),
                                      HolePunch.PunchError.UNKNOWN_ID))
        self.assertFalse(error.matches(HolePunch.PunchError.quark(),
                                       HolePunch.PunchError.REFUSED))

    def test_enums(self):
        self.assertEqual(HolePunch.PathKind.DIRECT.value_nick, 'direct')
        self.assertEqual(HolePunch.ConnectionState.CLOSED.value_nick,
                         'closed')
        both = HolePunch.MessageFlags.UNORDERED \
            | HolePunch.MessageFlags.UNRELIABLE
        self.assertEqual(int(both), 3)

    def test_settings(self):
        peer = HolePunch.Peer()
        change(self, peer, 'id', 'wq', 'Бета')
        change(self, peer, 'match-server', 'a.example', 'a.example,b.example')
        change(self, peer, 'stun-servers', 'a.example:3479', 'b.example')
        change(self, peer, 'identity', HolePunch.Identity())
        change(self, peer, 'port', 4223)
        change(self, peer, 'datagram-size', 1200)
        change(self, peer, 'max-datagram-size', 1400)
        change(self, peer, 'max-message-size', 1 << 20)
        change(self, peer, 'max-receive-window', 1 << 23)
        change(self, peer, 'keepalive-interval', 20)
        change(self, peer, 'connect-timeout', 7)
        change(self, peer, 'max-nat-entries', 300)
        change(self, peer, 'direct-calls', True)
        change(self, peer, 'port-mapping', False)
        change(self, peer, 'turn-servers', 'turn:me:secret@192.0.2.1')
        change(self, peer, 'relay-policy', HolePunch.RelayPolicy.DIRECT_ONLY,
               HolePunch.RelayPolicy.RELAY_ONLY)
        change(self, peer, 'turn-tls-database',
               Gio.TlsBackend.get_default().get_default_database())
        self.assertEqual(peer.props.datagram_size, 1024)
        server = HolePunch.MatchServer()
        change(self, server, 'listen-address', '127.0.0.1', '::1')
        change(self, server, 'port', 0, 4223)
        change(self, server, 'identity', HolePunch.Identity())
        change(self, server, 'registry', HolePunch.MemoryRegistry())
        change(self, server, 'registration-lifetime', 60)
        change(self, server, 'max-peers', 10)
        change(self, server, 'max-handshakes-per-second', 3)
        change(self, server, 'max-total-handshakes-per-second', 4)
        change(self, server, 'max-asks-per-minute', 5)
        change(self, server, 'max-registrations-per-network', 6)
        change(self, server, 'max-stun-per-second', 7)
        change(self, server, 'workers', 0, 2)
        change(self, server, 'second-port', -1, 4223)
        change(self, server, 'second-address', '127.0.0.2')
        change(self, server, 'turn-servers', ['turn:192.0.2.1'])
        change(self, server, 'turn-secret', 'abracadabra')
        change(self, server, 'turn-lifetime', 600)
        change(self, HolePunch.MemoryRegistry(), 'max-size', 3)


class Slow(GObject.Object, HolePunch.Registry):
    """Answers everything, a while later."""

    def __init__(self):
        super().__init__()
        self.holders = {}
        self.requests = []

    def do_claim(self, request):
        implemented('Registry', 'claim')
        self.requests.append(read_all(request))
        holder = self.holders.setdefault(
            request.props.id, HolePunch.Registration(
                id=request.props.id, fingerprint=request.props.fingerprint))
        later(request.return_registration, holder)

    def do_lookup(self, request):
        implemented('Registry', 'lookup')
        later(request.return_registration,
              self.holders.get(request.props.id))

    def do_release(self, request):
        implemented('Registry', 'release')
        self.holders.pop(request.props.id)
        later(request.return_registration, None)


class Shared(GObject.Object, HolePunch.Registry):
    """What several match servers have in common: one object each, and a
    store."""

    def __init__(self, name, store):
        super().__init__()
        self.name = name
        self.store = store
        self.requests = []
        store.setdefault('ids', {})
        store.setdefault('keys', {})
        store.setdefault('servers', {})[name] = self

    def do_claim(self, request):
        holder = self.store['ids'].get(request.props.id)
        if holder is None \
                or holder.props.fingerprint == request.props.fingerprint:
            holder = HolePunch.Registration(
                id=request.props.id, fingerprint=request.props.fingerprint,
                server=self.name)
            self.store['ids'][request.props.id] = holder
            self.store['keys'][request.props.fingerprint] = holder
        later(request.return_registration, holder)

    def do_lookup(self, request):
        later(request.return_registration,
              self.store['ids'].get(request.props.id))

    def do_release(self, request):
        self.store['ids'].pop(request.props.id, None)
        request.return_registration(None)

    def do_lookup_key(self, request):
        implemented('Registry', 'lookup_key')
        self.requests.append(read_all(request))
        later(request.return_registration,
              self.store['keys'].get(request.props.fingerprint))

    def do_post(self, request):
        implemented('Registry', 'post')
        self.requests.append(read_all(request))
        other = self.store['servers'].get(request.props.server)
        if other is None:
            request.return_error(GLib.Error.new_literal(
                Gio.io_error_quark(), 'who?', Gio.IOErrorEnum.NOT_FOUND))
            return
        later(other.emit, 'message-received', request.props.message)
        request.return_registration(None)

    def do_dup_server_name(self):
        implemented('Registry', 'dup_server_name')
        return self.name


class Partial(GObject.Object, HolePunch.Registry):
    def do_lookup(self, request):
        request.return_error(GLib.Error.new_literal(
            HolePunch.PunchError.quark(), 'too often',
            HolePunch.PunchError.RATE_LIMITED))


class Forgetful(GObject.Object, HolePunch.Registry):
    def do_lookup(self, request):
        pass


class Keeping(GObject.Object, HolePunch.Registry):
    def do_lookup(self, request):
        self.request = request


class Registry(TestCase):
    def check_holding(self, registry):
        holder = call(registry, 'claim', 'wq', FINGERPRINT, 60, True)
        self.assertIsInstance(holder, HolePunch.Registration)
        self.assertEqual(holder.props.fingerprint, FINGERPRINT)
        other = HolePunch.Identity().props.fingerprint
        holder = call(registry, 'claim', 'wq', other, 60, False)
        self.assertEqual(holder.props.fingerprint, FINGERPRINT)
        holder = call(registry, 'lookup', 'wq')
        self.assertEqual(holder.props.id, 'wq')
        self.assertEqual(holder.props.fingerprint, FINGERPRINT)
        self.assertIsNone(call(registry, 'lookup', 'nobody'))
        self.assertTrue(call(registry, 'release', 'wq', FINGERPRINT))
        self.assertIsNone(call(registry, 'lookup', 'wq'))

    def test_memory(self):
        registry = HolePunch.MemoryRegistry()
        self.check_holding(registry)
        change(self, registry, 'max-size', 1)
        registry.props.max_size = 1
        call(registry, 'claim', 'a', FINGERPRINT, 60, False)
        self.assertEqual(read(registry, 'size'), 1)
        self.assert_punch_error(HolePunch.PunchError.RATE_LIMITED, call,
                                registry, 'claim', 'b', FINGERPRINT, 60,
                                False)

    def test_file(self):
        with tempfile.TemporaryDirectory() as directory:
            name = os.path.join(directory, 'ids')
            registry = HolePunch.MemoryRegistry.open(name)
            self.assertEqual(read(registry, 'filename'), name)
            self.check_holding(registry)
            call(registry, 'claim', 'kept', FINGERPRINT, 60, False)
            self.assert_io_error(Gio.IOErrorEnum.BUSY,
                                 HolePunch.MemoryRegistry.open, name)
            del registry
            registry = HolePunch.MemoryRegistry.open(name)
            self.assertEqual(registry.props.size, 1)
            holder = call(registry, 'lookup', 'kept')
            self.assertEqual(holder.props.fingerprint, FINGERPRINT)
            self.assertIsNone(HolePunch.MemoryRegistry().props.filename)

    def test_later(self):
        registry = Slow()
        self.check_holding(registry)
        self.assertEqual(registry.requests[0], {
            'id': 'wq', 'fingerprint': FINGERPRINT, 'lifetime': 60,
            'ephemeral': True, 'server': None, 'message': None})

    def test_partial(self):
        """What a class leaves out is not supported, and no crash."""
        registry = Partial()
        self.assert_punch_error(HolePunch.PunchError.RATE_LIMITED, call,
                                registry, 'lookup', 'wq')
        self.assert_io_error(Gio.IOErrorEnum.NOT_SUPPORTED, call, registry,
                             'claim', 'wq', FINGERPRINT, 60, False)
        self.assert_io_error(Gio.IOErrorEnum.NOT_SUPPORTED, call, registry,
                             'release', 'wq', FINGERPRINT)
        self.assert_io_error(Gio.IOErrorEnum.NOT_SUPPORTED, call, registry,
                             'lookup_key', FINGERPRINT)
        self.assert_io_error(Gio.IOErrorEnum.NOT_SUPPORTED, call, registry,
                             'post', 'north', data('hello'))
        self.assertIsNone(registry.get_server_name())

    def test_shared(self):
        store = {}
        north = Shared('north', store)
        south = Shared('south', store)
        self.check_holding(north)
        for _ in range(100):
            self.assertEqual(south.get_server_name(), 'south')
        call(south, 'claim', 'wq', FINGERPRINT, 60, False)
        self.assertEqual(call(north, 'lookup', 'wq').props.server, 'south')
        holder = call(north, 'lookup_key', FINGERPRINT)
        self.assertEqual(holder.props.server, 'south')
        self.assertEqual(north.requests.pop()['fingerprint'], FINGERPRINT)
        messages = []
        on(south, 'message-received',
           lambda registry, message: messages.append(message.get_data()))
        self.assertTrue(call(north, 'post', 'south', data(b'\0hello')))
        wait_until(lambda: messages)
        self.assertEqual(messages, [b'\0hello'])
        request = north.requests.pop()
        self.assertEqual(request['server'], 'south')
        self.assertEqual(request['message'].get_data(), b'\0hello')
        self.assert_io_error(Gio.IOErrorEnum.NOT_FOUND, call, north, 'post',
                             'west', data('?'))

    def test_forgotten(self):
        self.assert_io_error(Gio.IOErrorEnum.FAILED, call, Forgetful(),
                             'lookup', 'wq')

    def test_cancelled(self):
        cancellable = Gio.Cancellable()
        later(cancellable.cancel)
        self.assert_io_error(Gio.IOErrorEnum.CANCELLED, call, Keeping(),
                             'lookup', 'wq', cancellable=cancellable)
