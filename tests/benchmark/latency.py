#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Latency: messages of 64 bytes to another process and back, on the loopback.

Idle: each is sent as the last one comes back. Under load: unordered ones, a
millisecond after each other, among a queue of reliable 1 MiB messages on the
same connection, which is never empty; TLS and ENet know no other order.
GSocket is a socket in a main loop, without anything around it.

A wake-up on another core takes longer than one on the same core, by more than
all else; the system is free to choose. So compare within one run, and see
--cores for what does not depend on its choice. Of those compared hole-punch
alone does without wake-ups when it can: each side looks out for the next
message for some 20 µs before it sleeps, once a few have come as quickly. Only
with two cores, since on one that is what the other side runs on; what it takes
of the processor shows in the last column but one.
"""

import bench

LOAD = ['--load', '--interval', '1000']


def add_options(parser):
    parser.add_argument('--count', type=int, default=5000,
                        help='round trips a round (5000)')
    parser.add_argument('--cores', choices=['free', 'one', 'two'],
                        default='free',
                        help='where the two processes run: wherever the '
                        'system puts them (free), on one core, on two')


PLACES = {
    'free': bench.LOOPBACK,
    'one': bench.Place(callee=['taskset', '-c', '0'],
                       caller=['taskset', '-c', '0']),
    'two': bench.Place(callee=['taskset', '-c', '0'],
                       caller=['taskset', '-c', '1']),
}


def cases(count, place):
    def case(name, pings, *options):
        return lambda: bench.pair(name, 'latency',
                                  ['--count', str(pings), *options],
                                  place=place)

    return [
        ('GSocket in a main loop', case('socket', count)),
        ('TLS 1.3 over TCP, blocking', case('tls', count)),
        ('ENet, in the clear', case('enet', count)),
        ('libnice reliable, in the clear', case('nice', count)),
        ('hole-punch', case('peer', count)),
        ('hole-punch, under load', case('peer', count // 10, *LOAD)),
        ('hole-punch, under load, 64 KiB messages',
         case('peer', count // 10, *LOAD, '--message-size', '65536')),
    ]


COLUMNS = {
    'p50 µs': lambda figures: figures['p50'],
    'p90': lambda figures: figures['p90'],
    'p99': lambda figures: figures['p99'],
    'p99.9': lambda figures: figures['p999'],
    'max': lambda figures: figures['max'],
    'CPU µs each': lambda figures: 1e6 / figures['count'] * (
        figures['cpu_seconds'] + figures['receiver']['cpu_seconds']),
    'load MB/s': lambda figures:
        figures['receiver']['bytes'] / 1e6 / figures['receiver']['seconds']
    if figures['receiver'].get('messages') else None,
}


def main():
    arguments = bench.parse(__doc__, add_options)
    rows = bench.run(cases(arguments.count, PLACES[arguments.cores]),
                     arguments.rounds, arguments.only)
    bench.finish(arguments, 'latency', {'Round trips of 64 bytes': rows},
                 COLUMNS)


if __name__ == '__main__':
    main()
