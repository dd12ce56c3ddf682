# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests of the command share: its processes, and a TAP runner.

Nothing is waited for by the clock: a process is asked for its next event, and
only a test that would hang meets its deadline. Whatever happens, no process
outlives the test.
"""

import ctypes
import hashlib
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest

TOOL = os.environ.get('HOLE_PUNCH_TOOL', 'hole-punch')
SOURCE = pathlib.Path(__file__).resolve().parents[2]
SANITIZED = os.environ.get('HOLE_PUNCH_SANITIZED') == '1'
# Of a step, and of a whole test, in seconds
PATIENCE = 30
DEADLINE = 90

# Not that of whoever runs the tests
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name != 'HOLE_PUNCH_MATCH_SERVER'}

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Process:
    """One `hole-punch`, with --json unless it is told not to."""

    def __init__(self, *arguments, as_json=True, prepare=None, env=None):
        command = [TOOL, *map(os.fspath, arguments)]
        if as_json:
            command.append('--json')
        self.name = ' '.join(arguments[:2])
        self.lines = []
        self.seen = 0
        self.status = None
        self.usage = None
        self.queue = queue.Queue()
        self.stderr = tempfile.TemporaryFile()

        def prepare_all():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if prepare is not None:
                prepare()

        self.popen = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self.stderr, preexec_fn=prepare_all,
            env=ENVIRONMENT if env is None else env)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for line in self.popen.stdout:
                self.queue.put(line)
        except ValueError:
            pass
        self.queue.put(None)

    def story(self):
        return (f'{self.name}: {self.status}\n' + ''.join(self.lines)
                + self._errors().decode(errors='replace'))

    def errors(self):
        return self._errors().decode()

    def _errors(self):
        # Not by seek(), since the process writes where its file stands, and
        # that is ours.
        descriptor = self.stderr.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)

    def next_line(self, timeout=PATIENCE):
        """The next line of output, or None at the end."""
        if self.seen == len(self.lines):
            try:
                line = self.queue.get(timeout=timeout)
            except queue.Empty:
                raise AssertionError(f'nothing came\n{self.story()}') from None
            if line is None:
                self.queue.put(None)
                return None
            self.lines.append(line.decode())
        self.seen += 1
        return self.lines[self.seen - 1]

    def event(self, name, timeout=PATIENCE):
        """The next event with that name; others are passed over."""
        while True:
            line = self.next_line(timeout)
            if line is None:
                self.wait()
                raise AssertionError(f'no "{name}" came\n{self.story()}')
            event = json.loads(line)
            if event['event'] == name:
                return event

    def events(self):
        """All events until the end."""
        while self.next_line() is not None:
            pass
        return [json.loads(line) for line in self.lines]

    def text(self):
        """All output until the end."""
        while self.next_line() is not None:
            pass
        return ''.join(self.lines)

    # Not by Popen, which waits for it behind our back: nobody else does, so
    # that the process id is its own until we have.

    def signal(self, number):
        os.kill(self.popen.pid, number)

    def is_running(self):
        return self.status is None and os.waitid(
            os.P_PID, self.popen.pid,
            os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def wait(self, timeout=PATIENCE):
        """The exit status; negative for a signal."""
        if self.status is not None:
            return self.status
        waiter = threading.Thread(target=self._wait, daemon=True)
        waiter.start()
        waiter.join(timeout)
        if waiter.is_alive():
            self.signal(signal.SIGKILL)
            waiter.join()
            raise AssertionError(f'did not end\n{self.story()}')
        return self.status

    def _wait(self):
        _, status, self.usage = os.wait4(self.popen.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        self.popen.returncode = self.status

    def end(self):
        """Kills it if it still runs."""
        if self.status is None:
            self.signal(signal.SIGKILL)
            self._wait()
        self.thread.join(PATIENCE)
        self.popen.stdout.close()
        self.stderr.close()


class TestCase(unittest.TestCase):
    """Each has a match server, a folder, and a deadline of its own."""

    def setUp(self):
        signal.alarm(DEADLINE)
        self.addCleanup(signal.alarm, 0)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='hole-punch-'))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.inbox = self.folder / 'in'
        self.inbox.mkdir()
        self.n_files = 0

    def start(self, *arguments, **kwargs):
        process = Process(*arguments, **kwargs)
        self.addCleanup(process.end)
        return process

    def serve(self, *arguments):
        """A match server that answers; its "server" is for --match-server."""
        if '--identity' not in arguments:
            arguments = ('--identity', self.folder / 'server', *arguments)
        process = self.start('serve', '--port', '0', '--listen-address',
                             '127.0.0.1', *arguments)
        listening = process.event('listening')
        process.server = listening['address']
        process.second_port = listening.get('second-port')
        process.fingerprint = listening['fingerprint']
        return process

    def listen(self, server, name='wq', *arguments, **kwargs):
        """A listener that is registered."""
        process = self.start('listen', name, '--match-server', server.server,
                             '--directory', self.inbox, *arguments, **kwargs)
        process.registered = process.event('registered')
        return process

    def send(self, server, name, *files, **kwargs):
        return self.start('send', '--match-server', server.server, name,
                          *files, **kwargs)

    def file(self, content=b'content', name=None):
        if name is None:
            self.n_files += 1
            name = f'file-{self.n_files}.bin'
        path = self.folder / name
        path.write_bytes(content)
        return path

    def assert_ends(self, process, status=0):
        self.assertEqual(process.wait(), status, process.story())

    def assert_error(self, process, code):
        """It failed, and said so once; gives the event."""
        self.assert_ends(process, 1)
        errors = [event for event in process.events()
                  if event['event'] == 'error']
        self.assertEqual([error['code'] for error in errors], [code],
                         process.story())
        self.assertTrue(errors[0]['message'])
        return errors[0]

    def await_transfer(self, sender):
        """Until a file has begun to come in."""
        while not self.inbox_names():
            self.assertTrue(sender.is_running(), sender.story())
            time.sleep(0.01)

    def inbox_names(self):
        return sorted(os.listdir(self.inbox))


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.n_done = 0

    def tell(self, is_good, test, comment='', error=None):
        self.n_done += 1
        name = test.id().removeprefix('__main__.')
        print(f'{"ok" if is_good else "not ok"} {self.n_done} - {name}'
              f'{comment}')
        if error is not None:
            for line in ''.join(traceback.format_exception(*error)).split('\n'):
                print(f'# {line}')
        sys.stdout.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.tell(True, test)

    def addError(self, test, err):
        super().addError(test, err)
        self.tell(False, test, error=err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.tell(False, test, error=err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.tell(True, test, f' # SKIP {reason}')

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.tell(False, subtest, error=err)


def on_alarm(_number, _frame):
    raise AssertionError(f'took longer than {DEADLINE} s')


def on_terminate(_number, _frame):
    raise SystemExit(1)


def main():
    """Runs the tests of the program, or those that it is called with."""
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGTERM, on_terminate)
    loader = unittest.defaultTestLoader
    module = sys.modules['__main__']
    if len(sys.argv) > 1:
        suite = loader.loadTestsFromNames(sys.argv[1:], module)
    else:
        suite = loader.loadTestsFromModule(module)
    print(f'1..{suite.countTestCases()}')
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
