#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An emulated link is as it was asked to be (see link.py).

What the emulator's parts do at what time is tested with an invented clock, by
../emulator/test-lane.c. This measures from outside, through the kernel, with
limits that a busy machine keeps to as well. EMULATOR names the program.
"""

import os
import re
import socket
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
from lab import inside, within  # noqa: E402
from link import Link  # noqa: E402

HEADERS = 28  # of IPv4 and UDP


def socket_in(host, kind=socket.SOCK_DGRAM):
    """A socket of another network namespace, where it stays."""
    with within(host):
        return socket.socket(socket.AF_INET, kind)


def ping(count, *options, size=56):
    """Round trips in ms."""
    said = inside('left', 'ping', f'-c{count}', '-i0.02', '-W2', f'-s{size}',
                  *options, Link.RIGHT, check=False)
    return [float(time) for time in re.findall(r'time=([\d.]+)', said)]


class Stream:
    """Numbered datagrams from left to right; what came, and when."""

    def __init__(self, count, size, interval=0, tos=0, silence=0.5):
        self.arrived = []
        with socket_in('right') as receiver, socket_in('left') as sender:
            receiver.bind((Link.RIGHT, 0))
            receiver.settimeout(silence)
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
            # Else the socket waits for what the device's queue still holds.
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            thread = threading.Thread(target=self._receive, args=(receiver,))
            thread.start()
            begin = time.monotonic()
            for number in range(count):
                data = struct.pack('!I', number) + bytes(size - HEADERS - 4)
                sender.sendto(data, receiver.getsockname())
                rest = begin + (number + 1) * interval - time.monotonic()
                if interval and rest > 0:
                    time.sleep(rest)
            thread.join()

    def _receive(self, receiver):
        while True:
            try:
                data, extra, _, _ = receiver.recvmsg(65536, 64)
            except TimeoutError:
                return
            number, = struct.unpack('!I', data[:4])
            self.arrived.append((number, time.monotonic(), extra[0][2][0] & 3))

    @property
    def numbers(self):
        return [number for number, _, _ in self.arrived]

    @property
    def seconds(self):
        return self.arrived[-1][1] - self.arrived[0][1]


class TestLink(unittest.TestCase):
    def assert_near(self, value, wanted, tolerance):
        self.assertLess(abs(value - wanted), tolerance,
                        f'{value} instead of {wanted}')

    def test_delay(self):
        with Link(there='delay=30ms', back='delay=10ms') as link:
            times = ping(20)
            self.assertEqual(len(times), 20)
            self.assertGreaterEqual(min(times), 40)
            self.assertLess(sorted(times)[10], 44)
            link.change('both', 'delay=2500us')
            times = ping(20)
            self.assertGreaterEqual(min(times), 5)
            self.assertLess(sorted(times)[10], 9)

    def test_no_delay(self):
        with Link():
            self.assertLess(sorted(ping(20))[10], 3)

    def test_ipv6(self):
        with Link(both='delay=10ms'):
            said = inside('left', 'ping', '-c2', '-i0.1', Link.RIGHT6)
            self.assertIn(' 0% packet loss', said)

    def test_rate(self):
        with Link(there='rate=20M') as link:
            stream = Stream(1000, 1250)
            statistics = link.statistics()['there']
        self.assertEqual(stream.numbers, list(range(1000)))
        # Each is half a millisecond on the wire.
        self.assert_near(stream.seconds, 0.4995, 0.01)
        self.assert_near(statistics['queue-delay-ms']['max'], 499, 25)
        self.assertEqual(statistics['not-sent'], 0)

    def test_queue(self):
        for queue in '50p', '62500', '25ms':
            with Link(there=f'rate=20M queue={queue}') as link:
                stream = Stream(500, 1250)
                statistics = link.statistics()['there']
            # Sent within less time than one of them is on the wire, but for
            # what the machine lets the sender wait.
            self.assertEqual(stream.numbers[:50], list(range(50)))
            self.assertLess(len(stream.numbers), 120)
            self.assertEqual(statistics['queue-bytes-max'], 62500)
            self.assertEqual(statistics['queue-full'],
                             500 - len(stream.numbers))
            self.assertLess(statistics['queue-delay-ms']['max'], 25)

    def test_loss(self):
        with Link(there='loss=10%') as link:
            stream = Stream(5000, 200, 0.0001)
            statistics = link.statistics()
        self.assert_near(len(stream.numbers), 4500, 110)
        self.assertEqual(stream.numbers, sorted(set(stream.numbers)))
        self.assertEqual(statistics['there']['lost'],
                         5000 - len(stream.numbers))
        self.assertEqual(statistics['back']['lost'], 0)

    def test_reorder(self):
        with Link(there='delay=5ms reorder=5% reorder-delay=20ms'):
            numbers = Stream(2000, 200, 0.001).numbers
        self.assertEqual(sorted(numbers), list(range(2000)))
        overtaken = sum(a > b for a, b in zip(numbers, numbers[1:]))
        self.assert_near(overtaken, 95, 45)

    def test_duplicate(self):
        with Link(there='duplicate=20%'):
            numbers = Stream(2000, 200, 0.0001).numbers
        self.assertEqual(sorted(set(numbers)), list(range(2000)))
        self.assert_near(len(numbers), 2400, 90)

    def test_ecn(self):
        knobs = 'rate=20M ecn=62500'
        for tos, marked in ((2, 3), (0, 0)):
            with Link(there=knobs):
                codes = [code for _, _, code in Stream(100, 1250,
                                                       tos=tos).arrived]
            self.assertEqual(codes[:50], [tos] * 50)
            self.assertEqual(set(codes[60:]), {marked})

    def test_mtu(self):
        with Link(both='mtu=1300') as link:
            # Nothing says so: the black hole of RFC 2923
            self.assertEqual(len(ping(3, '-Mdo', size=1300 - 28)), 3)
            self.assertEqual(len(ping(3, '-Mdo', size=1301 - 28)), 0)
            self.assertEqual(link.statistics()['there']['too-large'], 3)

    def test_tcp(self):
        """What the kernel hands over in one piece is counted, delayed and lost
        as the packets that it is."""
        size = 20 << 20
        with Link(both='rate=200M delay=1ms queue=40ms mtu=1500') as link, \
                socket_in('right', socket.SOCK_STREAM) as listener, \
                socket_in('left', socket.SOCK_STREAM) as sender:
            listener.bind((Link.RIGHT, 0))
            listener.listen()
            sender.connect(listener.getsockname())
            receiver, _ = listener.accept()
            data = os.urandom(size)
            thread = threading.Thread(target=sender.sendall, args=(data,))
            begin = time.monotonic()
            thread.start()
            with receiver, receiver.makefile('rb') as stream:
                self.assertEqual(stream.read(size), data)
            seconds = time.monotonic() - begin
            thread.join()
            statistics = link.statistics()['there']
        self.assertEqual(statistics['too-large'], 0)
        # 1448 bytes of 1500 are data
        packets = size / 1448
        self.assertGreaterEqual(statistics['packets-in'], packets)
        self.assertLess(statistics['packets-in'], packets * 1.2)
        self.assertGreater(seconds, packets * 1500 * 8 / 200e6)
        self.assertLess(seconds, packets * 1500 * 8 / 200e6 * 1.5 + 0.2)
        self.assertLessEqual(statistics['queue-delay-ms']['max'], 40)

    def test_problems(self):
        with Link() as link:
            with self.assertRaisesRegex(ValueError, 'not understood: dely=1'):
                link.change('both', 'rate=1M dely=1')
            self.assertLess(sorted(ping(5))[2], 3)


if __name__ == '__main__':
    lab.need_tun()
    lab.enter()
    unittest.main()
