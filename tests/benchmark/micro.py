#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Micro-benchmarks: single steps of a datagram's way, in nanoseconds.

Each step is called by itself, with its data in the cache: a lower bound of its
share of a transfer. At 1,000 MB/s a datagram of 1024 bytes has 1,024 ns.
"""

import sys

import bench


def rows_of(rounds):
    """One run has all cases; a row for each, as bench.run() gives them"""
    return [{'name': name, 'why': None,
             'rounds': [figures[name] for figures in rounds],
             'median': bench.median([figures[name] for figures in rounds])}
            for name in rounds[0]]


COLUMNS = {
    'ns': lambda figures: figures['ns'],
    'MB/s': lambda figures: figures['size'] * 1e3 / figures['ns']
    if figures['size'] else None,
}


def main():
    arguments = bench.parse(__doc__)
    try:
        path = bench.program('micro')
    except bench.Unavailable as error:
        sys.exit(str(error))
    rounds = [bench.call([path]) for _ in range(arguments.rounds)]
    rows = [row for row in rows_of(rounds)
            if not arguments.only
            or any(word in row['name'] for word in arguments.only)]
    bench.finish(arguments, 'micro', {'Step': rows}, COLUMNS)


if __name__ == '__main__':
    main()
