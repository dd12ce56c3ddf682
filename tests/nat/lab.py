# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small internet out of network namespaces, with NATs by nftables.

      a ─ nat-a ─ r1 ─ r2 ─ r3 ─ nat-b ─ b
      a2 ┘             │            └ b2
                       s

  a, a2   hosts behind nat-a      10.1.0.2, 10.1.0.3     fd00:a::2, …
  b, b2   hosts behind nat-b      10.2.0.2, 10.2.0.3     fd00:b::2, …
  nat-a   its public address      198.51.100.2
  nat-b                           203.0.113.2
  s       the match server        192.0.2.2              2001:db8:5::2
  r1-r3   plain routers: a low-TTL opener dies on its way through them

Where an end has no NAT ("open"), its host has a public address of its own:
198.51.101.2 or 203.0.114.2. With IPv6 the hosts have global addresses,
2001:db8:a::2 and 2001:db8:b::2, behind a stateful firewall on nat-a, nat-b.

A router can hold every packet back for a while (by the emulator, on a TUN
device: not every kernel has netem): r2 between the ends and on the way to the
server alike, r1 or r3 for one side alone; and r1 can lose some. All of it
vanishes with the process: it lives in a mount and network namespace of its own,
in a user namespace too when the caller is not root.
"""

import json
import os
import subprocess
import sys
import time

from emulator import Emulator

SKIP = 77

PUBLIC = {'a': '198.51.100.2', 'b': '203.0.113.2'}
SERVER = '192.0.2.2'
SERVER6 = '2001:db8:5::2'


def need_tun():
    """Ends the program, as skipped, where the emulator cannot run."""
    if not os.access('/dev/net/tun', os.R_OK | os.W_OK):
        print('SKIP: /dev/net/tun is missing, or not for this user')
        sys.exit(SKIP)


def enter():
    """Runs the program again in namespaces of its own; returns inside.

    In a process namespace too, so that whatever happens nothing stays."""
    if os.getpid() == 1:
        subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run'], check=True)
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        return
    unshare = ['unshare', '--net', '--mount', '--pid', '--fork',
               '--mount-proc', '--kill-child']
    if os.geteuid() != 0:
        unshare += ['--user', '--map-root-user']
    probe = subprocess.run(
        unshare + ['sh', '-c', 'mount -t tmpfs tmpfs /run && ip netns add x'
                   ' && ip netns exec x nft list ruleset'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if probe.returncode != 0:
        print('SKIP: no network namespaces with nftables here: '
              + probe.stdout.strip())
        sys.exit(SKIP)
    os.execvp(unshare[0], unshare + [sys.executable] + sys.argv)


def run(*command, check=True, text=None):
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.STDOUT, input=text or '',
                            timeout=60)
    if check and result.returncode != 0:
        raise RuntimeError(f'{" ".join(command)}: {result.stdout}')
    return result.stdout


def inside(name, *command, **options):
    return run('ip', 'netns', 'exec', name, *command, **options)


# What each kind of NAT is, as nftables rules; {lan} and {wan} are its
# interfaces, {host} the host behind it that a full cone lets in.
NAT_KINDS = {
    # Endpoint-independent mapping (ports preserved), address- and
    # port-dependent filtering. The box itself takes nothing from outside.
    'port-restricted': '''
        table ip nat {{
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade; }}
        }}
        table ip filter {{
          chain incoming {{ type filter hook input priority 0;
            iifname {wan} ct state new drop; }}
          chain passing {{ type filter hook forward priority 0;
            iifname {wan} ct state new drop; }}
        }}''',
    # The same, but its own INPUT is open: a packet from outside that comes
    # before the inside has sent takes the tuple, and the inside's own packet
    # is then given a random port (the early-knock trap).
    'trap': '''
        table ip nat {{
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade; }}
        }}
        table ip filter {{
          chain passing {{ type filter hook forward priority 0;
            iifname {wan} ct state new drop; }}
        }}''',
    # Everything that comes from outside reaches the host.
    'full-cone': '''
        table ip nat {{
          chain arriving {{ type nat hook prerouting priority -100;
            iifname {wan} meta l4proto udp dnat to {host}; }}
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade; }}
        }}''',
    # Whoever was sent to may answer from any port.
    'address-restricted': '''
        table ip nat {{
          set contacted {{ type ipv4_addr; timeout 2m; size 1024;
            flags dynamic; }}
          chain outgoing {{ type filter hook forward priority 0;
            iifname {lan} oifname {wan} update @contacted {{ ip daddr }}; }}
          chain arriving {{ type nat hook prerouting priority -100;
            iifname {wan} meta l4proto udp ip saddr @contacted \\
              dnat to {host}; }}
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade; }}
        }}
        table ip filter {{
          chain incoming {{ type filter hook input priority 0;
            iifname {wan} ct state new drop; }}
        }}''',
    # A new random port for every destination.
    'symmetric': '''
        table ip nat {{
          chain leaving {{ type nat hook postrouting priority 100;
            oifname {wan} masquerade random,fully-random; }}
        }}
        table ip filter {{
          chain incoming {{ type filter hook input priority 0;
            iifname {wan} ct state new drop; }}
          chain passing {{ type filter hook forward priority 0;
            iifname {wan} ct state new drop; }}
        }}''',
}

FIREWALL_6 = '''
    table ip6 filter {{
      chain passing {{ type filter hook forward priority 0;
        iifname {wan} ct state new drop; }}
      chain incoming {{ type filter hook input priority 0;
        iifname {wan} meta l4proto udp ct state new drop; }}
        }}'''


class Lab:
    def __init__(self, nat_a='port-restricted', nat_b='port-restricted',
                 ipv6=False, delay_ms=0, delay_at='r2', loss_percent=0,
                 extra_hosts=()):
        self.processes = []
        self.emulators = []
        self.kinds = {'a': nat_a, 'b': nat_b}
        for name in ('nat-a', 'nat-b', 'r1', 'r2', 'r3', 's'):
            self._add_namespace(name, router=name != 's')
        self._core(ipv6)
        for side, number in (('a', 1), ('b', 2)):
            hosts = [side] + [h for h in extra_hosts if h[0] == side]
            self._end(side, number, hosts, ipv6)
        if delay_ms:
            self._delay(delay_at, delay_ms)
        if loss_percent:
            self.lose(loss_percent)
        # Neighbours unknown and routes cold: let the first packets not count.
        for host in ('a', 'b'):
            inside(host, 'ping', '-c1', '-W2', SERVER, check=False)
            if ipv6:
                inside(host, 'ping', '-c5', '-i0.2', '-w2', SERVER6,
                       check=False)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def _add_namespace(self, name, router=False):
        run('ip', 'netns', 'add', name)
        inside(name, 'ip', 'link', 'set', 'lo', 'up')
        for key in ('net.ipv4.conf.all.rp_filter=0',
                    'net.ipv4.conf.default.rp_filter=0',
                    'net.ipv6.conf.all.accept_dad=0',
                    'net.ipv6.conf.default.accept_dad=0'):
            inside(name, 'sysctl', '-qw', key)
        if router:
            inside(name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
            inside(name, 'sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1')

    def _link(self, left, left_ip, right, right_ip, left_if=None,
              right_if=None):
        left_if, right_if = left_if or f'to-{right}', right_if or f'to-{left}'
        run('ip', 'link', 'add', left_if, 'netns', left, 'type', 'veth',
            'peer', 'name', right_if, 'netns', right)
        for name, interface, ips in ((left, left_if, left_ip),
                                     (right, right_if, right_ip)):
            for ip in ips.split():
                inside(name, 'ip', 'address', 'add', ip, 'dev', interface,
                       *(['nodad'] if ':' in ip else []))
            inside(name, 'ip', 'link', 'set', interface, 'up')

    @staticmethod
    def _route(name, target, via):
        inside(name, 'ip', *(['-6'] if ':' in via else []), 'route', 'add',
               target, 'via', via)

    def _core(self, ipv6):
        self._link('r1', '192.0.2.9/30 2001:db8:12::1/64',
                   'r2', '192.0.2.10/30 2001:db8:12::2/64')
        self._link('r2', '192.0.2.13/30 2001:db8:23::1/64',
                   'r3', '192.0.2.14/30 2001:db8:23::2/64')
        self._link('r2', '192.0.2.1/30 2001:db8:5::1/64',
                   's', f'{SERVER}/30 {SERVER6}/64')
        self._route('s', 'default', '192.0.2.1')
        self._route('r1', 'default', '192.0.2.10')
        self._route('r3', 'default', '192.0.2.13')
        self._route('r2', '198.51.100.0/23', '192.0.2.9')
        self._route('r2', '203.0.112.0/22', '192.0.2.14')
        if ipv6:
            self._route('s', 'default', '2001:db8:5::1')
            self._route('r1', 'default', '2001:db8:12::2')
            self._route('r3', 'default', '2001:db8:23::1')
            self._route('r2', '2001:db8:a::/47', '2001:db8:12::1')
            self._route('r2', '2001:db8:b::/64', '2001:db8:23::2')

    def _end(self, side, number, hosts, ipv6):
        nat, router = f'nat-{side}', 'r1' if side == 'a' else 'r3'
        net = PUBLIC[side].rsplit('.', 1)[0]
        self._link(nat, f'{PUBLIC[side]}/30', router, f'{net}.1/30',
                   left_if='wan')
        self._route(nat, 'default', f'{net}.1')
        inside(nat, 'ip', 'link', 'add', 'lan', 'type', 'bridge')
        lan = f'10.{number}.0'
        if self.kinds[side] == 'open':
            lan = {'a': '198.51.101', 'b': '203.0.114'}[side]
            self._route(router, f'{lan}.0/24', PUBLIC[side])
        inside(nat, 'ip', 'address', 'add', f'{lan}.1/24', 'dev', 'lan')
        inside(nat, 'ip', 'link', 'set', 'lan', 'up')
        for index, host in enumerate(hosts, 2):
            self._add_namespace(host)
            ips = f'{lan}.{index}/24'
            if ipv6:
                ips += f' 2001:db8:{side}::{index}/64'
            run('ip', 'link', 'add', 'eth0', 'netns', host, 'type', 'veth',
                'peer', 'name', f'to-{host}', 'netns', nat)
            inside(nat, 'ip', 'link', 'set', f'to-{host}', 'master', 'lan',
                   'up')
            for ip in ips.split():
                inside(host, 'ip', 'address', 'add', ip, 'dev', 'eth0',
                       *(['nodad'] if ':' in ip else []))
            inside(host, 'ip', 'link', 'set', 'eth0', 'up')
            self._route(host, 'default', f'{lan}.1')
        if ipv6:
            self._end_6(side, nat, router, hosts)
        if self.kinds[side] != 'open':
            rules = NAT_KINDS[self.kinds[side]]
            inside(nat, 'nft', '-f', '-', text=rules.format(
                lan='lan', wan='wan', host=f'{lan}.2'))

    def _end_6(self, side, nat, router, hosts):
        wan = f'2001:db8:f{side}:'
        for name, interface, ip in ((nat, 'wan', f'{wan}:2/64'),
                                    (router, f'to-{nat}', f'{wan}:1/64'),
                                    (nat, 'lan', f'2001:db8:{side}::1/64')):
            inside(name, 'ip', 'address', 'add', ip, 'dev', interface,
                   'nodad')
        self._route(nat, 'default', f'{wan}:1')
        self._route(router, f'2001:db8:{side}::/64', f'{wan}:2')
        for host in hosts:
            self._route(host, 'default', f'2001:db8:{side}::1')
        inside(nat, 'nft', '-f', '-', text=FIREWALL_6.format(wan='wan'))

    def _delay(self, router, milliseconds):
        """Holds back every packet that the router forwards: whatever comes
        from elsewhere is routed into the emulator's device, and takes the real
        routes when it has come back out of it."""
        self.emulators.append(
            Emulator('--left', f'{router}:delay',
                     '--there', f'delay={milliseconds}ms'))
        inside(router, 'ip', 'link', 'set', 'delay', 'txqueuelen', '5000',
               'up')
        for family in ('-4', '-6'):
            ip = [router, 'ip', family]
            inside(*ip, 'route', 'add', 'default', 'dev', 'delay',
                   'table', '100')
            inside(*ip, 'rule', 'add', 'iif', 'lo', 'lookup', 'main',
                   'pref', '10')
            inside(*ip, 'rule', 'add', 'iif', 'delay', 'lookup', 'main',
                   'pref', '11')
            inside(*ip, 'rule', 'add', 'lookup', '100', 'pref', '12')

    def lose(self, percent):
        """Loses some of all packets between a's side and everything else."""
        inside('r1', 'nft', '-f', '-', text='''
            table inet loss {
              chain passing { type filter hook forward priority -300;
                numgen random mod 100 < %d drop; }
            }''' % percent)

    def narrow(self, mtu):
        """The hop between r1 and r2 carries so many bytes from now on, and no
        router tells anybody. Counts the sizes of what passes it, anew."""
        for name, interface in (('r1', 'to-r2'), ('r2', 'to-r1')):
            # One packet is one datagram: what came as many in one is cut.
            inside(name, 'ip', 'link', 'set', interface, 'mtu', str(mtu),
                   'gso_max_size', '1000')
            inside(name, 'nft', '-f', '-', text='''
                table inet narrow
                delete table inet narrow
                table inet narrow {
                  set sizes { typeof ip length; flags dynamic; size 4096; }
                  chain telling { type filter hook output priority 0;
                    icmp type destination-unreachable drop;
                    icmpv6 type packet-too-big drop; }
                  chain arriving { type filter hook prerouting priority -300;
                    iifname %s meta l4proto udp update @sizes { ip length }; }
                }''' % interface)

    @staticmethod
    def largest_passed():
        """UDP payload of the largest that came through the narrow hop: to b's
        side, to a's side."""
        largest = []
        for name in ('r2', 'r1'):
            listed = json.loads(inside(name, 'nft', '-j', 'list', 'set',
                                       'inet', 'narrow', 'sizes'))
            sizes = [part['set'].get('elem', [0])
                     for part in listed['nftables'] if 'set' in part][0]
            largest.append(max(sizes) - 28)
        return largest

    def reboot_nat(self, side):
        """The NAT forgets all its mappings, as a rebooted router does."""
        nat = f'nat-{side}'
        # Connection tracking has no flush without a tool of its own: when the
        # outer interface goes down, masquerade drops all that went over it.
        inside(nat, 'ip', 'link', 'set', 'wan', 'down')
        time.sleep(0.5)
        left = inside(nat, 'cat', '/proc/net/nf_conntrack')
        assert f'dst={PUBLIC[side]} sport' not in left, left
        inside(nat, 'ip', 'link', 'set', 'wan', 'up')
        net = PUBLIC[side].rsplit('.', 1)[0]
        self._route(nat, 'default', f'{net}.1')

    def spawn(self, host, *command, **options):
        process = subprocess.Popen(['ip', 'netns', 'exec', host, *command],
                                   text=True, **options)
        self.processes.append(process)
        return process

    @staticmethod
    def server_bytes():
        """Bytes that have passed the match server's interface, both ways."""
        links = json.loads(inside('s', 'ip', '-j', '-s', 'link', 'show',
                                  'to-r2'))
        statistics = links[0]['stats64']
        return statistics['rx']['bytes'] + statistics['tx']['bytes']

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for emulator in self.emulators:
            emulator.close()
