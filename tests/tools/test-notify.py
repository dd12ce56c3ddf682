#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What a service manager is told, and the unit that it is given."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import operating
import tools

UNIT = tools.SOURCE / 'data/hole-punch-match-server.service.in'
# What systemd-analyze calls OK ends at 2.0; in tenths.
MAX_EXPOSURE = 12


class Manager:
    """The other end of NOTIFY_SOCKET"""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.settimeout(tools.PATIENCE)

    def next(self):
        """The next message: {'READY': '1', …}"""
        lines = self.socket.recv(65536).decode().splitlines()
        return dict(line.split('=', 1) for line in lines)

    def next_but(self, name):
        """The next one without that"""
        while True:
            message = self.next()
            if name not in message:
                return message

    def is_silent(self, seconds):
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(65536)
            return False
        except (TimeoutError, BlockingIOError):
            return True
        finally:
            self.socket.settimeout(tools.PATIENCE)


class Notify(operating.TestCase):
    def start_under(self, name, *lines, **more):
        manager = Manager(name.replace('@', '\0', 1))
        self.addCleanup(manager.socket.close)
        server = self.serve_with(*lines, env={
            **tools.ENVIRONMENT, 'NOTIFY_SOCKET': name, **more})
        return manager, server

    def path(self):
        return str(self.folder / 'notify')

    def test_life(self):
        manager, server = self.start_under(self.path())
        self.assertEqual(manager.next(), {
            'READY': '1', 'STATUS': '0 peers, 0 registered'})
        # It changes when there is something to tell.
        self.listen(server)
        self.assertEqual(manager.next(),
                         {'STATUS': '1 peers, 1 registered'})
        self.listen(server, 'other')
        self.assertEqual(manager.next(),
                         {'STATUS': '2 peers, 2 registered'})
        before = time.monotonic_ns() // 1000
        self.reload(server, 'max-peers=7')
        message = manager.next()
        self.assertEqual(message['RELOADING'], '1')
        self.assertTrue(before <= int(message['MONOTONIC_USEC'])
                        <= time.monotonic_ns() // 1000)
        self.assertEqual(manager.next()['READY'], '1')
        # A broken file is over, too.
        self.configure('nonsense')
        server.signal(signal.SIGHUP)
        self.assertEqual(manager.next()['RELOADING'], '1')
        self.assertEqual(manager.next()['READY'], '1')
        server.signal(signal.SIGTERM)
        self.assertEqual(manager.next()['STOPPING'], '1')
        self.assert_ends(server)
        self.assertTrue(manager.is_silent(0))

    def test_abstract(self):
        manager, _ = self.start_under(f'@hole-punch-{os.getpid()}')
        self.assertEqual(manager.next()['READY'], '1')

    def test_failed(self):
        """It never was ready."""
        manager = Manager(self.path())
        self.addCleanup(manager.socket.close)
        process = self.start('serve', '-i', self.folder / 'server', '--config',
                             self.configure('listen-address=192.0.2.1'),
                             env={**tools.ENVIRONMENT,
                                  'NOTIFY_SOCKET': self.path()})
        self.assert_ends(process, 1)
        self.assertTrue(manager.is_silent(0))

    def test_watchdog(self):
        manager, server = self.start_under(self.path(),
                                           WATCHDOG_USEC='400000')
        self.assertEqual(manager.next()['READY'], '1')
        self.assertEqual(manager.next(), {'WATCHDOG': '1'})
        began = time.monotonic()
        for _ in range(5):
            self.assertEqual(manager.next(), {'WATCHDOG': '1'})
        self.assertTrue(0.8 <= time.monotonic() - began < 5)
        server.signal(signal.SIGTERM)
        self.assertEqual(manager.next_but('WATCHDOG')['STOPPING'], '1')

    def test_watchdog_of_another(self):
        manager, _ = self.start_under(self.path(), WATCHDOG_USEC='400000',
                                      WATCHDOG_PID='1')
        self.assertEqual(manager.next()['READY'], '1')
        self.assertTrue(manager.is_silent(1))

    def test_nobody_there(self):
        """Whoever does not listen is not waited for."""
        for name in (str(self.folder / 'nobody'), '/', 'relative', ''):
            server = self.serve_with(env={**tools.ENVIRONMENT,
                                          'NOTIFY_SOCKET': name,
                                          'WATCHDOG_USEC': 'soon'})
            server.signal(signal.SIGTERM)
            self.assert_ends(server)


class Unit(operating.TestCase):
    def setUp(self):
        super().setUp()
        if shutil.which('systemd-analyze') is None:
            self.skipTest('systemd-analyze is not installed')
        self.unit = self.folder / 'hole-punch-match-server.service'
        tool = shutil.which(tools.TOOL)
        self.unit.write_text(
            UNIT.read_text(encoding='utf-8')
            .replace('@bindir@/hole-punch', str(pathlib.Path(tool).resolve()))
            .replace('@confdir@', '/etc/hole-punch'), encoding='utf-8')

    def analyze(self, *arguments):
        return subprocess.run(
            ['systemd-analyze', *arguments, self.unit], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    def test_exposure(self):
        result = self.analyze('security', '--offline=true', '--no-pager',
                              f'--threshold={MAX_EXPOSURE}')
        self.assertIn('Overall exposure level', result.stdout)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_well_formed(self):
        result = self.analyze('verify', '--man=no')
        if 'Failed to' in result.stdout:
            self.skipTest(result.stdout.splitlines()[0])
        self.assertEqual(result.stdout, '')

    def test_asks_for_what_is_there(self):
        """The options of its command line"""
        text = self.unit.read_text(encoding='utf-8')
        command = text.partition('ExecStart=')[2].partition('\nExecReload')[0]
        arguments = command.replace('\\\n', ' ').replace(
            '%S/hole-punch', str(self.folder)).replace(
            '/etc/hole-punch/match-server.conf',
            str(self.configure())).split()[2:]
        server = self.start('serve', *arguments)
        server.event('listening')
        self.assertTrue((self.folder / 'identity').exists())


if __name__ == '__main__':
    tools.main()
