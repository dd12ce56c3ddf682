#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs of the README do what the README says, as they stand there.

    readme.py README SOURCE BUILD LANGUAGE…

Only the name of the match server is another. Each caller calls the callee of
each language. What is only a part of a program is run within one of readme/.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time

from children import PATIENCE, Child

BLOCK = re.compile(r'^```\w+\n(.*?)^```$', re.MULTILINE | re.DOTALL)
NAME = re.compile(r'(?:#|//|/\*) ([a-z]+\.[a-z]+)')
# In the order of the README
PARTS = ('send.py', 'receive.py', 'bus.c')
SUFFIXES = {'python': 'py', 'gjs': 'js', 'vala': 'vala', 'c': 'c'}


def free_port():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.bind(('::', 0))
        return probe.getsockname()[1]


def frame(part, name):
    """The program of readme/ around that part."""
    path = os.path.join(os.path.dirname(__file__), 'readme', name)
    with open(path, encoding='utf-8') as file:
        before, after = file.read().split('README\n')
    return f'{before}{part}{after}'


def extract(readme, directory, port):
    """Writes out the programs; their names."""
    with open(readme, encoding='utf-8') as text:
        blocks = BLOCK.findall(text.read())
    programs = {}
    parts = []
    for block in blocks:
        name = NAME.match(block)
        if name:
            programs[name[1]] = block.split('\n', 1)[1]
        else:
            parts.append(block)
    assert len(parts) == len(PARTS), parts
    programs.update((name, frame(part, name))
                    for name, part in zip(PARTS, parts))
    for name, code in programs.items():
        if name == 'server.py':
            assert 'MatchServer()' in code
            code = code.replace('MatchServer()', f'MatchServer(port={port})')
        else:
            assert 'match.example.org' in code, name
            code = code.replace('match.example.org', f'127.0.0.1:{port}')
        with open(os.path.join(directory, name), 'w',
                  encoding='utf-8') as file:
            file.write(code)
    return list(programs)


def compile_c(directory, name, source, build):
    flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'gio-2.0'],
                           check=True, stdout=subprocess.PIPE, text=True)
    subprocess.run(
        ['cc', '-Wall', '-Werror', f'{directory}/{name}.c', '-o',
         f'{directory}/{name}-c', f'-I{source}', f'-I{build}',
         f'-L{build}/hole-punch', '-lhole-punch-1.0',
         *shlex.split(flags.stdout)], check=True)
    return [f'{directory}/{name}-c']


def compile_vala(directory, name, source, build):
    subprocess.run(
        ['valac', f'--vapidir={build}/hole-punch', '--pkg', 'gio-2.0',
         '--pkg', 'hole-punch-1.0', f'{directory}/{name}.vala', '-o',
         f'{directory}/{name}-vala', '--fatal-warnings', '-X', '-w', '-X',
         f'-I{source}', '-X', f'-I{build}', '-X', f'-L{build}/hole-punch',
         '-X', '-lhole-punch-1.0'], check=True)
    return [f'{directory}/{name}-vala']


def command(directory, language, role, source, build):
    path = f'{directory}/{role}.{SUFFIXES[language]}'
    if language == 'c':
        return compile_c(directory, role, source, build)
    if language == 'vala':
        return compile_vala(directory, role, source, build)
    if language == 'gjs':
        return ['gjs', '-m', path]
    return [sys.executable, '-u', path]


def check_caller(callee, caller_command):
    with Child(caller_command) as caller:
        caller.expect('callee got you')
        caller.expect(r'from .+:\d+')
        assert caller.wait() == 0
        assert not caller.errors, caller.errors
    callee.expect('got 10240 bytes')


def check_file(directory):
    """A file through a stream."""
    near, far = (os.path.join(directory, side) for side in ('near', 'far'))
    os.mkdir(near)
    os.mkdir(far)
    content = os.urandom(3_000_001)
    with open(f'{near}/film.mkv', 'wb') as film:
        film.write(content)
    with Child([sys.executable, '-u', f'{directory}/receive.py'],
               cwd=far) as receiver:
        receiver.expect('registered as wq')
        with Child([sys.executable, '-u', f'{directory}/send.py'],
                   cwd=near) as sender:
            sender.expect(f'sent {len(content)}')
            assert sender.wait() == 0
            assert not sender.errors, sender.errors
        # It has all arrived, but may not have been written yet.
        end = time.monotonic() + PATIENCE
        while os.path.getsize(f'{far}/film.mkv') < len(content):
            assert time.monotonic() < end
            time.sleep(0.01)
        with open(f'{far}/film.mkv', 'rb') as film:
            assert film.read() == content
        assert not receiver.errors, receiver.errors


def check_bus(directory, source, build):
    with Child(compile_c(directory, 'bus', source, build)) as bus:
        bus.expect('the bus is there')
        assert bus.wait() == 0
        assert not bus.errors, bus.errors


def main(readme, source, build, *languages):
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        names = extract(readme, directory, port)
        wanted = ['server.py', *PARTS] + [f'{role}.{suffix}'
                                          for suffix in SUFFIXES.values()
                                          for role in ('callee', 'caller')]
        assert sorted(names) == sorted(wanted), names
        commands = {(language, role): command(directory, language, role,
                                              source, build)
                    for language in languages
                    for role in ('callee', 'caller')}
        with Child([sys.executable, f'{directory}/server.py']):
            for language in languages:
                # The one before was killed: it takes a few seconds until its
                # id is free.
                with Child(commands[language, 'callee']) as callee:
                    callee.expect('registered as wq')
                    for caller in languages:
                        print(f'{caller} calls {language}', flush=True)
                        check_caller(callee, commands[caller, 'caller'])
            print('a file through a stream', flush=True)
            check_file(directory)
            print('D-Bus over a stream', flush=True)
            check_bus(directory, source, build)


if __name__ == '__main__':
    main(*sys.argv[1:])
