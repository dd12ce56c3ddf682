// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What needs no network: identities, values, registries, errors.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import HolePunch from 'gi://HolePunch?version=1.0';
import System from 'system';

import {assert, assertEqual, assertRejects, assertThrows, change, classNames,
    encode, implemented, later, on, propertiesOf, read, readAll, test}
    from './harness.js';

const {PunchError} = HolePunch;
const FINGERPRINT = new HolePunch.Identity().fingerprint;

test('bare objects can be read', () => {
    for (const name of classNames())
        readAll(name, new HolePunch[name]());
});

test('bare objects can be called', async () => {
    new HolePunch.Authorization().allow();
    new HolePunch.Authorization().deny();
    const request = new HolePunch.RegistryRequest();
    request.return_registration(null);
    request.return_error(new GLib.Error(PunchError, PunchError.REFUSED, 'no'));
    new HolePunch.MatchServer().stop();
    const connection = new HolePunch.Connection();
    assertEqual(connection.state, HolePunch.ConnectionState.CLOSED);
    await assertThrows(Gio.IOErrorEnum, Gio.IOErrorEnum.CLOSED,
        () => connection.send_message(encode('hello')));
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CLOSED,
        connection.send_message_async(encode('hello'), null));
    assert(await connection.close_async(null));
});

test('new', () => {
    assertEqual(HolePunch.Peer.new(null, null).id, null);
    const peer = HolePunch.Peer.new('wq', 'match.example.org');
    assertEqual(peer.id, 'wq');
    assertEqual(peer.match_server, 'match.example.org');
    assertEqual(HolePunch.MatchServer.new(7).port, 7);
    assertEqual(new HolePunch.MatchServer().port, HolePunch.DEFAULT_PORT);
    assertEqual(HolePunch.Identity.new().fingerprint.length, 52);
    assertEqual(HolePunch.MemoryRegistry.new().size, 0);
    assertEqual(HolePunch.Registration.new('wq', FINGERPRINT).id, 'wq');
});

test('identity', async () => {
    const identity = new HolePunch.Identity();
    assert(/^[a-z2-7]{52}$/.test(read(identity, 'fingerprint')));
    const publicKey = read(identity, 'public-key');
    assert(publicKey instanceof GLib.Bytes);
    assertEqual(publicKey.get_size(), 32);

    const directory = GLib.Dir.make_tmp(null);
    const name = GLib.build_filenamev([directory, 'identity']);
    await assertThrows(GLib.FileError, GLib.FileError.NOENT,
        () => HolePunch.Identity.load(name));
    assert(identity.save(name));
    assertEqual(HolePunch.Identity.load(name).fingerprint,
        identity.fingerprint);
    GLib.file_set_contents(name, 'something else');
    await assertThrows(PunchError, PunchError.INVALID_IDENTITY,
        () => HolePunch.Identity.load(name));
    GLib.unlink(name);
    GLib.rmdir(directory);
});

test('values', () => {
    const address = Gio.InetSocketAddress.new_from_string('192.0.2.1', 4222);
    const registration = new HolePunch.Registration({
        id: 'wq', fingerprint: FINGERPRINT, address,
    });
    assertEqual(read(registration, 'address'), address);
    assert(new HolePunch.Statistics().to_string().includes('0'));
    assert(new HolePunch.NatInfo().to_string().includes('not known'));
    assert(new HolePunch.NetworkReport().to_string().includes('not known'));
    assert(new HolePunch.ServerReport().to_string().includes('not known'));
    assert(new HolePunch.ServerStatistics().to_string().includes('0'));
    assertEqual(GLib.quark_to_string(PunchError.quark()),
        'hp-punch-error-quark');
    const error = new GLib.Error(PunchError, PunchError.UNKNOWN_ID, 'who?');
    assert(error.matches(PunchError, PunchError.UNKNOWN_ID));
    assert(!error.matches(PunchError, PunchError.REFUSED));
});

test('settings', () => {
    const peer = new HolePunch.Peer();
    change(peer, 'id', 'wq', 'Бета');
    change(peer, 'match-server', 'a.example', 'a.example,b.example');
    change(peer, 'stun-servers', 'a.example:3479', 'b.example');
    change(peer, 'turn-servers', 'turn:me:secret@192.0.2.1');
    change(peer, 'relay-policy', HolePunch.RelayPolicy.DIRECT_ONLY,
        HolePunch.RelayPolicy.RELAY_ONLY);
    change(peer, 'turn-tls-database',
        Gio.TlsBackend.get_default().get_default_database());
    change(peer, 'identity', new HolePunch.Identity());
    change(peer, 'port', 4223);
    change(peer, 'datagram-size', 1200);
    change(peer, 'max-datagram-size', 1400);
    change(peer, 'max-message-size', 1 << 20);
    change(peer, 'max-receive-window', 1 << 23);
    change(peer, 'keepalive-interval', 20);
    change(peer, 'connect-timeout', 7);
    change(peer, 'max-nat-entries', 300);
    change(peer, 'direct-calls', true);
    change(peer, 'port-mapping', false);
    const server = new HolePunch.MatchServer();
    change(server, 'listen-address', '127.0.0.1', '::1');
    change(server, 'port', 0, 4223);
    change(server, 'identity', new HolePunch.Identity());
    change(server, 'registry', new HolePunch.MemoryRegistry());
    change(server, 'registration-lifetime', 60);
    change(server, 'max-peers', 10);
    change(server, 'max-handshakes-per-second', 3);
    change(server, 'max-total-handshakes-per-second', 4);
    change(server, 'max-asks-per-minute', 5);
    change(server, 'max-registrations-per-network', 6);
    change(server, 'max-stun-per-second', 7);
    change(server, 'workers', 0, 2);
    change(server, 'second-port', -1, 4223);
    change(server, 'second-address', '127.0.0.2');
    change(server, 'turn-servers', ['turn:192.0.2.1']);
    change(server, 'turn-secret', 'abracadabra');
    change(server, 'turn-lifetime', 600);
    change(new HolePunch.MemoryRegistry(), 'max-size', 3);
});

// Answers everything, a while later
export const Slow = GObject.registerClass({
    Implements: [HolePunch.Registry],
}, class Slow extends GObject.Object {
    _init() {
        super._init();
        this.holders = new Map();
        this.claims = [];
    }

    vfunc_claim(request) {
        implemented('Registry', 'claim');
        const {id, fingerprint, lifetime, ephemeral} = request;
        this.claims.push([id, fingerprint, lifetime, ephemeral]);
        if (!this.holders.has(id)) {
            this.holders.set(id,
                new HolePunch.Registration({id, fingerprint}));
        }
        this.answer(request);
    }

    vfunc_lookup(request) {
        implemented('Registry', 'lookup');
        this.answer(request);
    }

    vfunc_release(request) {
        implemented('Registry', 'release');
        this.holders.delete(request.id);
        this.answer(request);
    }

    async answer(request) {
        await later();
        request.return_registration(this.holders.get(request.id) ?? null);
    }
});

// What several match servers have in common: one object each, and a store
const Shared = GObject.registerClass({
    Implements: [HolePunch.Registry],
}, class Shared extends GObject.Object {
    _init(name, servers) {
        super._init();
        this.name = name;
        this.servers = servers;
        servers.set(name, this);
    }

    vfunc_lookup_key(request) {
        implemented('Registry', 'lookup_key');
        const {fingerprint} = request;
        request.return_registration(
            new HolePunch.Registration({fingerprint, server: this.name}));
    }

    vfunc_post(request) {
        implemented('Registry', 'post');
        this.servers.get(read(request, 'server'))
            .emit('message-received', read(request, 'message'));
        request.return_registration(null);
    }

    vfunc_dup_server_name() {
        implemented('Registry', 'dup_server_name');
        return this.name;
    }
});

export const Partial = GObject.registerClass({
    Implements: [HolePunch.Registry],
}, class Partial extends GObject.Object {
    vfunc_lookup(request) {
        request.return_error(
            new GLib.Error(PunchError, PunchError.RATE_LIMITED, 'too often'));
    }
});

const Forgetful = GObject.registerClass({
    Implements: [HolePunch.Registry],
}, class Forgetful extends GObject.Object {
    vfunc_lookup() {
        later(1).then(() => System.gc());
    }
});

async function checkHolding(registry) {
    let holder = await registry.claim_async('wq', FINGERPRINT, 60, true, null);
    assert(holder instanceof HolePunch.Registration);
    assertEqual(holder.fingerprint, FINGERPRINT);
    const other = new HolePunch.Identity().fingerprint;
    holder = await registry.claim_async('wq', other, 60, false, null);
    assertEqual(holder.fingerprint, FINGERPRINT);
    holder = await registry.lookup_async('wq', null);
    assertEqual(holder.id, 'wq');
    assertEqual(await registry.lookup_async('nobody', null), null);
    assert(await registry.release_async('wq', FINGERPRINT, null));
    assertEqual(await registry.lookup_async('wq', null), null);
}

test('memory registry', async () => {
    const registry = new HolePunch.MemoryRegistry();
    await checkHolding(registry);
    registry.max_size = 1;
    await registry.claim_async('a', FINGERPRINT, 60, false, null);
    assertEqual(read(registry, 'size'), 1);
    await assertRejects(PunchError, PunchError.RATE_LIMITED,
        registry.claim_async('b', FINGERPRINT, 60, false, null));
});

test('memory registry with a file', async () => {
    const directory = GLib.Dir.make_tmp(null);
    const name = GLib.build_filenamev([directory, 'ids']);
    const registry = HolePunch.MemoryRegistry.open(name);
    assertEqual(read(registry, 'filename'), name);
    await checkHolding(registry);
    await assertThrows(Gio.IOErrorEnum, Gio.IOErrorEnum.BUSY,
        () => HolePunch.MemoryRegistry.open(name));
    GLib.unlink(name);
    GLib.rmdir(directory);
});

test('a registry that answers later', async () => {
    const registry = new Slow();
    await checkHolding(registry);
    assertEqual(registry.claims[0], ['wq', FINGERPRINT, 60, true]);
});

test('what a registry leaves out is not supported', async () => {
    const registry = new Partial();
    const {NOT_SUPPORTED} = Gio.IOErrorEnum;
    await assertRejects(PunchError, PunchError.RATE_LIMITED,
        registry.lookup_async('wq', null));
    await assertRejects(Gio.IOErrorEnum, NOT_SUPPORTED,
        registry.claim_async('wq', FINGERPRINT, 60, false, null));
    await assertRejects(Gio.IOErrorEnum, NOT_SUPPORTED,
        registry.release_async('wq', FINGERPRINT, null));
});

test('registries that servers share', async () => {
    const servers = new Map();
    const [north, south] = ['north', 'south'].map(
        name => new Shared(name, servers));
    assertEqual(north.get_server_name(), 'north');
    assertEqual(new Partial().get_server_name(), null);
    const holder = await north.lookup_key_async(FINGERPRINT, null);
    assertEqual(read(holder, 'server'), 'north');
    const messages = [];
    on(south, 'message-received', (_, message) => messages.push(message));
    const hello = new GLib.Bytes('hello');
    assert(await north.post_async('south', hello, null));
    assertEqual(messages.length, 1);
    assertEqual(messages[0], hello);
});

test('a registry in Redis', async () => {
    const registry = HolePunch.RedisRegistry.new('redis://127.0.0.1:1');
    for (const name of propertiesOf('RedisRegistry'))
        read(registry, name);
    assertEqual(registry.key_prefix, 'hole-punch');
    assertEqual(registry.connected, false);
    change(registry, 'max-in-flight', 7);
    change(registry, 'presence-lifetime', 600);
    let failed = false;
    await registry.claim_async('wq', FINGERPRINT, 60, true, null).catch(
        () => (failed = true));
    assert(failed);
});

test('a registry that forgets to answer', async () => {
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.FAILED,
        new Forgetful().lookup_async('wq', null));
});

test('a lookup that is cancelled', async () => {
    const cancellable = new Gio.Cancellable();
    const answer = new Slow().lookup_async('wq', cancellable);
    cancellable.cancel();
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, answer);
});
