# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs under test, read line by line, and killed whatever happens."""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time

PATIENCE = 20
ENDED = None


def command_of(language, path):
    """How a program in that language is started."""
    if language == 'python':
        return [sys.executable, '-u', path]
    if language == 'gjs':
        return ['gjs', '-m', path]
    return [path]


class Child:
    """One process; its standard error is shown, and kept too."""

    def __init__(self, command, name=None, **options):
        self.name = name or os.path.basename(command[0])
        self.lines = queue.Queue()
        self.seen = []
        self.errors = []
        self.process = subprocess.Popen(
            command, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.threads = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip('\n'))
        self.lines.put(ENDED)

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line.rstrip('\n'))
            print(f'# {self.name}: {line}', end='', flush=True)

    def next(self, timeout=PATIENCE):
        """The next line of output; ENDED when there is none any more."""
        try:
            line = self.lines.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f'{self.name}: nothing within {timeout} s '
                                 f'after {self.seen[-3:]}') from None
        if line is ENDED:
            self.lines.put(ENDED)
        else:
            self.seen.append(line)
        return line

    def expect(self, pattern, timeout=PATIENCE):
        """The match of the next line that matches all of @pattern."""
        end = time.monotonic() + timeout
        while True:
            line = self.next(max(0, end - time.monotonic()))
            if line is ENDED:
                raise AssertionError(
                    f'{self.name}: ended with {self.process.wait()} before '
                    f'"{pattern}", after {self.seen[-3:]}')
            match = re.fullmatch(pattern, line)
            if match:
                return match

    def rest(self, timeout=PATIENCE):
        """All lines until the process ends by itself."""
        lines = []
        while (line := self.next(timeout)) is not ENDED:
            lines.append(line)
        return lines

    def wait(self, timeout=PATIENCE):
        """The exit status."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'{self.name}: still there after '
                                 f'{timeout} s') from None
        for thread in self.threads:
            thread.join(PATIENCE)
        return status

    def interrupt(self):
        """As Ctrl-C does; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.kill()
