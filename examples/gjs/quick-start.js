#!/usr/bin/gjs -m
// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The quick start, in JavaScript:
//
//     quick-start.js server [PORT]
//     quick-start.js callee ID SERVER
//     quick-start.js caller ID SERVER [COUNT]
//
// The server introduces peers to each other. The callee registers an id and
// answers every message. The caller asks for that id, and sends it 10 KiB COUNT
// times (5; 0: until it is interrupted). SERVER is HOST or HOST:PORT.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import HolePunch from 'gi://HolePunch?version=1.0';
import System from 'system';

for (const name of ['start_async', 'close_async', 'connect_async'])
    Gio._promisify(HolePunch.Peer.prototype, name);
Gio._promisify(HolePunch.Connection.prototype, 'send_message_async');

const SIGINT = 2;
const interrupted = new Promise(resolve => {
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, SIGINT, () => {
        resolve();
        return GLib.SOURCE_REMOVE;
    });
});

async function server(port = '4222') {
    const server = new HolePunch.MatchServer({port: Number(port)});
    server.connect('peer-registered', (_server, peer) => {
        print(`server: ${peer.id} is at ${peer.address.to_string()}`);
    });
    server.connect('introduced', (_server, caller, callee) => {
        print(`server: introduced ${caller.address.to_string()} to ` +
            `${callee.id}`);
    });
    server.start();
    print(`server: listening on port ${server.local_address.port}`);
    await interrupted;
    server.stop();
}

async function callee(id, matchServer) {
    const peer = new HolePunch.Peer({id, matchServer});
    peer.connect('peer-resolved', (_peer, caller) => {
        print(`callee: found ${caller.remote_address.to_string()} after ` +
            `${(caller.setup_time / 1000).toFixed(1)} ms`);
    });
    peer.connect('message-received', (_peer, caller, message) => {
        print(`callee: got ${message.get_size()} bytes`);
        caller.send_message(new TextEncoder().encode('callee got you'));
    });
    await whileNotInterrupted(peer, async () => {
        await peer.start_async(null);
        print(`callee: registered as ${peer.id}, seen at ` +
            `${peer.public_address.to_string()}`);
        await interrupted;
    });
}

async function caller(id, matchServer, count = '5') {
    const peer = new HolePunch.Peer({matchServer});
    peer.connect('peer-resolved', (_peer, connection) => {
        print(`caller: found ${id} at ` +
            `${connection.remote_address.to_string()} after ` +
            `${(connection.setup_time / 1000).toFixed(1)} ms`);
    });
    await whileNotInterrupted(peer, async () => {
        const connection = await peer.connect_async(id, null);
        for (let left = Number(count) || Infinity; left > 0; left--)
            await call(connection, new Uint8Array(10 * 1024).fill(8));
    });
}

async function call(connection, message) {
    const sentAt = GLib.get_monotonic_time();
    const answer = nextMessage(connection);
    // Both at once: if either fails, so does the call.
    const [bytes] = await Promise.all([
        answer, connection.send_message_async(message, null),
    ]);
    const took = (GLib.get_monotonic_time() - sentAt) / 1000;
    print(`caller: sent ${message.length} bytes, got ` +
        `"${new TextDecoder().decode(bytes.toArray())}" back in ` +
        `${took.toFixed(1)} ms`);
}

function nextMessage(connection) {
    return new Promise((resolve, reject) => {
        const handlers = [
            connection.connect('message-received', (_connection, message) => {
                handlers.forEach(handler => connection.disconnect(handler));
                resolve(message);
            }),
            connection.connect('closed', () => {
                reject(new Error('the callee has gone'));
            }),
        ];
    });
}

async function whileNotInterrupted(peer, doIt) {
    try {
        await Promise.race([doIt(), interrupted]);
    } finally {
        await peer.close_async(null);
    }
}

async function main([role, ...args]) {
    const roles = {server, callee, caller};
    const enough = {server: 0, callee: 2, caller: 2};
    if (!(role in roles) || args.length < enough[role]) {
        printerr('usage: quick-start.js server [PORT]\n' +
            '       quick-start.js callee ID SERVER\n' +
            '       quick-start.js caller ID SERVER [COUNT]');
        return 2;
    }
    try {
        await roles[role](...args);
        return 0;
    } catch (error) {
        printerr(`quick-start: ${error.message}`);
        return 1;
    }
}

const loop = new GLib.MainLoop(null, false);
let status = 0;
main(System.programArgs).then(result => {
    status = result;
    loop.quit();
});
loop.run();
System.exit(status);
