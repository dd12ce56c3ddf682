#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A match server answers STUN (RFC 8489), for anybody's client: at its port, at
the second one, and at a second address, each time telling of the other one
(OTHER-ADDRESS, RFC 5780). Asked by coturn's clients, by libnice's, and by one
made here that sees every byte."""

import os
import re
import shutil
import socket
import struct
import subprocess

import tools

COOKIE = 0x2112a442
XOR_MAPPED_ADDRESS = 0x0020
CHANGE_REQUEST = 0x0003
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000a
OTHER_ADDRESS = 0x802c


def address(value, mask=b'\0' * 16):
    """Of an attribute: (host, port)"""
    family, port = struct.unpack_from('!xBH', value)
    port ^= int.from_bytes(mask[:2], 'big')
    host = bytes(a ^ b for a, b in zip(value[4:], mask))
    return socket.inet_ntop(
        socket.AF_INET if family == 1 else socket.AF_INET6, host), port


class Answer:
    def __init__(self, data, transaction, sender):
        kind, length, cookie = struct.unpack_from('!HHI', data)
        assert len(data) == 20 + length and cookie == COOKIE
        assert data[8:20] == transaction
        self.kind = kind
        self.sender = sender
        self.attributes = {}
        offset = 20
        while offset < len(data):
            name, size = struct.unpack_from('!HH', data, offset)
            self.attributes[name] = data[offset + 4:offset + 4 + size]
            offset += 4 + (size + 3) // 4 * 4
        mask = struct.pack('!I', COOKIE) + transaction
        self.mapped = self.other = None
        if XOR_MAPPED_ADDRESS in self.attributes:
            self.mapped = address(self.attributes[XOR_MAPPED_ADDRESS], mask)
        if OTHER_ADDRESS in self.attributes:
            self.other = address(self.attributes[OTHER_ADDRESS])


class Stun(tools.TestCase):
    def setUp(self):
        super().setUp()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(('127.0.0.1', 0))
        self.socket.settimeout(tools.PATIENCE)
        self.own = self.socket.getsockname()

    def serve_stun(self, *arguments):
        """Its ports"""
        server = self.serve(*arguments)
        return int(server.server.rpartition(':')[2]), server.second_port

    def ask(self, server, attributes=b''):
        transaction = os.urandom(12)
        self.socket.sendto(struct.pack('!HHI', 1, len(attributes), COOKIE)
                           + transaction + attributes, server)
        return Answer(*self.receive(transaction))

    def receive(self, transaction):
        data, sender = self.socket.recvfrom(2048)
        return data, transaction, sender

    def assert_silent(self):
        self.socket.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            self.socket.recv(2048)
        self.socket.settimeout(tools.PATIENCE)

    def run_client(self, *command, until=None):
        """What it prints, to its end, or until it has said that"""
        if shutil.which(command[0]) is None:
            self.skipTest(f'there is no {command[0]} (coturn)')
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        text = ''
        for line in process.stdout:
            text += line
            if until is not None and until in line:
                break
        return text

    def test_two_ports(self):
        first, second = self.serve_stun()
        self.assertNotEqual(first, second)
        for asked, other in ((first, second), (second, first)):
            answer = self.ask(('127.0.0.1', asked))
            self.assertEqual(answer.kind, 0x0101)
            self.assertEqual(answer.sender, ('127.0.0.1', asked))
            self.assertEqual(answer.mapped, self.own)
            self.assertEqual(answer.other, ('127.0.0.1', other))

    def test_given_ports(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        self.assertEqual(self.serve_stun('--second-port', str(port))[1], port)

    def test_no_second_port(self):
        first, second = self.serve_stun('--second-port=-1')
        self.assertIsNone(second)
        answer = self.ask(('127.0.0.1', first))
        self.assertEqual(answer.mapped, self.own)
        self.assertIsNone(answer.other)

    def assert_two_addresses(self, first, second, primary):
        """@primary: what is told of the address that is not the second"""
        for port, other in ((first, second), (second, first)):
            answer = self.ask(('127.0.0.1', port))
            self.assertEqual(answer.sender, ('127.0.0.1', port))
            self.assertEqual(answer.other, ('127.0.0.2', other))
            answer = self.ask(('127.0.0.2', port))
            self.assertEqual(answer.sender, ('127.0.0.2', port))
            self.assertEqual(answer.mapped, self.own)
            self.assertEqual(answer.other, (primary, other))

    def test_two_addresses(self):
        self.assert_two_addresses(
            *self.serve_stun('--second-address', '127.0.0.2'), '127.0.0.1')

    def test_two_addresses_of_all(self):
        """It cannot know which of its other ones a client has seen."""
        self.assert_two_addresses(
            *self.serve_stun('--listen-address', '::', '--second-address',
                             '127.0.0.2'), '127.0.0.2')

    def test_not_an_address_of_ours(self):
        error = self.assert_error(
            self.start('serve', '-p', '0', '-i', self.folder / 'server',
                       '--second-address', '192.0.2.1'), 'failed')
        self.assertIn('192.0.2.1', error['message'])

    def test_change_request(self):
        first, second = self.serve_stun()
        for port in (first, second):
            answer = self.ask(('127.0.0.1', port),
                              struct.pack('!HHI', CHANGE_REQUEST, 4, 6))
            self.assertEqual(answer.kind, 0x0111)
            self.assertEqual(answer.attributes[ERROR_CODE][2:4], b'\x04\x14')
            self.assertEqual(answer.attributes[UNKNOWN_ATTRIBUTES][:2],
                             struct.pack('!H', CHANGE_REQUEST))
            self.assertEqual(answer.sender[1], port)

    def test_second_port_is_for_stun(self):
        first, second = self.serve_stun()
        hello = b'\xb0\x01' + bytes(126)
        self.socket.sendto(hello, ('127.0.0.1', second))
        self.assert_silent()
        self.socket.sendto(hello, ('127.0.0.1', first))
        self.assertEqual(self.socket.recv(2048)[0], 0xb1)

    def count_waiting(self):
        count = 0
        try:
            while self.socket.recv(2048):
                count += 1
        except TimeoutError:
            return count

    def test_limited(self):
        """Both ports together, for one prefix"""
        ports = self.serve_stun()
        answers = 0
        self.socket.settimeout(0.02)
        for i in range(1500):
            self.socket.sendto(struct.pack('!HHI', 1, 0, COOKIE) + bytes(12),
                               ('127.0.0.1', ports[i % 2]))
            if i % 50 == 49:
                answers += self.count_waiting()
        self.assertGreaterEqual(answers, 400)
        self.assertLess(answers, 1400)

    def test_coturn(self):
        first = self.serve_stun('--second-port=-1')[0]
        text = self.run_client('turnutils_stunclient', '-p', str(first),
                               '127.0.0.1')
        self.assertRegex(text, r'UDP reflexive addr: 127\.0\.0\.1:\d+')

    def test_coturn_other(self):
        """Having seen that there is one, it asks for an answer to another port
        of its own (RESPONSE-PORT), which nobody shall get from us, and waits
        for it until it is ended."""
        first, second = self.serve_stun()
        text = self.run_client('turnutils_stunclient', '-p', str(first),
                               '127.0.0.1', until='reflexive')
        self.assertIn(f'Other addr: : 127.0.0.1:{second}', text)
        self.assertRegex(text, r'UDP reflexive addr: 127\.0\.0\.1:\d+')

    def test_coturn_discovery(self):
        first, second = self.serve_stun('--second-address', '127.0.0.2')
        text = self.run_client('turnutils_natdiscovery', '-m', '-p',
                               str(first), '127.0.0.1')
        self.assertIn(f'Other addr: : 127.0.0.2:{second}', text)
        self.assertIn(f'Other addr: : 127.0.0.1:{second}', text)
        self.assertIn('Endpoint Independent Mapping', text)

    def test_libnice(self):
        for port in self.serve_stun():
            text = subprocess.run(
                [os.environ['STUN_NICE'], str(port)], check=True, text=True,
                stdout=subprocess.PIPE, timeout=tools.PATIENCE).stdout
            self.assertTrue(re.fullmatch(r'127\.0\.0\.1:\d+\n', text), text)


if __name__ == '__main__':
    tools.main()
