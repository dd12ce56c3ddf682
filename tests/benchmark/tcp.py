# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A TCP connection that sends as much as it can, beside which ours stands.

    tcp.py serve PORT WARM-UP SECONDS
    tcp.py bulk HOST PORT CONGESTION-CONTROL

The server prints "READY PORT -"; then, when the WARM-UP of one connection is
over, it counts for SECONDS and ends, and so does the other side. Both print
figures as JSON in the end.
"""

import json
import socket
import struct
import sys
import time

PIECE = 1 << 20


def serve(port, warm_up, seconds):
    with socket.create_server(('0.0.0.0', port)) as listener:
        print('READY', port, '-', flush=True)
        connection, _ = listener.accept()
    piece = bytearray(PIECE)
    count = 0
    end = begin = time.monotonic()
    while end < begin + warm_up + seconds:
        size = connection.recv_into(piece)
        if size == 0:
            break
        end = time.monotonic()
        if end >= begin + warm_up:
            count += size
    print(json.dumps({'bytes': count, 'seconds': end - begin - warm_up,
                      'cpu_seconds': time.process_time()}))


def bulk(host, port, congestion_control):
    connection = socket.socket()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION,
                          congestion_control.encode())
    connection.connect((host, port))
    # What is left at the end is of no use to anybody.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack('ii', 1, 0))
    piece = bytes(PIECE)
    try:
        while True:
            connection.send(piece)
    except ConnectionError:  # the server has had enough
        print(json.dumps({'cpu_seconds': time.process_time()}))


if __name__ == '__main__':
    if sys.argv[1] == 'serve':
        serve(int(sys.argv[2]), *map(float, sys.argv[3:]))
    else:
        bulk(sys.argv[2], int(sys.argv[3]), sys.argv[4])
