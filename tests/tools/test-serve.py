#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The settings of a match server: its file, and what counts more."""

import re
import socket

import tools

EXAMPLE = tools.SOURCE / 'data/match-server.conf'
MANUAL = tools.SOURCE / 'data/hole-punch-match-server.conf.5'
FINGERPRINT = 'a' * 52


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
            workers = 1
            registry = memory
            registry-file = ids
            max-total-handshakes-per-second = 50
            max-registrations-per-network = 5
            max-stun-per-second = 10
            allowed-identities = {FINGERPRINT}; {FINGERPRINT}
            reserved-ids = a\\;=b={FINGERPRINT}
            log = peers
            log-addresses = yes
            """)
        listening = server.event('listening')
        self.assertEqual(listening['address'], f'127.0.0.1:{port}')
        self.assertEqual(listening['second-port'], second)
        # Beside the configuration
        self.assertTrue((self.folder / 'ids').exists())

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
        for key in ('max-total-handshakes-per-second', 'max-stun-per-second',
                    'max-registrations-per-network'):
            self.assert_wrong(group + f'{key}=0\n', key, ' 1 ')
        self.assert_wrong(group + 'workers=65\n', 'workers', '64')
        self.assert_wrong(group + 'registry=mysql://localhost\n', 'registry')
        self.assert_wrong(group + 'registry-file=/nonexistent/ids\n',
                          '/nonexistent/ids')
        self.assert_wrong(group + f'allowed-identities={FINGERPRINT}x\n',
                          f'{FINGERPRINT}x')
        self.assert_wrong(group + 'allowed-identities=;\n',
                          'allowed-identities')
        lines = self.file(f'# Ours\n{FINGERPRINT} # a\nnobody\n'.encode())
        self.assert_wrong(group + f'allowed-identities-file={lines}\n',
                          f'{lines}, line 3', 'nobody')
        self.assert_wrong(group + f'reserved-ids={FINGERPRINT}\n',
                          FINGERPRINT)
        self.assert_wrong(group + 'reserved-ids=wq=me\n', '“me”')
        self.assert_wrong(group + f'reserved-ids=={FINGERPRINT}\n', 'id')
        self.assert_wrong(group + 'log=everything\n', 'log', 'peers')
        self.assert_wrong(group + 'log-addresses=maybe\n', 'log-addresses')
        self.assert_wrong(group + 'log=\n', 'log')
        for address in ('nowhere', '127.0.0.1', 'example.org:80', '[::1]',
                        '127.0.0.1:65536', '65536'):
            self.assert_wrong(group + f'metrics={address}\n', address)
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
        text = re.sub(r'^#([a-z-]+ *=)', r'\1', text, flags=re.MULTILINE)
        for name in ('turn-secret', 'registry-password', 'allowed'):
            self.file(FINGERPRINT.encode(), name)
        text = re.sub(r'^(registry-file *=).*', rf'\1 {self.folder}/ids', text,
                      flags=re.MULTILINE)
        text = re.sub(r'^(metrics *=).*\n', '', text, flags=re.MULTILINE)
        text = re.sub(r'^(listen|second)-address *=.*\n', '', text,
                      flags=re.MULTILINE)
        server = self.start_with(text, '-p', '0', '-l', '127.0.0.1',
                                 '--second-port', '0')
        server.event('listening')

    def print_config(self, text, *arguments):
        process = self.start('serve', '--print-config', '--config',
                             self.configure(text), *arguments, as_json=False)
        self.assert_ends(process)
        return process.text()

    def test_print_config(self):
        secret = self.file(b'abracadabra')
        printed = self.print_config(f"""
            [match-server]
            port = 17
            max-peers = 20
            registry = redis://:abracadabra@localhost
            registry-password-file = {secret}
            turn-secret-file = {secret}
            allowed-identities = {FINGERPRINT}
            reserved-ids = wq={FINGERPRINT}
            """, '--port', '18', '--verbose')
        for line in ('port = 18', 'max-peers = 20', 'log = peers',
                     '#turn-secret = (not shown)', '#registry = (not shown)',
                     f'allowed-identities = {FINGERPRINT}',
                     f'reserved-ids = wq={FINGERPRINT}'):
            self.assertIn(f'\n{line}\n', printed)
        self.assertNotIn('abracadabra', printed)
        # What it prints can be read.
        self.assertEqual(self.print_config(printed).replace('port = 18', ''),
                         printed.replace('port = 18', '').replace(
                             '#registry = (not shown)', 'registry = memory')
                         .replace(' (not shown)', ''))

    def test_keys(self):
        """The example and the manual have all keys of the command."""
        pattern = re.compile(r'^#?([a-z-]+) =', re.MULTILINE)
        keys = pattern.findall(self.print_config(''))
        self.assertEqual(len(keys), len(set(keys)))
        self.assertEqual(set(pattern.findall(
            EXAMPLE.read_text(encoding='utf-8'))), set(keys))
        manual = MANUAL.read_text(encoding='utf-8').replace('\\-', '-')
        manual = manual.partition('.SH METRICS')[0]
        manual = re.sub(r'(?ms)^\.RS$.*?^\.RE$', '', manual)
        self.assertEqual(set(re.findall(
            r'^\.TP\n\.BR? ([a-z-]+)(?: ,)?', manual, re.MULTILINE)),
            set(keys))

    def test_example_tells_defaults(self):
        """What it does not call examples is what the command has by itself."""
        printed = self.print_config('')
        for part in EXAMPLE.read_text(encoding='utf-8').split('\n\n'):
            is_example = False
            for line in part.splitlines():
                if not re.match(r'#[a-z-]+ =', line):
                    is_example = re.search(r'\bExamples?:$', line) is not None
                elif is_example:
                    key = line.partition(' =')[0]
                    self.assertRegex(printed, rf'(?m)^{key} =$')
                else:
                    self.assertIn(f'\n{line[1:]}\n', printed)

    def test_credentials(self):
        """Files that have no folder are those of the service manager."""
        credentials = self.folder / 'credentials'
        credentials.mkdir()
        self.file(b'abracadabra', 'credentials/secret')
        text = '[match-server]\nturn-secret-file = secret\n'
        process = self.start('serve', '--print-config', '--config',
                             self.configure(text), as_json=False)
        self.assert_ends(process, 1)
        self.assertIn('server.conf: ', process.errors())
        process = self.start(
            'serve', '--print-config', '--config', self.configure(text),
            as_json=False, env={**tools.ENVIRONMENT,
                                'CREDENTIALS_DIRECTORY': str(credentials)})
        self.assert_ends(process)


if __name__ == '__main__':
    tools.main()
