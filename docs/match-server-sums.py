#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sums of match-server.md, for any load.

    match-server-sums.py [NAME=NUMBER…]     prints them
    match-server-sums.py --update           writes them into match-server.md
    match-server-sums.py --check            fails unless they are there

What goes in are the tables "Costs" and "Load" of match-server.md, and what is
said otherwise on the command line.
"""

import math
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).with_name('match-server.md')
ROW = re.compile(r'^\| `(\w+)` \| ([\d.,]+) \|', re.MULTILINE)
BEGIN = '<!-- made by match-server-sums.py -->\n'
END = '<!-- until here -->\n'

# Name, what it is, unit, formula: in the order in which they need each other.
# A formula may use every name above it and those of the two tables.
SUMS = [
    ('keepalives', 'PINGs', '/s',
     'peers / (0.95 * keepalive_interval)'),
    ('refreshes', 'REGISTERs', '/s',
     'peers / (registration_lifetime / 3)'),
    ('hellos', 'HELLOs of the other family', '/s',
     'two_families * keepalives'),
    ('asks', 'ASKs', '/s',
     'peers * asks_per_hour / 3600'),
    ('handshakes', 'handshakes', '/s',
     'peers * handshakes_per_hour / 3600'),
    ('packets_in', 'datagrams in', '/s',
     'keepalives + refreshes + hellos + asks + 2 * handshakes'),
    ('packets_out', 'datagrams out', '/s',
     'keepalives + refreshes + hellos + 4 * asks + 2 * handshakes'),
    ('bits_in', 'bandwidth in', 'bit/s',
     '8 * (73 * keepalives + 92 * refreshes + 156 * hellos + 250 * asks'
     ' + 350 * handshakes)'),
    ('bits_out', 'bandwidth out', 'bit/s',
     '8 * (65 * keepalives + 69 * refreshes + 73 * hellos + 880 * asks'
     ' + 250 * handshakes)'),
    ('cores_busy', 'cores, if they were always busy', '',
     '1e-6 * (keepalives * cpu_keepalive + refreshes * cpu_refresh'
     ' + hellos * cpu_hello + asks * (cpu_ask + cpu_forward)'
     ' + handshakes * cpu_handshake)'),
    ('cores', 'cores', '',
     'cores_busy / utilization'),
    ('memory', 'memory of all servers', 'B',
     'peers * bytes_per_peer'),
    ('servers_busy', 'servers, by cores, memory or network', '',
     'max(ceil(cores / cores_per_server),'
     ' ceil(memory / memory_per_server),'
     ' ceil((packets_in + packets_out) / packets_per_server))'),
    ('servers', 'servers, with spare ones', '',
     'ceil(servers_busy * (1 + spare))'),
    ('peers_each', 'peers on each', '',
     'peers / servers'),
    ('packets_each', 'datagrams in and out, each', '/s',
     '(packets_in + packets_out) / servers'),
    ('return_time', 'when one dies: its peers are back after', 's',
     'peers_each / (max(servers - 1, 1) * cores_per_server'
     ' * handshakes_per_worker)'),
    ('redis_memory', 'memory of Redis, without replicas', 'B',
     'peers * redis_bytes_per_peer * (1 + owners_away / 2)'),
    ('redis_commands', 'commands to Redis', '/s',
     '2 * (refreshes + handshakes) + 4 * asks * (1 - 1 / servers)'),
    ('redis_busy', 'cores of Redis for keys, if they were always busy', '',
     '1e-6 * ((refreshes + handshakes) * redis_cpu_claim'
     ' + asks * (1 - 1 / servers) * redis_cpu_lookup)'),
    ('redis_posts', 'share of each node for messages, which go to all', '',
     '3e-6 * asks * (1 - 1 / servers) * redis_cpu_post'),
    ('redis_shards', 'shards, each with a replica', '',
     'max(ceil(redis_busy / (utilization - redis_posts)),'
     ' ceil(redis_memory / redis_memory_per_shard))'),
]


def read_inputs(text):
    return {name: float(value.replace(',', ''))
            for name, value in ROW.findall(text)}


def compute(inputs):
    values = dict(inputs)
    for name, _, _, formula in SUMS:
        values[name] = eval(  # of this file's own formulas
            formula, {'ceil': math.ceil, 'max': max, '__builtins__': {}},
            values)
    return values


def show(value, unit):
    if unit in ('', 's') and value < 1000:
        digits = (0 if value == int(value) or value >= 100
                  else 1 if value >= 1 else 2)
        return f'{value:,.{digits}f} {unit}'.strip()
    for size, prefix in ((1e12, 'T'), (1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if value >= size:
            value /= size
            break
    else:
        prefix = ''
    digits = 2 if value < 10 else 1 if value < 100 else 0
    number = f'{value:.{digits}f}'
    # Of what has no unit there are millions, not mega.
    if unit in ('', 's', '/s'):
        word = {'': '', 'k': ' thousand', 'M': ' million',
                'G': ' thousand million', 'T': ' million million'}[prefix]
        return f'{number}{word}{unit and " " + unit}'
    return f'{number} {prefix}{unit}'


def table(inputs, others):
    columns = [compute({**inputs, **other}) for other in ({}, *others)]
    heads = ['as above'] + [', '.join(f'{name} = {value:,.0f}'
                                      for name, value in other.items())
                            for other in others]
    yield '| computed | | ' + ' | '.join(heads) + ' |\n'
    yield '| --- | --- |' + ' ---: |' * len(heads) + '\n'
    for name, what, unit, formula in SUMS:
        cells = ' | '.join(show(column[name], unit) for column in columns)
        formula = (formula.replace('*', '×').replace('1e-6', '10⁻⁶')
                   .replace('3e-6', '3 × 10⁻⁶'))
        yield f'| `{name}` | {what} = {formula} | {cells} |\n'


def make(text):
    inputs = read_inputs(text)
    return ''.join(table(inputs, [
        {'registration_lifetime': 600},
        {'peers': 1e6, 'spare': 1},
    ]))


def main(arguments):
    text = PAGE.read_text(encoding='utf-8')
    if arguments in (['--update'], ['--check']):
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        wanted = before + BEGIN + make(text) + END + after
        if arguments == ['--check']:
            if text != wanted:
                sys.exit('The sums of match-server.md are not those of its '
                         'tables: run docs/match-server-sums.py --update')
        else:
            PAGE.write_text(wanted, encoding='utf-8')
        return
    inputs = read_inputs(text)
    for argument in arguments:
        name, _, value = argument.partition('=')
        if name not in inputs or not value:
            sys.exit(f'{argument}: there is no {name}; there are '
                     + ', '.join(inputs))
        inputs[name] = float(value)
    values = compute(inputs)
    for name, what, unit, _ in SUMS:
        print(f'{name:16}{show(values[name], unit):>22}  {what}')


if __name__ == '__main__':
    main(sys.argv[1:])
