# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tells what a NAT is like from outside of it, with plain UDP sockets.

It knows nothing of how the NAT is made: a host's socket talks to two addresses
with two ports each, and what arrives where, and from which port, says the rest
(RFC 5780, section 4). Both ends are in this process.
"""

import socket

from lab import SERVER, SERVER_2, within

NONE = 'none'
INDEPENDENT = 'endpoint-independent'
ADDRESS = 'address-dependent'
ADDRESS_PORT = 'address-and-port-dependent'

PATIENCE = 0.25  # seconds until nothing has come
SAMPLES = 24
BLOCK = 2048  # ports closer together than that are of one block


def open_socket(host, address='0.0.0.0', kind=socket.SOCK_DGRAM):
    with within(host):
        opened = socket.socket(socket.AF_INET, kind)
    opened.bind((address, 0))
    opened.settimeout(PATIENCE)
    return opened


def receive(at):
    """Where the next datagram comes from, or None."""
    try:
        return at.recvfrom(2048)[1]
    except TimeoutError:
        return None


class Probe:
    """Of the NAT that @host is behind."""

    def __init__(self, host='a'):
        self.host = host
        self.sockets = []
        self.servers = [[self._open('s', address) for _ in range(2)]
                        for address in (SERVER, SERVER_2)]

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for each in self.sockets:
            each.close()

    def _open(self, *arguments):
        self.sockets.append(open_socket(*arguments))
        return self.sockets[-1]

    def open(self, host=None):
        return self._open(host or self.host)

    def ask(self, inner, address=0, port=0):
        """The outer endpoint that one of the server's sockets sees."""
        server = self.servers[address][port]
        inner.sendto(b'?', server.getsockname())
        return receive(server)

    def answer(self, inner, outer, address=0, port=0):
        """Whether what the server sends to the outer endpoint comes in."""
        self.servers[address][port].sendto(b'!', outer)
        return receive(inner) is not None

    def mapping(self):
        inner = self.open()
        first = self.ask(inner)
        other_port, other_address = self.ask(inner, 0, 1), self.ask(inner, 1)
        if first is None:
            return None
        if first == other_port == other_address:
            with within(self.host), \
                    socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
                route.connect((SERVER, 1))
                own = route.getsockname()[0]
            return NONE if own == first[0] else INDEPENDENT
        return ADDRESS if first == other_port else ADDRESS_PORT

    def filtering(self):
        inner = self.open()
        outer = self.ask(inner)
        if outer is None or not self.answer(inner, outer):
            return None
        if self.answer(inner, outer, 1, 1):
            return INDEPENDENT
        return ADDRESS if self.answer(inner, outer, 0, 1) else ADDRESS_PORT

    def ports(self, count=SAMPLES):
        """Inner and outer ports of new sockets, one after the other."""
        pairs = []
        for _ in range(count):
            inner = self.open()
            outer = self.ask(inner)
            if outer is None:
                return []
            pairs.append((inner.getsockname()[1], outer[1]))
        return pairs

    def allocation(self):
        pairs = self.ports()
        if not pairs:
            return None
        outer = [port for _, port in pairs]
        if all(inner == port for inner, port in pairs):
            return 'preserved'
        # Few others take some in between; one of the steps may begin anew.
        steps = sorted((after - before) % 65536
                       for before, after in zip(outer, outer[1:]))
        if steps[-2] < 20:
            return 'sequential'
        return 'block' if max(outer) - min(outer) < BLOCK else 'random'

    def hairpin(self):
        """Whether two sockets inside reach each other from outside."""
        one, other = self.open(), self.open()
        outer, other_outer = self.ask(one), self.ask(other)
        if outer is None:
            return None
        one.sendto(b'>', other_outer)
        other.sendto(b'<', outer)
        return receive(one) is not None

    def classify(self):
        # Some filters let in whom any socket of the host has talked to: that
        # is asked before others are talked to.
        filtering = self.filtering()
        return self.mapping(), filtering, self.allocation()
