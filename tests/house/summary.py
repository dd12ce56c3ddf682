#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Adds up Meson's test logs; the last line is "N passed, N failed, N skipped".

A program that prints TAP counts for as many as it has cases, so that a case
skipped among others is seen; any other program counts for one. A TAP program
that died, timed out or exited non-zero without a failing case counts for one
failure more.
"""

import argparse
import json
import re
import sys
from collections import Counter

CASE = re.compile(r'^(not )?ok\b\s*\d*\s*-?\s*(.*?)\s*$')
SKIP = re.compile(r'#\s*(SKIP|TODO)\b\S*\s*(.*)$', re.IGNORECASE)
PASSED = {'OK', 'EXPECTEDFAIL'}
SKIPPED = {'SKIP', 'IGNORED'}


def read_cases(test):
    """The TAP cases of a test as (outcome, name, reason)."""
    for line in test.get('stdout', '').splitlines():
        match = CASE.match(line)
        if match is None:
            continue
        name = match.group(2)
        skip = SKIP.search(name)
        if skip is not None:
            yield 'skipped', name[:skip.start()].strip(), skip.group(2)
        elif match.group(1):
            yield 'failed', name, ''
        else:
            yield 'passed', name, ''


def read_test(test):
    """What one entry of the log counts for."""
    name = test['name']
    result = test['result']
    cases = list(read_cases(test))
    found = [(outcome, f'{name} {case}'.strip(), reason)
             for outcome, case, reason in cases]
    if result in PASSED or result in SKIPPED:
        outcome = 'passed' if result in PASSED else 'skipped'
        last = test.get('stdout', '').strip().rpartition('\n')[2]
        return found or [(outcome, name, re.sub('^SKIP(PED)?: *', '', last,
                                                flags=re.IGNORECASE))]
    if not any(outcome == 'failed' for outcome, _, _ in found):
        found.append(('failed', name, result.lower()))
    return found


def read_log(path):
    with open(path, encoding='utf-8') as log:
        for line in log:
            yield from read_test(json.loads(line))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--log', nargs=2, action='append', default=[],
                        metavar=('NAME', 'TESTLOG'))
    parser.add_argument('--failed', action='append', default=[],
                        metavar='STEP')
    options = parser.parse_args()

    total = Counter()
    for run, path in options.log:
        counts = Counter()
        for outcome, name, reason in read_log(path):
            counts[outcome] += 1
            if outcome != 'passed':
                print(f'{outcome.upper()} {run}: {name}'
                      + (f' ({reason})' if reason else ''))
        print(f'{run}: {counts["passed"]} passed, {counts["failed"]} failed, '
              f'{counts["skipped"]} skipped')
        total += counts
    for name in options.failed:
        print(f'FAILED {name}')
        total['failed'] += 1
    if not sum(total.values()):
        print('FAILED no test ran')
        total['failed'] += 1
    print(f'{total["passed"]} passed, {total["failed"]} failed, '
          f'{total["skipped"]} skipped')
    return 1 if total['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
