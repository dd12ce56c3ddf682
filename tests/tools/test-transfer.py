#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Files from `hole-punch send` to `hole-punch listen`."""

import os
import resource
import shutil
import signal
import time

import tools

MEBI = 1024 * 1024


class Transfer(tools.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def check_resolved(self, event):
        self.assertIn(event['path'], ('lan', 'direct'))
        for member in ('local-address', 'address'):
            host, _, port = event[member].rpartition(':')
            self.assertTrue(host)
            self.assertGreater(int(port), 0)
        self.assertIsInstance(event['milliseconds'], float)
        self.assertGreater(event['milliseconds'], 0)
        self.assertLess(event['milliseconds'], 1000 * tools.PATIENCE)

    def test_events(self):
        content = os.urandom(100_000)
        path = self.file(content, 'report.pdf')
        listener = self.listen(self.server)
        sender = self.send(self.server, 'wq', path)
        self.assert_ends(sender)

        self.assertEqual(listener.registered['id'], 'wq')
        self.assertRegex(listener.registered['public-address'],
                         r'^127\.0\.0\.1:\d+$')
        resolved = sender.event('resolved')
        self.check_resolved(resolved)
        self.assertEqual(resolved['remote-id'], 'wq')
        self.assertEqual(resolved['fingerprint'],
                         listener.registered['fingerprint'])
        sent = sender.event('file')
        self.assertEqual(sent['bytes'], len(content))
        self.assertEqual(sent['sha256'], tools.sha256(content))
        self.assertEqual(sent['name'], str(path))

        resolved = listener.event('resolved')
        self.check_resolved(resolved)
        self.assertIsNone(resolved['remote-id'])
        got = listener.event('file')
        self.assertEqual(got['name'], 'report.pdf')
        self.assertEqual(got['path'], str(self.inbox / 'report.pdf'))
        self.assertEqual(got['bytes'], len(content))
        self.assertEqual(got['sha256'], tools.sha256(content))
        self.assertEqual((self.inbox / 'report.pdf').read_bytes(), content)
        closed = listener.event('closed')
        self.assertEqual(closed['fingerprint'], resolved['fingerprint'])
        self.assertNotIn('code', closed)

    def test_server_tells(self):
        listener = self.listen(self.server)
        registered = self.server.event('peer-registered')
        self.assertEqual(registered['id'], 'wq')
        self.assertEqual(registered['fingerprint'],
                         listener.registered['fingerprint'])
        self.assertEqual(registered['address'],
                         listener.registered['public-address'])
        self.assert_ends(self.send(self.server, 'wq', self.file()))
        introduced = self.server.event('introduced')
        self.assertEqual(introduced['id'], 'wq')
        listener.signal(signal.SIGTERM)
        self.assertEqual(self.server.event('peer-expired')['id'], 'wq')

    def test_several_files(self):
        contents = [b'', b'x', os.urandom(MEBI), os.urandom(2 * MEBI + 1),
                    b'']
        files = [self.file(content) for content in contents]
        listener = self.listen(self.server)
        sender = self.send(self.server, 'wq', *files)
        self.assert_ends(sender)
        for path, content in zip(files, contents):
            event = listener.event('file')
            self.assertEqual(event['name'], path.name)
            self.assertEqual(event['bytes'], len(content))
            self.assertEqual(event['sha256'], tools.sha256(content))
            self.assertEqual((self.inbox / path.name).read_bytes(), content)
        self.assertEqual(self.inbox_names(),
                         sorted(path.name for path in files))

    def test_big_file_in_little_memory(self):
        size = 96 * MEBI + 12345
        path = self.file(os.urandom(size))
        listener = self.listen(self.server, 'wq', '--once')
        sender = self.send(self.server, 'wq', path)
        self.assert_ends(sender)
        self.assert_ends(listener)
        self.assertEqual(listener.event('file')['bytes'], size)
        self.assertEqual((self.inbox / path.name).read_bytes(),
                         path.read_bytes())
        if not tools.SANITIZED:
            # KiB; the file is larger than both together
            self.assertLess(sender.usage.ru_maxrss, 40 * 1024)
            self.assertLess(listener.usage.ru_maxrss, 40 * 1024)

    def test_nothing_is_overwritten(self):
        (self.inbox / 'a.tar.gz').write_bytes(b'old')
        (self.inbox / 'a (1).tar.gz').symlink_to(self.folder / 'elsewhere')
        (self.inbox / 'b').mkdir()
        listener = self.listen(self.server)
        for name, expected in (('a.tar.gz', 'a (2).tar.gz'),
                               ('a.tar.gz', 'a (3).tar.gz'),
                               ('b', 'b (1)')):
            path = self.file(expected.encode(), 'new')
            self.assert_ends(self.send(self.server, 'wq', path,
                                       '--name', name))
            self.assertEqual(listener.event('file')['name'], expected)
            self.assertEqual((self.inbox / expected).read_bytes(),
                             expected.encode())
        self.assertEqual((self.inbox / 'a.tar.gz').read_bytes(), b'old')
        self.assertFalse((self.folder / 'elsewhere').exists())
        self.assertEqual(os.listdir(self.inbox / 'b'), [])

    def test_nasty_names(self):
        listener = self.listen(self.server)
        before = set(os.listdir(self.folder))
        names = {
            b'../x': 'x',
            b'/etc/passwd': 'passwd',
            b'..': 'unnamed',
            b'.': 'unnamed',
            b'/': 'unnamed',
            b'...': 'unnamed',
            b'folder/': 'folder',
            b'.bashrc': 'bashrc',
            b'C:\\Windows\\evil.exe': 'evil.exe',
            b'..\\..\\y': 'y',
            b'-rf': 'rf',
            b'\n': 'unnamed',
            b'a\nb\x1b[2Jc\x7f': 'a_b_[2Jc_',
            'gpj\u202eexe.txt'.encode(): 'gpj_exe.txt',
            b'\xff\xfe.txt': '\ufffd\ufffd.txt',
            b' spaces .txt ': 'spaces .txt',
            'Grüße 🎉.txt'.encode(): 'Grüße 🎉.txt',
            b'n' * 300 + b'.txt': 'n' * 236 + '.txt',
            'ü'.encode() * 300: 'ü' * 120,
            b'm' * 1000: 'm' * 240,
        }
        for name, expected in names.items():
            with self.subTest(name=name):
                path = self.file(name, 'source')
                sender = self.send(self.server, 'wq', path, b'--name',
                                   name)
                self.assert_ends(sender)
                event = listener.event('file')
                self.assertEqual(
                    self.inbox_names(),
                    [os.path.basename(event['path'])])
                stored = self.inbox / event['name']
                if expected == 'unnamed':
                    self.assertRegex(event['name'], r'^unnamed( \(\d\))?$')
                else:
                    self.assertEqual(event['name'], expected)
                self.assertEqual(stored.read_bytes(), name)
                stored.unlink()
        self.assertEqual(set(os.listdir(self.folder)), before | {'source'})

    def test_many_senders(self):
        listener = self.listen(self.server)
        contents = {f'{i}.bin': os.urandom(3 * MEBI + i) for i in range(6)}
        senders = [self.send(self.server, 'wq', self.file(content, name))
                   for name, content in contents.items()]
        for sender in senders:
            self.assert_ends(sender)
        for _ in senders:
            event = listener.event('file')
            self.assertEqual(event['sha256'],
                             tools.sha256(contents[event['name']]))
        self.assertEqual(self.inbox_names(), sorted(contents))

    def test_by_fingerprint(self):
        listener = self.listen(self.server)
        fingerprint = listener.registered['fingerprint']
        for target in (fingerprint, f'wq@{fingerprint}'):
            self.assert_ends(self.send(self.server, target, self.file()))
            self.assertEqual(listener.event('file')['bytes'], 7)
        wrong = self.server.fingerprint
        sender = self.send(self.server, f'wq@{wrong}', self.file())
        self.assert_error(sender, 'identity-mismatch')

    def test_pinned_match_server(self):
        path = self.file()
        listener = self.listen(self.server)
        good = f'holepunch://{self.server.fingerprint}@{self.server.server}'
        sender = self.start('send', '-m', good, 'wq', path)
        self.assert_ends(sender)
        self.assertEqual(listener.event('file')['name'], path.name)

    def test_listener_that_comes_later(self):
        sender = self.send(self.server, 'wq', self.file(), '--timeout',
                           str(tools.PATIENCE))
        # The first question, at least, was in vain.
        with self.assertRaises(AssertionError):
            sender.next_line(timeout=2)
        listener = self.listen(self.server)
        self.assert_ends(sender)
        self.assertEqual(listener.event('file')['bytes'], 7)

    def test_ended_sender(self):
        path = self.folder / 'huge'
        path.touch()
        os.truncate(path, 1024 * 1024 * MEBI)
        listener = self.listen(self.server)
        sender = self.send(self.server, 'wq', path)
        sender.event('resolved')
        listener.event('resolved')
        self.await_transfer(sender)
        self.assertRegex(self.inbox_names()[0], r'^\.hole-punch-.*\.part$')
        sender.signal(signal.SIGINT)
        self.assert_ends(sender, 1)
        self.assertEqual(listener.event('error')['code'], 'partial-input')
        self.assertEqual(self.inbox_names(), [])
        # And it goes on.
        self.assert_ends(self.send(self.server, 'wq', self.file()))

    def test_ended_listener(self):
        path = self.folder / 'huge'
        path.touch()
        os.truncate(path, 1024 * 1024 * MEBI)
        listener = self.listen(self.server)
        sender = self.send(self.server, 'wq', path)
        self.await_transfer(sender)
        listener.signal(signal.SIGINT)
        self.assert_ends(listener)
        self.assert_error(sender, 'closed')
        self.assertEqual(self.inbox_names(), [])

    def send_input(self, *arguments):
        """The command, and what writes to its standard input."""
        reader, writer = os.pipe()
        sender = self.send(self.server, 'wq', '-', *arguments,
                           prepare=lambda: os.dup2(reader, 0))
        os.close(reader)
        return sender, open(writer, 'wb', buffering=0)

    def test_standard_input(self):
        listener = self.listen(self.server)
        for content, arguments, name in (
                (b'', (), 'stdin'),
                (b'x', (self.file(b'other', 'other'),), 'stdin (1)'),
                (os.urandom(9 * MEBI + 1), ('--name', 'a.tar'), 'a.tar')):
            sender, pipe = self.send_input(*arguments)
            with pipe:
                half = len(content) // 2
                pipe.write(content[:half])
                listener.event('resolved')
                while half < len(content):
                    half += pipe.write(content[half:])
            self.assert_ends(sender)
            sent = sender.event('file')
            self.assertEqual(sent['name'], '-')
            self.assertEqual(sent['bytes'], len(content))
            self.assertEqual(sent['sha256'], tools.sha256(content))
            got = listener.event('file')
            self.assertEqual(got['name'], name)
            self.assertEqual((self.inbox / name).read_bytes(), content)
        self.assertEqual((self.inbox / 'other').read_bytes(), b'other')
        # A file, from where it was read to
        path = self.file(b'head,rest')
        with open(path, 'rb', buffering=0) as file:
            file.read(5)
            sender = self.send(self.server, 'wq', '-', '-n', 'rest',
                               prepare=lambda: os.dup2(file.fileno(), 0))
            self.assert_ends(sender)
        self.assertEqual((self.inbox / 'rest').read_bytes(), b'rest')

    def test_silent_standard_input(self):
        """It waits as long as need be, but not when there is no use in it."""
        listener = self.listen(self.server)
        sender, pipe = self.send_input()
        with pipe:
            pipe.write(b'some')
            self.await_transfer(sender)
            sender.signal(signal.SIGINT)
            self.assert_ends(sender, 1)
        self.assertEqual(listener.event('error')['code'], 'partial-input')
        self.assertEqual(self.inbox_names(), [])
        sender, pipe = self.send_input()
        with pipe:
            self.await_transfer(sender)
            listener.signal(signal.SIGINT)
            self.assert_ends(listener)
            self.assert_error(sender, 'closed')
        sender = self.send(self.server, 'wq', '-',
                           prepare=lambda: os.close(0))
        self.assert_error(sender, 'failed')

    def test_interrupted(self):
        """The listener falls silent for a while; the file arrives."""
        content = os.urandom(64 * MEBI)
        listener = self.listen(self.server)
        sender = self.send(self.server, 'wq', self.file(content, 'a'))
        self.await_transfer(sender)
        listener.signal(signal.SIGSTOP)
        interrupted = sender.event('interrupted')
        self.assertEqual(interrupted['remote-id'], 'wq')
        listener.signal(signal.SIGCONT)
        self.assertEqual(sender.event('path')['path'], 'lan')
        self.assert_ends(sender)
        self.assertEqual(listener.event('file')['sha256'],
                         tools.sha256(content))

    def test_file_that_shrinks(self):
        path = self.folder / 'shrinking'
        path.touch()
        os.truncate(path, 1024 * 1024 * MEBI)
        self.listen(self.server)
        sender = self.send(self.server, 'wq', path)
        self.await_transfer(sender)
        os.truncate(path, 0)
        self.assert_error(sender, 'partial-input')

    def test_file_that_grows(self):
        """It arrives as it was when it was offered."""
        content = os.urandom(32 * MEBI)
        path = self.file(content)
        listener = self.listen(self.server)
        sender = self.send(self.server, 'wq', path)
        with open(path, 'ab') as file:
            while sender.is_running():
                file.write(b'more')
                file.flush()
                time.sleep(0.001)
        self.assert_ends(sender)
        size = sender.event('file')['bytes']
        self.assertLessEqual(size, path.stat().st_size)
        event = listener.event('file')
        self.assertEqual(event['bytes'], size)
        self.assertEqual(event['sha256'],
                         tools.sha256(path.read_bytes()[:size]))

    def test_file_that_is_deleted(self):
        """Who has it open has it."""
        content = os.urandom(64 * MEBI)
        path = self.file(content)
        listener = self.listen(self.server)
        sender = self.send(self.server, 'wq', path)
        self.await_transfer(sender)
        path.unlink()
        self.assert_ends(sender)
        self.assertEqual(listener.event('file')['sha256'],
                         tools.sha256(content))

    def test_later_file_is_gone(self):
        """What was sent before stays."""
        first, second = self.file(os.urandom(64 * MEBI)), self.file()
        listener = self.listen(self.server)
        sender = self.send(self.server, 'wq', first, second)
        self.await_transfer(sender)
        second.unlink()
        self.assert_error(sender, 'not-found')
        self.assertEqual(listener.event('file')['name'], first.name)
        self.assertEqual(self.inbox_names(), [first.name])

    def test_killed_listener(self):
        """It cannot even say that it ends; a new one is found later."""
        path = self.folder / 'huge'
        path.touch()
        os.truncate(path, 1024 * 1024 * MEBI)
        listener = self.listen(self.server)
        sender = self.send(self.server, 'wq', path)
        self.await_transfer(sender)
        listener.signal(signal.SIGKILL)
        listener.wait()
        sender.event('interrupted')
        sender.signal(signal.SIGINT)
        self.assert_ends(sender, 1)

    def test_no_room(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (MEBI, MEBI))

        listener = self.listen(self.server, prepare=limit)
        sender = self.send(self.server, 'wq', self.file(os.urandom(3 * MEBI)))
        error = self.assert_error(sender, 'failed')
        self.assertIn('could not store it', error['message'])
        listener.event('error')
        listener.event('closed')
        self.assertEqual(self.inbox_names(), [])
        self.assert_ends(self.send(self.server, 'wq', self.file()))

    def test_directory_is_gone(self):
        listener = self.listen(self.server)
        shutil.rmtree(self.inbox)
        sender = self.send(self.server, 'wq', self.file())
        self.assert_error(sender, 'failed')
        self.assertEqual(listener.event('error')['code'], 'not-found')

    def test_words(self):
        """What people get to see."""
        path = self.file(b'x' * 1000, 'report.pdf')
        listener = self.start('listen', 'wq', '-m', self.server.server, '-d',
                              self.inbox, '--once', as_json=False)
        self.assertEqual(listener.next_line()[:19], 'Registered as “wq” ')
        sender = self.send(self.server, 'wq', path, as_json=False)
        self.assert_ends(sender)
        self.assert_ends(listener)
        self.assertRegex(sender.text(), '(?m)^wq: connected .* → .* after ')
        self.assertRegex(sender.text(),
                         r'(?m)^Sent .*report\.pdf \(1\.0 kB\) in [\d.]+ m?s '
                         r'\([\d.]+ [kM]?B?(bytes)?/s\)$')
        # No progress bar where there is no terminal
        self.assertEqual(sender.errors(), '')
        self.assertIn(f': received {self.inbox}/report.pdf (1.0 kB)\n',
                      listener.text())

    def test_progress(self):
        """A bar on a terminal, which is gone at the end."""
        try:
            controller, terminal = os.openpty()
        except OSError as error:
            self.skipTest(f'no terminals here: {error}')
        self.addCleanup(os.close, controller)

        def use_terminal():
            os.dup2(terminal, 2)

        self.listen(self.server)
        path = self.file(os.urandom(100 * MEBI), 'report.pdf')
        sender = self.send(self.server, 'wq', path, as_json=False,
                           prepare=use_terminal)
        os.close(terminal)
        shown = b''
        try:
            while True:
                shown += os.read(controller, 65536)
        except OSError:
            pass
        self.assert_ends(sender)
        self.assertRegex(shown,
                         rb'\r\x1b\[Kreport\.pdf  \[[#-]+\]  +\d+ %  +'
                         rb'[\d.]+ [kM]B/s  +\d+:\d\d left\r')
        self.assertTrue(shown.endswith(b'\r\x1b[K'), shown[-100:])


if __name__ == '__main__':
    tools.main()
