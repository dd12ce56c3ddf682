#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connections that outlive what they began on: a NAT that reboots, forgets, or
gets another address, a host that moves, a process that stands still. Each
scenario prints how long nothing got through.

    test-roaming.py SCENARIO      one of SCENARIOS below
    test-roaming.py --list

HOLE_PUNCH names the command to test.
"""

import importlib
import os
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
from lab import Lab, inside  # noqa: E402

nat = importlib.import_module('test-nat')

ROUND_TRIP = 40  # milliseconds between everybody


def connected(network, scenario, action, interval=0.05):
    """A pings B meanwhile; gives what @action says, which gets the pinger and
    the listener."""
    with tempfile.TemporaryDirectory() as directory:
        matcher = nat.serve(network, directory)
        listener = nat.listen(network, 'b', directory)
        pinger = nat.ping(network, 'a', interval=interval, count=0,
                          size=100)
        there = pinger.wait('resolved')
        assert there['path'] == 'direct', there
        pause = action(pinger, listener)
        # Its pings are not sent again: that some were lost is no failure
        pinger.process.terminate()
        pinger.process.wait(timeout=nat.PATIENCE)
        listener.end()
        matcher.end()
    nat.row(scenario, there, f'(pause {pause:.2f} s)')
    return pause


def reboot(scenario, kind, side, most):
    with Lab(kind, kind, round_trip=ROUND_TRIP) as network:
        pause = connected(
            network, scenario, lambda pinger, listener:
            nat.pause_of(pinger, network.nat(side).reboot))
    assert pause < most, f'a pause of {pause:.1f} s'


def reboot_caller():
    reboot('reboot-caller', 'port-restricted', 'a', 6)


def reboot_callee():
    reboot('reboot-callee', 'port-restricted', 'b', 6)


def reboot_remapped():
    reboot('reboot-remapped', 'port-restricted-remapped', 'b', 2)


def reboot_trap():
    """What comes from the other side takes the ports at once, so that only
    fresh sockets help."""
    reboot('reboot-trap', 'trap', 'b', 6)


def new_address():
    """The provider gives the router another one: nobody tells the host."""
    with Lab('port-restricted', 'port-restricted',
             round_trip=ROUND_TRIP) as network:
        pause = connected(
            network, 'new-address', lambda pinger, listener:
            nat.pause_of(pinger, network.nat('b').new_address))
    assert pause < 2, f'a pause of {pause:.1f} s'


def move():
    """The host itself gets another one, and is told by its system."""
    def change():
        inside('a', 'ip', 'address', 'flush', 'dev', 'eth0')
        inside('a', 'ip', 'address', 'add', '10.1.0.77/24', 'dev', 'eth0')
        inside('a', 'ip', 'route', 'add', 'default', 'via', '10.1.0.1')
    with Lab('port-restricted', 'port-restricted',
             round_trip=ROUND_TRIP) as network:
        pause = connected(network, 'move', lambda pinger, listener:
                          nat.pause_of(pinger, change))
    assert pause < 4, f'a pause of {pause:.1f} s'


def short_lifetime():
    """Mappings that live for 20 s, and 30 s without a word."""
    def silent(pinger, _listener):
        pinger.wait('pong', timeout=45)
        began = time.monotonic()
        pong = pinger.wait('pong', timeout=45)
        assert pong['at'] - began > 29, 'that was no silence'
        return pong['milliseconds'] / 1000
    with Lab('port-restricted-remapped lifetime=20s',
             'port-restricted-remapped lifetime=20s',
             round_trip=ROUND_TRIP) as network:
        pause = connected(network, 'short-lifetime', silent, interval=30)
    assert pause < 1, f'a pause of {pause:.1f} s'


def absolute_lifetime():
    """Mappings that die 50 s after they were made, whatever flows."""
    def long(pinger, _listener):
        last = began = time.monotonic()
        longest = 0
        while last < began + 115:
            pong = pinger.wait('pong', timeout=40)
            longest = max(longest, pong['at'] - last)
            last = pong['at']
        assert longest > 0.5, 'no mapping has died'
        return longest
    with Lab('port-restricted-remapped absolute=50s',
             'port-restricted-remapped', round_trip=ROUND_TRIP) as network:
        pause = connected(network, 'absolute-lifetime', long, interval=0.1)
    assert pause < 2, f'a pause of {pause:.1f} s'


def standstill():
    """As a suspended machine: time goes on, the process does not."""
    seconds = 8

    def stop(pinger, listener):
        def pause():
            os.kill(listener.process.pid, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(listener.process.pid, signal.SIGCONT)
        return nat.pause_of(pinger, pause) - seconds
    with Lab('port-restricted', 'port-restricted',
             round_trip=ROUND_TRIP) as network:
        pause = connected(network, 'standstill', stop)
    assert pause < 3, f'a pause of {pause:.1f} s'


SCENARIOS = {
    'reboot-caller': reboot_caller,
    'reboot-callee': reboot_callee,
    'reboot-remapped': reboot_remapped,
    'reboot-trap': reboot_trap,
    'new-address': new_address,
    'move': move,
    'short-lifetime': short_lifetime,
    'absolute-lifetime': absolute_lifetime,
    'standstill': standstill,
}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in (*SCENARIOS, '--list'):
        sys.exit(__doc__)
    if sys.argv[1] == '--list':
        print('\n'.join(SCENARIOS))
        return
    lab.need_tun()
    lab.enter()
    SCENARIOS[sys.argv[1]]()


if __name__ == '__main__':
    main()
