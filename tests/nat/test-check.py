#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`hole-punch check` behind several NATs: does it find the right words?

    test-check.py SCENARIO      one of SCENARIOS below
    test-check.py --list

HOLE_PUNCH names the command to test.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
import turn  # noqa: E402
from lab import Lab, PUBLIC, SERVER, SERVER_2  # noqa: E402

nat = importlib.import_module('test-nat')

HOLE_PUNCH = os.environ.get('HOLE_PUNCH', 'hole-punch')
ROUND_TRIP = 40  # milliseconds
MOST_SECONDS = 5
SECRET = 'letmein'
DIRECT, RELAYED, NOBODY = 0, 3, 4  # exit statuses


def run(network, *arguments):
    """Exit status, output, and seconds."""
    began = time.monotonic()
    process = network.spawn('a', HOLE_PUNCH, 'check', '--match-server',
                            SERVER, *arguments, stdout=subprocess.PIPE)
    output = process.communicate(timeout=30)[0]
    return process.returncode, output, time.monotonic() - began


def check(kind, *arguments, with_server=True, with_relay=False,
          relay_arguments=()):
    """All that --json prints, by the kind of server, and what people read."""
    with Lab(kind, 'open', round_trip=ROUND_TRIP) as network, \
            tempfile.TemporaryDirectory() as directory:
        processes = []
        if with_server:
            processes.append(nat.serve(network, directory))
        if with_relay:
            relay = turn.start(network, *relay_arguments)
            time.sleep(0.5)
        status, output, seconds = run(network, '--json', *arguments)
        again, text, _ = run(network, *arguments)
        for process in processes:
            process.end()
        if with_relay:
            relay.terminate()
            relay.wait()
    print(f'# {kind}: {status}, {seconds:.2f} s\n# '
          + text.rstrip().replace('\n', '\n# '), flush=True)
    assert again == status, (status, again)
    assert seconds < MOST_SECONDS, seconds
    for secret in (turn.CREDENTIALS, SECRET):
        assert secret not in text and secret not in output
    events = [json.loads(line) for line in output.splitlines()]
    found = events[-1]
    assert found['event'] == 'network', events
    assert text.startswith(found['summary'] + '\n\n'), text
    servers = {'match': [], 'stun': [], 'relay': []}
    for event in events[:-1]:
        assert event['event'] == 'server', event
        servers[event['kind']].append(event)
    return status, found, servers, text


def assert_server(servers, transport='UDP', most=80):
    match, = servers['match']
    assert match['reachable'] and match['transport'] == transport, match
    assert ROUND_TRIP - 5 < match['milliseconds'] < most, match
    assert match['address'] == f'{SERVER}:4222', match


def open_network():
    status, found, servers, text = check('open')
    assert status == DIRECT and found['prospects'] == 'almost-all', found
    assert 'with almost everybody' in text
    assert found['mapping'] == 'none' and not found['udp-blocked'], found
    assert found['public-addresses'] == found['local-addresses'], found
    assert_server(servers)


def port_restricted():
    """With a second host to ask it is certain."""
    status, found, servers, _ = check('port-restricted hairpin=yes', '-s',
                                      f'{SERVER_2}:4222')
    assert status == DIRECT and found['prospects'] == 'almost-all', found
    assert found['mapping'] == 'endpoint-independent', found
    assert found['allocation'] == 'preserved', found
    assert found['hairpin'] == 'yes', found
    assert found['public-addresses'] == [PUBLIC['a']], found
    assert PUBLIC['a'] not in found['local-addresses'], found
    assert_server(servers)
    stun, = servers['stun']
    assert stun['reachable'] and stun['milliseconds'] < 80, stun


def symmetric_random():
    status, found, servers, text = check('symmetric-random')
    assert status == DIRECT and found['prospects'] == 'many', found
    assert found['mapping'] == 'address-and-port-dependent', found
    assert found['allocation'] == 'random', found
    assert 'since there is no relay' in text
    assert not servers['relay']
    assert_server(servers)


def symmetric_relay():
    status, found, servers, text = check(
        'symmetric-random', '--turn', turn.uri(), with_relay=True)
    assert status == DIRECT and found['prospects'] == 'many', found
    assert 'With the others it goes by relay' in text
    assert [(server['transport'], server['reachable'])
            for server in servers['relay']] == [('UDP', True), ('TCP', True)]
    assert all(ROUND_TRIP - 5 < server['milliseconds'] < 80
               for server in servers['relay']), servers


def udp_blocked():
    status, found, servers, text = check('udp-blocked')
    assert status == NOBODY and found['prospects'] == 'none', found
    assert found['udp-blocked'] and found['mapping'] == 'unknown', found
    assert 'lets no UDP through' in text and 'TURN server' in text
    match, = servers['match']
    assert not match['reachable'] and match['problem'], match


def udp_blocked_relay():
    """The match server is reached through the relay, that by TCP."""
    status, found, servers, text = check(
        'udp-blocked', '--turn', turn.uri(), with_relay=True)
    assert status == RELAYED and found['prospects'] == 'relayed', found
    assert found['udp-blocked'], found
    assert 'only by relay' in text and 'through a relay' in text
    assert_server(servers, 'relay', 200)
    assert [(server['transport'], server['reachable'])
            for server in servers['relay']] == [('UDP', False), ('TCP', True)]


def server_down():
    """Somebody else answers: then it is not UDP."""
    status, found, servers, text = check(
        'port-restricted', '--turn', turn.uri(), with_relay=True,
        with_server=False)
    assert status == NOBODY and found['prospects'] == 'none', found
    assert not found['udp-blocked'], found
    assert 'the match server does not answer, though UDP passes' in text


def wrong_password():
    status, found, servers, _ = check(
        'symmetric-random', '--turn', turn.uri('?transport=udp').replace(
            'password', SECRET), with_relay=True)
    assert status == DIRECT, found
    one, = servers['relay']
    assert not one['reachable'] and 'not accept' in one['problem'], one


SCENARIOS = {
    'open': open_network,
    'port-restricted': port_restricted,
    'symmetric-random': symmetric_random,
    'symmetric-relay': symmetric_relay,
    'udp-blocked': udp_blocked,
    'udp-blocked-relay': udp_blocked_relay,
    'server-down': server_down,
    'wrong-password': wrong_password,
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
