#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a peer finds out about its NAT when it has a second host to ask, how
soon, and from a kernel's NATs (see lab.py).

    test-discovery.py KIND…       of kinds.py; without one: all of EXPECTED,
                                  and what only some show

HOLE_PUNCH names the command for the match server; the peer is this file, run
again inside a network namespace. It asks the match server's two ports at both
of its addresses, one of which it knows as a plain STUN server.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

HOLE_PUNCH = os.environ.get('HOLE_PUNCH', 'hole-punch')
ROUND_TRIP = 40  # milliseconds
SECONDS = 3.0    # until nothing more is to be told
# What one look may cost in the NAT, hairpin test included; a symmetric one
# without a sequence takes two looks.
FEW, MANY = 10, 22

EIM, APDM = 'endpoint-independent', 'address-and-port-dependent'
EIF, ADF, APDF = EIM, 'address-dependent', APDM
# Kind: mapping, filtering, allocation, step, hairpin (None: as it may), most
# entries
EXPECTED = {
    'open': ('none', EIF, 'preserved', 0, 'unknown', FEW),
    'stateful-firewall': ('none', APDF, 'preserved', 0, 'unknown', FEW),
    'full-cone': (EIM, EIF, 'preserved', 0, 'no', FEW),
    'address-restricted': (EIM, ADF, 'preserved', 0, 'no', FEW),
    'port-restricted': (EIM, APDF, 'preserved', 0, 'no', FEW),
    'port-restricted hairpin=yes': (EIM, APDF, 'preserved', 0, 'yes', FEW),
    'port-restricted-remapped': (EIM, APDF, 'random', 0, 'no', FEW),
    'symmetric-sequential-busy':
        (APDM, APDF, 'sequential', 1, 'unknown', FEW),
    'symmetric-block-512': (APDM, APDF, 'block', 0, 'unknown', MANY),
    'symmetric-random filtering=endpoint-independent':
        (APDM, EIF, 'random', 0, 'unknown', MANY),
    'port-restricted mapping=address-dependent ports=random':
        (ADF, APDF, 'random', 0, 'unknown', MANY),
    'carrier': (EIM, APDF, 'block', 0, 'no', FEW),
    'kernel-port-restricted': (EIM, APDF, 'preserved', 0, 'no', FEW),
    'kernel-full-cone': (EIM, EIF, 'preserved', 0, None, FEW),
    # It lets in whom any socket has sent to, which is both hosts by then.
    'kernel-address-restricted': (EIM, EIF, 'preserved', 0, None, FEW),
    'kernel-symmetric-random': (APDM, APDF, 'random', 0, 'unknown', MANY),
}


# With one host to ask, letting in another port of it is all that can be seen.
WITH_ONE_HOST = {
    'open': ADF,
    'full-cone': ADF,
    'address-restricted': ADF,
    'port-restricted': APDF,
}
# Peers that start at once behind one NAT, and how soon all know theirs
CROWD = 20
CROWD_SECONDS = 2.0


def peer(server, stun_server, count='1'):
    """Prints what is known, as JSON, as often as it changes, by count peers."""
    import gi
    gi.require_version('HolePunch', '1.0')
    from gi.repository import GLib, HolePunch

    loop = GLib.MainLoop()
    begin = time.monotonic()

    def on_nat(node, _pspec):
        nat = node.get_nat()
        facts = {'seconds': time.monotonic() - begin,
                 'peer': nodes.index(node)}
        for spec in nat.list_properties() if nat else ():
            value = nat.get_property(spec.name)
            facts[spec.name] = getattr(value, 'value_nick', None) or (
                value if isinstance(value, int) else value.to_string())
        print(json.dumps(facts), flush=True)

    nodes = [HolePunch.Peer(match_server=server, stun_servers=stun_server)
             for _ in range(int(count))]
    for node in nodes:
        node.connect('notify::nat', on_nat)
        node.start_async(None, lambda self, result: self.start_finish(result))
    GLib.timeout_add(int(SECONDS * 1000), loop.quit)
    loop.run()


def count_entries(network, kind):
    """A kernel's are not counted."""
    import kinds
    return None if kinds.is_kernel(kind) else network.entries('a')['created']


def look(kind, loss=0, has_other_host=True, count=1):
    """All that is told, one after the other, and the entries it took."""
    from lab import Lab, SERVER, SERVER_2

    with Lab(kind, 'open', round_trip=ROUND_TRIP, loss=loss) as network, \
            tempfile.TemporaryDirectory() as directory:
        server = network.spawn('s', HOLE_PUNCH, 'serve', '--port', '4222',
                               '--identity', f'{directory}/server', '--json',
                               *(('--second-address', SERVER_2)
                                 if has_other_host else ()),
                               stdout=subprocess.PIPE)
        server.stdout.readline()
        process = network.spawn('a', sys.executable, __file__, '--peer',
                                SERVER,
                                f'{SERVER_2}:4222' if has_other_host else '',
                                str(count), stdout=subprocess.PIPE)
        told = [json.loads(line) for line in process.stdout]
        assert process.wait() == 0
        return told, count_entries(network, kind)


def check(kind):
    mapping, filtering, allocation, step, hairpin, most = EXPECTED[kind]
    told, entries = look(kind)
    assert told, f'{kind}: nothing was found out'
    facts = told[-1]
    assert facts['mapping'] == mapping, (kind, facts)
    assert facts['filtering'] == filtering, (kind, facts)
    assert facts['allocation'] == allocation, (kind, facts)
    assert facts['step'] == step, (kind, facts)
    assert hairpin in (facts['hairpin'], None), (kind, facts)
    assert entries is None or entries <= most, (kind, entries, facts)
    assert len(told) <= 7, (kind, told)
    # All that matters for a way through is known soon.
    first = next(t for t in told if t['mapping'] == mapping)
    assert first['seconds'] < 1, (kind, told)
    filtered = next(t for t in told if t['filtering'] == filtering)
    assert filtered['seconds'] < 1.5, (kind, told)
    if 'busy' in kind:
        assert 25 <= facts['drift'] <= 75, (kind, facts)
    if kind == 'symmetric-block-512':
        size = facts['last-port'] - facts['first-port'] + 1
        assert 400 <= size <= 800, (kind, facts)
    print(f'# {kind} | {facts["mapping"]} | {facts["filtering"]} | '
          f'{facts["allocation"]} | '
          f'{facts["first-port"]}–{facts["last-port"]} | {facts["hairpin"]} | '
          f'{first["seconds"] * 1000:.0f} ms, '
          f'{filtered["seconds"] * 1000:.0f} ms | {entries or "-"} entries',
          flush=True)


def check_with_one_host(kind):
    told, _ = look(kind, has_other_host=False)
    print(f'# {kind}, one host | {told[-1]["filtering"]}', flush=True)
    assert told[-1]['filtering'] == WITH_ONE_HOST[kind], (kind, told)


def check_with_loss(kind):
    told, _ = look(kind, loss=10)
    print(f'# {kind}, 10 % loss | {told[-1]["filtering"]}', flush=True)
    assert told[-1]['filtering'] == EXPECTED[kind][1], (kind, told)


def check_crowd(kind):
    """The server's limits are wide enough for all of a small office."""
    told, _ = look(kind, count=CROWD)
    facts = [[t for t in told if t['peer'] == i] for i in range(CROWD)]
    known = [next((t['seconds'] for t in mine
                   if t['mapping'] == APDM and t['allocation'] == 'random'
                   and t['filtering'] == APDF), SECONDS) for mine in facts]
    print(f'# {kind}, {CROWD} at once | {max(known) * 1000:.0f} ms', flush=True)
    assert max(known) < CROWD_SECONDS, known


def main(wanted):
    import lab

    lab.need_tun()
    lab.enter()
    for kind in wanted or EXPECTED:
        check(kind)
    if wanted:
        return
    for kind in WITH_ONE_HOST:
        check_with_one_host(kind)
    for kind in ('full-cone', 'port-restricted'):
        check_with_loss(kind)
    check_crowd('symmetric-random')


if __name__ == '__main__':
    if sys.argv[1:2] == ['--peer']:
        peer(*sys.argv[2:])
    else:
        main(sys.argv[1:])
