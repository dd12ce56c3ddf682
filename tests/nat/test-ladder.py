#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is known of filtering chooses the way: toward a NAT that does not look at
ports a symmetric one just dials; only toward one that does are hundreds of
entries made (see matrix.py, whose peers these are).

    test-ladder.py BUILD
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
import matrix  # noqa: E402

# All that finding out about the NAT and dialling may create
FEW = 40
# A birthday volley, on the side that opens
MANY = 100
MILLISECONDS = 1000
PAIRS = (
    ('symmetric-random', 'full-cone', False),
    ('symmetric-random', 'address-restricted', False),
    ('address-restricted', 'symmetric-random', False),
    ('symmetric-random', 'port-restricted', True),
    ('stateful-firewall', 'symmetric-random', True),
)


def check(build, kind_a, kind_b, sprays):
    options = argparse.Namespace(build=build, relay=False)
    with lab.Lab(kind_a, kind_b, round_trip=40) as network:
        pair = matrix.Ours(network, options)
        time.sleep(0.3)
        result = pair.run()
        entries = {kind: network.entries(host)['created']
                   for host, kind in (('a', kind_a), ('b', kind_b))}
        pair.close()
    print(f'# {kind_a} – {kind_b} | {result} | {entries}', flush=True)
    if sprays:
        # Which may find nothing, once in fifty times
        assert entries['symmetric-random'] > MANY, entries
        return
    assert result['outcome'] == 'direct', result
    assert result['usable'] < MILLISECONDS, result
    assert max(entries.values()) <= FEW, entries


def main(build):
    lab.need_tun()
    lab.enter()
    for pair in PAIRS:
        check(build, *pair)


if __name__ == '__main__':
    main(sys.argv[1])
