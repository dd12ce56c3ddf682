#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ports asked for from a real gateway: miniupnpd, on the kernel's NAT.

    test-port-mapping.py SCENARIO      one of SCENARIOS below
    test-port-mapping.py --list

HOLE_PUNCH names the command to test. The side of a has the gateway; without a
mapping there would be no way between its NAT and that of b.
"""

import contextlib
import importlib
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
from lab import Lab, SERVER, inside  # noqa: E402

nat = importlib.import_module('test-nat')

ROUND_TRIP = 40  # milliseconds between everybody
KIND = 'kernel-symmetric-random'
# miniupnpd hands out ports of nothing but public addresses, and those for
# documentation are none.
PUBLIC = '11.22.33.2'

# What it works on; and what it has let in passes the NAT's firewall.
RULES = '''
    table inet filter {
      chain forward { type filter hook forward priority 0; jump miniupnpd; }
      chain miniupnpd { }
      chain prerouting { type nat hook prerouting priority -100;
        jump prerouting_miniupnpd; }
      chain prerouting_miniupnpd { }
      chain postrouting { type nat hook postrouting priority 100;
        jump postrouting_miniupnpd; }
      chain postrouting_miniupnpd { }
    }
    insert rule ip filter passing iifname wan ct status dnat accept
    '''


def need_gateway():
    os.environ['PATH'] += ':/usr/sbin'
    if shutil.which('miniupnpd') is None:
        print('SKIP: miniupnpd is not installed')
        sys.exit(lab.SKIP)


class Gateway:
    """miniupnpd in nat-a."""

    def __init__(self, network, directory, natpmp=True, upnp=True, max_life=0,
                 external=PUBLIC):
        self.network = network
        self.refused = 0
        self.config = f'{directory}/miniupnpd.conf'
        self.log = f'{directory}/miniupnpd.log'
        lines = ['ext_ifname=wan', f'ext_ip={external}', 'listening_ip=lan',
                 f'enable_natpmp={"yes" if natpmp else "no"}',
                 f'enable_upnp={"yes" if upnp else "no"}',
                 'secure_mode=yes', 'http_port=0', 'min_lifetime=1',
                 f'max_lifetime={max_life or 86400}', 'system_uptime=no',
                 'uuid=1c357d86-14f8-4cbf-9ee5-d31206bb8517',
                 'allow 1024-65535 10.1.0.0/24 1024-65535',
                 'deny 0-65535 0.0.0.0/0 0-65535']
        with open(self.config, 'w', encoding='ascii') as config:
            config.write('\n'.join(lines) + '\n')
        # SSDP is multicast.
        for host, interface in ('nat-a', 'lan'), ('a', 'eth0'):
            inside(host, 'ip', 'route', 'add', '239.0.0.0/8', 'dev', interface)
        inside('nat-a', 'nft', '-f', '-', text=RULES)
        self.start()

    def speak_nat_pmp_only(self):
        """PCP is told that its version is unknown, as older gateways do. What
        has come for both is told apart by its first byte, packet by packet, and
        so not by address translation, which keeps to what the first one got."""
        inside('nat-a', 'nft', '-f', '-', text='''
            table inet older {
              chain arriving { type filter hook prerouting priority -300;
                iifname lan udp dport 5351 @th,64,8 2 notrack \\
                  udp dport set 5399; }
              chain leaving { type filter hook output priority -300;
                udp sport 5399 notrack udp sport set 5351; }
            }''')
        with lab.within('nat-a'):
            older = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        older.bind(('10.1.0.1', 5399))
        threading.Thread(target=self._answer_pcp, args=(older,),
                         daemon=True).start()

    def _answer_pcp(self, older):
        while True:
            request, source = older.recvfrom(2000)
            self.refused += 1
            older.sendto(bytes([0, 0x80 | request[1], 0, 1, 0, 0, 0, 9]),
                         source)

    def start(self):
        with open(self.log, 'a', encoding='utf-8') as log:
            self.process = self.network.spawn(
                'nat-a', 'miniupnpd', '-d', '-f', self.config, '-P',
                self.config + '.pid', stdout=log, stderr=log)
        time.sleep(0.5)
        assert self.process.poll() is None, self.read_log()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def read_log(self):
        with open(self.log, encoding='utf-8', errors='replace') as log:
            return log.read()

    @staticmethod
    def mappings():
        """The outer ports that lead inside, and where to."""
        rules = inside('nat-a', 'nft', 'list', 'chain', 'inet', 'filter',
                       'prerouting_miniupnpd')
        return re.findall(r'dport (\d+) .*dnat (?:ip )?to (10\.1\.0\.\d+:\d+)',
                          rules)

    @staticmethod
    def forget():
        """What a restart of a whole router does."""
        for chain in 'prerouting_miniupnpd', 'miniupnpd':
            inside('nat-a', 'nft', 'flush', 'chain', 'inet', 'filter', chain)

    def wait(self, number, seconds, what):
        end = time.monotonic() + seconds
        while len(self.mappings()) != number:
            if time.monotonic() > end:
                raise AssertionError(f'{what}: {self.mappings()} after '
                                     f'{seconds} s\n{self.read_log()}')
            time.sleep(0.05)
        return self.mappings()


@contextlib.contextmanager
def world(**options):
    """A lab with a gateway at a, and a match server."""
    # Everybody's address is what the laboratory says, except for a's.
    known = lab.PUBLIC['a']
    lab.PUBLIC['a'] = PUBLIC
    try:
        with Lab(KIND, KIND, round_trip=ROUND_TRIP) as network, \
                tempfile.TemporaryDirectory() as directory:
            lab.configure('r2', ['route add 11.22.33.0/24 via 192.0.2.9'])
            gateway = Gateway(network, directory, **options)
            matcher = nat.serve(network, directory)
            yield network, directory, gateway
            matcher.end()
    finally:
        lab.PUBLIC['a'] = known


def check_protocol(scenario, limit_s, prepare=None, **options):
    """There is a mapping, which the other side comes in by; it is removed when
    the peer is closed, at once."""
    with world(**options) as (network, directory, gateway):
        if prepare:
            prepare(gateway)
        listener = nat.listen(network, 'a', directory)
        began = time.monotonic()
        mappings = gateway.wait(1, limit_s, scenario)
        took = time.monotonic() - began
        pinger = nat.ping(network, 'b', count=20)
        there = pinger.wait('resolved')
        pongs = pinger.all('pong')
        assert pinger.process.wait() == 0, pinger.seen[-5:]
        assert len(pongs) == 20, pongs
        assert there['path'] == 'mapped', there
        assert there['address'] == f'{PUBLIC}:{mappings[0][0]}', \
            (there, mappings)
        listener.end()
        assert not gateway.mappings(), gateway.mappings()
        log, refused = gateway.read_log(), gateway.refused
    nat.row(scenario, there, f'(mapped {took * 1000:.0f} ms after being '
            'registered)')
    return log, refused


def pcp():
    log, _ = check_protocol('pcp', 1)
    assert 'PCP MAP: added mapping UDP' in log, log


def nat_pmp():
    log, refused = check_protocol('nat-pmp', 1, Gateway.speak_nat_pmp_only)
    assert refused > 0 and 'NAT-PMP port mapping request' in log, log
    assert 'PCP MAP' not in log, log


def upnp():
    log, _ = check_protocol('upnp', 6, natpmp=False)
    assert 'AddPortMapping' in log, log


def upnp_beside_silence():
    """The gateway does not even say that it knows no PCP."""
    def swallow(gateway):
        inside('nat-a', 'nft', 'insert', 'rule', 'ip', 'filter', 'incoming',
               'udp', 'dport', '5351', 'drop')

    check_protocol('upnp-beside-silence', 6, swallow, natpmp=False)


def caller():
    """Whoever has the port calls; the other side comes in by it."""
    with world() as (network, directory, gateway):
        listener = nat.listen(network, 'b', directory)
        pinger = nat.ping(network, 'a', count=20)
        there = pinger.wait('resolved')
        here = listener.wait('resolved')
        assert len(pinger.all('pong')) == 20, pinger.seen[-5:]
        assert pinger.process.wait() == 0, pinger.seen[-5:]
        assert not gateway.mappings(), gateway.mappings()
        listener.end()
    nat.row('caller', here)
    assert here['path'] == 'mapped', here
    assert here['milliseconds'] < 1000, (here, there)


def without():
    """That there is no way otherwise, and that none is asked for then."""
    with world() as (network, directory, gateway):
        listener = nat.Tool(network, 'a', 'listen', 'wq', '--match-server',
                            SERVER, '--directory', directory,
                            '--no-port-mapping')
        listener.wait('registered', id='wq')
        pinger = nat.ping(network, 'b', timeout=3)
        assert not pinger.all('resolved'), pinger.seen
        assert pinger.process.wait() != 0
        assert not gateway.mappings(), gateway.mappings()
        assert 'request' not in gateway.read_log(), gateway.read_log()
        listener.end()


def renewal():
    """For much longer than the gateway lets it live unasked."""
    with world(max_life=10) as (network, directory, gateway):
        listener = nat.listen(network, 'a', directory)
        mappings = gateway.wait(1, 1, 'the first')
        end = time.monotonic() + 24
        while time.monotonic() < end:
            time.sleep(0.25)
            assert gateway.mappings() == mappings, gateway.read_log()
        # Halves of what is left, no more than that
        asked = gateway.read_log().count('PCP request received')
        assert 4 <= asked <= 6, gateway.read_log()
        # And that the gateway would have removed it
        listener.process.kill()
        gateway.wait(0, 12, 'the end')


def restart():
    """The gateway forgets everything, tells everybody, and is asked again."""
    with world() as (network, directory, gateway):
        listener = nat.listen(network, 'a', directory)
        mappings = gateway.wait(1, 1, 'the first')
        # Long enough that a clock which begins anew shows
        time.sleep(3)
        gateway.stop()
        gateway.forget()
        assert not gateway.mappings()
        gateway.start()
        assert gateway.wait(1, 7, 'anew') == mappings
        listener.end()
        assert not gateway.mappings()


def move():
    """The peer has another address than before."""
    with world() as (network, directory, gateway):
        listener = nat.listen(network, 'a', directory)
        gateway.wait(1, 1, 'the first')
        # The first address of a network takes the others with it.
        lab.configure('a', ['address flush dev eth0',
                            'address add 10.1.0.77/24 dev eth0',
                            'route add default via 10.1.0.1'])
        end = time.monotonic() + 10
        while not any(to.startswith('10.1.0.77:')
                      for _, to in gateway.mappings()):
            assert time.monotonic() < end, gateway.mappings()
            time.sleep(0.1)
        listener.end()
        assert all(to.startswith('10.1.0.2:')
                   for _, to in gateway.mappings()), gateway.mappings()


SCENARIOS = {
    'pcp': pcp,
    'nat-pmp': nat_pmp,
    'upnp': upnp,
    'upnp-beside-silence': upnp_beside_silence,
    'caller': caller,
    'without': without,
    'renewal': renewal,
    'restart': restart,
    'move': move,
}


def main():
    if sys.argv[1:] == ['--list']:
        print(*SCENARIOS, sep='\n')
        return
    need_gateway()
    lab.need_tun()
    lab.enter()
    SCENARIOS[sys.argv[1]]()


if __name__ == '__main__':
    main()
