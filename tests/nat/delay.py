# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds back every packet that this namespace forwards, by one TUN device.

    delay.py MILLISECONDS

Whatever comes from elsewhere is routed into the TUN device, waits there, is
written back into it, and only then takes the real routes. Prints "ready".
"""

import collections
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454ca
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000


def ip(*arguments):
    subprocess.run(['ip', *arguments], check=True)


def main():
    delay = float(sys.argv[1]) / 1000
    tun = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF,
                struct.pack('16sH22x', b'delay', IFF_TUN | IFF_NO_PI))
    ip('link', 'set', 'delay', 'up', 'txqueuelen', '5000')
    for family in ('-4', '-6'):
        ip(family, 'route', 'add', 'default', 'dev', 'delay', 'table', '100')
        ip(family, 'rule', 'add', 'iif', 'lo', 'lookup', 'main', 'pref', '10')
        ip(family, 'rule', 'add', 'iif', 'delay', 'lookup', 'main', 'pref',
           '11')
        ip(family, 'rule', 'add', 'lookup', '100', 'pref', '12')
    print('ready', flush=True)

    waiting = collections.deque()
    while True:
        timeout = None
        if waiting:
            timeout = max(0, waiting[0][0] - time.monotonic())
        select.select([tun], [], [], timeout)
        now = time.monotonic()
        for _ in range(256):
            try:
                waiting.append((now + delay, os.read(tun, 65536)))
            except BlockingIOError:
                break
        while waiting and waiting[0][0] <= time.monotonic():
            os.write(tun, waiting.popleft()[1])


if __name__ == '__main__':
    main()
