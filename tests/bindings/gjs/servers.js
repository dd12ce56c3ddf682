// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The match server, its questions, and a registry of one's own.

import Gio from 'gi://Gio';
import GObject from 'gi://GObject';
import HolePunch from 'gi://HolePunch?version=1.0';

import {assert, assertEqual, assertRejects, assertThrows, encode, implemented,
    later, on, once, read, readAll, testNetwork} from './harness.js';
import {Partial, Slow} from './objects.js';

const {PunchError} = HolePunch;

testNetwork('what a server tells', async network => {
    const {server} = network;
    const registered = once(server, 'peer-registered');
    const introduced = once(server, 'introduced');
    const expired = once(server, 'peer-expired');
    const callee = await network.startPeer('wq');
    const [registration] = await registered;
    const values = readAll('Registration', registration);
    assertEqual(values['id'], 'wq');
    assertEqual(values['fingerprint'], callee.identity.fingerprint);
    assertEqual(values['address'].port, callee.local_address.port);
    const caller = await network.startPeer();
    await caller.connect_async('wq', null);
    const [one, other] = await introduced;
    assertEqual([one.id, other.id], [null, 'wq']);
    await callee.close_async(null);
    assertEqual((await expired)[0].id, 'wq');
});

testNetwork('what a server is', async network => {
    const {server} = network;
    assertEqual(read(server, 'port'), read(server, 'local-address').port);
    assert(read(server, 'registry') instanceof HolePunch.MemoryRegistry);
    assert(read(server, 'identity') instanceof HolePunch.Identity);
    await network.startPeer('wq');
    const statistics = readAll('ServerStatistics',
        read(server, 'statistics'));
    assertEqual(statistics['registrations'], 1);
    assert(server.statistics.to_string().includes('1'));

    const second = new HolePunch.MatchServer({
        listenAddress: '127.0.0.1', port: server.port,
    });
    await assertThrows(Gio.IOErrorEnum, Gio.IOErrorEnum.ADDRESS_IN_USE,
        () => second.start());
    server.stop();
    assertEqual(read(server, 'local-address'), null);
    assert(second.start());
    second.stop();
    server.start();
});

testNetwork('who may register', async network => {
    on(network.server, 'authorize-registration',
        async (_server, authorization) => {
            await later();
            if (authorization.id === 'wq')
                authorization.allow();
            else
                authorization.deny();
        });
    await network.startPeer('wq');
    await assertRejects(PunchError, PunchError.REFUSED,
        network.makePeer('sk').start_async(null));
});

testNetwork('who may still be registered', async network => {
    let allowed = true;
    network.server.registrationLifetime = 3;
    on(network.server, 'authorize-registration', (_server, authorization) => {
        if (allowed)
            authorization.allow();
        else
            authorization.deny();
    });
    const peer = await network.startPeer('wq');
    assert(peer.registered);
    allowed = false;
    network.server.review_registrations();
    while (peer.registered)
        await later();
});

testNetwork('who may be introduced', async network => {
    const friend = await network.startPeer();
    const stranger = await network.startPeer();
    await network.startPeer('wq');
    on(network.server, 'authorize-introduction',
        async (_server, authorization) => {
            await later();
            if (authorization.fingerprint === friend.identity.fingerprint)
                authorization.allow();
            else
                authorization.deny();
        });
    await friend.connect_async('wq', null);
    let refused = false;
    try {
        await stranger.connect_async('wq', null);
    } catch (error) {
        refused = error.matches(PunchError, PunchError.UNKNOWN_ID) ||
            error.matches(PunchError, PunchError.REFUSED);
    }
    assert(refused);
});

const Server = GObject.registerClass(
class Server extends HolePunch.MatchServer {
    vfunc_peer_registered(peer) {
        implemented('MatchServer', 'peer_registered');
        this.log = [...this.log ?? [], `registered ${peer.id}`];
    }

    vfunc_peer_expired(peer) {
        implemented('MatchServer', 'peer_expired');
        this.log = [...this.log ?? [], `expired ${peer.id}`];
    }

    vfunc_introduced(_caller, callee) {
        implemented('MatchServer', 'introduced');
        this.log = [...this.log ?? [], `introduced to ${callee.id}`];
    }
});

testNetwork('a subclass with a registry of its own', async network => {
    const expired = once(network.server, 'peer-expired');
    const callee = await network.startPeer('wq');
    assertEqual(network.server.registry.claims[0].slice(0, 2),
        ['wq', callee.identity.fingerprint]);
    await assertRejects(PunchError, PunchError.ID_TAKEN,
        network.makePeer('wq').start_async(null));
    const caller = await network.startPeer();
    await caller.send_message_async('wq', encode('hello'), null);
    await callee.close_async(null);
    await expired;
    await later(1);
    assertEqual(network.server.log,
        ['registered wq', 'introduced to wq', 'expired wq']);
}, () => new Server({
    port: 0, listenAddress: '127.0.0.1', registry: new Slow(),
}));

testNetwork('a registry that cannot claim', async network => {
    const peer = network.makePeer('wq', {connectTimeout: 2});
    await assertRejects(PunchError, PunchError.MATCH_SERVER,
        peer.start_async(null));
}, () => new HolePunch.MatchServer({
    port: 0, listenAddress: '127.0.0.1', registry: new Partial(),
}));
