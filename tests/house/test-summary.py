#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The sum that tests/run ends with."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

import summary


def summarise(tests, *arguments):
    """The last line, everything before it, and the exit code."""
    with tempfile.TemporaryDirectory() as directory:
        log = pathlib.Path(directory) / 'testlog.json'
        log.write_text(''.join(json.dumps(test) + '\n' for test in tests),
                       encoding='utf-8')
        output = io.StringIO()
        argv = ['summary.py', '--log', 'plain', str(log), *arguments]
        with mock.patch.object(sys, 'argv', argv), \
             contextlib.redirect_stdout(output):
            code = summary.main()
    *rest, last = output.getvalue().splitlines()
    return last, '\n'.join(rest), code


def test_entry(result, stdout='', name='a test'):
    return {'name': name, 'result': result, 'stdout': stdout}


class Summary(unittest.TestCase):
    def test_programs(self):
        last, rest, code = summarise([
            test_entry('OK'), test_entry('EXPECTEDFAIL'),
            test_entry('SKIP', 'more\nSKIP: not root\n', name='nat'),
        ])
        self.assertEqual(last, '2 passed, 0 failed, 1 skipped')
        self.assertIn('SKIPPED plain: nat (not root)', rest)
        self.assertEqual(code, 0)

    def test_every_bad_result_fails(self):
        for result in ('FAIL', 'TIMEOUT', 'ERROR', 'INTERRUPT',
                       'UNEXPECTEDPASS'):
            last, rest, code = summarise([test_entry('OK'),
                                          test_entry(result)])
            self.assertEqual(last, '1 passed, 1 failed, 0 skipped')
            self.assertIn('FAILED plain: a test', rest)
            self.assertEqual(code, 1)

    def test_cases(self):
        last, rest, code = summarise([test_entry('FAIL', (
            'TAP version 13\n# random seed: R02S0\n1..4\n'
            'ok 1 /ranges/add\nnot ok 2 /ranges/remove\n'
            'ok 3 /ranges/ipv6 # SKIP no IPv6 here\nok 4 /ranges/last\n'))])
        self.assertEqual(last, '2 passed, 1 failed, 1 skipped')
        self.assertIn('/ranges/remove', rest)
        self.assertIn('/ranges/ipv6 (no IPv6 here)', rest)
        self.assertEqual(code, 1)

    def test_crash_after_good_cases(self):
        last, _, code = summarise([test_entry('ERROR', (
            '1..2\nok 1 /a\n'))])
        self.assertEqual(last, '1 passed, 1 failed, 0 skipped')
        self.assertEqual(code, 1)

    def test_failed_step(self):
        last, rest, code = summarise([test_entry('OK')], '--failed',
                                     'sanitized: build')
        self.assertEqual(last, '1 passed, 1 failed, 0 skipped')
        self.assertIn('FAILED sanitized: build', rest)
        self.assertEqual(code, 1)

    def test_nothing_ran(self):
        last, _, code = summarise([])
        self.assertEqual(last, '0 passed, 1 failed, 0 skipped')
        self.assertEqual(code, 1)


if __name__ == '__main__':
    unittest.main()
