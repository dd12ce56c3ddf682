#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Goodput over a link that delays and loses, beside TCP CUBIC and TCP BBR.

The link has a round trip of 50 ms and a queue of one bandwidth-delay product
(BDP); and of ten, where nothing is lost, to see who fills it. It loses packets
both ways, at random, once they have been on the wire. ENet and libnice's
reliable mode are there on the slower link; a faster one does not help them.

The link is emulated (../emulator), which wants network namespaces and a TUN
device. EMULATOR in the environment may name another build of the program.
"""

import bench
import flows

ROUND_TRIP = 50  # ms
SLOW = 100  # Mbit/s
FLOWS = {
    'hole-punch': flows.of_program('peer'),
    'TCP CUBIC': flows.of_tcp('cubic'),
    'TCP BBR': flows.of_tcp('bbr'),
}
ON_SLOW_LINK = {
    'ENet': flows.of_program('enet'),
    'libnice': flows.of_program('nice'),
}


def add_options(parser):
    parser.add_argument('--link', type=float, action='append', metavar='RATE',
                        help='with so many Mbit/s (100, 1000)')
    parser.add_argument('--loss', type=float, action='append',
                        metavar='PERCENT', help='with so many lost (0, 1, 5)')
    parser.add_argument('--queue', type=float, action='append', metavar='BDP',
                        help='with such a queue (1, 10)')
    parser.add_argument('--warm-up', type=float, default=2, metavar='S',
                        help='seconds that do not count (2)')
    parser.add_argument('--seconds', type=float, default=5, metavar='S',
                        help='seconds that do (5)')


def transfer(flow, rate, queue, loss, arguments):
    knobs = f'loss={loss}%'
    with flows.open_link(rate, ROUND_TRIP, queue, knobs) as link:
        figures = flow(rate, arguments.warm_up, arguments.seconds)
        there = link.statistics()['there']
    figures['link'] = there
    figures['lost'] = 100 * (there['lost'] + there['queue-full']) \
        / there['packets-in']
    return figures


def cases(rate, queue, losses, arguments):
    """name → function, for one link"""
    def case(flow, loss):
        return lambda: transfer(flow, rate, queue, loss, arguments)

    kinds = {**FLOWS, **(ON_SLOW_LINK if rate <= SLOW and queue == 1 else {})}
    return [(f'{loss:g} % lost: {name}', case(flow, loss))
            for loss in losses for name, flow in kinds.items()]


COLUMNS = {
    'Mbit/s': lambda figures: figures['rate'],
    'queue p50 ms': lambda figures: figures['link']['queue-delay-ms']['p50'],
    'p95 ms': lambda figures: figures['link']['queue-delay-ms']['p95'],
    'max ms': lambda figures: figures['link']['queue-delay-ms']['max'],
    'lost %': lambda figures: figures['lost'],
    # of the emulator's own making: tells whether the machine kept up
    'late p99 ms': lambda figures: figures['link']['lateness-ms']['p99'],
}


def main():
    arguments = bench.parse(__doc__, add_options, rounds=3)
    flows.enter()
    tables = {}
    for rate in arguments.link or [SLOW, 1000]:
        for queue in arguments.queue or [1, 10]:
            losses = arguments.loss or ([0, 1, 5] if queue == 1 else [0])
            title = f'{rate:g} Mbit/s, {ROUND_TRIP} ms, {queue:g} BDP'
            rows = bench.run(cases(rate, queue, losses, arguments),
                             arguments.rounds, arguments.only)
            if rows:
                tables[title] = rows
    bench.finish(arguments, 'lossy', tables, COLUMNS)


if __name__ == '__main__':
    main()
