#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where no direct path is to be had: through a real TURN server.

    test-relay.py SCENARIO      one of SCENARIOS below
    test-relay.py --list

HOLE_PUNCH names the command to test.
"""

import importlib
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
import turn  # noqa: E402
from lab import Lab, PUBLIC, SERVER, TURN  # noqa: E402

nat = importlib.import_module('test-nat')

ROUND_TRIP = 40  # milliseconds between everybody


def talk(scenario, kinds, options, limit_ms, turn_arguments=()):
    """@options: of the command, for each side. Gives both events."""
    with Lab(*kinds, round_trip=ROUND_TRIP) as network, \
            tempfile.TemporaryDirectory() as directory:
        relay = turn.start(network, *turn_arguments)
        time.sleep(0.5)
        matcher = nat.serve(network, directory)
        listener = nat.Tool(network, 'b', 'listen', 'wq', '--match-server',
                            SERVER, '--directory', directory, *options[1])
        listener.wait('registered', id='wq')
        pinger = nat.Tool(network, 'a', 'ping', 'wq', '--match-server',
                          SERVER, '--count', '50', '--interval', '0.02',
                          '--size', '10240', *options[0])
        there = pinger.wait('resolved')
        here = listener.wait('resolved')
        pongs = pinger.all('pong')
        assert pinger.process.wait() == 0, pinger.seen[-5:]
        assert len(pongs) == 50, pongs
        listener.end()
        matcher.end()
        relay.terminate()
        relay.wait()
    nat.row(scenario, there, f'(callee {here["milliseconds"]:.0f} ms)')
    assert there['path'] == 'relayed', there
    assert there['milliseconds'] < limit_ms, there
    return there, here


def strict():
    """Two random NATs: data flows through the relay at once, whatever else may
    be found later."""
    both = ('--turn', turn.uri('?transport=udp'))
    talk('strict', ('symmetric-random', 'symmetric-random'), (both, both), 500)


def udp_blocked():
    """The match server, too, is reached through the relay, which is reached by
    TCP."""
    both = ('--turn', turn.uri())
    _, here = talk('udp-blocked', ('udp-blocked', 'port-restricted'),
                   (both, both), 6000)
    # The other side, too, knows that it is no direct path.
    assert here['path'] == 'relayed', here


def udp_blocked_callee():
    """The callee tells only after the answer that its address is a relay's."""
    both = ('--turn', turn.uri('?transport=tcp'))
    talk('udp-blocked-callee', ('port-restricted', 'udp-blocked'),
         ((), both), 6000)


def udp_blocked_both():
    both = ('--turn', turn.uri())
    talk('udp-blocked-both', ('udp-blocked', 'udp-blocked'), (both, both),
         6000)


def one_relay():
    """It is enough that one side has one."""
    talk('one-relay', ('symmetric-random', 'symmetric-random'),
         (('--turn', turn.uri('?transport=udp')), ()), 1000)


def relay_only():
    """The other side sees the relay, though a direct path could be had."""
    only = ('--turn', turn.uri('?transport=udp'),
            '--relay-policy', 'relay-only')
    there, here = talk('relay-only', ('full-cone', 'full-cone'), (only, ()),
                       1000)
    assert nat.host_of(here['address']) == TURN, here
    assert nat.host_of(there['address']) == PUBLIC['b'], there


SCENARIOS = {
    'strict': strict,
    'udp-blocked': udp_blocked,
    'udp-blocked-callee': udp_blocked_callee,
    'udp-blocked-both': udp_blocked_both,
    'one-relay': one_relay,
    'relay-only': relay_only,
}


def main():
    if sys.argv[1:] == ['--list']:
        print(*SCENARIOS, sep='\n')
        return
    lab.need_tun()
    lab.enter()
    SCENARIOS[sys.argv[1]]()


if __name__ == '__main__':
    main()
