#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Two long flows that share one bottleneck: who gets how much.

Jain's index is 1 when both get the same and 0.5 when one gets all. That TCP's
controls are not fair to each other either is seen from the pairs without ours.
The link is emulated, as in lossy.py.
"""

import concurrent.futures

import bench
import flows

RATE = 50  # Mbit/s
ROUND_TRIP = 40  # ms
QUEUES = (1, 4)  # bandwidth-delay products
FLOWS = {
    'hole-punch': flows.of_program('peer'),
    'CUBIC': flows.of_tcp('cubic'),
    'BBR': flows.of_tcp('bbr'),
}
PAIRS = (
    ('hole-punch', 'CUBIC'),
    ('hole-punch', 'BBR'),
    ('hole-punch', 'hole-punch'),
    ('CUBIC', 'BBR'),
    ('CUBIC', 'CUBIC'),
)


def add_options(parser):
    parser.add_argument('--queue', type=float, action='append', metavar='BDP',
                        help='with such a queue (1, 4)')
    parser.add_argument('--warm-up', type=float, default=5, metavar='S',
                        help='seconds that do not count (5)')
    parser.add_argument('--seconds', type=float, default=20, metavar='S',
                        help='seconds that do (20)')


def jain(rates):
    return sum(rates) ** 2 / (len(rates) * sum(rate ** 2 for rate in rates))


def share(pair, queue, arguments):
    with flows.open_link(RATE, ROUND_TRIP, queue) as link, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        running = [pool.submit(FLOWS[name], RATE, arguments.warm_up,
                               arguments.seconds, number)
                   for number, name in enumerate(pair)]
        both = [future.result() for future in running]
        there = link.statistics()['there']
    rates = [figures['rate'] for figures in both]
    return {'first': both[0], 'second': both[1], 'link': there,
            'jain': jain(rates), 'share': 100 * rates[0] / sum(rates)}


def cases(queue, arguments):
    """name → function"""
    def case(pair):
        return lambda: share(pair, queue, arguments)

    return [(f'{pair[0]} beside {pair[1]}', case(pair)) for pair in PAIRS]


COLUMNS = {
    'first Mbit/s': lambda figures: figures['first']['rate'],
    'second Mbit/s': lambda figures: figures['second']['rate'],
    "first's share %": lambda figures: figures['share'],
    "Jain's index": lambda figures: figures['jain'],
    'queue p50 ms': lambda figures: figures['link']['queue-delay-ms']['p50'],
    'queue full': lambda figures: figures['link']['queue-full'],
}


def main():
    arguments = bench.parse(__doc__, add_options, rounds=1)
    flows.enter()
    tables = {}
    for queue in arguments.queue or QUEUES:
        title = f'{RATE} Mbit/s, {ROUND_TRIP} ms, {queue:g} BDP'
        tables[title] = bench.run(cases(queue, arguments), arguments.rounds,
                                  arguments.only)
    bench.finish(arguments, 'fairness', tables, COLUMNS)


if __name__ == '__main__':
    main()
