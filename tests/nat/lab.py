# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small internet out of network namespaces, with NATs of any kind.

      a ─ [nat-a] ─ r1 ─ r2 ─ r3 ─ [nat-b] ─ b
      a2 ┘               ╱╲               └ b2
                        s  t

  a, a2   hosts behind nat-a      10.1.0.2, 10.1.0.3     2001:db8:a::2, …
  b, b2   hosts behind nat-b      10.2.0.2, 10.2.0.3     2001:db8:b::2, …
  nat-a   its public address      198.51.100.2
  nat-b                           203.0.113.2
  s       the match server        192.0.2.2, 192.0.2.3   2001:db8:5::2, ::3
  t       a TURN server's place   192.0.2.18             2001:db8:7::2
  r1-r3   plain routers: a low-TTL opener dies on its way through them

Where an end has no NAT ("open", "stateful-firewall"), its hosts have public
addresses of their own: 198.51.101.2 or 203.0.114.2. With IPv6 the hosts have
global addresses; whatever NAT they are behind is a stateful firewall for them.

With a carrier's NAT over the one at home, there is one more:

      a ─ [nat-a] ─ access-a ─ [carrier-a] ─ r1 …     nat-a: 100.64.1.2

Or both ends may share something:

      shared='lan'       a ─┬─ [nat-a] ─ r1 …    as neighbours
                         b ─┘
      shared='nat'       the same, but they do not reach each other directly
      shared='carrier'   a ─ [nat-a] ─┬─ access ─ [carrier] ─ r1 …
                         b ─ [nat-b] ─┘

The NATs are processes with TUN devices in the namespaces of their neighbours
(emulator.py); for the kinds called kernel-… they are namespaces with nftables
rules (kinds.py). A router can hold every packet back for a while and lose some,
by the link emulator: r2 between the ends and on the way to the servers alike,
r1 or r3 for one side alone.

All of it vanishes with the process: it lives in a mount, process and network
namespace of its own, in a user namespace too when the caller is not root.

    lab.enter()
    with Lab('port-restricted', 'symmetric-random', round_trip=40) as network:
        network.spawn('s', 'hole-punch', 'serve')
        …
        print(network.nat('a').entries()['created'])
"""

import contextlib
import ctypes
import json
import os
import subprocess
import sys
import time

import kinds
from emulator import Emulator, Nat

SKIP = 77

PUBLIC = {'a': '198.51.100.2', 'b': '203.0.113.2'}
LAN = {'a': '10.1.0', 'b': '10.2.0'}
PUBLIC_LAN = {'a': '198.51.101', 'b': '203.0.114'}
HOME = {'a': '100.64.1.2', 'b': '100.64.2.2'}
ROUTER = {'a': 'r1', 'b': 'r3'}
SERVER, SERVER_2 = '192.0.2.2', '192.0.2.3'
SERVER6 = '2001:db8:5::2'
TURN = '192.0.2.18'
TURN6 = '2001:db8:7::2'

libc = ctypes.CDLL(None, use_errno=True)

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


@contextlib.contextmanager
def within(name):
    """This thread is in another network namespace for a while: sockets opened
    there stay there."""
    with open('/proc/self/ns/net') as home, \
            open(f'/run/netns/{name}') as there:
        if libc.setns(there.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), 'setns')
        try:
            yield
        finally:
            libc.setns(home.fileno(), 0)


def configure(name, lines):
    """Has ip(8) obey many lines in a namespace."""
    run('ip', '-n', name, '-batch', '-', text='\n'.join(lines) + '\n')


class KernelNat:
    """A NAT made of nftables rules, in a namespace of its own."""

    def __init__(self, side):
        self.name = f'nat-{side}'
        self.address = PUBLIC[side]
        self.router = PUBLIC[side].rsplit('.', 1)[0] + '.1'

    def reboot(self):
        """Forgets all mappings."""
        # Connection tracking has no flush without a tool of its own: when the
        # outer interface goes down, masquerade drops all that went over it.
        inside(self.name, 'ip', 'link', 'set', 'wan', 'down')
        time.sleep(0.5)
        left = inside(self.name, 'cat', '/proc/net/nf_conntrack')
        # A peer's test of hairpinning goes to that address, too.
        assert not any(f'dst={self.address} sport' in line
                       and f'src={self.address}' not in line
                       for line in left.splitlines()), left
        configure(self.name, ['link set wan up',
                              f'route add default via {self.router}'])

    def forget(self):
        pass

    def close(self):
        pass


class Lab:
    """a, b: a kind (kinds.py), with words of its own if need be:
    'port-restricted hairpin=yes lifetime=20s'. round_trip: milliseconds between
    any two ends; delay_at='r1' or 'r3' is for one side alone. loss: percent of
    the packets that pass there. carrier: the rules of a carrier's NAT."""

    def __init__(self, a='port-restricted', b='port-restricted',
                 round_trip=0, loss=0, delay_at='r2', ipv4=True, ipv6=False,
                 shared=None, carrier=kinds.CARRIER, extra_hosts=(), seed=1):
        self.kinds = {'a': a, 'b': b}
        self.carrier = carrier
        self.shared = shared
        self.families = [4] * ipv4 + [6] * ipv6
        self.seed = seed
        self.namespaces = []
        self.processes = []
        self.emulators = []
        self.boxes = {'a': [], 'b': []}
        self.hosts = {side: [side] + [h for h in extra_hosts if h[0] == side]
                      for side in 'ab'}
        self.addresses = {}  # of each host, inside
        self._make_core()
        self._make_ends()
        if round_trip or loss:
            self._delay(delay_at, f'delay={round_trip / 2}ms loss={loss}%')
        self._warm_up()
        self.forget()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    # ---- laying it out ----

    def _add_namespaces(self, *names):
        self.namespaces += names
        run('ip', '-batch', '-',
            text=''.join(f'netns add {name}\n' for name in names))
        for name in names:
            with within(name):
                for key, value in (('ipv4/conf/all/rp_filter', 0),
                                   ('ipv4/conf/default/rp_filter', 0),
                                   ('ipv6/conf/all/accept_dad', 0),
                                   ('ipv6/conf/default/accept_dad', 0)):
                    with open(f'/proc/sys/net/{key}', 'w') as file:
                        file.write(str(value))

    @staticmethod
    def _route_packets(*names):
        for name in names:
            with within(name):
                for key in 'ipv4/ip_forward', 'ipv6/conf/all/forwarding':
                    with open(f'/proc/sys/net/{key}', 'w') as file:
                        file.write('1')

    def _bring_up(self, name, interface, addresses=(), routes=()):
        """Those of the families that there are. A route is 'target rest'."""
        lines = [f'link set {interface} up', 'link set lo up']
        for address in addresses:
            if self._is_wanted(address):
                lines.append(f'address add {address} dev {interface}'
                             + (' nodad' if ':' in address else ''))
        lines += [f'route add {route}' for route in routes
                  if self._is_wanted(route)]
        configure(name, lines)

    def _is_wanted(self, text):
        return (6 if ':' in text else 4) in self.families

    def _link(self, left, left_ips, right, right_ips, left_if=None,
              right_if=None):
        left_if, right_if = left_if or f'to-{right}', right_if or f'to-{left}'
        run('ip', 'link', 'add', left_if, 'netns', left, 'type', 'veth',
            'peer', 'name', right_if, 'netns', right)
        self._bring_up(left, left_if, left_ips.split())
        self._bring_up(right, right_if, right_ips.split())

    def _make_core(self):
        self._add_namespaces('r1', 'r2', 'r3', 's', 't')
        self._route_packets('r1', 'r2', 'r3')
        self._link('r1', '192.0.2.9/30 2001:db8:12::1/64',
                   'r2', '192.0.2.10/30 2001:db8:12::2/64')
        self._link('r2', '192.0.2.13/30 2001:db8:23::1/64',
                   'r3', '192.0.2.14/30 2001:db8:23::2/64')
        self._link('r2', '192.0.2.1/29 2001:db8:5::1/64', 's',
                   f'{SERVER}/29 {SERVER_2}/29 {SERVER6}/64 2001:db8:5::3/64')
        self._link('r2', '192.0.2.17/29 2001:db8:7::1/64',
                   't', f'{TURN}/29 {TURN6}/64')
        far = 'r1' if self.shared else 'r3'
        for name, routes in (
                ('s', ('0.0.0.0/0 via 192.0.2.1', '::/0 via 2001:db8:5::1')),
                ('t', ('0.0.0.0/0 via 192.0.2.17', '::/0 via 2001:db8:7::1')),
                ('r1', ('0.0.0.0/0 via 192.0.2.10',
                        '::/0 via 2001:db8:12::2')),
                ('r3', ('0.0.0.0/0 via 192.0.2.13',
                        '::/0 via 2001:db8:23::1')),
                ('r2', ('198.51.100.0/23 via 192.0.2.9',
                        '203.0.112.0/22 via 192.0.2.14',
                        '2001:db8:a::/64 via 2001:db8:12::1',
                        '2001:db8:b::/64 via 2001:db8:12::1'
                        if far == 'r1' else
                        '2001:db8:b::/64 via 2001:db8:23::2'))):
            self._bring_up(name, 'lo', routes=routes)

    def _make_ends(self):
        if self.shared in ('lan', 'nat'):
            self._add_hosts(self.hosts['a'] + self.hosts['b'], 'a')
            self._add_nat('a', self.hosts['a'] + self.hosts['b'], 'r1')
            self.boxes['b'] = self.boxes['a']
            return
        if self.shared == 'carrier':
            self._add_carrier('access', 'carrier-ab', 'ab', 'r1')
        for side in 'ab':
            if kinds.is_kernel(self.kinds[side]):
                self._make_kernel_end(side)
                continue
            self._add_hosts(self.hosts[side], side)
            router = ROUTER[side]
            if self.shared == 'carrier':
                router = 'access'
            elif self.kinds[side].split(' ')[0] == 'carrier':
                router = f'access-{side}'
                self._add_carrier(router, f'carrier-{side}', side,
                                  ROUTER[side])
            self._add_nat(side, self.hosts[side], router)

    def _lan_of(self, side):
        is_public = not kinds.is_kernel(self.kinds[side]) \
            and kinds.is_public(self.kinds[side])
        return (PUBLIC_LAN if is_public else LAN)[side]

    def _add_hosts(self, hosts, side):
        self._add_namespaces(*hosts)
        lan = self._lan_of(side)
        self.addresses.update({host: f'{lan}.{index}'
                               for index, host in enumerate(hosts, 2)})

    def _add_nat(self, side, hosts, router):
        """A NAT with a device in each of its hosts and in its router."""
        lan, lan_6 = self._lan_of(side), f'2001:db8:{side}:'
        own = PUBLIC[side] if router[0] == 'r' else HOME[side]
        net = own.rsplit('.', 1)[0]
        self.boxes[side].insert(0, Nat(
            [f'{host}:eth0' for host in hosts], f'{router}:nat-{side}',
            [f'{net}.{number}' for number in range(2, 250)],
            kinds.get_rules(self.kinds[side]),
            [f'{lan}.0/24', f'{lan_6}:/64'] * (self.shared != 'nat'),
            self._next_seed()))
        for index, host in enumerate(hosts, 2):
            self._bring_up(host, 'eth0',
                           (f'{lan}.{index}/24', f'{lan_6}:{index}/64'),
                           ('0.0.0.0/0 dev eth0', '::/0 dev eth0'))
        nets = [f'{net}.0/24', f'{lan_6}:/64']
        if lan == PUBLIC_LAN[side]:
            nets.append(f'{lan}.0/24')
        self._bring_up(router, f'nat-{side}',
                       routes=[f'{each} dev nat-{side}' for each in nets])

    def _add_carrier(self, access, name, sides, router):
        """A NAT between the namespace that others have devices in and a
        router."""
        self._add_namespaces(access)
        self._route_packets(access)
        net = PUBLIC[sides[0]].rsplit('.', 1)[0]
        box = Nat([f'{access}:uplink'], f'{router}:{name}',
                  [f'{net}.{number}' for number in range(2, 250)],
                  kinds.get_rules('port-restricted ' + self.carrier),
                  seed=self._next_seed())
        for side in sides:
            self.boxes[side].append(box)
        self._bring_up(access, 'uplink',
                       routes=['0.0.0.0/0 dev uplink', '::/0 dev uplink'])
        self._bring_up(router, name, routes=[f'{net}.0/24 dev {name}'] + [
            f'2001:db8:{side}::/64 dev {name}' for side in sides])

    def _next_seed(self):
        self.seed += 1
        return self.seed

    def _make_kernel_end(self, side):
        nat, router, lan = f'nat-{side}', ROUTER[side], LAN[side]
        wan_6 = f'2001:db8:f{side}:'
        net = PUBLIC[side].rsplit('.', 1)[0]
        self._add_namespaces(nat)
        self._route_packets(nat)
        self._add_hosts(self.hosts[side], side)
        self._link(nat, f'{PUBLIC[side]}/30 {wan_6}:2/64', router,
                   f'{net}.1/30 {wan_6}:1/64', left_if='wan')
        inside(nat, 'ip', 'link', 'add', 'lan', 'type', 'bridge')
        self._bring_up(nat, 'lan', (f'{lan}.1/24', f'2001:db8:{side}::1/64'),
                       (f'0.0.0.0/0 via {net}.1', f'::/0 via {wan_6}:1'))
        self._bring_up(router, f'to-{nat}',
                       routes=[f'2001:db8:{side}::/64 via {wan_6}:2'])
        for index, host in enumerate(self.hosts[side], 2):
            run('ip', 'link', 'add', 'eth0', 'netns', host, 'type', 'veth',
                'peer', 'name', f'to-{host}', 'netns', nat)
            configure(nat, [f'link set to-{host} master lan up'])
            self._bring_up(host, 'eth0', (f'{lan}.{index}/24',
                                          f'2001:db8:{side}::{index}/64'),
                           (f'0.0.0.0/0 via {lan}.1',
                            f'::/0 via 2001:db8:{side}::1'))
        rules = kinds.KERNEL_KINDS[self.kinds[side]]
        if 6 in self.families:
            rules += kinds.KERNEL_FIREWALL_6
        inside(nat, 'nft', '-f', '-', text=rules.format(
            lan='lan', wan='wan', host=f'{lan}.2'))
        self.boxes[side].append(KernelNat(side))

    def _delay(self, router, knobs):
        """Has every packet that the router forwards pass the link emulator:
        whatever comes from elsewhere is routed into the emulator's device, and
        takes the real routes when it has come back out of it."""
        self.emulators.append(Emulator('--left', f'{router}:delay', '--there',
                                       knobs))
        inside(router, 'ip', 'link', 'set', 'delay', 'txqueuelen', '5000',
               'up')
        for family in self.families:
            run('ip', f'-{family}', '-n', router, '-batch', '-', text='''
                route add default dev delay table 100
                rule add iif lo lookup main pref 10
                rule add iif delay lookup main pref 11
                rule add lookup 100 pref 12
                ''')

    def _warm_up(self):
        """Neighbours unknown and routes cold: let the first packets not
        count."""
        targets = [SERVER, TURN, SERVER6, TURN6]
        pings = [subprocess.Popen(
            ['ip', 'netns', 'exec', host, 'ping', '-c2', '-i0.01', '-W0.3',
             target], stdout=subprocess.DEVNULL)
            for host in 'ab' for target in targets if self._is_wanted(target)]
        for ping in pings:
            ping.wait()

    # ---- its NATs ----

    def nats(self, side):
        """The NATs of a side, from the inside out."""
        return self.boxes[side]

    def nat(self, side):
        """The NAT next to the host."""
        return self.boxes[side][0]

    def forget(self):
        """All NATs begin to count anew."""
        for box in self._all_boxes():
            box.forget()

    def reset(self):
        """All NATs forget everything: as good as a new Lab, and quick."""
        for box in self._all_boxes():
            box.reboot()
            box.forget()

    def entries(self, side):
        """What nat(side).entries() says of the host that has the side's name:
        without those of its neighbours."""
        return self.nat(side).entries(self.addresses[side])

    def _all_boxes(self):
        return set(self.boxes['a'] + self.boxes['b'])

    # ---- what happens in it ----

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
        for program in [*self.emulators, *self._all_boxes()]:
            program.close()
        run('ip', '-batch', '-', text=''.join(
            f'netns delete {name}\n' for name in self.namespaces))
