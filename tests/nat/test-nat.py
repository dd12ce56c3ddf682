#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real processes behind real NATs, in network namespaces (see lab.py).

    test-nat.py SCENARIO      one of SCENARIOS below
    test-nat.py --list

HOLE_PUNCH names the command to test. Each scenario asserts who talked over
what path, and that the match server's interface saw no user data. The last
line is a row for the table of results.
"""

import hashlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
from lab import Lab, PUBLIC, SERVER, SERVER6, inside  # noqa: E402

HOLE_PUNCH = os.environ.get('HOLE_PUNCH', 'hole-punch')
PATIENCE = 20
ROUND_TRIP = 20  # milliseconds between everybody
# What registering, asking and keeping alive may cost the server
SERVER_LIMIT = 60000


class Tool:
    """A hole-punch process, its JSON events as they come."""

    def __init__(self, network, host, *arguments):
        self.name = f'{host}: {arguments[0]}'
        self.process = network.spawn(host, HOLE_PUNCH, *arguments, '--json',
                                     stdout=subprocess.PIPE)
        self.events = queue.Queue()
        self.seen = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.events.put((time.monotonic(), json.loads(line)))
        self.events.put((time.monotonic(), None))

    def wait(self, name, timeout=PATIENCE, **wanted):
        """The next event of that name (with those values); fails on none."""
        end = time.monotonic() + timeout
        while True:
            try:
                left = max(0, end - time.monotonic())
                when, event = self.events.get(timeout=left)
            except queue.Empty:
                raise AssertionError(f'{self.name}: no "{name}" within '
                                     f'{timeout} s after {self.seen[-5:]}')
            if event is None:
                raise AssertionError(f'{self.name}: ended with '
                                     f'{self.process.wait()} before "{name}"'
                                     f', after {self.seen[-5:]}')
            event['at'] = when
            self.seen.append(event)
            if event['event'] == name and \
                    all(event.get(k) == v for k, v in wanted.items()):
                return event

    def all(self, name):
        """All events of that name until the process ends by itself."""
        while True:
            _, event = self.events.get(timeout=60)
            if event is None:
                break
            self.seen.append(event)
        return [e for e in self.seen if e['event'] == name]

    def end(self):
        self.process.terminate()
        status = self.process.wait(timeout=PATIENCE)
        assert status == 0, f'{self.name}: ended with {status}'


def serve(network, directory):
    server = Tool(network, 's', 'serve', '--port', '4222',
                  '--identity', f'{directory}/server')
    server.wait('listening')
    return server


def listen(network, host, directory, server=SERVER, name='wq'):
    files = os.path.join(directory, 'files-' + host)
    os.makedirs(files, exist_ok=True)
    listener = Tool(network, host, 'listen', name, '--match-server', server,
                    '--directory', files)
    listener.wait('registered', id=name)
    return listener


def ping(network, host, server=SERVER, count=10, interval=0.02, size=10240,
         timeout=10):
    return Tool(network, host, 'ping', 'wq', '--match-server', server,
                '--count', str(count), '--interval', str(interval),
                '--size', str(size), '--timeout', str(timeout))


def host_of(address):
    return address.rsplit(':', 1)[0].strip('[]')


def row(scenario, event, note=''):
    print(f'# {scenario} | {event["path"]} | {event["address"]} | '
          f'{event["milliseconds"]:.0f} ms {note}')


def talk(network, scenario, path='direct', caller='a', callee='b',
         server=SERVER, addresses=None, limit_ms=1000):
    """The main job: register, ask, punch, and ping to and fro."""
    with tempfile.TemporaryDirectory() as directory:
        matcher = serve(network, directory)
        listener = listen(network, callee, directory, server)
        before = network.server_bytes()
        pinger = ping(network, caller, server, count=50)
        there = pinger.wait('resolved')
        here = listener.wait('resolved')
        pongs = pinger.all('pong')
        assert pinger.process.wait() == 0, pinger.seen[-5:]
        assert len(pongs) == 50, pongs
        through_server = network.server_bytes() - before
        assert through_server < SERVER_LIMIT, \
            f'{through_server} bytes crossed the match server'
        listener.end()
        matcher.end()
    assert there['remote-id'] == 'wq'
    for side, event in (('caller', there), ('callee', here)):
        assert event['path'] == path, (side, event)
        assert event['milliseconds'] < limit_ms, (side, event)
    if addresses:
        assert host_of(there['address']) == addresses[1], there
        assert host_of(here['address']) == addresses[0], here
    row(scenario, there, f'(callee {here["milliseconds"]:.0f} ms, '
        f'{through_server} bytes at the server)')


def public_public():
    with Lab('open', 'open', round_trip=ROUND_TRIP) as network:
        talk(network, 'public-public',
             addresses=('198.51.101.2', '203.0.114.2'))


def port_restricted():
    with Lab(round_trip=ROUND_TRIP) as network:
        talk(network, 'port-restricted',
             addresses=(PUBLIC['a'], PUBLIC['b']))


def full_cone():
    with Lab('full-cone', 'full-cone', round_trip=ROUND_TRIP) as network:
        talk(network, 'full-cone', addresses=(PUBLIC['a'], PUBLIC['b']))


def address_restricted():
    with Lab('address-restricted', 'address-restricted',
             round_trip=ROUND_TRIP) as network:
        talk(network, 'address-restricted',
             addresses=(PUBLIC['a'], PUBLIC['b']))


def symmetric_and_full_cone():
    """The symmetric side's mapping is nobody's to foretell, but it dials."""
    with Lab('symmetric-random', 'full-cone', round_trip=ROUND_TRIP) as network:
        talk(network, 'symmetric-full-cone',
             addresses=(PUBLIC['a'], PUBLIC['b']))


def same_lan():
    with Lab(round_trip=ROUND_TRIP, extra_hosts=('a2',)) as network:
        talk(network, 'same-lan', path='lan', callee='a2',
             addresses=('10.1.0.2', '10.1.0.3'))


def ipv6_firewall():
    """No way by IPv4: both NATs are symmetric and strict."""
    with Lab('symmetric-random', 'symmetric-random', ipv6=True,
             round_trip=ROUND_TRIP) as network:
        talk(network, 'ipv6-firewall', server=f'[{SERVER6}]:4222',
             addresses=('2001:db8:a::2', '2001:db8:b::2'))


def dual_stack():
    """The session with the server is by IPv4, the path is by IPv6: the other
    family's address is proven by a greeting of its own."""
    with Lab('symmetric-random', 'symmetric-random', ipv6=True,
             round_trip=ROUND_TRIP) as network:
        with open('/run/hosts', 'w', encoding='ascii') as hosts:
            hosts.write(f'{SERVER} match.test\n{SERVER6} match.test\n')
        subprocess.run(['mount', '--bind', '/run/hosts', '/etc/hosts'],
                       check=True)
        talk(network, 'dual-stack', server='match.test',
             addresses=('2001:db8:a::2', '2001:db8:b::2'))


def early_knock(far, scenario):
    """Both NATs fall into the trap when a packet comes before they have sent;
    one side is far from the server, so the other begins long before it."""
    with Lab('kernel-trap', 'kernel-trap', round_trip=80,
             delay_at=far) as network:
        talk(network, scenario, addresses=(PUBLIC['a'], PUBLIC['b']))


def early_knock_caller_first():
    early_knock('r3', 'early-knock-caller-first')


def early_knock_callee_first():
    early_knock('r1', 'early-knock-callee-first')


SOCKET = '''
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 5555))
s.settimeout(2)
'''


def trap_exists():
    """The laboratory's trap is real, or the two above would test nothing."""
    public = '198.51.101.2'
    knock = SOCKET + (f's.sendto(b"knock", ("{PUBLIC["b"]}", 5555))\n'
                      'print("knocked", flush=True)\n'
                      'print(s.recvfrom(99)[1])')
    answer = SOCKET + f's.sendto(b"?", ("{public}", 5555))'
    with Lab('open', 'kernel-trap') as network:
        knocker = network.spawn('a', sys.executable, '-c', knock,
                                stdout=subprocess.PIPE)
        assert knocker.stdout.readline() == 'knocked\n'
        inside('b', sys.executable, '-c', answer)
        source = knocker.stdout.readline().strip()
        assert PUBLIC['b'] in source and '5555' not in source, source
    print('# trap-exists | an early knock remaps port 5555:', source)


def pause_of(pinger, action, minimum=30):
    """Does @action while pings flow; the longest pause from its beginning until
    they flow again, seconds."""
    for _ in range(minimum):
        pinger.wait('pong')
    last = time.monotonic()
    action()
    longest = 0
    for _ in range(minimum):
        pong = pinger.wait('pong', timeout=40)
        longest = max(longest, pong['at'] - last)
        last = pong['at']
    return longest


def interrupted(scenario, network, action, most):
    with tempfile.TemporaryDirectory() as directory:
        matcher = serve(network, directory)
        listener = listen(network, 'b', directory)
        before = network.server_bytes()
        pinger = ping(network, 'a', count=0, interval=0.05)
        there = pinger.wait('resolved')
        pause = pause_of(pinger, action)
        assert pause < most, f'a pause of {pause:.1f} s'
        assert network.server_bytes() - before < SERVER_LIMIT
        pinger.end()
        listener.end()
        matcher.end()
    row(scenario, there, f'(pause {pause:.2f} s)')


def nat_reboot():
    with Lab('kernel-port-restricted', 'kernel-port-restricted',
             round_trip=ROUND_TRIP) as network:
        interrupted('nat-reboot', network, network.nat('b').reboot, 15)


def roaming():
    def move():
        inside('a', 'ip', 'address', 'flush', 'dev', 'eth0')
        inside('a', 'ip', 'address', 'add', '10.1.0.77/24', 'dev', 'eth0')
        inside('a', 'ip', 'route', 'add', 'default', 'via', '10.1.0.1')
    with Lab(round_trip=ROUND_TRIP) as network:
        interrupted('roaming', network, move, 15)


def server_restart():
    """Killed without a word: who is connected does not notice, who is
    registered comes back by itself, and can be found again."""
    with Lab(round_trip=ROUND_TRIP, extra_hosts=('a2',)) as network, \
            tempfile.TemporaryDirectory() as directory:
        matcher = serve(network, directory)
        listener = listen(network, 'b', directory)
        pinger = ping(network, 'a', count=0, interval=0.05)
        there = pinger.wait('resolved')

        def restart():
            nonlocal matcher
            matcher.process.kill()
            matcher.process.wait()
            time.sleep(1)
            matcher = serve(network, directory)
        pause = pause_of(pinger, restart)
        assert pause < 2, f'the connection paused for {pause:.1f} s'
        began = time.monotonic()
        later = ping(network, 'a2', count=5, timeout=40)
        later.wait('resolved', timeout=40, path='direct')
        took = time.monotonic() - began
        assert len(later.all('pong')) == 5
        pinger.end()
        listener.end()
        matcher.end()
    row('server-restart', there, f'(found again {took:.1f} s later)')


def path_mtu():
    """A hop in the middle carries less than both ends' networks, and even less
    later, while much is being sent both ways; then one end's own interface. No
    ICMP tells of it."""
    def shrink_own():
        network.narrow(1500)
        inside('a', 'ip', 'link', 'set', 'eth0', 'mtu', '1200')

    def check(least, most):
        sizes = network.largest_passed()
        assert all(least <= size <= most for size in sizes), sizes
        results.append(f'{most + 28} bytes: {sizes}')

    results = []
    # What a's interface is too small for does not come in there either.
    with Lab('kernel-port-restricted', round_trip=ROUND_TRIP) as network, \
            tempfile.TemporaryDirectory() as directory:
        network.narrow(1400)
        matcher = serve(network, directory)
        listener = listen(network, 'b', directory)
        pinger = ping(network, 'a', count=0, interval=0.05, size=100000)
        there = pinger.wait('resolved')
        for _ in range(60):
            pinger.wait('pong')
        check(1344, 1372)
        pauses = [pause_of(pinger, lambda: network.narrow(1300), minimum=80)]
        check(1246, 1272)
        pauses.append(pause_of(pinger, shrink_own, minimum=80))
        network.narrow(1500)
        for _ in range(20):
            pinger.wait('pong')
        check(1148, 1172)
        assert max(pauses) < 4, pauses
        # It may count as lost what was under way: pings are unreliable.
        pinger.process.kill()
        listener.end()
        matcher.end()
    row('path-mtu', there, f'({"; ".join(results)}; after pauses of '
        f'{pauses[0]:.2f} s and {pauses[1]:.2f} s)')


def transfer(network, scenario, content):
    with tempfile.TemporaryDirectory() as directory:
        matcher = serve(network, directory)
        listener = listen(network, 'b', directory)
        with open(os.path.join(directory, 'big'), 'wb') as big:
            big.write(content)
        before = network.server_bytes()
        began = time.monotonic()
        sender = Tool(network, 'a', 'send', 'wq', os.path.join(
            directory, 'big'), '--match-server', SERVER)
        there = sender.wait('resolved', path='direct')
        received = listener.wait('file', timeout=150)
        took = time.monotonic() - began
        assert sender.process.wait(timeout=30) == 0
        assert received['bytes'] == len(content)
        with open(os.path.join(directory, 'files-b', 'big'), 'rb') as copy:
            assert hashlib.sha256(copy.read()).digest() == \
                hashlib.sha256(content).digest()
        assert network.server_bytes() - before < SERVER_LIMIT
        listener.end()
        matcher.end()
    row(scenario, there, f'({took:.1f} s, '
        f'{len(content) / took / (1 << 20):.1f} MiB/s, SHA-256 equal)')


def loss():
    """5 % of all packets lost, those of the punching too, far apart."""
    with Lab(round_trip=ROUND_TRIP, loss=5) as network:
        transfer(network, 'loss-5-percent', os.urandom(1 << 20))


def file():
    """64 MiB through two port-restricted NATs, 5 % of all packets lost."""
    with Lab(loss=5) as network:
        transfer(network, 'file-64-MiB-5-percent', os.urandom(1 << 20) * 64)


def speed():
    """A speed test in either direction, 10 ms away, and 1 % lost."""
    with Lab(round_trip=ROUND_TRIP, loss=1) as network, \
            tempfile.TemporaryDirectory() as directory:
        matcher = serve(network, directory)
        listener = listen(network, 'b', directory)
        notes = []
        for arguments in ([], ['--reverse', '--streams', '4']):
            tester = Tool(network, 'a', 'speed', 'wq', '--match-server',
                          SERVER, '--seconds', '4', *arguments)
            there = tester.wait('resolved', path='direct')
            found = tester.wait('speed', timeout=60)
            assert tester.process.wait(timeout=30) == 0
            assert listener.wait('tested')['reverse'] == bool(arguments)
            # The loss is seen, and no round trip is shorter than the path.
            assert 0 < found['datagrams-lost'] < found['datagrams-sent'] / 2
            assert found['round-trip-50'] >= ROUND_TRIP, found
            assert found['pings-answered'] > 0.8 * found['pings-sent'], found
            notes.append(f'{found["bytes-per-second"] / 1e6:.1f} MB/s, '
                         f'{found["round-trip-99"]:.0f} ms')
        listener.end()
        matcher.end()
    row('speed', there, f'({"; back ".join(notes)})')


def ecn():
    """A queue of half a second, with and without marks from 10 ms on."""
    found = []
    with Lab(round_trip=ROUND_TRIP) as network, \
            tempfile.TemporaryDirectory() as directory:
        router = network.emulators[0]
        matcher = serve(network, directory)
        listener = listen(network, 'b', directory)
        for marks in '', 'ecn=10ms':
            router.change('there', f'delay={ROUND_TRIP / 2}ms rate=20M '
                          f'queue=500ms {marks}')
            router.forget()
            tester = Tool(network, 'a', 'speed', 'wq', '--match-server',
                          SERVER, '--seconds', '4')
            there = tester.wait('resolved', path='direct')
            speed = tester.wait('speed', timeout=60)
            assert tester.process.wait(timeout=30) == 0
            found.append((router.statistics()['there'],
                          speed['bytes-per-second'] * 8 / 1e6))
        listener.end()
        matcher.end()
    (plain, plain_rate), (marked, rate) = found
    assert plain['marked'] == 0, plain
    assert marked['marked'] > 0, marked
    assert marked['queue-full'] == 0, marked
    delays = [each['queue-delay-ms'] for each in (plain, marked)]
    # Mostly there is no queue to speak of, either way.
    assert delays[1]['p95'] <= delays[0]['p95'] + 5, delays
    assert rate > 0.8 * plain_rate, found
    row('ecn', there, f'(queue p95 {delays[0]["p95"]:.1f} ms, with marks '
        f'{delays[1]["p95"]:.1f} ms; {plain_rate:.1f} and {rate:.1f} Mbit/s)')


SCENARIOS = {
    'public-public': public_public,
    'port-restricted': port_restricted,
    'full-cone': full_cone,
    'address-restricted': address_restricted,
    'symmetric-full-cone': symmetric_and_full_cone,
    'same-lan': same_lan,
    'ipv6-firewall': ipv6_firewall,
    'dual-stack': dual_stack,
    'trap-exists': trap_exists,
    'early-knock-caller-first': early_knock_caller_first,
    'early-knock-callee-first': early_knock_callee_first,
    'loss': loss,
    'nat-reboot': nat_reboot,
    'roaming': roaming,
    'server-restart': server_restart,
    'path-mtu': path_mtu,
    'file': file,
    'speed': speed,
    'ecn': ecn,
}


def main():
    if sys.argv[1:] == ['--list']:
        print('\n'.join(SCENARIOS))
        return
    lab.need_tun()
    lab.enter()
    SCENARIOS[sys.argv[1]]()


if __name__ == '__main__':
    main()
