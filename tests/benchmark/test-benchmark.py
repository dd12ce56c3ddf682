#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The benchmarks run, and what they print can be right."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import bench

HERE = pathlib.Path(__file__).parent


def run(name, *arguments):
    """The tables of a script's JSON"""
    with tempfile.NamedTemporaryFile('r') as file:
        result = subprocess.run([sys.executable, HERE / f'{name}.py',
                                 '--rounds', '1', '--json', file.name,
                                 *arguments], stdin=subprocess.DEVNULL)
        if result.returncode == bench.SKIP:
            raise unittest.SkipTest('no network namespaces')
        result.check_returncode()
        return json.load(file)['tables']


class Scripts(unittest.TestCase):

    def test_bulk(self):
        rows = run('bulk', '--place', 'loopback', '--mebibytes', '8'
                   )['Bulk over loopback']
        self.assertIn('hole-punch', [row['name'] for row in rows])
        for row in rows:
            if row['why'] is None:
                figures = row['median']
                # A bare socket sends nothing again.
                self.assertGreater(figures['receiver']['bytes'], 7 << 20)
                self.assertGreater(figures['rate'], 1)
                self.assertGreater(figures['cpu'], 0)

    def test_latency(self):
        rows = run('latency', '--count', '200')['Round trips of 64 bytes']
        for row in rows:
            if row['why'] is None:
                figures = row['median']
                self.assertGreater(figures['p50'], 0)
                self.assertGreaterEqual(figures['p99'], figures['p50'])
                self.assertGreaterEqual(figures['count'], 20)

    def test_connections(self):
        rows = run('connections', '--counts', '2', '10', '--idle', '0.2',
                   '--mebibytes', '8')['Idle connections']
        self.assertEqual([row['why'] for row in rows], [None, None])
        few, many = (row['median'] for row in rows)
        # What the issue is: no source for each connection
        self.assertEqual(few['sources'], many['sources'])
        self.assertGreater(many['rate'], 1)

    def test_micro(self):
        rows = run('micro')['Step']
        for row in rows:
            self.assertGreater(row['median']['ns'], 0)

    def test_lossy(self):
        tables = run('lossy', '--link', '100', '--queue', '1', '--loss', '1',
                     '--warm-up', '0.5', '--seconds', '1', '--only',
                     'hole-punch', '--only', 'TCP BBR')
        for row in tables['100 Mbit/s, 50 ms, 1 BDP']:
            self.assertIsNone(row['why'])
            self.assertGreater(row['median']['rate'], 1)
            # In a second, what was held up before may come on top.
            self.assertLess(row['median']['rate'], 120)
            self.assertGreater(row['median']['lost'], 0)

    def test_fairness(self):
        tables = run('fairness', '--queue', '1', '--warm-up', '0.5',
                     '--seconds', '1', '--only', 'hole-punch beside CUBIC')
        figures, = (row['median'] for row in tables['50 Mbit/s, 40 ms, 1 BDP'])
        self.assertGreater(figures['jain'], 0.5)
        self.assertLessEqual(figures['jain'], 1)
        self.assertLess(figures['first']['rate'] + figures['second']['rate'],
                        60)

    def test_match(self):
        tables = run('match', '--seconds', '0.3', '--beside', '200',
                     '--peers', '400')
        for rows in tables.values():
            for row in rows:
                if row['why'] is None and 'answered' in row['median']:
                    figures = row['median']
                    # So few may not refresh so often.
                    self.assertGreater(
                        figures['answered'] + figures['refused'],
                        0.8 * figures['requests'])
                    self.assertGreater(figures['server_seconds'], 0)
                    self.assertGreaterEqual(figures['latency']['p99'],
                                            figures['latency']['p50'])
        row, = tables['CPU µs of a request']
        self.assertGreater(row['median']['memory'], 0)
        # Both sides were told, and nobody was for nothing.
        self.assertGreaterEqual(row['median']['ask']['introductions'],
                                row['median']['ask']['answered'])

    def test_flood(self):
        rows = run('flood', '--seconds', '0.5', '--settle', '0.5', '--peers',
                   '100', '--rate', '400', '--flood', '5000', '--real',
                   '20')['Flood of']
        self.assertEqual(len(rows), 6)
        for row in rows:
            figures = row['median']
            # Who is registered is served.
            self.assertGreater(figures['answered'], 0.8 * figures['requests'])
            self.assertEqual(figures['flood'] > 0, 'nothing' not in row['name'])
        # A flood leaves nothing behind: what it would take is many times this.
        self.assertLess(rows[-1]['median']['memory'],
                        rows[0]['median']['memory'] + (16 << 20))


class Harness(unittest.TestCase):

    def test_median(self):
        self.assertEqual(
            bench.median([{'a': 3, 'b': {'c': 1}, 'd': 'x'},
                          {'a': 1, 'b': {'c': 2}, 'd': 'x'},
                          {'a': 2, 'b': {'c': 9}, 'd': 'x'}]),
            {'a': 2, 'b': {'c': 2}, 'd': 'x'})

    def test_interleaved(self):
        order = []

        def case(name):
            return name, lambda: order.append(name) or {'n': len(order)}

        rows = bench.run([case('first'), case('second')], 2)
        self.assertEqual(order, ['first', 'second', 'first', 'second'])
        self.assertEqual([row['median']['n'] for row in rows], [2, 3])

    def test_unavailable(self):
        def missing():
            raise bench.Unavailable('no such library')

        rows = bench.run([('here', lambda: {'n': 1}), ('gone', missing)], 2)
        text = bench.table('Title', rows, {'n': lambda figures: figures['n']})
        self.assertIn('gone: no such library', text)
        self.assertEqual(len({len(line) for line in text.splitlines()[:4]}), 1)


if __name__ == '__main__':
    unittest.main()
