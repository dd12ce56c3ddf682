# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests of this folder share."""

import os
import pathlib
import re
import shlex
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parents[2]
# Of the test's build; given by meson.build
BUILD = pathlib.Path(os.environ.get('HOUSE_BUILD', SOURCE / '_build/plain'))
CC = shlex.split(os.environ.get('HOUSE_CC', 'cc'))
PACKAGE = 'hole-punch-1.0'

COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)
# HP_AVAILABLE_IN_ALL, then a function or a G_DECLARE_…
DECLARATION = re.compile(
    r'^HP_AVAILABLE_IN_\w+\s+(?:G_DECLARE_(?P<kind>\w+)\s*\('
    r'\s*(?P<type>\w+),\s*(?P<prefix>\w+)|[^;(]*?\b(?P<function>hp_\w+)\s*\()',
    re.MULTILINE)


def public_headers():
    """The installed headers that are in the source tree."""
    return sorted(path for path in (SOURCE / 'hole-punch').glob('*.h')
                  if not path.stem.endswith('-private'))


def public_functions():
    """The functions that public headers declare, without get_type ()."""
    functions = set()
    for header in public_headers():
        text = COMMENT.sub('', header.read_text(encoding='utf-8'))
        functions.update(match['function']
                         for match in DECLARATION.finditer(text)
                         if match['function'])
    return {name for name in functions if not name.endswith('_get_type')}


def public_types():
    """The types that public headers declare: name → C prefix."""
    types = {}
    for header in public_headers():
        text = COMMENT.sub('', header.read_text(encoding='utf-8'))
        types.update((match['type'], match['prefix'])
                     for match in DECLARATION.finditer(text)
                     if match['type'])
        for name in re.findall(r'^} (Hp\w+);', text, re.MULTILINE):
            prefix = re.sub(r'(?<!^)(?=[A-Z])', '_', name).lower()
            types[name] = prefix
    return types


def get_type_functions():
    return {f'{prefix}_get_type' for prefix in public_types().values()}


def pkg_config(*arguments, path=None):
    """The words that pkg-config gives for @arguments.

    @path: where else it looks first; the build's own files unless given.
    """
    env = dict(os.environ)
    env['PKG_CONFIG_PATH'] = os.pathsep.join(filter(None, [
        str(path or BUILD / 'meson-uninstalled'),
        env.get('PKG_CONFIG_PATH')]))
    result = subprocess.run(['pkg-config', *arguments], env=env, text=True,
                            check=True, stdout=subprocess.PIPE)
    return shlex.split(result.stdout)


def run(*command, env=None, **kwargs):
    """Runs a command; one that fails shows what it said."""
    command = [str(word) for word in command]
    result = subprocess.run(command, text=True, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            stdin=subprocess.DEVNULL,
                            env={**os.environ, **(env or {})}, **kwargs)
    if result.returncode != 0:
        raise AssertionError(f'{shlex.join(command)}: {result.returncode}\n'
                             f'{result.stdout}')
    return result.stdout
