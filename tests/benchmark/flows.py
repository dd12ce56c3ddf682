# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Long transfers over an emulated link, for lossy.py and fairness.py.

A flow is a function of the link's rate in Mbit/s, how many seconds do not
count, how many do, and the flow's number if there are several at a time. It
returns figures, with 'rate' the goodput in Mbit/s.
"""

import os
import socket
import sys

import bench

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'nat'))
import lab  # noqa: E402
from link import Link  # noqa: E402

TCP = [sys.executable, os.path.join(HERE, 'tcp.py')]
TCP_PORT = 5000
# What TCP may have in its buffers: more than any of the links holds
TCP_BUFFER = 256 << 20
# As long takes a message on the wire, in seconds, …
MESSAGE = 0.004
# … and those that are not acknowledged, at most so much
QUEUE = 0.8
QUEUE_LIMIT = 48 << 20


def enter():
    """Goes into namespaces of its own; skips where there cannot be any."""
    os.environ.setdefault('EMULATOR', str(bench.programs.absolute().parent
                                          / 'emulator' / 'emulator'))
    lab.need_tun()
    lab.enter()


def open_link(rate, round_trip, queue, knobs=''):
    """@rate in Mbit/s, @round_trip in ms, @queue in bandwidth-delay
    products."""
    link = Link(both=f'rate={rate}M delay={round_trip / 2}ms '
                f'queue={round_trip * queue}ms {knobs}')
    for host in link.HOSTS:
        for name in 'rmem', 'wmem':
            lab.inside(host, 'sysctl', '-qw',
                       f'net.ipv4.tcp_{name}=4096 131072 {TCP_BUFFER}')
    return link


def place():
    enter_host = ['ip', 'netns', 'exec']
    return bench.Place(Link.RIGHT, [*enter_host, 'right'],
                       [*enter_host, 'left'])


def _add_rate(figures):
    received = figures['receiver']
    figures['rate'] = received['bytes'] * 8 / received['seconds'] / 1e6
    return figures


def of_program(name):
    """What bench-NAME sends: of our library, or of another."""
    def flow(rate, warm_up, seconds, number=0):
        size = int(rate * 1e6 / 8 * MESSAGE)
        queue = min(int(rate * 1e6 / 8 * QUEUE), QUEUE_LIMIT)
        return _add_rate(bench.pair(
            name, 'bulk',
            ['--warm-up', str(warm_up), '--seconds', str(seconds),
             '--message-size', str(size), '--queue', str(queue)],
            place=place()))
    return flow


def _want(congestion_control):
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION,
                             congestion_control.encode())
        except OSError as error:
            raise bench.Unavailable(
                f'{congestion_control}: {error.strerror}') from None


def of_tcp(congestion_control):
    def flow(rate, warm_up, seconds, number=0):
        _want(congestion_control)
        here = place()
        with bench.Serve([*TCP, 'serve', str(TCP_PORT + number), str(warm_up),
                          str(seconds)], here.callee) as server:
            bench.call([*TCP, 'bulk', here.address, str(server.port),
                        congestion_control], here.caller)
            return _add_rate({'receiver': server.end()})
    return flow
