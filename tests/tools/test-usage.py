#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The command line: its errors, its help, and that the manual knows it all."""

import re
import shutil
import subprocess

import tools

COMMANDS = ('serve', 'listen', 'send', 'ping', 'speed', 'check', 'identity')
PEERS = ('listen', 'send', 'ping', 'speed', 'check')
MANUAL = tools.SOURCE / 'data/hole-punch.1'
COMPLETION = tools.SOURCE / 'data/completions/hole-punch'


class Usage(tools.TestCase):
    def options_of(self, command):
        """Of its --help: {'--json': '-j', …}"""
        help_process = self.start(command, '--help', as_json=False)
        self.assert_ends(help_process)
        return {long: short for short, long in re.findall(
            r'^  (?:(-\w), )?(--[\w-]+)', help_process.text(),
            re.MULTILINE)}

    def assert_usage(self, *arguments):
        process = self.start(*arguments, as_json=False)
        self.assert_ends(process, 2)
        self.assertEqual(process.text(), '')
        command = (f'hole-punch {arguments[0]}'
                   if arguments and arguments[0] in COMMANDS
                   else 'hole-punch')
        self.assertTrue(process.errors().startswith(f'{command}: '),
                        process.errors())
        self.assertTrue(
            process.errors().endswith(f'\nTry “{command} --help”.\n'),
            process.errors())

    def test_wrong(self):
        self.assert_usage()
        self.assert_usage('')
        self.assert_usage('teleport')
        self.assert_usage('--bogus')
        for command in COMMANDS:
            self.assert_usage(command, '--bogus')
            self.assert_usage(command, '--identity')
        self.assert_usage('serve', 'extra')
        self.assert_usage('serve', '--port', '65536')
        self.assert_usage('serve', '--port', '-1')
        self.assert_usage('serve', '--port', 'http')
        self.assert_usage('serve', '--listen-address', 'localhost')
        self.assert_usage('serve', '--second-port=-2')
        self.assert_usage('serve', '--second-port', '65536')
        self.assert_usage('serve', '--second-address', 'localhost')
        self.assert_usage('serve', '--config')
        self.assert_usage('serve', '--turn-secret', 'secret')
        self.assert_usage('serve', '--match-server', 'localhost')
        self.assert_usage('identity', 'extra')
        for command in PEERS:
            arguments = {'send': ('wq', 'file'), 'check': ()}.get(
                command, ('wq',))
            server = ('-m', 'localhost')
            if arguments:
                self.assert_usage(command, *server)
                self.assert_usage(command, '', *arguments[1:], *server)
            self.assert_usage(command, *arguments)
            self.assert_usage(command, *arguments, '-m', '')
            self.assert_usage(command, *arguments, *server, '--relay-policy',
                              'sometimes')
            for timeout in ('0', '-1', 'nan', 'inf', '3601', 'soon'):
                self.assert_usage(command, *arguments, *server, '-t',
                                  timeout)
        self.assert_usage('send', 'wq', '-m', 'localhost')
        self.assert_usage('send', 'wq', 'a', 'b', '--name', 'c', '-m', 'h')
        self.assert_usage('send', 'wq', 'a', '--name', '', '-m', 'h')
        self.assert_usage('send', 'wq', '-', 'a', '-', '-m', 'h')
        self.assert_usage('listen', 'wq', 'extra', '-m', 'localhost')
        self.assert_usage('ping', 'wq', 'extra', '-m', 'localhost')
        self.assert_usage('check', 'extra', '-m', 'localhost')
        for option, value in (('--count', '-1'), ('--interval', '0'),
                              ('--interval', 'nan'), ('--size', '-1'),
                              ('--size', '1048577')):
            self.assert_usage('ping', 'wq', '-m', 'localhost', option, value)
        self.assert_usage('speed', 'wq', 'extra', '-m', 'localhost')
        for option, value in (('--seconds', '0'), ('--seconds', '60.1'),
                              ('--seconds', 'nan'), ('--streams', '0'),
                              ('--streams', '65'), ('--streams', 'many')):
            self.assert_usage('speed', 'wq', '-m', 'localhost', option, value)

    def test_turn(self):
        """What names no TURN server is told of, but not what was in it."""
        for arguments in (('ping', 'wq'), ('listen', 'wq'), ('check',)):
            for text in ('secret', 'turn:secret@host', 'turn:u:secret@host:x',
                         'turns:u:secret@host?transport=udp'):
                process = self.start(*arguments, '-m', 'localhost:9',
                                     '--turn', text, as_json=False)
                self.assert_ends(process, 1)
                self.assertIn('TURN server 1 ', process.errors())
                self.assertNotIn('secret', process.errors())

    def test_help(self):
        for arguments in (('--help',), ('-h',), ('help',)):
            process = self.start(*arguments, as_json=False)
            self.assert_ends(process)
            self.assertEqual(process.errors(), '')
            for command in COMMANDS:
                self.assertRegex(process.text(), f'(?m)^  {command} ')
        for command in COMMANDS:
            options = self.options_of(command)
            self.assertTrue({'--help', '--identity', '--json'}
                            <= set(options), options)
            self.assertEqual('--match-server' in options, command in PEERS)
            self.assertEqual('--timeout' in options, command in PEERS)

    def test_version(self):
        for arguments in (('--version',), ('send', '--version')):
            process = self.start(*arguments, as_json=False)
            self.assert_ends(process)
            self.assertRegex(process.text(), r'^hole-punch \d+\.\d+\.\d+\n$')

    def test_files_that_look_like_options(self):
        server = self.serve()
        listener = self.listen(server)
        path = self.file(b'dashed', '-file')
        process = self.start('send', '-m', server.server, '--json', '--',
                             'wq', path.name, as_json=False,
                             prepare=lambda: tools.os.chdir(self.folder))
        self.assert_ends(process)
        self.assertEqual(listener.event('file')['name'], 'file')

    def test_manual_knows_all_options(self):
        manual = MANUAL.read_text(encoding='utf-8').replace('\\-', '-')
        for command in COMMANDS:
            for option, short in self.options_of(command).items():
                self.assertIn(option, manual)
                if short:
                    self.assertRegex(manual, rf'BR {short} ", " {option}\b')
        known = set().union(*map(self.options_of, COMMANDS))
        for option in re.findall(r'(?<![\w-])--[a-z][a-z-]+', manual):
            self.assertIn(option, known)

    def test_manual_is_well_formed(self):
        groff = shutil.which('groff')
        if groff is None:
            self.skipTest('groff is not installed')
        result = subprocess.run(
            [groff, '-man', '-Tutf8', '-ww', '-z', MANUAL], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, ''))

    def complete(self, *words):
        script = (f'. {COMPLETION}; COMP_WORDS=(hole-punch "$@"); '
                  'COMP_CWORD=$#; _hole_punch; printf "%s\\n" '
                  '"${COMPREPLY[@]}"')
        return set(subprocess.run(
            ['bash', '-c', script, 'bash', *words], text=True, check=True,
            cwd=self.folder, stdout=subprocess.PIPE).stdout.split())

    def test_completion(self):
        self.file(name='report.pdf')
        self.assertEqual(self.complete(''),
                         {*COMMANDS, '--help', '--version'})
        self.assertEqual(self.complete('send', 'wq', 'rep'), {'report.pdf'})
        self.assertEqual(self.complete('listen', '-d', ''), {'in'})
        for command in COMMANDS:
            self.assertEqual(self.complete(command, '-'),
                             set(self.options_of(command)))


if __name__ == '__main__':
    tools.main()
