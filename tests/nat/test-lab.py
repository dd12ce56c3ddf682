#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every kind of NAT in the laboratory is what its name says (see kinds.py).

Those that a kernel can make are compared with what the kernel makes. What the
translator does with each packet is tested with an invented clock, by
../emulator/test-translator.c. EMULATOR names the link emulator.
"""

import os
import signal
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kinds  # noqa: E402
import lab  # noqa: E402
from lab import Lab, PUBLIC, SERVER, SERVER6, inside  # noqa: E402
from probe import (ADDRESS, ADDRESS_PORT, INDEPENDENT, NONE,  # noqa: E402
                   Probe, open_socket, receive)

# mapping, filtering, allocation
EXPECTED = {
    'open': (NONE, INDEPENDENT, 'preserved'),
    'stateful-firewall': (NONE, ADDRESS_PORT, 'preserved'),
    'full-cone': (INDEPENDENT, INDEPENDENT, 'preserved'),
    'address-restricted': (INDEPENDENT, ADDRESS, 'preserved'),
    'port-restricted': (INDEPENDENT, ADDRESS_PORT, 'preserved'),
    'port-restricted-remapped': (INDEPENDENT, ADDRESS_PORT, 'random'),
    'symmetric-sequential': (ADDRESS_PORT, ADDRESS_PORT, 'sequential'),
    'symmetric-sequential-busy': (ADDRESS_PORT, ADDRESS_PORT, 'sequential'),
    'symmetric-block-512': (ADDRESS_PORT, ADDRESS_PORT, 'block'),
    'symmetric-random': (ADDRESS_PORT, ADDRESS_PORT, 'random'),
    'carrier': (INDEPENDENT, ADDRESS_PORT, 'block'),
    'udp-blocked': (None, None, None),
    'trap': (INDEPENDENT, ADDRESS_PORT, 'preserved'),
}


def classify(kind):
    with Lab(kind, 'open'), Probe() as probe:
        return probe.classify(), probe.hairpin()


class TestKinds(unittest.TestCase):
    def test_all(self):
        self.assertEqual(EXPECTED.keys(), kinds.KINDS.keys())
        for kind, expected in EXPECTED.items():
            with self.subTest(kind=kind):
                found, hairpin = classify(kind)
                self.assertEqual(found, expected)
                # A host before which there is nothing reaches itself.
                if expected[0] not in (None, NONE):
                    self.assertFalse(hairpin)

    def test_like_the_kernel(self):
        for kind in kinds.KERNEL_KINDS:
            with self.subTest(kind=kind):
                self.assertEqual(classify(kind),
                                 classify(kind.removeprefix('kernel-')))

    def test_address_dependent(self):
        kind = 'full-cone mapping=address-dependent ports=random'
        self.assertEqual(classify(kind)[0], (ADDRESS, INDEPENDENT, 'random'))

    def test_knock(self):
        """Both traps remap what a knock has come for, and the others not."""
        for kind, is_trap in (('trap', True), ('kernel-trap', True),
                              ('port-restricted', False),
                              ('kernel-port-restricted', False)):
            with self.subTest(kind=kind), Lab('open', kind), \
                    Probe('b') as probe:
                inner, knocker = probe.open(), probe.open('a')
                outer = probe.ask(inner)
                knocker.sendto(b'knock', outer)
                self.assertIsNone(receive(inner))
                with open_socket('a') as unknown:
                    inner.sendto(b'1', unknown.getsockname())
                public = ('198.51.101.2', knocker.getsockname()[1])
                inner.sendto(b'2', public)
                seen = receive(knocker)
                self.assertEqual(seen[0], PUBLIC['b'])
                self.assertEqual(seen[1] != outer[1], is_trap)

    def test_busy(self):
        """About 50 foreign mappings a second."""
        with Lab('symmetric-sequential-busy', 'open'), Probe() as probe:
            before = probe.ask(probe.open())[1]
            began = time.monotonic()
            time.sleep(2)
            after = probe.ask(probe.open())[1]
            foreign = 50 * (time.monotonic() - began)
        self.assertLess(abs((after - before) % 64512 - foreign), 45)

    def test_hairpin(self):
        for rules, expected in (('', False), (' hairpin=yes', True)):
            with Lab('port-restricted' + rules, shared='nat') as network, \
                    Probe() as probe:
                self.assertEqual(probe.hairpin(), expected)
                one, other = probe.open('a'), probe.open('b')
                ends = probe.ask(one), probe.ask(other)
                one.sendto(b'>', ends[1])
                other.sendto(b'<', ends[0])
                self.assertEqual(receive(one), ends[1] if expected else None)
                # They have no other way to each other …
                one.sendto(b'>', (network.addresses['b'],
                                  other.getsockname()[1]))
                other.setblocking(False)
                with self.assertRaises(BlockingIOError):
                    while True:
                        other.recv(99)
        with Lab(shared='lan') as network, Probe() as probe:
            # … that neighbours do have.
            one, other = probe.open('a'), probe.open('b')
            one.sendto(b'>', (network.addresses['b'],
                              other.getsockname()[1]))
            self.assertEqual(receive(other)[0], network.addresses['a'])

    def test_shared_carrier(self):
        for rules in '', 'hairpin=yes':
            with Lab(shared='carrier', carrier=rules) as network, \
                    Probe() as probe:
                one, other = probe.open('a'), probe.open('b')
                ends = probe.ask(one), probe.ask(other)
                self.assertEqual(ends[0][0], ends[1][0])
                for _ in range(2):
                    one.sendto(b'>', ends[1])
                    other.sendto(b'<', ends[0])
                seen = receive(other)
                self.assertEqual(seen, ends[0] if rules else None)
                self.assertEqual(network.nats('a')[1], network.nats('b')[1])

    def test_lifetime(self):
        with Lab('port-restricted-remapped lifetime=1s', 'open') as network, \
                Probe() as probe:
            inner = probe.open()
            outer = probe.ask(inner)
            for _ in range(4):
                time.sleep(0.4)
                self.assertTrue(probe.answer(inner, outer))
            time.sleep(1.1)
            self.assertFalse(probe.answer(inner, outer))
            self.assertNotEqual(probe.ask(inner), outer)
            network.nat('a').set(refresh='outbound')
            outer = probe.ask(inner)
            time.sleep(0.6)
            self.assertTrue(probe.answer(inner, outer))
            time.sleep(0.6)
            self.assertFalse(probe.answer(inner, outer))
            network.nat('a').set(absolute=1, lifetime=60)
            outer = probe.ask(inner)
            for _ in range(3):
                self.assertEqual(probe.ask(inner), outer)
                time.sleep(0.4)
            self.assertNotEqual(probe.ask(inner), outer)

    def test_entries(self):
        """What is counted, and who can make it forget."""
        with Lab('symmetric-random max-entries=30') as network, \
                Probe() as probe:
            box, inner = network.nat('a'), probe.open()
            ends = [probe.ask(inner, n // 2, n % 2) for n in range(4)]
            self.assertEqual(len(set(ends)), 4)
            expected = {'created': 4, 'now': 4, 'peak': 4, 'mappings': 4,
                        'others': 0}
            self.assertEqual(network.entries('a'), expected)
            self.assertEqual(network.entries('b')['created'], 0)
            self.assertEqual(network.nat('b').entries()['created'], 0)
            for end in ends:
                self.assertEqual(end[0], box.address)
            os.kill(box.process.pid, signal.SIGHUP)
            self.assertNotEqual(probe.ask(inner), ends[0])
            self.assertEqual(box.entries()['created'], 5)
            self.assertEqual(box.entries()['now'], 1)
            address = box.new_address()
            self.assertNotEqual(address, PUBLIC['a'])
            self.assertEqual(probe.ask(inner)[0], address)
            network.reset()
            self.assertEqual(box.entries()['created'], 0)
            sockets = [probe.open() for _ in range(40)]
            for each in sockets[:30]:
                self.assertIsNotNone(probe.ask(each))
            self.assertIsNone(probe.ask(sockets[30]))
            self.assertEqual(box.statistics()['dropped']['table-full'], 1)
            with self.assertRaisesRegex(ValueError, 'not understood: a=b'):
                box.set('hairpin=yes a=b')

    def test_low_ttl(self):
        """Two hops: out of the NAT, and no further. Nobody is the worse for
        the ICMP error that comes back."""
        with Lab('symmetric-random', 'open') as network, Probe() as probe:
            inner = probe.open()
            for ttl, is_new in ((1, 0), (2, 1)):
                inner.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
                self.assertIsNone(probe.ask(inner))
                self.assertEqual(network.entries('a')['created'], is_new)
            inner.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 64)
            outer = probe.ask(inner)
            self.assertTrue(probe.answer(inner, outer))
            self.assertEqual(network.entries('a')['created'], 1)

    def test_tcp(self):
        """Passes where UDP does not, in large pieces, both ways."""
        data = os.urandom(4 << 20)
        for kind in 'udp-blocked', 'symmetric-random', 'carrier':
            with Lab(kind, 'open'), \
                    open_socket('s', SERVER, socket.SOCK_STREAM) as listener, \
                    open_socket('a', kind=socket.SOCK_STREAM) as inner:
                listener.listen()
                inner.settimeout(20)
                inner.connect(listener.getsockname())
                outer, address = listener.accept()
                self.assertEqual(address[0], PUBLIC['a'])
                with outer:
                    outer.settimeout(20)
                    for one, other in ((inner, outer), (outer, inner)):
                        thread = threading.Thread(target=one.sendall,
                                                  args=(data,))
                        thread.start()
                        got = b''
                        while len(got) < len(data):
                            got += other.recv(1 << 20)
                        thread.join()
                        self.assertEqual(got, data)

    def test_ipv6(self):
        with Lab(ipv4=False, ipv6=True, round_trip=20):
            said = inside('a', 'ping', '-c2', '-i0.01', SERVER6)
            self.assertIn(' 0% packet loss', said)
            said = inside('a', 'ping', '-c1', '-W1', SERVER, check=False)
            self.assertIn('unreachable', said)
            # The firewall at b lets nobody in.
            said = inside('a', 'ping', '-c1', '-W1', '2001:db8:b::2',
                          check=False)
            self.assertIn('100% packet loss', said)
        with Lab('open', 'open', ipv6=True):
            inside('a', 'ping', '-c1', '-W1', '2001:db8:b::2')

    def test_round_trip(self):
        """The same between any two ends."""
        with Lab('open', 'open', round_trip=40):
            for host, target in (('a', SERVER), ('b', SERVER),
                                 ('a', '203.0.114.2'), ('a', lab.TURN)):
                said = inside(host, 'ping', '-c5', '-i0.01', target)
                quickest = float(said.rsplit('= ', 1)[1].split('/')[0])
                self.assertGreaterEqual(quickest, 40)
                self.assertLess(quickest, 45)


if __name__ == '__main__':
    lab.need_tun()
    lab.enter()
    unittest.main()
