#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A match server with a policy of its own:

    match-server.py [OPTION…]

Who may register, under which id, and who may ask for others is decided here; by
default everybody may, and register any id that is free. The policy is a file
that says so otherwise:

    [identities]
    # Who may register or ask at all; without this group everybody may. The
    # names are for the log.
    4ya7mm6wd3o6zflrnxzcsoe4d5dtmlz7k2xgbzxhwdn5oqbfmfqa=The office
    [reserved]
    # Ids, and patterns of ids, that are for one identity only
    printer=4ya7mm6wd3o6zflrnxzcsoe4d5dtmlz7k2xgbzxhwdn5oqbfmfqa
    admin-*=4ya7mm6wd3o6zflrnxzcsoe4d5dtmlz7k2xgbzxhwdn5oqbfmfqa

SIGHUP reads the file again; one with mistakes in it changes nothing. What is
logged is who was turned away, not who comes and goes; and the statistics each
so many seconds, if there is something new.
"""

import argparse
import fnmatch
import re
import signal
import sys

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import Gio, GLib, HolePunch  # noqa: E402

FINGERPRINT = re.compile('[a-z2-7]{51}[aq]')


def log(message):
    print(message, flush=True)


class Policy:
    """Who may register what, and who may ask."""

    def __init__(self):
        self.names = None  # of identities; None: everybody is welcome
        self.reserved = {}  # patterns of ids

    @classmethod
    def load(cls, filename):
        policy = cls()
        file = GLib.KeyFile()
        file.load_from_file(filename, GLib.KeyFileFlags.NONE)
        if file.has_group('identities'):
            policy.names = {
                cls.check(key): file.get_string('identities', key)
                for key in file.get_keys('identities')[0]}
        if file.has_group('reserved'):
            policy.reserved = {
                key: cls.check(file.get_string('reserved', key))
                for key in file.get_keys('reserved')[0]}
        return policy

    @staticmethod
    def check(text):
        if not FINGERPRINT.fullmatch(text):
            raise ValueError(f'“{text}” is not a fingerprint')
        return text

    def why_not_ask(self, fingerprint):
        """Why somebody may not be introduced to others, or None."""
        if self.names is not None and fingerprint not in self.names:
            return 'not one of ours'
        return None

    def why_not_register(self, id, fingerprint):
        """Why somebody may not register this id, or None."""
        reason = self.why_not_ask(fingerprint)
        if reason is not None:
            return reason
        for pattern, owner in self.reserved.items():
            if fnmatch.fnmatchcase(id, pattern) and fingerprint != owner:
                return 'the id is reserved'
        return None


class Server:
    def __init__(self, options):
        self.options = options
        self.loop = GLib.MainLoop()
        self.policy = Policy()
        self.turned_away = 0
        self.last_figures = None
        self.server = HolePunch.MatchServer(
            port=options.port, listen_address=options.listen_address)
        if options.identity:
            self.server.set_identity(self.get_identity(options.identity))
        if options.registry:
            # So that ids stay their owners' when this program is started again
            self.server.set_registry(
                HolePunch.MemoryRegistry.open(options.registry))
        if options.policy:
            self.policy = Policy.load(options.policy)
        self.server.connect('authorize-registration',
                            self.on_authorize_registration)
        # A signal of its own: who may not register could still ask.
        self.server.connect('authorize-introduction',
                            self.on_authorize_introduction)

    @staticmethod
    def get_identity(filename):
        """By which the peers know that it is the right server"""
        try:
            return HolePunch.Identity.load(filename)
        except GLib.Error as error:
            if not error.matches(GLib.file_error_quark(),
                                 GLib.FileError.NOENT):
                raise
        identity = HolePunch.Identity()
        identity.save(filename)
        return identity

    def on_authorize_registration(self, server, authorization):
        """The answer may come later as well, from a database, say."""
        id = authorization.get_id()
        fingerprint = authorization.get_fingerprint()
        reason = self.policy.why_not_register(id, fingerprint)
        self.answer(authorization, f'{id} of {fingerprint}', reason)

    def on_authorize_introduction(self, server, authorization):
        fingerprint = authorization.get_fingerprint()
        # None: by a fingerprint, which is not told here
        wanted = authorization.get_wanted_id() or 'somebody'
        reason = self.policy.why_not_ask(fingerprint)
        self.answer(authorization, f'{fingerprint}, who asked for {wanted}',
                    reason)

    def answer(self, authorization, who, reason):
        if reason is None:
            authorization.allow()
            return
        authorization.deny()
        self.turned_away += 1
        log(f'turned away: {who}: {reason}')

    def on_statistics(self):
        statistics = self.server.get_statistics()
        figures = (f'{statistics.props.registrations} registrations, '
                   f'{statistics.props.asks} asks, '
                   f'{statistics.props.introductions} introductions, '
                   f'{self.turned_away} turned away, '
                   f'{statistics.props.datagrams_dropped} datagrams dropped')
        if figures != self.last_figures:
            log(figures)
        self.last_figures = figures
        return GLib.SOURCE_CONTINUE

    def on_reload(self):
        if not self.options.policy:
            return GLib.SOURCE_CONTINUE
        try:
            self.policy = Policy.load(self.options.policy)
            # Who is registered is asked about again, too, before long.
            self.server.review_registrations()
            log('the policy was read again')
        except (GLib.Error, ValueError) as error:
            log(f'the policy stays as it is: {get_message(error)}')
        return GLib.SOURCE_CONTINUE

    def run(self):
        self.server.start()
        address = self.server.get_local_address()
        fingerprint = self.server.get_identity().get_fingerprint()
        log(f'listening on port {address.get_port()} as {fingerprint}')
        for number in (signal.SIGINT, signal.SIGTERM):
            GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number,
                                 self.loop.quit)
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGHUP,
                             self.on_reload)
        if self.options.statistics:
            GLib.timeout_add_seconds(self.options.statistics,
                                     self.on_statistics)
        self.loop.run()
        if self.options.statistics:
            self.on_statistics()
        self.server.stop()


def get_message(error):
    return getattr(error, 'message', None) or str(error)


def read_interval(text):
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--port', type=int, default=HolePunch.DEFAULT_PORT)
    parser.add_argument('--listen-address', metavar='ADDRESS')
    parser.add_argument('--identity', metavar='FILE',
                        help='made if it is not there')
    parser.add_argument('--registry', metavar='FILE',
                        help='keeps who owns which id')
    parser.add_argument('--policy', metavar='FILE')
    parser.add_argument('--statistics', metavar='SECONDS', type=read_interval,
                        default=60, help='how often; 0: never')
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    try:
        Server(options).run()
    except (GLib.Error, ValueError) as error:
        print('match-server:', get_message(error), file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
