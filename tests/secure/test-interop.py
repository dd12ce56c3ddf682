#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The handshake against dissononce, a Noise implementation of others.

Noise IK alone, then whole datagrams: the second half of this file is a node
of the hole-punch protocol that shares no line with the library. Either side
begins, with either suite. Without dissononce (Debian: python3-dissononce)
the test fails.

Usage: test-interop.py HELPER
"""

import hmac
import os
import struct
import subprocess
import sys
import traceback

from dissononce.cipher.aesgcm import AESGCMCipher
from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.x25519.private import PrivateKey
from dissononce.dh.x25519.public import PublicKey
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.exceptions.decrypt import DecryptFailedException
from dissononce.hash.sha256 import SHA256Hash
from dissononce.processing.handshakepatterns.interactive.IK import (
    IKHandshakePattern)
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState

CIPHERS = {1: AESGCMCipher, 2: ChaChaPolyCipher}


class Ours:
    """The library, behind its helper"""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)

    def ask(self, *words):
        line = ' '.join(
            (word.hex() or '-') if isinstance(word, (bytes, bytearray))
            else str(word) for word in words)
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        assert self.process.poll() is None, 'the helper died at ' + words[0]
        return None if answer == ['error'] else answer

    def get(self, *words):
        answer = self.ask(*words)
        assert answer is not None, words[0]
        result = [b'' if word == '-' else bytes.fromhex(word)
                  for word in answer]
        return result[0] if len(result) == 1 else result

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


def make_key():
    private = os.urandom(32)
    return private, X25519DH().generate_keypair(PrivateKey(private))


def start_noise(suite, initiator, prologue, pair, remote=None):
    state = HandshakeState(
        SymmetricState(CipherState(CIPHERS[suite]()), SHA256Hash()),
        X25519DH())
    state.initialize(IKHandshakePattern(), initiator, prologue, s=pair,
                     rs=PublicKey(remote) if remote else None)
    return state


def rekey(state):
    # dissononce keeps the tag, where REKEY takes the first 32 bytes (The Noise
    # Protocol Framework, revision 34, section 4.2).
    state.initialize_key(state.cipher.rekey(state._key)[:32])


def exchange_transport(ours, suite, theirs_send, theirs_receive, keys):
    """Messages both ways, across a REKEY; @keys: what we send, receive with"""
    send, receive = keys
    for generation in range(3):
        for number in (0, 1, 2, 255, 256, 2 ** 32, 2 ** 62):
            ad, plain = os.urandom(number % 20), os.urandom(number % 100)
            theirs_send.set_nonce(number)
            ours.ask('aead', suite, receive)
            sealed = theirs_send.encrypt_with_ad(ad, plain)
            assert ours.get('open', number, ad, sealed) == plain
            assert ours.ask('open', number + 1, ad, sealed) is None
            ours.ask('aead', suite, send)
            theirs_receive.set_nonce(number)
            sealed = ours.get('seal', number, ad, plain)
            assert theirs_receive.decrypt_with_ad(ad, sealed) == plain
        send = ours.get('rekey')
        ours.ask('aead', suite, receive)
        receive = ours.get('rekey')
        rekey(theirs_send)
        rekey(theirs_receive)


def noise_we_initiate(ours, suite):
    prologue = os.urandom(61)
    our_private, our_pair = make_key()
    _, their_pair = make_key()
    theirs = start_noise(suite, False, prologue, their_pair)
    ours.ask('noise', suite, prologue, our_private, their_pair.public.data)

    payload = bytearray()
    theirs.read_message(ours.get('write1', b'the first'), payload)
    assert payload == b'the first'
    assert theirs.rs.data == our_pair.public.data
    message = bytearray()
    first, second = theirs.write_message(b'the second', message)
    assert ours.get('read2', message) == b'the second'
    exchange_transport(ours, suite, second, first, ours.get('split'))


def noise_they_initiate(ours, suite):
    prologue = b''
    our_private, our_pair = make_key()
    _, their_pair = make_key()
    theirs = start_noise(suite, True, prologue, their_pair,
                         our_pair.public.data)
    ours.ask('noise', suite, prologue, our_private, '-')

    message = bytearray()
    theirs.write_message(b'', message)
    assert ours.get('read1', message) == b''
    assert ours.get('remote') == their_pair.public.data
    payload = bytearray()
    first, second = theirs.read_message(
        ours.get('write2', b'a longer one' * 9), payload)
    assert payload == b'a longer one' * 9
    keys = ours.get('split')
    exchange_transport(ours, suite, first, second, keys[::-1])


# --- A node of the hole-punch protocol --------------------------------------

def get_prologue(suite, ticket, secret):
    return b'hole-punch' + struct.pack('>BBQ', 1, suite, ticket) + secret


def get_mac(secret, role, before):
    return hmac.digest(secret, bytes([role]) + before, 'sha256')[:16]


class Direction:
    """The packets of one direction: the key, the phase, the number"""

    def __init__(self, cipher_state, index):
        self.state = cipher_state
        self.index = index
        self.phase = 0
        self.number = 0

    def update(self):
        rekey(self.state)
        self.phase ^= 1

    def seal(self, plain):
        header = struct.pack('>BIQ', 0xb4 + self.phase, self.index,
                             self.number)
        self.state.set_nonce(self.number)
        self.number += 1
        return header + self.state.encrypt_with_ad(header, plain)

    def open(self, packet):
        kind, index, number = struct.unpack('>BIQ', packet[:13])
        assert index == self.index
        if kind != 0xb4 + self.phase:
            self.update()
        assert kind == 0xb4 + self.phase
        self.state.set_nonce(number)
        return number, self.state.decrypt_with_ad(packet[:13], packet[13:])


def exchange_data(ours, send, receive):
    for i in range(40):
        if i % 7 == 3:
            send.update()
        if i % 5 == 2:
            ours.ask('update')
        plain = os.urandom(i * 25)
        number, opened = ours.ask('receive', send.seal(plain))
        assert int(number) == i
        assert opened == (plain.hex() or '-')
        number, opened = receive.open(ours.get('send', plain))
        assert number == i and opened == plain
    assert ours.ask('receive', send.seal(b'x')[:-1] + b'?') is None


def datagrams_we_initiate(ours, suite):
    secret, ticket = os.urandom(32), 0x0123456789abcdef
    our_private, our_pair = make_key()
    _, their_pair = make_key()
    ours.ask('initiate', suite, ticket, secret, our_private,
             their_pair.public.data, 0xcafe0001, b'parameters')
    token, own = os.urandom(8), os.urandom(8)
    initiation = ours.get('initiation', token)

    assert initiation[:16] == struct.pack('>BBBBIQ', 0xb2, 1, suite, 0,
                                          0xcafe0001, ticket)
    assert initiation[-24:-16] == token
    assert initiation[-16:] == get_mac(secret, 0, initiation[:-16])
    theirs = start_noise(suite, False, get_prologue(suite, ticket, secret),
                         their_pair)
    payload = bytearray()
    theirs.read_message(initiation[16:-24], payload)
    assert payload == b'parameters'
    assert theirs.rs.data == our_pair.public.data

    message = bytearray()
    first, second = theirs.write_message(b'theirs', message)
    response = struct.pack('>BBBBII', 0xb3, 1, suite, 0, 0xcafe0002,
                           0xcafe0001) + bytes(message) + token + own
    assert ours.ask('consume', response + get_mac(secret, 0, response)) is None
    response += get_mac(secret, 1, response)
    assert ours.get('consume', response) == [b'theirs', token, own]
    exchange_data(ours, Direction(second, 0xcafe0001),
                  Direction(first, 0xcafe0002))


def datagrams_they_initiate(ours, suite):
    # As with a match server: a cookie is the ticket, its number is 0.
    secret, ticket = os.urandom(16), 0
    our_private, our_pair = make_key()
    _, their_pair = make_key()
    token, own = os.urandom(8), os.urandom(8)
    theirs = start_noise(suite, True, get_prologue(suite, ticket, secret),
                         their_pair, our_pair.public.data)
    message = bytearray()
    theirs.write_message(b'of theirs', message)
    initiation = struct.pack('>BBBBIQ', 0xb2, 1, suite, 0, 7,
                             ticket) + bytes(message) + token
    initiation += get_mac(secret, 0, initiation)
    remote, parameters, response = ours.get(
        'respond', ticket, secret, our_private, 8, b'of ours', initiation, own)
    assert remote == their_pair.public.data
    assert parameters == b'of theirs'

    assert response[:12] == struct.pack('>BBBBII', 0xb3, 1, suite, 0, 8, 7)
    assert response[-32:-16] == token + own
    assert response[-16:] == get_mac(secret, 1, response[:-16])
    payload = bytearray()
    first, second = theirs.read_message(response[12:-32], payload)
    assert payload == b'of ours'
    exchange_data(ours, Direction(first, 8), Direction(second, 7))


def datagrams_other_prologue(ours, suite):
    # The MAC is right, the suites named differ: the prologue tells.
    secret = os.urandom(32)
    our_private, our_pair = make_key()
    _, their_pair = make_key()
    for prologue in (get_prologue(3 - suite, 5, secret),
                     get_prologue(suite, 6, secret),
                     get_prologue(suite, 5, secret[:31] + b'?'),
                     b'hole-lunch' + get_prologue(suite, 5, secret)[10:]):
        theirs = start_noise(suite, True, prologue, their_pair,
                             our_pair.public.data)
        message = bytearray()
        theirs.write_message(b'', message)
        initiation = struct.pack('>BBBBIQ', 0xb2, 1, suite, 0, 7,
                                 5) + bytes(message) + bytes(8)
        initiation += get_mac(secret, 0, initiation)
        assert ours.ask('respond', 5, secret, our_private, 8, b'', initiation,
                        bytes(8)) is None


def they_refuse_a_changed_response(ours, suite):
    # That an independent side refuses, too, what is not ours.
    prologue = b'p'
    our_private, our_pair = make_key()
    _, their_pair = make_key()
    theirs = start_noise(suite, True, prologue, their_pair,
                         our_pair.public.data)
    ours.ask('noise', suite, prologue, our_private, '-')
    message = bytearray()
    theirs.write_message(b'', message)
    assert ours.get('read1', message) == b''
    answer = bytearray(ours.get('write2', b'answer'))
    answer[-1] ^= 1
    try:
        theirs.read_message(bytes(answer), bytearray())
    except DecryptFailedException:
        return
    raise AssertionError('a changed message was read')


TESTS = [noise_we_initiate, noise_they_initiate, datagrams_we_initiate,
         datagrams_they_initiate, datagrams_other_prologue,
         they_refuse_a_changed_response]


def main():
    failures = 0
    print('1..%d' % (len(TESTS) * len(CIPHERS)))
    number = 0
    for test in TESTS:
        for suite in CIPHERS:
            number += 1
            name = '%s, %s' % (test.__name__, CIPHERS[suite]().name)
            ours = Ours()
            try:
                test(ours, suite)
                ours.close()
                print('ok %d - %s' % (number, name), flush=True)
            except Exception:
                failures += 1
                ours.process.kill()
                traceback.print_exc()
                print('not ok %d - %s' % (number, name), flush=True)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
