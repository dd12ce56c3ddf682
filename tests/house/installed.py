#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Installs into a folder of its own and uses what is there, as a user would:
from C by pkg-config, from Python and gjs by the typelib, from Vala by the VAPI.

installed.py MESON
"""

import pathlib
import re
import shutil
import sys
import tempfile
import unittest

import house

MESON = sys.argv.pop(1)
HERE = house.SOURCE / 'tests/house'

PYTHON = '''
import gi
gi.require_version('HolePunch', '1.0')
from gi.repository import HolePunch
peer = HolePunch.Peer(id='wq')
assert peer.get_id() == 'wq' and peer.props.id == 'wq'
assert len(HolePunch.Identity().get_fingerprint()) == 52
class Mine(HolePunch.Peer):
    pass
assert isinstance(Mine(), HolePunch.Peer)
print('hello from', HolePunch.MAJOR_VERSION)
'''

GJS = '''
imports.gi.versions.HolePunch = '1.0';
const {HolePunch} = imports.gi;
const peer = new HolePunch.Peer({id: 'wq', matchServer: 'localhost'});
if (peer.id !== 'wq' || new HolePunch.Identity().fingerprint.length !== 52)
    throw new Error('not as it was made');
print(`hello from ${HolePunch.MAJOR_VERSION}`);
'''


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.directory = pathlib.Path(cls.temporary.name)
        destination = cls.directory / 'root'
        house.run(MESON, 'install', '-C', house.BUILD, '--no-rebuild',
                  '--quiet', '--destdir', destination)
        config = next(destination.rglob(f'{house.PACKAGE}.pc'))
        # As if it had been configured for that prefix
        text = config.read_text(encoding='utf-8')
        prefix = re.search('^prefix=(.*)$', text, re.MULTILINE)[1]
        cls.prefix = destination / prefix.lstrip('/')
        config.write_text(
            text.replace(f'prefix={prefix}', f'prefix={cls.prefix}', 1),
            encoding='utf-8')
        # …/lib/x86_64-linux-gnu/pkgconfig, or …/lib/pkgconfig
        cls.pkgconfig = config.parent
        cls.libdir = config.parents[1]
        cls.env = {
            'LD_LIBRARY_PATH': str(cls.libdir),
            'GI_TYPELIB_PATH': str(cls.libdir / 'girepository-1.0'),
        }

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def flags(self, *arguments):
        return house.pkg_config(*arguments, house.PACKAGE,
                                path=self.pkgconfig)

    def test_headers(self):
        installed = {path.name for path in
                     (self.prefix / 'include').rglob('*.h')}
        public = {path.name for path in house.public_headers()}
        self.assertEqual(installed, public | {'hp-version.h'})

    def test_pkg_config(self):
        self.assertEqual(self.flags('--modversion'), ['1.0.0'])
        # What is private stays so
        self.assertEqual(self.flags('--print-requires'), ['gio-2.0'])
        self.assertNotIn('-lgnutls', self.flags('--libs'))

    def test_manual(self):
        if (house.BUILD / 'docs/reference').exists():
            html = self.prefix / 'share/gtk-doc/html'
            self.assertTrue(list(html.glob('*/HpPeer.html')))

    def test_c(self):
        program = self.directory / 'hello-c'
        house.run(*house.CC, '-Wall', '-Wextra', '-Wno-unused-parameter',
                  '-Werror', HERE / 'hello.c', '-o', program,
                  *self.flags('--cflags', '--libs'))
        self.assertIn('hello from 1.0.0',
                      house.run(program, env=self.env, timeout=60))

    def test_python(self):
        self.assertIn('hello from 1', house.run(
            sys.executable, '-c', PYTHON, env=self.env, timeout=60))

    def test_gjs(self):
        gjs = shutil.which('gjs')
        self.assertIsNotNone(gjs)
        self.assertIn('hello from 1', house.run(
            gjs, '-c', GJS, env=self.env, timeout=60))

    def test_vala(self):
        program = self.directory / 'hello-vala'
        flags = [f'--Xcc={flag}' for flag in self.flags('--cflags', '--libs')]
        vapi = next(self.prefix.rglob(f'{house.PACKAGE}.vapi')).parent
        gir = next(self.prefix.rglob('HolePunch-1.0.gir')).parent
        said = house.run('valac', f'--vapidir={vapi}', f'--girdir={gir}',
                         '--pkg', house.PACKAGE, '--Xcc=-w',
                         '--fatal-warnings', *flags, HERE / 'hello.vala',
                         '-d', self.directory, '-o', program.name)
        self.assertNotIn('warning', said)
        house.run(program, env=self.env, timeout=60)


if __name__ == '__main__':
    unittest.main()
