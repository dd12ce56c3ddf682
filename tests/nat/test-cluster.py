#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Three match servers on one Redis, each of the four in a namespace of its own
(see lab.py for the rest of the drawing); three callers behind one NAT, three
callees behind another. While they call each other all the time, something is
killed: what failed, and for how long?

              r2
         ╱╱   │   ╲╲
        s  s2 s3  redis      192.0.2.2, .34, .42; .50

    test-cluster.py SCENARIO      one of SCENARIOS below
    test-cluster.py --list

HOLE_PUNCH names the command to test, which has to know Redis.
"""

import contextlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab  # noqa: E402
from lab import Lab, SERVER, inside  # noqa: E402

nat = importlib.import_module('test-nat')

ROUND_TRIP = 20  # milliseconds between everybody
SERVERS = {'s': SERVER, 's2': '192.0.2.34', 's3': '192.0.2.42'}
REDIS = '192.0.2.50'
CALLERS = ['a', 'a2', 'a3']
CALLEES = ['b', 'b2', 'b3']
CALL_TIMEOUT = 10


class Cluster(Lab):
    """The laboratory with two servers more, and a place for Redis."""

    def __init__(self):
        super().__init__(round_trip=ROUND_TRIP,
                         extra_hosts=CALLERS[1:] + CALLEES[1:])
        self.directory = tempfile.mkdtemp(prefix='hole-punch-cluster-')
        self.redis = None
        self.servers = {}
        for name, address in (('s2', SERVERS['s2']), ('s3', SERVERS['s3']),
                              ('redis', REDIS)):
            net, number = address.rsplit('.', 1)
            router = f'{net}.{int(number) - 1}'
            self._add_namespaces(name)
            self._link('r2', f'{router}/29', name, f'{address}/29')
            self._bring_up(name, 'lo', routes=[f'0.0.0.0/0 via {router}'])

    def close(self):
        super().close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start_redis(self, keeps_data=True):
        directory = os.path.join(self.directory, 'redis')
        if not keeps_data:
            shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory, exist_ok=True)
        self.redis = self.spawn(
            'redis', 'redis-server', '--bind', REDIS, '--protected-mode',
            'no', '--dir', directory, '--save', '', '--appendonly', 'yes',
            '--appendfsync', 'always', stdout=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while 'PONG' not in inside('redis', 'redis-cli', '-h', REDIS, 'ping',
                                   check=False):
            assert time.monotonic() < end, 'Redis does not start'
            time.sleep(0.05)

    def serve(self, name):
        """All have the identity of the first: they are behind one name."""
        self.servers[name] = nat.Tool(
            self, name, 'serve', '--port', '4222', '--workers', '2',
            '--identity', f'{self.directory}/identity', '--registry',
            f'redis://{REDIS}', '--verbose')
        self.servers[name].wait('listening')

    def start(self):
        self.start_redis()
        for name in SERVERS:
            self.serve(name)

    def kill(self, process):
        process.kill()
        process.wait()

    def server_of(self, peer_id):
        """Where that id was registered last."""
        last = {}
        for name, server in self.servers.items():
            while not server.events.empty():
                when, event = server.events.get()
                if event is not None:
                    event['at'] = when
                    server.seen.append(event)
            for event in server.seen:
                if event.get('id') == peer_id \
                        and event['event'] == 'peer-registered':
                    last[event['at']] = name
        assert last, f'{peer_id} is not registered'
        return last[max(last)]


class Load:
    """Each caller calls one callee after the other, anew each time."""

    def __init__(self, network, servers):
        self.network = network
        self.servers = servers  # of each caller
        self.calls = []  # began, took, caller, callee, the error's code
        self.is_over = False
        self.threads = [threading.Thread(target=self._call, args=(caller,))
                        for caller in CALLERS]
        for thread in self.threads:
            thread.start()

    def _call(self, caller):
        turn = CALLERS.index(caller)
        while not self.is_over:
            callee = CALLEES[turn % len(CALLEES)]
            turn += 1
            began = time.monotonic()
            result = subprocess.run(
                ['ip', 'netns', 'exec', caller, nat.HOLE_PUNCH, 'ping',
                 'id-' + callee, '--match-server', self.servers[caller],
                 '--count', '1', '--timeout', str(CALL_TIMEOUT), '--json'],
                stdout=subprocess.PIPE, text=True, timeout=60)
            wrong = ''
            if result.returncode != 0:
                lines = result.stdout.strip().splitlines() or ['{}']
                wrong = json.loads(lines[-1]).get('code', lines[-1])
            self.calls.append((began, time.monotonic() - began, caller,
                               callee, wrong))
            time.sleep(0.1)

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


def call(network, caller, callee, server, limit=CALL_TIMEOUT):
    pinger = nat.Tool(network, caller, 'ping', 'id-' + callee,
                      '--match-server', server, '--count', '1', '--timeout',
                      str(limit))
    there = pinger.wait('resolved', timeout=limit + 10)
    assert len(pinger.all('pong')) == 1, pinger.seen[-5:]
    assert there['path'] == 'direct', there
    return there


def each_finds_each():
    """Whichever server either is registered at."""
    with Cluster() as network:
        network.start()
        with listening(network, dict(zip(CALLEES, SERVERS.values()))):
            print('# caller at | callee at s | s2 | s3')
            for caller, server in zip(CALLERS, SERVERS):
                times = [call(network, caller, callee,
                              SERVERS[server])['milliseconds']
                         for callee in CALLEES]
                assert max(times) < 1500, times
                print(f'# {server} | '
                      + ' | '.join(f'{each:.0f} ms' for each in times))


@contextlib.contextmanager
def listening(network, servers):
    """A callee at each of @servers (by host), and one connection from a to b
    that lasts."""
    listeners = [nat.listen(network, callee, network.directory, server,
                            name='id-' + callee)
                 for callee, server in servers.items()]
    yield listeners
    for listener in listeners:
        listener.end()


def pause_of(pinger):
    """The longest time between two pongs so far, in seconds."""
    longest, last = 0, None
    while not pinger.events.empty():
        when, event = pinger.events.get()
        assert event is not None, f'the connection ended: {pinger.seen[-5:]}'
        pinger.seen.append(event)
        if event['event'] == 'pong':
            longest = max(longest, when - (last or when))
            last = when
    assert last is not None and time.monotonic() - last < 2, \
        'the connection stands still'
    return longest


def under_load(scenario, servers, blow, lasts):
    """@blow strikes in the middle of it, and gives when it struck; the load
    goes on for @lasts seconds. Gives the calls since, as (began, took, caller,
    callee, the error's code or ''), the times counted from the blow."""
    network = servers['network']
    pinger = nat.Tool(network, 'a', 'ping', 'id-b', '--match-server',
                      servers['a'], '--count', '0', '--interval', '0.1')
    pinger.wait('pong')
    load = Load(network, servers)
    time.sleep(5)
    struck = blow()
    time.sleep(max(0, struck + lasts - time.monotonic()))
    load.stop()
    pause = pause_of(pinger)
    pinger.end()
    before = [each for each in load.calls if each[0] + each[1] < struck]
    calls = [(began - struck, *rest) for began, *rest in load.calls
             if began + rest[0] >= struck]
    failed = [each for each in calls if each[4]]
    print('# blow | calls before, failed | after, failed | the last began | '
          'the slowest that succeeded | pause of a connection')
    print(f'# {scenario} | {len(before)}, '
          f'{sum(bool(each[4]) for each in before)} | {len(calls)}, '
          f'{len(failed)} | '
          f'{max((each[0] for each in failed), default=0):.1f} s | '
          f'{max(each[1] for each in calls if not each[4]):.1f} s | '
          f'{pause:.2f} s')
    for code in sorted({each[4] for each in failed}):
        those = [each for each in failed if each[4] == code]
        print(f'#   {code}: {len(those)} calls, begun {those[0][0]:.1f} to '
              f'{max(each[0] for each in those):.1f} s after the blow, failed '
              f'after {min(each[1] for each in those):.1f} to '
              f'{max(each[1] for each in those):.1f} s')
    assert not any(each[4] for each in before), before
    assert pause < 2, 'a connection was disturbed'
    return calls


def recovers_within(calls, seconds):
    late = [each for each in calls if each[4] and each[0] > seconds]
    assert not late, late
    later = {(each[2], each[3]) for each in calls
             if each[0] > seconds and not each[4]}
    assert {callee for _, callee in later} == set(CALLEES), later


def name_them_all():
    with open('/run/hosts', 'w', encoding='ascii') as hosts:
        hosts.writelines(f'{address} match.test\n'
                         for address in SERVERS.values())
    subprocess.run(['mount', '--bind', '/run/hosts', '/etc/hosts'],
                   check=True)


def server_gone(scenario, blow, within):
    """All peers know one name of the three. The server that has the first
    callee goes."""
    name_them_all()
    with Cluster() as network:
        network.start()
        names = {host: 'match.test' for host in CALLERS + CALLEES}
        with listening(network, {each: names[each] for each in CALLEES}):
            gone = network.server_of('id-b')

            def strike():
                process = network.servers[gone].process
                struck = time.monotonic()
                blow(process)
                return struck
            calls = under_load(scenario, dict(names, network=network), strike,
                               within + 15)
            recovers_within(calls, within)
            assert network.server_of('id-b') != gone


def server_killed():
    """Noticed by the next keepalive, every 15 s, within 2 s."""
    def blow(process):
        process.kill()
        process.wait()
    server_gone('server killed', blow, 20)


def listed_killed():
    """Peers are registered at all three: nobody is missed."""
    with Cluster() as network:
        network.start()
        names = dict.fromkeys(CALLERS + CALLEES, ','.join(SERVERS.values()))
        with listening(network, {each: names[each] for each in CALLEES}):
            def strike():
                struck = time.monotonic()
                network.kill(network.servers['s'].process)
                return struck
            calls = under_load('one of three listed killed',
                               dict(names, network=network), strike, 25)
            recovers_within(calls, 0)
            assert max(each[1] for each in calls) < 5, calls


def server_ended():
    """It says good-bye: its peers are elsewhere in half a second."""
    def blow(process):
        process.terminate()
        process.wait(timeout=20)
    server_gone('server ended', blow, 5)


def redis_restarted(scenario, keeps_data, within):
    """Peers know one server each. Who is at the same one is found all the
    time."""
    away = 5
    with Cluster() as network:
        network.start()
        at = dict(zip(CALLERS, SERVERS.values()))
        at.update(zip(CALLEES, SERVERS.values()))
        with listening(network, {each: at[each] for each in CALLEES}):
            def blow():
                struck = time.monotonic()
                network.kill(network.redis)
                time.sleep(away)
                network.start_redis(keeps_data)
                return struck
            calls = under_load(scenario, dict(at, network=network), blow,
                               away + within + 15)
            recovers_within(calls, away + within)
            local = [each for each in calls if at[each[2]] == at[each[3]]]
            assert not any(each[4] for each in local), local
            # Its being away is told at once, as what it is: it passes.
            missed = [each for each in calls if 1 < each[0] < away - 1
                      and each not in local]
            assert missed and all(
                each[4] == 'match-server' and each[1] < 5
                for each in missed), missed


def redis_with_data():
    redis_restarted('Redis restarted', True, 10)


def redis_without_data():
    """Everybody is in it again once registrations have been refreshed: every
    third of their lifetime of two minutes."""
    redis_restarted('Redis restarted, empty', False, 45)


SCENARIOS = {
    'each-finds-each': each_finds_each,
    'server-killed': server_killed,
    'listed-killed': listed_killed,
    'server-ended': server_ended,
    'redis-restarted': redis_with_data,
    'redis-emptied': redis_without_data,
}


def main():
    if sys.argv[1:] == ['--list']:
        print('\n'.join(SCENARIOS))
        return
    if shutil.which('redis-server') is None:
        print('SKIP: redis-server is not installed')
        sys.exit(lab.SKIP)
    lab.need_tun()
    lab.enter()
    SCENARIOS[sys.argv[1]]()


if __name__ == '__main__':
    main()
