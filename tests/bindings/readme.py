#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs of the README do what the README says, as they stand there.

    readme.py README SOURCE BUILD LANGUAGE…

Only the name of the match server is another. Each caller calls the callee of
each language.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile

from children import Child

BLOCK = re.compile(r'^```(?:\w+)\n(?:#|//|/\*) ([a-z]+\.[a-z]+).*?^```$',
                   re.MULTILINE | re.DOTALL)
SUFFIXES = {'python': 'py', 'gjs': 'js', 'vala': 'vala', 'c': 'c'}


def free_port():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.bind(('::', 0))
        return probe.getsockname()[1]


def extract(readme, directory, port):
    """Writes out the programs; their names."""
    with open(readme, encoding='utf-8') as text:
        text = text.read()
    names = []
    for match in BLOCK.finditer(text):
        code = match[0].split('\n', 1)[1].rsplit('\n', 1)[0] + '\n'
        if match[1] == 'server.py':
            assert 'MatchServer()' in code
            code = code.replace('MatchServer()', f'MatchServer(port={port})')
        else:
            assert 'match.example.org' in code, match[1]
            code = code.replace('match.example.org', f'127.0.0.1:{port}')
        with open(os.path.join(directory, match[1]), 'w',
                  encoding='utf-8') as file:
            file.write(code)
        names.append(match[1])
    return names


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


def main(readme, source, build, *languages):
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        names = extract(readme, directory, port)
        wanted = ['server.py'] + [f'{role}.{suffix}'
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


if __name__ == '__main__':
    main(*sys.argv[1:])
