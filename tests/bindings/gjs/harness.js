// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What the tests share: a small runner, signals as promises, values read in
// every way, and a book of what was used (see ../every.py).

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import HolePunch from 'gi://HolePunch?version=1.0';
import System from 'system';

const PATIENCE = 20;
const everything = JSON.parse(GLib.getenv('HOLE_PUNCH_NAMES') ?? '{}');
const touched = new Set();
const tests = [];

function count(owner, object, name) {
    const original = object[name];
    const counted = function (...args) {
        touched.add(`${owner}.${name}()`);
        return original.apply(this, args);
    };
    // Gio._promisify() looks at the number of parameters.
    Object.defineProperty(counted, 'length', {value: original.length});
    object[name] = counted;
}

// Has every call of a public method written down.
function instrument() {
    for (const [name, members] of Object.entries(everything)) {
        const {prototype} = HolePunch[name];
        for (const method of members.methods ?? [])
            count(name, prototype, method);
        for (const each of members.functions ?? [])
            count(name, HolePunch[name], each);
        for (const method of members.methods ?? []) {
            if (method.endsWith('_async'))
                Gio._promisify(prototype, method);
        }
    }
}

instrument();

export function writeTouched() {
    const name = GLib.getenv('HOLE_PUNCH_TOUCHED');
    if (name)
        GLib.file_set_contents(name, [...touched].sort().join('\n'));
}

function ownerOf(object, kind, member) {
    const owner = Object.keys(everything).find(name =>
        everything[name][kind]?.includes(member) &&
        object instanceof HolePunch[name]);
    assert(owner, `${object} has no ${member}`);
    return owner;
}

// To be called in an implementation of a virtual method
export function implemented(klass, method) {
    touched.add(`${klass}/${method}`);
}

export function propertiesOf(name) {
    return everything[name].properties;
}

export function classNames() {
    return Object.keys(everything).filter(
        name => everything[name].properties && name !== 'Registry');
}

export class Failure extends Error {}

export function assert(condition, message = 'is not so') {
    if (!condition)
        throw new Failure(message);
}

function plain(value) {
    if (value instanceof GLib.Bytes)
        return value.toArray().join();
    return value;
}

export function assertEqual(actual, expected) {
    const [left, right] = [actual, expected].map(value =>
        value !== null && Array.isArray(value) ? JSON.stringify(value)
            : plain(value));
    assert(left === right, `${left} is not ${right}`);
}

// The error, which must be one of GLib with that domain and code
export async function assertRejects(domain, code, promise) {
    try {
        await promise;
    } catch (error) {
        if (error instanceof Failure)
            throw error;
        assert(error instanceof GLib.Error, `${error} is no GLib.Error`);
        assert(error.matches(domain, code),
            `${GLib.quark_to_string(error.domain)} ${error.code}: ` +
            error.message);
        assert(error.message !== '');
        return error;
    }
    throw new Failure('did not fail');
}

export function assertThrows(domain, code, doIt) {
    return assertRejects(domain, code, (async () => doIt())());
}

// The value of a property, the same in all ways to read it
export function read(object, name) {
    const underscored = name.replaceAll('-', '_');
    const camel = name.replace(/-(.)/g, (_all, letter) =>
        letter.toUpperCase());
    const values = [object[underscored], object[camel], object[name],
        object[`get_${underscored}`]()];
    if (name !== 'statistics') { // made anew each time
        for (const value of values)
            assertEqual(value, values[0]);
    }
    touched.add(`${ownerOf(object, 'properties', name)}:${name}`);
    return values[0];
}

export function readAll(klass, object) {
    const values = {};
    for (const name of propertiesOf(klass))
        values[name] = read(object, name);
    return values;
}

// Sets a property in all ways to set it, and back again
export function change(object, name, ...values) {
    const underscored = name.replaceAll('-', '_');
    const before = read(object, name);
    const ways = [
        value => {
            object[underscored] = value;
        },
        value => object[`set_${underscored}`](value),
    ];
    let told = 0;
    const handler = object.connect(`notify::${name}`, () => told++);
    for (const value of values) {
        for (const way of ways) {
            way(before);
            told = 0;
            way(value);
            assertEqual(read(object, name), value);
            assertEqual(told, 1);
            way(value);
            assertEqual(told, 1);
        }
    }
    ways[0](before);
    object.disconnect(handler);
}

// Connects, and counts the signal when the handler was called
export function on(object, signal, handler) {
    const line = `${ownerOf(object, 'signals', signal)}::${signal}`;
    return object.connect(signal, (...args) => {
        touched.add(line);
        return handler(...args);
    });
}

// What the next emission brings, without the object itself
export function once(object, signal) {
    return new Promise(resolve => {
        const handler = on(object, signal, (_object, ...args) => {
            object.disconnect(handler);
            resolve(args);
        });
    });
}

// In a later turn of the main loop
export function later(milliseconds = 50) {
    return new Promise(resolve => {
        GLib.timeout_add(GLib.PRIORITY_DEFAULT, milliseconds, () => {
            resolve();
            return GLib.SOURCE_REMOVE;
        });
    });
}

export const encode = text => new TextEncoder().encode(text);
export const decode = bytes => new TextDecoder().decode(bytes.toArray());

// A match server, and peers that are closed after the test
export class Network {
    constructor(server = new HolePunch.MatchServer({
        port: 0, listenAddress: '127.0.0.1',
    })) {
        this.peers = [];
        this.server = server;
        this.server.start();
    }

    get address() {
        return `127.0.0.1:${this.server.local_address.port}`;
    }

    makePeer(id = null, properties = {}, klass = HolePunch.Peer) {
        const peer = new klass({id, matchServer: this.address, ...properties});
        this.peers.push(peer);
        return peer;
    }

    async startPeer(...args) {
        const peer = this.makePeer(...args);
        assert(await peer.start_async(null));
        return peer;
    }

    async close() {
        for (const peer of this.peers)
            // eslint-disable-next-line no-await-in-loop
            await peer.close_async(null);
        this.server.stop();
    }
}

export function test(name, doIt) {
    tests.push([name, doIt]);
}

export function testNetwork(name, doIt, makeServer = () => undefined) {
    test(name, async () => {
        const network = new Network(makeServer());
        try {
            await doIt(network);
        } finally {
            await network.close();
        }
    });
}

async function runAll() {
    let failed = 0;
    for (const [name, doIt] of tests) {
        const watchdog = GLib.timeout_add_seconds(
            GLib.PRIORITY_DEFAULT, PATIENCE, () => {
                print(`not ok ${name}: not within ${PATIENCE} s`);
                System.exit(1);
                return GLib.SOURCE_REMOVE;
            });
        try {
            // eslint-disable-next-line no-await-in-loop
            await doIt();
            print(`ok ${name}`);
        } catch (error) {
            failed++;
            print(`not ok ${name}: ${error}\n${error.stack}`);
        }
        GLib.source_remove(watchdog);
    }
    return failed;
}

export function run() {
    const loop = new GLib.MainLoop(null, false);
    let failed = 1;
    runAll().then(result => {
        failed = result;
        loop.quit();
    });
    loop.run();
    writeTouched();
    System.exit(failed || tests.length < 25 ? 1 : 0);
}
