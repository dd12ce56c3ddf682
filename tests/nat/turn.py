# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""coturn, the TURN server of the laboratory (host t)."""

import shutil
import subprocess

import lab

PORT = 3478
CREDENTIALS = 'user:password'


def start(network, *arguments):
    """It takes some hundred milliseconds. The laboratory ends it."""
    assert shutil.which('turnserver'), 'coturn is not installed'
    # /run is the laboratory's own.
    return network.spawn(
        't', 'turnserver', '-n', '--listening-ip', lab.TURN, '--relay-ip',
        lab.TURN, '--listening-port', str(PORT), '--lt-cred-mech',
        '--user', CREDENTIALS, '--realm', 'example.org', '--no-tls',
        '--no-dtls', '--no-cli', '--simple-log', '--log-file', 'stdout',
        '--pidfile', '/run/turnserver.pid', '--userdb', '/run/turn.db',
        *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def uri(query=''):
    return f'turn:{CREDENTIALS}@{lab.TURN}{query}'
