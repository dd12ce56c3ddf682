// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Peers and their connections, over the loopback interface.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import HolePunch from 'gi://HolePunch?version=1.0';
import System from 'system';

import {assert, assertEqual, assertRejects, assertThrows, decode, encode,
    implemented, later, on, once, read, readAll, testNetwork}
    from './harness.js';

const {ConnectionState, MessageFlags, PunchError} = HolePunch;
const TEN_KIB = new Uint8Array(10 * 1024).fill(8);

testNetwork('10 KiB there, an answer back', async network => {
    const callee = network.makePeer('wq');
    on(callee, 'message-received', (peer, connection, message) => {
        assertEqual(peer, callee);
        assert(message instanceof GLib.Bytes);
        assert(message.equal(new GLib.Bytes(TEN_KIB)));
        connection.send_message(encode('callee got you'));
    });
    const resolved = once(callee, 'peer-resolved');
    assertEqual(read(callee, 'registered'), false);
    assert(await callee.start_async(null));
    assertEqual(read(callee, 'registered'), true);
    assertEqual(read(callee, 'public-address').port,
        read(callee, 'local-address').port);

    const caller = network.makePeer();
    caller.max_datagram_size = 1024;
    const answer = once(caller, 'message-received');
    assert(await caller.send_message_async('wq', TEN_KIB, null));
    const [connection, message] = await answer;
    assert(message instanceof GLib.Bytes);
    assertEqual(decode(message), 'callee got you');
    assertEqual(await caller.connect_async('wq', null), connection);
    const [visitor] = await resolved;
    assertEqual(visitor.fingerprint, caller.identity.fingerprint);

    const values = readAll('Connection', connection);
    assertEqual(values['remote-id'], 'wq');
    assertEqual(values['fingerprint'], callee.identity.fingerprint);
    assertEqual(values['remote-address'].port, callee.local_address.port);
    assertEqual(values['path'], HolePunch.PathKind.LAN);
    assertEqual(values['state'], ConnectionState.CONNECTED);
    assertEqual(values['datagram-size'], 1024);
    assert(values['round-trip-time'] > 0 && values['setup-time'] > 0);
    const nat = readAll('NatInfo', read(callee, 'nat'));
    assertEqual(nat['mapping'], HolePunch.NatMapping.NONE);
    assertEqual(nat['public-address'].port, nat['first-port']);
    assert(callee.nat.to_string().includes('no NAT'));

    const report = await caller.check_network_async(null);
    assertEqual(read(caller, 'network-report'), report);
    const found = readAll('NetworkReport', report);
    assertEqual(found['prospects'], HolePunch.Prospects.ALMOST_ALL);
    assertEqual(found['public-addresses'], ['127.0.0.1']);
    const match = found['match-servers'].get_item(0);
    const facts = readAll('ServerReport', match);
    assert(facts['reachable'] && facts['round-trip-time'] > 0);
    assert(report.to_string().includes(match.to_string()));

    const statistics = readAll('Statistics', values['statistics']);
    assertEqual(statistics['messages-sent'], 1);
    assert(statistics['bytes-sent'] >= 10 * 1024);
    assert(values['statistics'].to_string().includes('10'));
});

testNetwork('all kinds of messages', async network => {
    const callee = await network.startPeer('wq');
    const received = [];
    on(callee, 'peer-resolved', (_callee, connection) => {
        on(connection, 'message-received', (_connection, message) => {
            received.push(decode(message));
        });
    });
    const connection = await network.makePeer().connect_async('wq', null);
    assert(connection.send_message(encode('1')));
    assert(await connection.send_message_async(encode('2'), null));
    assert(connection.send_message_full(encode('3'), MessageFlags.UNORDERED,
        0));
    assert(await connection.send_message_full_async(encode('4'),
        MessageFlags.UNRELIABLE, 10 * GLib.USEC_PER_SEC, null));
    assert(await connection.send_message_async(encode(''), null));
    assertEqual(received.slice(0, 4).sort(), ['1', '2', '3', '4']);
    assertEqual(received[4], '');
    assertEqual(read(connection, 'queued-bytes'), 0);
});

testNetwork('a handler connected after await misses nothing',
    async network => {
        const callee = await network.startPeer('wq');
        on(callee, 'peer-resolved', (_callee, connection) => {
            for (let i = 0; i < 20; i++)
                connection.send_message(encode(`${i}`));
        });
        const caller = await network.startPeer();
        const connection = await caller.connect_async('wq', null);
        const received = [];
        await new Promise(resolve => {
            on(connection, 'message-received', (_connection, message) => {
                if (received.push(decode(message)) === 20)
                    resolve();
            });
        });
        assertEqual(received, Array.from({length: 20}, (_, i) => `${i}`));
    });

testNetwork('a direct call', async network => {
    const callee = await network.startPeer('wq', {directCalls: true});
    const {fingerprint} = callee.identity;
    const address = Gio.InetSocketAddress.new_from_string('127.0.0.1',
        callee.local_address.port);
    const caller = await network.startPeer();
    const connection = await caller.connect_to_address_async(address,
        fingerprint, null);
    assertEqual(connection.fingerprint, fingerprint);
});

testNetwork('the list of connections', async network => {
    await network.startPeer('wq');
    const caller = await network.startPeer();
    const connections = read(caller, 'connections');
    const changes = [];
    connections.connect('items-changed',
        (_model, ...args) => changes.push(args));
    const connection = await caller.connect_async('wq', null);
    assertEqual(connections.get_item(0), connection);
    const gone = once(caller, 'connection-closed');
    await connection.close_async(null);
    await gone;
    assertEqual(changes, [[0, 0, 1], [0, 1, 0]]);
});

testNetwork('closing', async network => {
    const callee = await network.startPeer('wq');
    const gone = once(callee, 'connection-closed');
    const caller = await network.startPeer();
    const connection = await caller.connect_async('wq', null);
    const closed = once(connection, 'closed');
    assert(await connection.close_async(null));
    assertEqual((await closed)[0], null);
    await gone;
    assertEqual(read(connection, 'state'), ConnectionState.CLOSED);
    const {CLOSED} = Gio.IOErrorEnum;
    await assertThrows(Gio.IOErrorEnum, CLOSED,
        () => connection.send_message(TEN_KIB));
    await assertRejects(Gio.IOErrorEnum, CLOSED,
        connection.send_message_async(TEN_KIB, null));
    assert(await connection.close_async(null));
});

testNetwork('an end that was not wished', async network => {
    const identity = new HolePunch.Identity();
    await network.startPeer('wq');
    const first = await network.startPeer(null, {identity});
    const connection = await first.connect_async('wq', null);
    const closed = once(connection, 'closed');
    const second = await network.startPeer(null, {identity});
    await second.connect_async('wq', null);
    const [error] = await closed;
    assert(error instanceof GLib.Error);
    assert(error.matches(PunchError, PunchError.REPLACED));
});

testNetwork('closing in callbacks', async network => {
    const closers = [
        (_peer, connection) => connection.close_async(null),
        peer => peer.close_async(null),
    ];
    for (const signal of ['peer-resolved', 'message-received']) {
        for (const [index, close] of closers.entries()) {
            const id = `${signal} ${index}`;
            const callee = await network.startPeer(id);
            on(callee, signal, (...args) => {
                close(...args);
            });
            const caller = await network.startPeer();
            const ends = [once(callee, 'connection-closed'),
                once(caller, 'connection-closed')];
            caller.send_message_async(id, TEN_KIB, null).catch(() => {});
            await Promise.all(ends);
        }
    }
});

testNetwork('what is pending fails once', async network => {
    await network.startPeer('wq');
    const caller = await network.startPeer();
    const connection = await caller.connect_async('wq', null);
    const sends = Array.from({length: 5}, () => connection.send_message_async(
        new Uint8Array(1 << 20), null));
    const outcomes = Promise.allSettled(sends);
    await connection.close_async(null);
    for (const {status, reason} of await outcomes) {
        assertEqual(status, 'rejected');
        assert(reason.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CLOSED));
    }
});

testNetwork('errors', async network => {
    await network.startPeer('wq', {maxMessageSize: 1000});
    const caller = await network.startPeer();
    await assertRejects(PunchError, PunchError.UNKNOWN_ID,
        caller.connect_async('nobody', null));
    await assertRejects(PunchError, PunchError.INVALID_TARGET,
        caller.connect_async('two\nlines', null));
    await assertRejects(PunchError, PunchError.ID_TAKEN,
        network.makePeer('wq').start_async(null));
    await assertRejects(PunchError, PunchError.MESSAGE_TOO_LARGE,
        caller.send_message_async('wq', TEN_KIB, null));
    const connection = await caller.connect_async('wq', null);
    await assertThrows(PunchError, PunchError.MESSAGE_TOO_LARGE,
        () => connection.send_message_full(TEN_KIB, MessageFlags.NONE, 0));
    const {CANCELLED} = Gio.IOErrorEnum;
    const cancellable = new Gio.Cancellable();
    cancellable.cancel();
    await assertRejects(Gio.IOErrorEnum, CANCELLED,
        caller.connect_async('wq', cancellable));
    await assertRejects(Gio.IOErrorEnum, CANCELLED,
        connection.send_message_async(encode('hello'), cancellable));
});

testNetwork('an answer after await', async network => {
    const callee = network.makePeer('wq');
    let asked = null;
    on(callee, 'authorize-peer', async (_callee, authorization) => {
        asked = readAll('Authorization', authorization);
        await later();
        authorization.allow();
    });
    await callee.start_async(null);
    const caller = await network.startPeer('sk');
    await caller.send_message_async('wq', TEN_KIB, null);
    assertEqual([asked['id'], asked['wanted-id'], asked['fingerprint']],
        ['sk', 'wq', caller.identity.fingerprint]);
});

testNetwork('no answer is a refusal', async network => {
    const handlers = [
        async (_callee, authorization) => {
            await later();
            authorization.deny();
        },
        // A promise is no yes.
        async () => {
            await later();
            System.gc();
        },
    ];
    for (const handler of handlers) {
        const callee = network.makePeer('wq');
        on(callee, 'authorize-peer', handler);
        await callee.start_async(null);
        const caller = await network.startPeer();
        await assertRejects(PunchError, PunchError.UNKNOWN_ID,
            caller.connect_async('wq', null));
        await callee.close_async(null);
    }
});

const Node = GObject.registerClass(class Node extends HolePunch.Peer {
    vfunc_message_received(connection, message) {
        implemented('Peer', 'message_received');
        this.log = [...this.log ?? [], decode(message)];
        if (this.id)
            connection.send_message(encode('callee got you'));
    }

    vfunc_peer_resolved(connection) {
        implemented('Peer', 'peer_resolved');
        this.log = [...this.log ?? [], connection.state];
    }

    vfunc_connection_closed() {
        implemented('Peer', 'connection_closed');
        this.log = [...this.log ?? [], 'closed'];
    }
});

testNetwork('a subclass', async network => {
    const callee = await network.startPeer('wq', {}, Node);
    const caller = await network.startPeer(null, {}, Node);
    const connection = await caller.connect_async('wq', null);
    const answer = once(caller, 'message-received');
    await connection.send_message_async(encode('hello'), null);
    await answer;
    const ends = [once(callee, 'connection-closed'),
        once(caller, 'connection-closed')];
    await connection.close_async(null);
    await Promise.all(ends);
    await later(1);
    const {CONNECTED} = ConnectionState;
    assertEqual(callee.log, [CONNECTED, 'hello', 'closed']);
    assertEqual(caller.log, [CONNECTED, 'callee got you', 'closed']);
});
