#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a test program of another language, and fails when there is anything
public that it did not use.

    every.py GIR COMMAND…

HOLE_PUNCH_NAMES tells the program, in JSON, all classes and what they have;
it adds to the file that HOLE_PUNCH_TOUCHED names a line for each thing used:

    Peer.get_id()    Peer:id    Peer::message-received    Peer/peer_resolved

A method counts when it was called, a property when it was read, a signal when
a handler of it was called, a virtual method when an implementation was.
"""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

CORE = '{http://www.gtk.org/introspection/core/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'


def names(element, tag):
    return [child.get('name') for child in element.findall(tag)
            if child.get('introspectable') != '0']


def read(gir):
    """All that a GIR file lists."""
    namespace = ElementTree.parse(gir).getroot().find(f'{CORE}namespace')
    everything = {}
    for kind in ('class', 'interface'):
        for element in namespace.findall(f'{CORE}{kind}'):
            everything[element.get('name')] = {
                'methods': names(element, f'{CORE}method'),
                'functions': names(element, f'{CORE}constructor')
                + names(element, f'{CORE}function'),
                'properties': names(element, f'{CORE}property'),
                'signals': names(element, f'{GLIB}signal'),
                'virtuals': names(element, f'{CORE}virtual-method'),
            }
    for element in namespace.findall(f'{CORE}enumeration'):
        everything[element.get('name')] = {
            'functions': names(element, f'{CORE}function'),
        }
    return everything


def spell(everything):
    """The lines that a program has to write."""
    forms = {'methods': '{}.{}()', 'functions': '{}.{}()',
             'properties': '{}:{}', 'signals': '{}::{}',
             'virtuals': '{}/{}'}
    return {forms[kind].format(name, member)
            for name, members in everything.items()
            for kind, listed in members.items()
            for member in listed}


def main(gir, *command):
    everything = read(gir)
    wanted = spell(everything)
    assert len(wanted) > 150, f'{gir} lists only {len(wanted)} things'
    with tempfile.TemporaryDirectory() as directory:
        touched_file = os.path.join(directory, 'touched')
        environment = dict(os.environ,
                           HOLE_PUNCH_NAMES=json.dumps(everything),
                           HOLE_PUNCH_TOUCHED=touched_file)
        status = subprocess.run(command, env=environment,
                                stdin=subprocess.DEVNULL).returncode
        if status != 0:
            print(f'{command}: exit status {status}')
            return 1
        with open(touched_file, encoding='utf-8') as lines:
            touched = set(lines.read().split('\n')) - {''}
    unknown = sorted(touched - wanted)
    missed = sorted(wanted - touched)
    assert not unknown, f'used, but not in {gir}: {unknown}'
    if missed:
        print('Never used:', *missed, sep='\n  ')
        return 1
    print(f'All {len(wanted)} public things were used')
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
