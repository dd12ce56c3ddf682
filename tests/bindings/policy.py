#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The example of a match server with a policy of its own.

    policy.py PROGRAM
"""

import contextlib
import os
import signal
import sys
import tempfile

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import GLib, HolePunch  # noqa: E402

from children import Child  # noqa: E402

PATIENCE = 20
Problem = HolePunch.PunchError


class World(contextlib.ExitStack):
    """A server and its files, and those who want something of it"""

    def __init__(self, program):
        super().__init__()
        self.program = program
        self.folder = self.enter_context(tempfile.TemporaryDirectory())
        self.people = {}
        for name in ('office', 'guest', 'stranger'):
            # Saved: it can own an id while it is away.
            self.people[name] = HolePunch.Identity()
            self.people[name].save(self.path(name))

    def path(self, name):
        return os.path.join(self.folder, name)

    def key(self, name):
        return self.people[name].get_fingerprint()

    def write_policy(self, text):
        with open(self.path('policy'), 'w', encoding='utf-8') as file:
            file.write(text)

    def start(self, *options, statistics=1):
        server = self.enter_context(Child(
            [sys.executable, '-u', self.program, '--port', '0',
             '--listen-address', '127.0.0.1', '--statistics', str(statistics),
             '--policy', self.path('policy'), *options], 'match-server'))
        return server

    def start_well(self, **options):
        server = self.start('--identity', self.path('server'),
                            '--registry', self.path('ids'), **options)
        port, key = server.expect(r'listening on port (\d+) as (\w+)').groups()
        self.address = f'holepunch://{key}@127.0.0.1:{port}'
        return server

    def do(self, name, id, begin, finish):
        """None, or the code of what went wrong with what this peer did."""
        peer = HolePunch.Peer(id=id, match_server=self.address,
                              identity=self.people[name])
        loop = GLib.MainLoop()
        codes = []

        def on_done(peer, result):
            try:
                finish(peer, result)
                codes.append(None)
            except GLib.Error as error:
                assert error.domain == 'hp-punch-error-quark', error
                codes.append(Problem(error.code))
            peer.close_async(None, lambda peer, result: loop.quit())
        begin(peer, on_done)
        timeout = GLib.timeout_add_seconds(PATIENCE, loop.quit)
        loop.run()
        assert codes, f'{name} was not answered'
        GLib.source_remove(timeout)
        return codes[0]

    def register(self, name, id):
        return self.do(name, id,
                       lambda peer, done: peer.start_async(None, done),
                       HolePunch.Peer.start_finish)

    def ask(self, name, wanted):
        """Without registering, which takes another permission"""
        return self.do(name, None,
                       lambda peer, done: peer.connect_async(
                           wanted, None, done),
                       HolePunch.Peer.connect_finish)


def check_asking(world, server):
    # Nobody has it: those who may ask learn that.
    assert world.ask('guest', 'nobody') == Problem.UNKNOWN_ID
    assert world.ask('stranger', 'nobody') == Problem.REFUSED
    server.expect(f'turned away: {world.key("stranger")}, who asked for '
                  'nobody: not one of ours')


def check_policy(world, server):
    def check_refused(name, id, reason):
        assert world.register(name, id) == Problem.REFUSED
        server.expect(f'turned away: {id} of {world.key(name)}: {reason}')

    assert world.register('office', 'wq') is None
    assert world.register('office', 'printer') is None
    assert world.register('office', 'admin-1') is None
    assert world.register('guest', 'admiral') is None
    check_refused('guest', 'printer', 'the id is reserved')
    check_refused('guest', 'admin-2', 'the id is reserved')
    check_refused('stranger', 'sk', 'not one of ours')
    check_asking(world, server)
    server.expect(r'\d registrations, \d+ asks, 0 introductions, '
                  r'4 turned away, \d+ datagrams dropped')


def check_reload(world, server):
    world.write_policy('[identities]\nnonsense=Somebody\n')
    server.process.send_signal(signal.SIGHUP)
    server.expect('the policy stays as it is: .*“nonsense”.*')
    assert world.register('stranger', 'sk') == Problem.REFUSED
    world.write_policy(f'[reserved]\nprinter={world.key("office")}\n')
    server.process.send_signal(signal.SIGHUP)
    server.expect('the policy was read again')
    assert world.register('stranger', 'sk') is None


def check_restart(world):
    """Who the server is, and whose an id is, are as before."""
    address = world.address
    server = world.start_well(statistics=0)
    assert world.address.split('@')[0] == address.split('@')[0]
    assert world.register('stranger', 'wq') == Problem.ID_TAKEN
    assert world.register('office', 'wq') is None
    check_end(server)
    # It was not to tell them; nobody was turned away.
    assert server.rest() == [], server.seen


def check_end(server):
    status = server.interrupt()
    assert status == 0, status
    assert not server.errors, server.errors


def check_mistakes(world):
    for policy in ('[identities]\nnonsense=Somebody\n', 'nonsense\n',
                   '[reserved]\nwq=nobody\n'):
        world.write_policy(policy)
        server = world.start()
        assert server.rest() == []
        assert server.wait() == 1
        assert len(server.errors) == 1, server.errors
        assert server.errors[0].startswith('match-server: ')


def main(program):
    with World(program) as world:
        world.write_policy(
            '[identities]\n'
            f'{world.key("office")}=The office\n{world.key("guest")}=Guest\n'
            '[reserved]\n'
            f'printer={world.key("office")}\nadmin-*={world.key("office")}\n')
        server = world.start_well()
        check_policy(world, server)
        check_reload(world, server)
        check_end(server)
        check_restart(world)
        check_mistakes(world)
    print('ok')


if __name__ == '__main__':
    main(*sys.argv[1:])
