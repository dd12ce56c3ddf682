# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The link emulator's process; what it can do is in ../emulator/emulator.c."""

import json
import os
import subprocess


class Emulator:
    """EMULATOR in the environment names the program."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [os.environ.get('EMULATOR', 'emulator'), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._answer() != 'ready':
            raise RuntimeError('the emulator did not start')

    def _answer(self):
        return self.process.stdout.readline().strip()

    def _tell(self, command):
        self.process.stdin.write(command + '\n')
        self.process.stdin.flush()
        return self._answer()

    def change(self, which, knobs):
        """Changes the direction 'there' or 'back', or 'both'."""
        answer = self._tell(f'{which} {knobs}')
        if answer != 'ok':
            raise ValueError(answer)

    def statistics(self):
        return json.loads(self._tell('statistics'))

    def forget(self):
        """Begins to count anew."""
        self._tell('forget')

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
