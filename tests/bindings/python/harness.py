# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests share: calls that wait, values read in every way, and a book
of what was used (see ../every.py)."""

import atexit
import functools
import json
import os
import unittest

import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import Gio, GLib, GObject, HolePunch  # noqa: E402

PATIENCE = 20
EVERYTHING = json.loads(os.environ.get('HOLE_PUNCH_NAMES', '{}'))
touched = set()


def counted(line, function):
    @functools.wraps(function)
    def wrapper(*arguments, **keywords):
        touched.add(line)
        return function(*arguments, **keywords)
    return wrapper


def instrument():
    """Has every call of a public method written down."""
    for name, members in EVERYTHING.items():
        klass = getattr(HolePunch, name)
        for method in members.get('methods', ()):
            line = f'{name}.{method}()'
            setattr(klass, method, counted(line, getattr(klass, method)))
        for function in members.get('functions', ()):
            line = f'{name}.{function}()'
            setattr(klass, function, staticmethod(
                counted(line, getattr(klass, function))))


def write_touched():
    if 'HOLE_PUNCH_TOUCHED' in os.environ:
        with open(os.environ['HOLE_PUNCH_TOUCHED'], 'a',
                  encoding='utf-8') as lines:
            lines.writelines(line + '\n' for line in sorted(touched))


instrument()
atexit.register(write_touched)


def owner_of(instance, kind, member):
    """The class of this library that an inherited member comes from."""
    for klass in type(instance).__mro__:
        if member in EVERYTHING.get(klass.__name__, {}).get(kind, (member,)) \
                and klass.__module__.endswith('HolePunch'):
            return klass.__name__
    raise AssertionError(f'{instance} has no {member}')


def implemented(klass, method):
    """To be called in an implementation of a virtual method."""
    touched.add(f'{klass}/{method}')


def read(instance, name):
    """The value of a property, the same in all ways to read it."""
    underscored = name.replace('-', '_')
    values = [
        getattr(instance.props, underscored),
        instance.get_property(name),
        getattr(instance, 'get_' + underscored)(),
    ]
    if name != 'statistics':  # made anew each time
        assert values[0] == values[1] == values[2], (name, values)
    touched.add(f'{owner_of(instance, "properties", name)}:{name}')
    return values[0]


def read_all(instance):
    return {spec.name: read(instance, spec.name)
            for spec in instance.list_properties()
            if spec.owner_type.name.startswith('Hp')}


def change(test, instance, name, *values):
    """Sets a property in all ways to set it, and back again."""
    underscored = name.replace('-', '_')
    ways = [
        lambda value: setattr(instance.props, underscored, value),
        lambda value: instance.set_property(name, value),
        getattr(instance, 'set_' + underscored),
    ]
    told = []
    before = read(instance, name)
    handler = instance.connect('notify::' + name,
                               lambda *arguments: told.append(name))
    for value in values:
        for way in ways:
            way(before)
            told.clear()
            way(value)
            test.assertEqual(read(instance, name), value)
            test.assertEqual(told, [name])
            way(value)
            test.assertEqual(told, [name], 'told of a change that was none')
    ways[0](before)
    instance.disconnect(handler)


def on(instance, signal, handler):
    """Connects, and counts the signal when the handler was called."""
    line = f'{owner_of(instance, "signals", signal)}::{signal}'
    return instance.connect(signal, counted(line, handler))


def wait_until(condition, timeout=PATIENCE):
    """Runs the main loop until it is so; whatever changes wakes the loop."""
    late = []
    source = GLib.timeout_add_seconds(timeout, lambda: late.append(True))
    context = GLib.MainContext.default()
    while not condition() and not late:
        context.iteration(True)
    if late:
        raise AssertionError(f'not within {timeout} s')
    GLib.source_remove(source)


def call(instance, method, *arguments, cancellable=None):
    """Calls method_async, runs the main loop, returns what method_finish
    does."""
    results = []

    def on_ready(source, result):
        assert source is instance
        assert isinstance(result, Gio.AsyncResult)
        results.append(result)
    getattr(instance, method + '_async')(*arguments, cancellable, on_ready)
    assert not results, f'{method}_async called back before it returned'
    wait_until(lambda: results)
    return getattr(instance, method + '_finish')(results[0])


def later(function, *arguments):
    """In a later turn of the main loop."""
    def once():
        function(*arguments)
        return GLib.SOURCE_REMOVE
    GLib.timeout_add(50, once)


def data(text):
    return GLib.Bytes.new(text if isinstance(text, bytes) else text.encode())


class TestCase(unittest.TestCase):
    def assert_fails(self, domain, code, function, *arguments, **keywords):
        """The message, which must be one."""
        with self.assertRaises(GLib.Error) as context:
            function(*arguments, **keywords)
        error = context.exception
        self.assertTrue(error.matches(domain, code),
                        f'{error.domain} {error.code}: {error.message}')
        self.assertNotEqual(error.message, '')
        return error.message

    def assert_punch_error(self, code, function, *arguments, **keywords):
        return self.assert_fails(HolePunch.PunchError.quark(), code, function,
                                 *arguments, **keywords)

    def assert_io_error(self, code, function, *arguments, **keywords):
        return self.assert_fails(Gio.io_error_quark(), code, function,
                                 *arguments, **keywords)


class NetworkTestCase(TestCase):
    """With a match server, and peers that are closed after the test."""

    def setUp(self):
        self.peers = []
        self.server = self.make_server()
        self.server.start()
        self.addCleanup(self.close_all)

    def make_server(self):
        return HolePunch.MatchServer(port=0, listen_address='127.0.0.1')

    @property
    def address(self):
        return f'127.0.0.1:{self.server.get_local_address().get_port()}'

    def make_peer(self, id=None, klass=HolePunch.Peer, **properties):
        peer = klass(id=id, match_server=self.address, **properties)
        self.peers.append(peer)
        return peer

    def start_peer(self, *arguments, **properties):
        peer = self.make_peer(*arguments, **properties)
        self.assertTrue(call(peer, 'start'))
        return peer

    def close_all(self):
        for peer in self.peers:
            call(peer, 'close')
        self.server.stop()


__all__ = ['GLib', 'GObject', 'Gio', 'HolePunch', 'NetworkTestCase',
           'TestCase', 'call', 'change', 'data', 'implemented', 'later', 'on',
           'read', 'read_all', 'wait_until']
