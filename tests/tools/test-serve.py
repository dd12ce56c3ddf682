#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The settings of a match server: its file, and what counts more."""

import re
import socket

import tools

EXAMPLE = tools.SOURCE / 'data/match-server.conf'


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


class Serve(tools.TestCase):
    def configure(self, text):
        path = self.folder / 'server.conf'
        path.write_text(text, encoding='utf-8')
        return path

    def start_with(self, text, *arguments):
        return self.start('serve', '--identity', self.folder / 'server',
                          '--config', self.configure(text), *arguments)

    def assert_wrong(self, text, *words):
        process = self.start_with(text)
        self.assert_ends(process, 1)
        message = [event for event in process.events()
                   if event['event'] == 'error'][0]['message']
        for word in words:
            self.assertIn(word, message)

    def test_file(self):
        port, second = free_port(), free_port()
        secret = self.folder / 'secret'
        secret.write_text('abracadabra\n', encoding='utf-8')
        server = self.start_with(f"""
            # A comment
            [match-server]
            listen-address = 127.0.0.1
            port = {port}
            second-port = {second}
            registration-lifetime = 60
            max-peers = 10
            max-handshakes-per-second = 5
            max-asks-per-minute = 7
            turn-servers = turn:192.0.2.1; turns:turn.example.org:443
            turn-secret-file = {secret}
            turn-lifetime = 3600
            """)
        listening = server.event('listening')
        self.assertEqual(listening['address'], f'127.0.0.1:{port}')
        self.assertEqual(listening['second-port'], second)

    def test_command_line_counts_more(self):
        port = free_port()
        server = self.start_with(
            '[match-server]\nport=1\nlisten-address=192.0.2.1\n'
            'second-port=1\n', '--port', str(port), '--listen-address',
            '127.0.0.1', '--second-port=-1')
        listening = server.event('listening')
        self.assertEqual(listening['address'], f'127.0.0.1:{port}')
        self.assertNotIn('second-port', listening)

    def test_wrong(self):
        group = '[match-server]\n'
        self.assert_wrong('nonsense', 'server.conf')
        self.assert_wrong('[server]\nport=1\n', '[server]')
        self.assert_wrong(group + 'prot=1\n', '“prot”')
        self.assert_wrong(group + 'identity=/tmp/x\n', '“identity”')
        self.assert_wrong(group + 'port=65536\n', 'port', '65535')
        self.assert_wrong(group + 'second-port=-2\n', 'second-port', '-1')
        self.assert_wrong(group + 'max-peers=many\n', 'max-peers')
        self.assert_wrong(group + 'listen-address=localhost\n', 'localhost')
        self.assert_wrong(group + 'turn-servers=turn:192.0.2.1\n', 'secret')
        self.assert_wrong(group + 'turn-servers=http://192.0.2.1\n'
                          'turn-secret=x\n', 'http://192.0.2.1')
        self.assert_wrong(group + 'turn-secret-file=/nonexistent\n',
                          '/nonexistent')
        empty = self.file(b'\n')
        self.assert_wrong(group + f'turn-secret-file={empty}\n', str(empty))

    def test_missing(self):
        process = self.start('serve', '--identity', self.folder / 'server',
                             '--config', self.folder / 'missing')
        self.assert_error(process, 'file')

    def test_options(self):
        secret = self.file(b'abracadabra')
        server = self.serve('--turn-server', 'turn:192.0.2.1', '--turn-server',
                            'turns:192.0.2.2', '--turn-secret-file', secret)
        self.assertTrue(server.is_running())
        process = self.start('serve', '-p', '0', '-i', self.folder / 'server',
                             '--turn-server', 'turn:192.0.2.1')
        self.assert_ends(process, 1)

    def test_example(self):
        """What it shows can be used, each setting, and works as it is."""
        text = EXAMPLE.read_text(encoding='utf-8')
        self.start_with(text, '-p', '0', '-l', '127.0.0.1').event('listening')
        secret = self.file(b'abracadabra')
        text = re.sub(r'^#([a-z-]+ *=)', r'\1', text, flags=re.MULTILINE)
        text = re.sub(r'^(turn-secret-file *=).*', rf'\1 {secret}', text,
                      flags=re.MULTILINE)
        text = re.sub(r'^(listen|second)-address *=.*\n', '', text,
                      flags=re.MULTILINE)
        server = self.start_with(text, '-p', '0', '-l', '127.0.0.1',
                                 '--second-port', '0')
        server.event('listening')


if __name__ == '__main__':
    tools.main()
