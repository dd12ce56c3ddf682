#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the bindings see: all that is public, as it is listed in gir.txt, and
nothing else.

An annotation that is wrong makes a method vanish from the bindings or hand
over a freed object, and no compiler says so. After a change that is meant:

    meson compile -C BUILD gir-update
"""

import re
import sys
import unittest
import xml.etree.ElementTree as ElementTree

import house

LIST = house.SOURCE / 'tests/house/gir.txt'
GIR = house.BUILD / 'hole-punch/HolePunch-1.0.gir'
CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'
TYPES = ('class', 'interface', 'record', 'union', 'enumeration', 'bitfield')

# What must be there whatever gir.txt says
WANTED = {
    'Peer': {
        'properties': '''id match-server identity port datagram-size
            max-datagram-size max-message-size max-receive-window
            keepalive-interval max-nat-entries registered local-address public-address
            connections''',
        'signals': '''message-received stream-opened peer-resolved
            authorize-peer connection-closed''',
        'methods': '''start_async close_async connect_async
            connect_to_address_async send_message_async''',
    },
    'Authorization': {
        'properties': 'id fingerprint wanted-id',
        'signals': '',
        'methods': 'allow deny',
    },
    'Connection': {
        'properties': '''remote-id fingerprint remote-address path state
            round-trip-time datagram-size queued-bytes statistics''',
        'signals': 'message-received stream-opened closed',
        'methods': '''send_message send_message_async send_message_full
            send_message_full_async open_stream_async close_async''',
    },
    'Stream': {
        'properties': 'connection weight',
        'signals': '',
        'methods': 'get_connection get_weight set_weight',
    },
    'MatchServer': {
        'properties': 'port identity registry registration-lifetime statistics',
        'signals': '''peer-registered peer-expired introduced
            authorize-registration authorize-introduction''',
        'methods': 'start stop',
    },
    'Registry': {
        'properties': '',
         'signals': 'message-received',
        'methods': '''claim_async lookup_async release_async lookup_key_async
            post_async get_server_name''',
        'virtual-methods': '''claim lookup release lookup_key post
            dup_server_name''',
    },
    'RedisRegistry': {
        'properties': '''uri key-prefix server-name timeout connected
            max-in-flight presence-lifetime''',
        'signals': '',
        'methods': '',
    },
    'RegistryRequest': {
        'properties': '',
        'signals': '',
        'methods': 'return_registration return_error',
    },
    'Identity': {
        'properties': 'fingerprint public-key',
        'signals': '',
        'methods': 'save',
    },
}
# A type of these names, or anything that has one in its signature
HIDDEN = re.compile(
    r'\b(Address|Candidate|Cookie|Cursor|Datagram|Endpoint|Frame|Greeter'
    r'|Handshake|KeyPair|Link|MatchClient|MatchService|NatBudget|Noise'
    r'|Outgoing|Packet|Party|Pipe|Puncher|Question|Random|Ranges?|Reader|Route'
    r'|Session|Ticket|Transport|UdpSocket|UdpSource|Writer)\w*\b')
# Names that every GObject has, or that a language wants for itself
TAKEN = {'connect', 'disconnect', 'emit', 'notify', 'get_property',
         'set_property', 'ref', 'unref'}


def type_name(element):
    """The type of a parameter, a return value, a property."""
    array = element.find(f'{CORE}array')
    if array is not None:
        return type_name(array) + '[]'
    kind = element.find(f'{CORE}type')
    return kind.get('name', '?') if kind is not None else '?'


def describe_value(element):
    marks = [mark for mark in ('nullable', 'optional')
             if element.get(mark) == '1']
    if element.get('direction', 'in') != 'in':
        marks.append(element.get('direction'))
    if element.get('transfer-ownership', 'none') != 'none':
        marks.append(element.get('transfer-ownership'))
    return ' '.join([type_name(element), *marks])


def describe_callable(element):
    parameters = element.findall(f'{CORE}parameters/{CORE}parameter')
    text = ', '.join(f'{parameter.get("name")}: {describe_value(parameter)}'
                     for parameter in parameters)
    result = element.find(f'{CORE}return-value')
    throws = ' throws' if element.get('throws') == '1' else ''
    return (f'{element.get("name")} ({text}) → '
            f'{describe_value(result)}{throws}')


def describe_property(element):
    marks = [mark for mark in ('construct', 'construct-only', 'writable')
             if element.get(mark) == '1']
    return ' '.join([f'{element.get("name")}:', type_name(element), *marks])


def describe_type(kind, element):
    """The lines that tell all of one type."""
    header = [kind, element.get('name')]
    if element.get('parent'):
        header.append(f': {element.get("parent")}')
    if kind == 'class' and element.get(f'{GLIB}type-struct'):
        fields = element.findall(f'{CORE}field')
        header.append('(derivable)' if fields else '(final)')
    for name in element.findall(f'{CORE}implements'):
        header.append(f'implements {name.get("name")}')
    yield ' '.join(header)
    lines = []
    for tag in ('constructor', 'function', 'method', 'virtual-method'):
        lines += [f'  {tag} {describe_callable(child)}'
                  for child in element.findall(f'{CORE}{tag}')]
    lines += [f'  property {describe_property(child)}'
              for child in element.findall(f'{CORE}property')]
    lines += [f'  signal {describe_callable(child)}'
              for child in element.findall(f'{GLIB}signal')]
    lines += [f'  member {child.get("name")} = {child.get("value")}'
              for child in element.findall(f'{CORE}member')]
    yield from sorted(lines)


def describe(namespace):
    """All of the namespace, one line a thing."""
    for kind in TYPES:
        for element in sorted(namespace.findall(f'{CORE}{kind}'),
                              key=lambda element: element.get('name')):
            yield from describe_type(kind, element)
    for tag in ('function', 'callback', 'constant', 'alias'):
        for element in sorted(namespace.findall(f'{CORE}{tag}'),
                              key=lambda element: element.get('name')):
            if tag in ('function', 'callback'):
                yield f'{tag} {describe_callable(element)}'
            else:
                yield f'{tag} {element.get("name")}: {type_name(element)}'


def read_namespace():
    return ElementTree.parse(GIR).getroot().find(f'{CORE}namespace')


class Gir(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.namespace = read_namespace()
        self.types = {element.get('name'): element
                      for kind in TYPES
                      for element in self.namespace.findall(f'{CORE}{kind}')}

    def classes(self):
        for kind in ('class', 'interface'):
            yield from self.namespace.findall(f'{CORE}{kind}')

    def names(self, element, tag):
        prefix = GLIB if tag == 'signal' else CORE
        return {child.get('name') for child in element.findall(prefix + tag)}

    def test_namespace(self):
        self.assertEqual(self.namespace.get('name'), 'HolePunch')
        self.assertEqual(self.namespace.get('version'), '1.0')
        self.assertEqual(self.namespace.get('shared-library'),
                         'libhole-punch-1.0.so.0')

    def test_list(self):
        self.assertEqual('\n'.join(describe(self.namespace)) + '\n',
                         LIST.read_text(encoding='utf-8'))

    def test_wanted(self):
        for name, wanted in WANTED.items():
            element = self.types[name]
            for tags, names in wanted.items():
                tag = {'properties': 'property'}.get(tags, tags[:-1])
                missing = set(names.split()) - self.names(element, tag)
                self.assertFalse(missing, f'{name} {tags}')

    def test_all_types(self):
        public = {name[2:] for name in house.public_types()}
        records = {f'{name}{suffix}' for name in public
                   for suffix in ('Class', 'Interface')}
        self.assertLessEqual(public, set(self.types))
        self.assertLessEqual(set(self.types), public | records)

    def test_all_functions(self):
        seen = {element.get(f'{C}identifier')
                for element in self.namespace.iter()
                if element.get(f'{C}identifier')
                and element.get('introspectable', '1') == '1'}
        missing = house.public_functions() - seen
        self.assertFalse(missing)
        functions = {name for name in seen if name.startswith('hp_')}
        self.assertLessEqual(functions, house.public_functions())

    def test_nothing_private(self):
        for line in describe(self.namespace):
            for name in HIDDEN.findall(re.sub(r'Gio\.\w+|GLib\.\w+', '', line)):
                # SocketAddress and the like are somebody else's
                self.fail(f'{name} in: {line}')
        self.assertNotIn('private', '\n'.join(describe(self.namespace)).lower())

    def test_introspectable(self):
        for element in self.namespace.iter():
            if element.get('introspectable') == '0' \
               and element.tag != f'{CORE}function-macro':
                self.fail(f'{element.get("name")} is hidden from bindings')

    def test_async_has_finish(self):
        pairs = 0
        for element in self.classes():
            methods = self.names(element, 'method')
            for name in methods:
                if name.endswith('_async'):
                    pairs += 1
                    self.assertIn(name[:-len('async')] + 'finish', methods)
                if name.endswith('_finish'):
                    self.assertIn(name[:-len('finish')] + 'async', methods)
        self.assertGreaterEqual(pairs, 11)

    def test_async_shape(self):
        """…, cancellable, callback, user_data; cancellable may be NULL."""
        for element in self.classes():
            for method in element.findall(f'{CORE}method'):
                if not method.get('name').endswith('_async'):
                    continue
                parameters = method.findall(f'{CORE}parameters/{CORE}parameter')
                cancellable, callback, _ = parameters[-3:]
                where = f'{element.get("name")}.{method.get("name")}'
                self.assertEqual(type_name(cancellable), 'Gio.Cancellable',
                                 where)
                self.assertEqual(cancellable.get('nullable'), '1', where)
                self.assertEqual(type_name(callback), 'Gio.AsyncReadyCallback',
                                 where)
                self.assertEqual(callback.get('scope'), 'async', where)
                self.assertEqual(callback.get('nullable'), '1', where)

    def test_properties_have_getters(self):
        count = 0
        for element in self.classes():
            methods = self.names(element, 'method')
            for prop in element.findall(f'{CORE}property'):
                count += 1
                name = prop.get('name').replace('-', '_')
                where = f'{element.get("name")}:{prop.get("name")}'
                self.assertIn(f'get_{name}', methods, where)
                if prop.get('writable') and prop.get('construct-only') != '1':
                    self.assertIn(f'set_{name}', methods, where)
        self.assertGreater(count, 40)

    def test_names(self):
        """A name belongs to one of property, signal, method, and to none that
        GObject has."""
        for element in self.classes():
            properties = {name.replace('-', '_')
                          for name in self.names(element, 'property')}
            signals = {name.replace('-', '_')
                       for name in self.names(element, 'signal')}
            methods = self.names(element, 'method')
            for one, other in ((properties, signals), (properties, methods),
                               (signals, methods), (methods, TAKEN)):
                self.assertFalse(one & other, element.get('name'))

    def test_parameters_have_names(self):
        for element in self.namespace.iter(f'{CORE}parameter'):
            self.assertNotRegex(element.get('name', ''), r'^(p|arg|object)\d*$')

    def test_documented(self):
        for element in [*self.types.values(),
                        *self.namespace.iter(f'{CORE}method'),
                        *self.namespace.iter(f'{CORE}constructor'),
                        *self.namespace.iter(f'{CORE}property'),
                        *self.namespace.iter(f'{GLIB}signal')]:
            name = element.get('name')
            if element.get(f'{GLIB}is-gtype-struct-for') \
               and element.get('disguised') == '1':
                continue
            if name.endswith('Class') and element.find(f'{CORE}doc') is None:
                # What G_DECLARE_FINAL_TYPE makes
                self.assertEqual(len(element.findall(f'{CORE}field')), 1, name)
                continue
            self.assertIsNotNone(element.find(f'{CORE}doc'), name)

    def test_no_static_scope(self):
        """gjs reads garbage from a GBytes that a signal does not copy."""
        for path in (house.SOURCE / 'hole-punch').rglob('*.c'):
            self.assertNotIn('STATIC_SCOPE', path.read_text(encoding='utf-8'),
                             path)


if __name__ == '__main__':
    if sys.argv[1:] == ['--update']:
        LIST.write_text('\n'.join(describe(read_namespace())) + '\n',
                        encoding='utf-8')
    else:
        unittest.main()
