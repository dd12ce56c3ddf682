#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The umbrella header compiles alone, in C and in C++, without a warning."""

import pathlib
import subprocess
import tempfile
import unittest

import house

CHECKED = ['-Wall', '-Wextra', '-pedantic', '-Werror', '-fsyntax-only']
UMBRELLA = '#include <hole-punch/hole-punch.h>\n'
USE = UMBRELLA + '''
int use (void);

int
use (void)
{
  HpPeer *peer = hp_peer_new ("wq", "localhost");
  int is_peer = HP_IS_PEER (peer) && HP_CHECK_VERSION (1, 0, 0);

  g_object_unref (peer);
  return is_peer;
}
'''


def flags():
    """Those of the build; only the project's own headers may be warned of."""
    cflags = house.pkg_config('--cflags', 'gio-2.0')
    return [*(word.replace('-I', '-isystem', 1) for word in cflags),
            f'-I{house.SOURCE}', f'-I{house.BUILD}']


def compile_text(language, standard, text):
    suffix = {'c': '.c', 'c++': '.cpp'}[language]
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / f'alone{suffix}'
        file.write_text(text, encoding='utf-8')
        return subprocess.run(
            [*house.CC, '-x', language, f'-std={standard}', *CHECKED, *flags(),
             str(file)],
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)


class Headers(unittest.TestCase):
    def assert_compiles(self, language, standard, text):
        result = compile_text(language, standard, text)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_c(self):
        for standard in ('c11', 'gnu11', 'c17'):
            self.assert_compiles('c', standard, UMBRELLA)
            self.assert_compiles('c', standard, USE)

    def test_cxx(self):
        for standard in ('c++11', 'c++17', 'c++20'):
            self.assert_compiles('c++', standard, UMBRELLA)
            self.assert_compiles('c++', standard, USE)

    def test_a_warning_would_show(self):
        result = compile_text('c', 'c11', UMBRELLA + 'void f (int unused) {}\n')
        self.assertNotEqual(result.returncode, 0)

    def test_only_the_umbrella(self):
        headers = [path.name for path in house.public_headers()]
        self.assertIn('hp-peer.h', headers)
        headers.append('hp-version.h')
        headers.remove('hole-punch.h')
        for header in headers:
            result = compile_text('c', 'c11',
                                  f'#include <hole-punch/{header}>\n')
            self.assertNotEqual(result.returncode, 0, header)
            self.assertIn('can be included directly', result.stdout, header)

    def test_the_umbrella_has_all(self):
        text = (house.SOURCE / 'hole-punch/hole-punch.h').read_text(
            encoding='utf-8')
        for path in house.public_headers():
            if path.name != 'hole-punch.h':
                self.assertIn(f'#include <hole-punch/{path.name}>\n', text)

    def test_every_declaration_is_available(self):
        """A function without HP_AVAILABLE_… would be missing from the
        library."""
        for path in house.public_headers():
            text = house.COMMENT.sub('', path.read_text(encoding='utf-8'))
            available = {match['function']
                         for match in house.DECLARATION.finditer(text)}
            lines = text.splitlines()
            for i, line in enumerate(lines):
                name = house.re.match(r'(?!#|typedef\b)\w[\w \*]*?\b(hp_\w+)\s*'
                                      r'\([^)]*$|(?!#|typedef\b)\w[\w \*]*?'
                                      r'\b(hp_\w+)\s*\(.*\).*;$', line)
                if name:
                    self.assertIn(name[1] or name[2], available,
                                  f'{path.name}: {lines[i]}')


if __name__ == '__main__':
    unittest.main()
