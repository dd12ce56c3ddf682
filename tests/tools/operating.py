# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests of a match server that runs for long have in common."""

import re
import signal
import socket
import time

import tools

FINGERPRINT = 'a' * 52


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def stun_request(number):
    """A Binding request of RFC 8489 with nothing in it."""
    return (b'\x00\x01\x00\x00\x21\x12\xa4\x42'
            + number.to_bytes(12, 'big'))


class TestCase(tools.TestCase):
    def configure(self, *lines):
        path = self.folder / 'server.conf'
        path.write_text('\n'.join(('[match-server]', 'listen-address='
                                   '127.0.0.1', 'port=0', *lines, '')),
                        encoding='utf-8')
        return path

    def serve_with(self, *lines, arguments=(), **kwargs):
        """A match server with these settings."""
        process = self.start('serve', '--identity', self.folder / 'server',
                             '--config', self.configure(*lines), *arguments,
                             **kwargs)
        if kwargs.get('as_json', True):
            process.listening = process.event('listening')
            process.server = process.listening['address']
        else:
            found = self.await_log(process, r'listens on ([0-9.:]+)')
            process.server = found.group(1)
        return process

    def reload(self, server, *lines):
        self.configure(*lines)
        server.signal(signal.SIGHUP)
        return server.event('reloaded')

    def await_log(self, process, pattern, timeout=tools.PATIENCE):
        """Until standard error has it."""
        end = time.monotonic() + timeout
        while True:
            found = re.search(pattern, process.errors(), re.MULTILINE)
            if found:
                return found
            self.assertTrue(process.is_running(), process.story())
            self.assertLess(time.monotonic(), end, process.story())
            time.sleep(0.02)

    def identity(self, name):
        """Makes one; its fingerprint."""
        process = self.start('identity', '--identity', self.folder / name)
        return process.event('identity')['fingerprint']
