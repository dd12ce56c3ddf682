#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Who may include whom.

A file includes its own place or a place on a lower floor; never an upper one,
never another place on its own floor. Reads every #include in hole-punch/, and
what else the house asks of each file. `floors.py DIRECTORY` checks a tree;
without arguments it runs its own tests, which plant one violation of each kind
in a tree and want to see it found, and then check this tree.
"""

import pathlib
import re
import sys
import tempfile
import unittest

# place: floor. Folders end in a slash; other places are files of the root with
# that name or one that continues it: hp-peer.c, hp-peer-private.h,
# hp-peer-target.c.
FLOORS = {
    # Cursors, ranges, addresses: what everybody is made of
    'base/': 0,
    # Names of types, enumerations and error codes, the version: no behaviour
    'types': 0,
    # How a signal's arguments get to its handlers; made by glib-genmarshal
    'hp-marshal': 0,
    # The bytes of datagrams and frames
    'wire/': 1,
    # Three state machines that do not know of each other: the secure session,
    'secure/': 2,
    # reliable messages,
    'transport/': 2,
    # and finding a way through NATs
    'nat/': 2,
    # Bytes between a user's thread and that of a connection
    'hp-pipe': 2,
    # One remote peer, where those three meet
    'link/': 3,
    # The only place that touches sockets, timers and clocks
    'io/': 3,
    # What is answered once, or by itself when it is dropped or too late
    'hp-question': 2,
    # A key pair as the user sees it
    'hp-identity': 3,
    # Where registrations live: the interface, its requests and its answers
    'registry': 3,
    # A question to the application
    'hp-authorization': 3,
    # Counters as the user sees them: of a connection, of a match server
    'hp-statistics': 3,
    'hp-server-statistics': 3,
    # What is known of the NATs, likewise
    'hp-nat-info': 3,
    # Whether one server answers
    'hp-server-report': 3,
    # The endpoint, and both halves of matching
    'engine/': 4,
    # The registry that a match server has by default
    'hp-memory-registry': 4,
    # What a network is good for
    'hp-network-report': 4,
    # One remote peer as the user sees it, and its streams
    'hp-connection': 5,
    # The registry that several match servers share
    'hp-redis': 5,
    # A match server from its start to its stop
    'hp-match-run': 5,
    # A node as the user sees it: makes connections
    'hp-peer': 6,
    # The rendezvous server as the user sees it
    'hp-match-server': 6,
    # The umbrella header
    'hole-punch': 7,
    # The command is a user of the library like any other
    'tools/': 8,
}

# Files of the root that make one place
TOGETHER = {
    'hp-types': 'types',
    'hp-enums': 'types',
    'hp-punch-error': 'types',
    'hp-version': 'types',
    'hp-version-macros': 'types',
    'hp-match-server-limits': 'hp-match-server',
    'hp-match-server-network': 'hp-match-server',
    'hp-match-server-properties': 'hp-match-server',
    'hp-stream': 'hp-connection',
    'hp-registration': 'registry',
    'hp-registry': 'registry',
    'hp-registry-request': 'registry',
}

# Headers from outside: the only files that may include them
GUARDED = [
    (re.compile(r'(gnutls|nettle)/'), {'secure/hp-crypto.c'}),
    (re.compile(r'(nice|stun)/|agent\.h$'),
     {'wire/hp-stun.c', 'wire/hp-turn.c'}),
    (re.compile(r'libg(upnp|ssdp)'), {'engine/hp-upnp.c'}),
    (re.compile(r'libsoup/'), {'tools/hp-tool-exporter.c'}),
    (re.compile(r'hiredis/'), {'hp-redis-connection.c', 'hp-redis-reply.c'}),
]

# No I/O, no clock, no randomness but what is handed in
PURE = {'base/', 'wire/', 'secure/', 'transport/', 'nat/', 'link/'}
IMPURE = re.compile(
    r'\b(g_get_monotonic_time|g_get_real_time|g_date_time_new_now\w*'
    r'|clock_gettime|gettimeofday|g_timer_\w+|g_random_\w+|g_rand_\w+'
    r'|getrandom|g_uuid_string_random'
    r'|g_socket_(new|bind|listen|accept|connect|send|receive|condition|create)'
    r'(?:_\w+)?'
    r'|sendto|sendm?msg|recvfrom|recvm?msg|g_timeout_\w+|g_idle_\w+|g_usleep)'
    r'\s*\(')

# Longer than LONG lines, and why that is right
LONG = 600
COLUMNS = 80
LONGER = {}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*(?:include|import)[ \t]*([<"])([^>"]+)',
                     re.MULTILINE)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.DOTALL)
SPDX = ('SPDX-FileCopyrightText: ', 'SPDX-License-Identifier: ')
SUFFIXES = {'.c', '.h', '.in'}
UMBRELLA = 'hole-punch.h'


def place_of(path):
    """The place of a path inside hole-punch/, or None."""
    parts = path.split('/')
    if len(parts) > 1:
        place = parts[0] + '/'
    else:
        place = re.sub(r'(\.h)?\.in$|\.[ch]$', '', parts[0])
        while place not in FLOORS and place not in TOGETHER and '-' in place:
            place = place.rpartition('-')[0]
        place = TOGETHER.get(place, place)
    return place if place in FLOORS else None


def check_include(path, quote, target):
    """What is wrong with one #include of @path, or None."""
    for pattern, allowed in GUARDED:
        if pattern.match(target) and path not in allowed:
            return f'includes <{target}>, which is for {sorted(allowed)[0]}'
    if not target.startswith('hole-punch/'):
        return (f'includes "{target}" without its folder' if quote == '"'
                else None)
    target = target[len('hole-punch/'):]
    here, there = place_of(path), place_of(target)
    if there is None:
        return f'includes {target}, which has no floor'
    if here != there and FLOORS[there] >= FLOORS[here]:
        way = 'upwards' if FLOORS[there] > FLOORS[here] else 'sideways'
        return (f'(floor {FLOORS[here]}) includes {target} '
                f'(floor {FLOORS[there]}): {way}')
    return None


def check_text(path, text):
    """What is wrong with a file besides its includes."""
    head = text[:400]
    lines = text.count('\n')
    if not all(line in head for line in SPDX):
        yield 'has no SPDX pair at its top'
    if re.search(r'\.h(\.in)?$', path) and '\n#pragma once\n' not in text:
        yield 'has no #pragma once'
    if lines > LONG and path not in LONGER:
        yield f'has {lines} lines: split it, or say why not in LONGER'
    if '\t' in text:
        yield 'has a tab'
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > COLUMNS:
            yield f'line {number} has {len(line)} columns'
    if place_of(path) in PURE:
        for match in IMPURE.finditer(COMMENT.sub('', text)):
            yield f'calls {match.group(1)}(): no I/O and no clock here'


def find_cycle(graph):
    """One include cycle of a graph of headers, or None."""
    done, on_path = set(), []

    def visit(node):
        if node in on_path:
            return on_path[on_path.index(node):] + [node]
        if node in done:
            return None
        on_path.append(node)
        for next_node in graph.get(node, ()):
            cycle = visit(next_node)
            if cycle:
                return cycle
        on_path.pop()
        done.add(node)
        return None

    for node in sorted(graph):
        cycle = visit(node)
        if cycle:
            return cycle
    return None


def check_tree(root):
    """All problems of the tree at @root, which is hole-punch/."""
    problems = []
    graph = {}
    public = INCLUDE.findall((root / UMBRELLA).read_text(encoding='utf-8'))
    public = {UMBRELLA, *(target.rpartition('/')[2] for _, target in public)}
    for file in sorted(root.rglob('*')):
        if file.suffix not in SUFFIXES or not file.is_file():
            continue
        path = file.relative_to(root).as_posix()
        text = file.read_text(encoding='utf-8')
        if place_of(path) is None:
            problems.append(f'{path}: has no floor; give it one in FLOORS')
            continue
        problems += [f'{path}: {problem}' for problem in check_text(path, text)]
        if re.fullmatch(r'[^/]*(?<!-private)\.h', path) \
           and path not in public:
            problems.append(f'{path}: is neither in {UMBRELLA} nor -private')
        includes = INCLUDE.findall(COMMENT.sub('', text))
        for quote, target in includes:
            problem = check_include(path, quote, target)
            if problem:
                problems.append(f'{path}: {problem}')
        if path.endswith('.h'):
            graph[path] = [target[len('hole-punch/'):]
                           for _, target in includes
                           if target.startswith('hole-punch/')]
    cycle = find_cycle(graph)
    if cycle:
        problems.append('cycle: ' + ' → '.join(cycle))
    return problems


HEAD = ('/* SPDX-FileCopyrightText: 2026 Somebody\n'
        ' * SPDX-License-Identifier: LGPL-2.1-or-later\n */\n\n')
ONCE = '#pragma once\n\n'


class Planted(unittest.TestCase):
    """Each violation, planted in a tree that is clean without it."""

    CLEAN = {
        'hole-punch.h': HEAD + ONCE + '#include <hole-punch/hp-peer.h>\n',
        'hp-peer.h': HEAD + ONCE,
        'base/hp-cursor.h': HEAD + ONCE + '#include <glib.h>\n',
        'wire/hp-frame.h': HEAD + ONCE
        + '#include "hole-punch/base/hp-cursor.h"\n',
        'secure/hp-crypto.c': HEAD + '#include <gnutls/crypto.h>\n'
        '#include "hole-punch/wire/hp-frame.h"\n',
        'hp-peer.c': HEAD + '#include "hole-punch/hp-connection-private.h"\n',
        'hp-connection-private.h': HEAD + ONCE
        + '#include "hole-punch/wire/hp-frame.h"\n',
    }

    def problems(self, files):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for path, text in {**self.CLEAN, **files}.items():
                file = root / path
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, encoding='utf-8')
            return check_tree(root)

    def assert_found(self, path, text, expected):
        problems = self.problems({path: text})
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(path, problems[0])
        self.assertIn(expected, problems[0])

    def test_clean(self):
        self.assertEqual(self.problems({}), [])

    def test_upwards(self):
        self.assert_found('base/hp-ranges.c',
                          HEAD + '#include "hole-punch/wire/hp-frame.h"\n',
                          'upwards')

    def test_upwards_in_angle_brackets(self):
        self.assert_found('wire/hp-frame.c',
                          HEAD + '#  include <hole-punch/hp-peer.h>\n',
                          'upwards')

    def test_upwards_from_the_root(self):
        self.assert_found('hp-identity.c',
                          HEAD + '#include "hole-punch/engine/hp-endpoint.h"\n',
                          'upwards')

    def test_sideways(self):
        for here, there in (('secure', 'transport'), ('transport', 'nat'),
                            ('nat', 'secure'), ('link', 'io')):
            self.assert_found(f'{here}/hp-x.c',
                              HEAD + f'#include "hole-punch/{there}/hp-y.h"\n',
                              'sideways')

    def test_sideways_in_the_root(self):
        self.assert_found('hp-match-server.c',
                          HEAD + '#include "hole-punch/hp-peer.h"\n',
                          'sideways')

    def test_unknown_place(self):
        self.assert_found('misc/hp-x.c', HEAD, 'has no floor')

    def test_continued_name(self):
        self.assertEqual(self.problems({
            'hp-peer-target.c': HEAD + '#include "hole-punch/hp-peer.h"\n',
        }), [])
        self.assert_found('hp-question-x.c',
                          HEAD + '#include "hole-punch/hp-peer.h"\n',
                          'upwards')

    def test_unknown_name(self):
        self.assert_found('hp-misc.c', HEAD, 'has no floor')

    def test_half_private(self):
        self.assert_found('hp-peer-target.h', HEAD + ONCE, 'nor -private')

    def test_without_folder(self):
        self.assert_found('wire/hp-frame.c',
                          HEAD + '#include "hp-frame.h"\n',
                          'without its folder')

    def test_commented_out(self):
        self.assertEqual(self.problems({
            'base/hp-x.c': HEAD + '/* #include "hole-punch/hp-peer.h" */\n',
        }), [])

    def test_crypto_headers(self):
        for header in ('gnutls/gnutls.h', 'nettle/hmac.h'):
            self.assert_found('secure/hp-noise.c',
                              HEAD + f'#include <{header}>\n', 'hp-crypto.c')

    def test_stun_headers(self):
        for header in ('stun/stunagent.h', 'nice/agent.h', 'agent.h'):
            self.assert_found('wire/hp-packet.c',
                              HEAD + f'#include <{header}>\n', 'hp-stun.c')

    def test_cycle(self):
        problems = self.problems({
            'wire/hp-a.h': HEAD + ONCE + '#include "hole-punch/wire/hp-b.h"\n',
            'wire/hp-b.h': HEAD + ONCE + '#include "hole-punch/wire/hp-a.h"\n',
        })
        self.assertEqual(len(problems), 1, problems)
        self.assertTrue(problems[0].startswith('cycle: '), problems)

    def test_clock(self):
        self.assert_found('link/hp-x.c',
                          HEAD + 'x = g_get_monotonic_time ();\n', 'no clock')

    def test_random(self):
        self.assert_found('nat/hp-x.c', HEAD + 'x = g_random_int ();\n',
                          'no clock')

    def test_socket(self):
        self.assert_found('base/hp-x.c', HEAD + 'g_socket_send_to (s);\n',
                          'no I/O')
        self.assertEqual(self.problems({
            'base/hp-x.c': HEAD + 'g_socket_address_get_family (a);\n',
            'base/hp-y.c': HEAD + 'g_socket_connectable_to_string (a);\n',
        }), [])

    def test_spdx(self):
        self.assert_found('base/hp-x.c', '/* nothing */\n', 'SPDX')

    def test_pragma_once(self):
        self.assert_found('base/hp-x.h', HEAD, '#pragma once')

    def test_length(self):
        self.assert_found('base/hp-x.c', HEAD + '\n' * LONG, 'lines')

    def test_columns(self):
        self.assert_found('base/hp-x.c', HEAD + 'x' * COLUMNS + 'x\n',
                          'columns')
        self.assertEqual(self.problems({
            'base/hp-x.c': HEAD + '─' * COLUMNS + '\n',
        }), [])

    def test_tab(self):
        self.assert_found('base/hp-x.c', HEAD + '\tint x;\n', 'tab')


class House(unittest.TestCase):
    ROOT = pathlib.Path(__file__).resolve().parents[2] / 'hole-punch'

    def test_tree(self):
        self.assertGreater(len(list(self.ROOT.rglob('*.[ch]'))), 50)
        problems = check_tree(self.ROOT)
        self.assertFalse(problems, '\n' + '\n'.join(problems))

    def test_longer_is_needed(self):
        for path in LONGER:
            text = (self.ROOT / path).read_text(encoding='utf-8')
            self.assertGreater(text.count('\n'), LONG, path)


if __name__ == '__main__':
    if len(sys.argv) == 2 and not sys.argv[1].startswith('-'):
        found = check_tree(pathlib.Path(sys.argv[1]))
        print('\n'.join(found) or 'no problems')
        sys.exit(1 if found else 0)
    unittest.main()
