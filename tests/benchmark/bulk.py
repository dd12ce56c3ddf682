#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Bulk: 1 MiB messages from one process to another, as fast as they go.

MB/s are counted where they arrive; "CPU s/GB" is what both processes together
used, in user and in system mode; "first ms" is how long the first MiB took, on
a connection that knows nothing of its path yet. On the loopback, and, as root,
over a veth pair with all offloads off. The first rows are the limits of the way
through the kernel: GSocket in the clear, in datagrams of 1024 bytes, with
nothing resent and nothing put together.
"""

import bench

SMALL = ['--datagram-size', '1024', '--max-datagram-size', '1024']
# As large as Ethernet has them
MEDIUM = ['--datagram-size', '1472', '--max-datagram-size', '1472']


def add_options(parser):
    parser.add_argument('--mebibytes', type=int, default=512,
                        help='how much to send a round (512)')
    parser.add_argument('--place', choices=['loopback', 'veth'],
                        action='append', help='only there')


def transfer(name, mebibytes, place, options=(), call=()):
    """One run of a program, in MB/s and CPU s/GB"""
    figures = bench.pair(name, 'bulk', ['--mebibytes', str(mebibytes),
                                        *options, *call], options, place)
    receiver = figures['receiver']
    seconds = receiver.get('seconds_to_last') or receiver['seconds']
    figures['rate'] = receiver['bytes'] / 1e6 / seconds
    figures['cpu'] = (figures['cpu_seconds'] + receiver['cpu_seconds']) \
        / (receiver['bytes'] / 1e9)
    figures['turn'] = max(
        (side['longest_turn_us'] for side in (figures, receiver)
         if 'longest_turn_us' in side), default=None)
    return figures


def cases(mebibytes, place):
    """name → function, for one place"""
    def case(name, *options, call=()):
        return lambda: transfer(name, mebibytes, place, options, call)

    return [
        ('GSocket, 1 datagram a call', case('socket', '--mode', 'single')),
        ('GSocket, 64 datagrams a call', case('socket', '--mode', 'batch')),
        ('GSocket, segmentation offload', case('socket', '--mode', 'segment')),
        ('TLS 1.3 over TCP', case('tls')),
        ('ENet, in the clear', case('enet')),
        ('libnice reliable, in the clear', case('nice')),
        ('hole-punch', case('peer')),
        ('hole-punch, as a stream', case('peer', call=['--stream'])),
        ('hole-punch, 1024-byte datagrams', case('peer', *SMALL)),
        ('hole-punch, 1472-byte datagrams', case('peer', *MEDIUM)),
    ]


COLUMNS = {
    'MB/s': lambda figures: figures['rate'],
    'CPU s/GB': lambda figures: figures['cpu'],
    'first ms': lambda figures:
        figures['receiver']['seconds_to_first'] * 1e3
    if 'seconds_to_first' in figures['receiver'] else None,
    'datagram': lambda figures: figures.get('datagram_size'),
    'resent MB': lambda figures: figures['bytes_resent'] / 1e6
    if 'bytes_resent' in figures else None,
    'longest turn ms': lambda figures: figures['turn'] / 1e3
    if figures['turn'] is not None else None,
}


def main():
    arguments = bench.parse(__doc__, add_options)
    places = arguments.place or ['loopback', 'veth']
    tables = {}
    if 'loopback' in places:
        tables['Bulk over loopback'] = bench.run(
            cases(arguments.mebibytes, bench.LOOPBACK),
            arguments.rounds, arguments.only)
    if 'veth' in places:
        try:
            with bench.veth() as place:
                tables['Bulk over veth, offloads off'] = bench.run(
                    cases(arguments.mebibytes // 2, place),
                    arguments.rounds, arguments.only)
        except bench.Unavailable as error:
            print(f'No veth pair: {error}\n')
    bench.finish(arguments, 'bulk', tables, COLUMNS)


if __name__ == '__main__':
    main()
