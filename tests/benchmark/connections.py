#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What many connections on one peer cost.

A peer gets so many connections, each from another peer (all of those in one
other process), and is then left alone for a while: the memory that each took,
the sources in its main loop, the processor's time at idle. Then one more
connection carries bulk among them; the other process, which has a socket and a
source for each of its peers, is stopped meanwhile, so that it takes no part of
the processor.
"""

import time

import bench


def add_options(parser):
    parser.add_argument('--counts', type=int, nargs='+',
                        default=[1, 10, 100, 1000], metavar='N',
                        help='how many connections (1 10 100 1000)')
    parser.add_argument('--idle', type=float, default=6, metavar='S',
                        help='seconds to leave them alone (6)')
    parser.add_argument('--mebibytes', type=int, default=256,
                        help='how much the busy connection carries (256)')


def measure(count, idle, mebibytes):
    path = bench.program('peer')
    with bench.Serve([path, 'serve']) as callee:
        to = ['--to', f'127.0.0.1:{callee.port}',
              '--fingerprint', callee.fingerprint]

        def query():
            return bench.call([path, 'query', *to])

        query()  # what is only made once
        before = query()
        with bench.Serve([path, 'hold', '--count', str(count), *to]) as others:
            time.sleep(1)
            begin = query()
            time.sleep(idle)
            end = query()
            # What asking costs by itself
            asking = query()['process_cpu_seconds'] \
                - end['process_cpu_seconds']
            with others.stopped():
                busy = bench.call([path, 'bulk', '--mebibytes',
                                   str(mebibytes), *to])
    if end['connections'] != count + 1:
        raise RuntimeError(f'{end["connections"] - 1} of {count} connections')
    receiver = busy['receiver']
    return {
        'private_bytes': end['private_bytes'],
        'bytes_each': (end['private_bytes'] - before['private_bytes']) / count,
        'sources': end['sources'],
        'idle_cpu': max(0, (end['process_cpu_seconds']
                            - begin['process_cpu_seconds'] - asking) / idle),
        'rate': receiver['bytes'] / 1e6 / receiver['seconds_to_last'],
        'cpu': (busy['cpu_seconds'] + receiver['cpu_seconds'])
        / (receiver['bytes'] / 1e9),
    }


COLUMNS = {
    'KiB each': lambda figures: figures['bytes_each'] / 1024,
    'sources': lambda figures: figures['sources'],
    'CPU at idle %': lambda figures: figures['idle_cpu'] * 100,
    'busy one MB/s': lambda figures: figures['rate'],
    'CPU s/GB': lambda figures: figures['cpu'],
}


def main():
    arguments = bench.parse(__doc__, add_options, rounds=3)
    cases = [(str(count), lambda count=count: measure(
        count, arguments.idle, arguments.mebibytes))
             for count in arguments.counts]
    rows = bench.run(cases, arguments.rounds, arguments.only)
    bench.finish(arguments, 'connections', {'Idle connections': rows}, COLUMNS)


if __name__ == '__main__':
    main()
