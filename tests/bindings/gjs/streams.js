// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Streams, over the loopback interface.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import HolePunch from 'gi://HolePunch?version=1.0';

import {assert, assertEqual, assertRejects, assertThrows, change, decode,
    encode, implemented, on, once, readAll, testNetwork} from './harness.js';

Gio._promisify(Gio.InputStream.prototype, 'read_bytes_async');
Gio._promisify(Gio.OutputStream.prototype, 'write_bytes_async');
Gio._promisify(Gio.OutputStream.prototype, 'close_async');
Gio._promisify(Gio.IOStream.prototype, 'close_async');

const PRIORITY = GLib.PRIORITY_DEFAULT;

async function readAllOf(stream) {
    const input = stream.get_input_stream();
    let text = '';
    for (;;) {
        // eslint-disable-next-line no-await-in-loop
        const bytes = await input.read_bytes_async(4096, PRIORITY, null);
        if (bytes.get_size() === 0)
            return text;
        text += decode(bytes);
    }
}

testNetwork('a stream there and back', async network => {
    const callee = await network.startPeer('wq');
    on(callee, 'peer-resolved', (_callee, visitor) => {
        on(visitor, 'stream-opened', (_visitor, stream) => {
            assertEqual(stream.connection, visitor);
        });
    });
    const connection = await network.makePeer().connect_async('wq', null);
    const opened = once(callee, 'stream-opened');
    const near = await connection.open_stream_async(null);
    const [, far] = await opened;
    assert(near instanceof HolePunch.Stream && near instanceof Gio.IOStream);
    const values = readAll('Stream', near);
    assertEqual(values['connection'], connection);
    assertEqual(values['weight'], 16);
    change(near, 'weight', 1, 256);

    const question = 'question '.repeat(50000);
    near.get_output_stream().write_bytes_async(encode('hello'), PRIORITY, null);
    assertEqual(decode(await far.get_input_stream().read_bytes_async(100,
        PRIORITY, null)), 'hello');
    const asked = readAllOf(far);
    let rest = encode(question);
    while (rest.length > 0) {
        // eslint-disable-next-line no-await-in-loop
        const n = await near.get_output_stream().write_bytes_async(rest,
            PRIORITY, null);
        rest = rest.slice(n);
    }
    await near.get_output_stream().close_async(PRIORITY, null);
    assertEqual(await asked, question);
    await far.get_output_stream().write_bytes_async(encode('answer'), PRIORITY,
        null);
    assert(await far.close_async(PRIORITY, null));
    assertEqual(await readAllOf(near), 'answer');
    assert(await near.close_async(PRIORITY, null));
});

testNetwork('a stream of a derived peer, and its end', async network => {
    const streams = [];
    const Host = GObject.registerClass(class Host extends HolePunch.Peer {
        vfunc_stream_opened(_connection, stream) {
            implemented('Peer', 'stream_opened');
            streams.push(stream);
            stream.get_output_stream().write_bytes(encode('welcome'), null);
        }
    });
    await network.startPeer('wq', {}, Host);
    const connection = await network.makePeer().connect_async('wq', null);
    const near = await connection.open_stream_async(null);
    const input = near.get_input_stream();
    assertEqual(decode(await input.read_bytes_async(100, PRIORITY, null)),
        'welcome');
    await assertThrows(Gio.IOErrorEnum, Gio.IOErrorEnum.WOULD_BLOCK,
        () => input.read_bytes(1, null));
    const reading = input.read_bytes_async(1, PRIORITY, null);
    await connection.close_async(null);
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CLOSED, reading);
    await assertRejects(Gio.IOErrorEnum, Gio.IOErrorEnum.CLOSED,
        connection.open_stream_async(null));
    assertEqual(streams.length, 1);
});
