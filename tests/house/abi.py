#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the shared library exports is what abi.txt lists, and what the public
headers declare.

A symbol that disappears breaks programs; one that appears is a promise. After
a change that is meant:

    meson compile -C BUILD abi-update
"""

import sys
import unittest

import house

LIST = house.SOURCE / 'tests/house/abi.txt'
LIBRARY = house.BUILD / f'hole-punch/lib{house.PACKAGE}.so'


def exported():
    """All symbols that the library defines for others."""
    output = house.run('nm', '-D', '--defined-only', '--format=posix', LIBRARY)
    return sorted(line.split()[0].split('@')[0]
                  for line in output.splitlines() if line)


class Abi(unittest.TestCase):
    maxDiff = None

    def test_list(self):
        listed = LIST.read_text(encoding='utf-8').split()
        self.assertEqual(listed, sorted(set(listed)))
        self.assertEqual(exported(), listed)

    def test_headers(self):
        declared = house.public_functions() | house.get_type_functions()
        self.assertEqual(set(exported()), declared)


if __name__ == '__main__':
    if sys.argv[1:] == ['--update']:
        LIST.write_text('\n'.join(exported()) + '\n', encoding='utf-8')
    else:
        unittest.main()
