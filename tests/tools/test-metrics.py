#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A match server's numbers, as a monitoring system gets them."""

import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import operating
import tools

OPEN_METRICS = 'application/openmetrics-text'
# As Prometheus 2.42 asks
ACCEPT = (f'{OPEN_METRICS};version=1.0.0,{OPEN_METRICS};version=0.0.1;q=0.75,'
          'text/plain;version=0.0.4;q=0.5,*/*;q=0.1')
REASONS = {'malformed', 'ticket', 'forged', 'replayed', 'unknown',
           'rate_limited', 'full'}
MANUAL = tools.SOURCE / 'data/hole-punch-match-server.conf.5'


def fetch(uri, accept=None, method='GET'):
    request = urllib.request.Request(uri, method=method)
    if accept is not None:
        request.add_header('Accept', accept)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers['Content-Type'], answer.read().decode()


def parse(text):
    """{'name{labels}': number}"""
    return {line.rpartition(' ')[0]: float(line.rpartition(' ')[2])
            for line in text.splitlines() if not line.startswith('#')}


class Metrics(operating.TestCase):
    def serve_metrics(self, *lines, **kwargs):
        """None there if this build has no metrics."""
        process = self.start('serve', '--metrics', '0', '-i',
                             self.folder / 'server', '--config',
                             self.configure(*lines), **kwargs)
        first = json.loads(process.next_line())
        if first.get('code') == 'not-supported':
            self.assertIn('libsoup', first['message'])
            self.assert_ends(process, 1)
            self.skipTest('built without libsoup')
        self.assertEqual(first['event'], 'listening')
        process.server = first['address']
        process.metrics = first['metrics']
        return process

    def test_formats(self):
        server = self.serve_metrics()
        self.assertRegex(server.metrics,
                         r'^http://127\.0\.0\.1:[0-9]+/metrics$')
        plain = 'text/plain; version=0.0.4; charset=utf-8'
        opened = f'{OPEN_METRICS}; version=1.0.0; charset=utf-8'
        for accept, wanted in (
                (None, plain), ('*/*', plain), ('text/plain', plain),
                ('text/html', plain), (ACCEPT, opened), (OPEN_METRICS, opened),
                (f'text/plain;q=0.9,{OPEN_METRICS};q=0.8', plain),
                (f'{OPEN_METRICS};q=0,text/plain', plain)):
            kind, text = fetch(server.metrics, accept)
            self.assertEqual(kind, wanted, accept)
            self.assertEqual(text.endswith('\n# EOF\n'), wanted == opened)
        self.assertEqual(fetch(server.metrics, method='HEAD')[1], '')

    def test_open_metrics(self):
        """The rules of OpenMetrics 1.0.0 for names, types and units"""
        text = fetch(self.serve_metrics().metrics, OPEN_METRICS)[1]
        family = kind = None
        seen = set()
        for line in text.removesuffix('# EOF\n').splitlines():
            if line.startswith('# '):
                _, what, name, rest = line.split(' ', 3)
                if what == 'TYPE':
                    self.assertNotIn(name, seen)
                    seen.add(name)
                    family, kind = name, rest
                    self.assertFalse(name.endswith(('_total', '_info')), name)
                elif what == 'UNIT':
                    self.assertTrue(name.endswith(f'_{rest}'), line)
                else:
                    self.assertEqual(what, 'HELP')
                self.assertEqual(name, family)
                continue
            name = re.match(r'[a-z_]+', line)[0]
            self.assertEqual(name, family + {
                'counter': '_total', 'info': '_info', 'gauge': ''}[kind])
        units = set(re.findall(r'^# UNIT (\S+)', text, re.MULTILINE))
        self.assertEqual({name for name in seen if re.search(
            '_(bytes|seconds)$', name)}, units)

    def test_names(self):
        """They are the same in both formats, and those of the manual."""
        server = self.serve_metrics()
        names = set(parse(fetch(server.metrics)[1]))
        self.assertEqual(
            set(parse(fetch(server.metrics, OPEN_METRICS)[1])), names)
        self.assertEqual(
            {re.search('"(.*)"', name)[1] for name in names
             if name.startswith('hole_punch_dropped_datagrams_total{')},
            REASONS)
        bare = {name.partition('{')[0] for name in names}
        manual = MANUAL.read_text(encoding='utf-8').partition(
            '.SH METRICS')[2].partition('.SH EXAMPLES')[0]
        self.assertEqual(set(re.findall(
            r'\b(?:hole_punch|process)_[a-z_]+', manual)), bare)

    def test_numbers(self):
        """What happens is counted."""
        server = self.serve_metrics('max-peers=77', 'max-stun-per-second=5',
                                    'workers=1')
        before = parse(fetch(server.metrics)[1])
        self.listen(server)
        self.assert_ends(self.start('ping', 'wq', '-c', '1', '-m',
                                    server.server))
        refused = self.start('ping', 'nobody', '-c', '1', '-t', '1', '-m',
                             server.server)
        self.assert_ends(refused, 1)
        host, _, port = server.server.rpartition(':')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(30):
                stranger.sendto(operating.stun_request(number),
                                (host, int(port)))
            stranger.sendto(b'nonsense', (host, int(port)))
            time.sleep(1)
        after = parse(fetch(server.metrics)[1])

        def grown(name):
            return after[f'hole_punch_{name}'] - before[f'hole_punch_{name}']

        self.assertEqual(after['hole_punch_max_peers'], 77)
        self.assertEqual(after['hole_punch_workers'], 1)
        self.assertEqual(grown('registrations'), 1)
        self.assertGreaterEqual(grown('register_requests_total'), 1)
        self.assertGreaterEqual(grown('peers'), 1)
        for name in ('handshakes', 'asks', 'introductions', 'cookies',
                     'refused_requests', 'stun_answers', 'received_datagrams',
                     'sent_datagrams'):
            self.assertGreater(grown(f'{name}_total'), 0, name)
        for way in ('received', 'sent'):
            self.assertGreater(grown(f'{way}_bytes_total'),
                               30 * grown(f'{way}_datagrams_total'))
        self.assertGreaterEqual(
            grown('dropped_datagrams_total{reason="rate_limited"}'), 10)
        self.assertEqual(
            grown('dropped_datagrams_total{reason="malformed"}'), 1)
        self.assertEqual(after['hole_punch_registry_healthy'], 1)
        self.assertEqual(grown('registry_failures_total'), 0)

    def test_process(self):
        """As the kernel has it"""
        server = self.serve_metrics()
        pid = server.popen.pid
        numbers = parse(fetch(server.metrics)[1])
        with open(f'/proc/{pid}/status', encoding='utf-8') as status:
            resident = int(re.search(r'VmRSS:\s+(\d+) kB',
                                     status.read())[1]) * 1024
        self.assertAlmostEqual(numbers['process_resident_memory_bytes'],
                               resident, delta=resident / 4)
        self.assertAlmostEqual(numbers['process_start_time_seconds'],
                               time.time(), delta=tools.PATIENCE)
        self.assertEqual(
            parse(fetch(server.metrics)[1])['process_start_time_seconds'],
            numbers['process_start_time_seconds'])
        self.assertTrue(0 < numbers['process_cpu_seconds_total'] < 20)

    def assert_status(self, uri, status, **kwargs):
        with self.assertRaises(urllib.error.HTTPError) as context:
            fetch(uri, **kwargs)
        with context.exception as error:
            self.assertEqual(error.code, status)

    def test_nothing_else(self):
        server = self.serve_metrics()
        root = server.metrics.removesuffix('metrics')
        for path in ('', 'metrics/', 'metrics/x', 'metric', '../etc/passwd'):
            self.assert_status(root + path, 404)
        for method in ('POST', 'PUT', 'DELETE'):
            self.assert_status(server.metrics, 405, method=method)

    def test_place(self):
        port = operating.free_port()
        for address, uri in ((f'127.0.0.1:{port}', '127.0.0.1'),
                             (f'localhost:{port}', '127.0.0.1'),
                             (f'{port}', '127.0.0.1')):
            server = self.serve_metrics(f'metrics={address}')
            # The command line counts more.
            self.assertFalse(server.metrics.endswith(f':{port}/metrics'))
            server.signal(signal.SIGTERM)
            self.assert_ends(server)
            server = self.serve_with(f'metrics={address}')
            self.assertEqual(server.listening['metrics'],
                             f'http://{uri}:{port}/metrics')
            other = self.start('serve', '-p', '0', '-i',
                               self.folder / 'server', '--metrics', address)
            self.assertIn(address, self.assert_error(
                other, 'address-in-use')['message'])
            server.signal(signal.SIGTERM)
            self.assert_ends(server)

    def test_reload(self):
        """They move, they end, and stay when they cannot move."""
        first, second = operating.free_port(), operating.free_port()
        self.serve_metrics().signal(signal.SIGTERM)
        server = self.serve_with(f'metrics={first}')
        fetch(server.listening['metrics'])
        self.assertEqual(self.reload(server, f'metrics={second}')['changed'],
                         ['metrics'])
        fetch(f'http://127.0.0.1:{second}/metrics')
        with self.assertRaises(urllib.error.URLError):
            fetch(server.listening['metrics'])
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            self.configure(f'metrics={taken.getsockname()[1]}', 'max-peers=9')
            server.signal(signal.SIGHUP)
            self.assertEqual(server.event('error')['code'], 'address-in-use')
        numbers = parse(fetch(f'http://127.0.0.1:{second}/metrics')[1])
        self.assertEqual(numbers['hole_punch_max_peers'], 100000)
        self.reload(server)
        with self.assertRaises(urllib.error.URLError):
            fetch(f'http://127.0.0.1:{second}/metrics')

    def test_reload_same_port(self):
        """Another address with a port that is still in use by itself"""
        port = operating.free_port()
        addresses = [f'{host}:{port}' for host in
                     ('127.0.0.1', '0.0.0.0', '127.0.0.1', '127.0.0.2')]
        self.serve_metrics().signal(signal.SIGTERM)
        server = self.serve_with(f'metrics={addresses[0]}')
        for address in addresses[1:]:
            told = self.reload(server, f'metrics={address}')
            self.assertEqual(told['changed'], ['metrics'])
            fetch(f'http://{address}/metrics')
        with self.assertRaises(urllib.error.URLError):
            fetch(f'http://{addresses[0]}/metrics')
        # Taken by others: then it is where it was.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
            # Its connections of before may still be remembered.
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(('127.0.0.1', port))
            taken.listen()
            self.configure(f'metrics=0.0.0.0:{port}')
            server.signal(signal.SIGHUP)
            self.assertEqual(server.event('error')['code'], 'address-in-use')
            fetch(f'http://{addresses[-1]}/metrics')
        self.reload(server, f'metrics=0.0.0.0:{port}')
        fetch(f'http://{addresses[0]}/metrics')

    def test_end(self):
        """A client that stays does not keep it."""
        server = self.serve_metrics()
        place = urllib.parse.urlsplit(server.metrics).netloc
        client = http.client.HTTPConnection(place, timeout=10)
        self.addCleanup(client.close)
        client.request('GET', '/metrics')
        client.getresponse().read()
        server.signal(signal.SIGTERM)
        self.assert_ends(server)

    def test_promtool(self):
        if shutil.which('promtool') is None:
            self.skipTest('promtool is not installed')
        text = fetch(self.serve_metrics().metrics)[1]
        result = subprocess.run(
            ['promtool', 'check', 'metrics'], input=text, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, ''))

    def query(self, prometheus, expression):
        """{name: number} of the samples that it has now"""
        uri = (f'http://127.0.0.1:{prometheus}/api/v1/query?'
               + urllib.parse.urlencode({'query': expression}))
        try:
            result = json.loads(fetch(uri)[1])['data']['result']
        except (urllib.error.URLError, ConnectionError):
            return {}
        return {sample['metric'].get('__name__', ''):
                float(sample['value'][1]) for sample in result}

    def test_prometheus(self):
        """A real one scrapes it, by OpenMetrics."""
        if shutil.which('prometheus') is None:
            self.skipTest('prometheus is not installed')
        server = self.serve_metrics()
        place = urllib.parse.urlsplit(server.metrics).netloc
        config = self.file(
            f'global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n'
            f'scrape_configs:\n- job_name: hole-punch\n'
            f'  static_configs: [{{targets: ["{place}"]}}]\n'.encode(),
            'prometheus.yml')
        port = operating.free_port()
        with open(self.folder / 'prometheus.log', 'wb') as log:
            prometheus = subprocess.Popen(
                ['prometheus', f'--config.file={config}',
                 f'--storage.tsdb.path={self.folder}/data',
                 f'--web.listen-address=127.0.0.1:{port}'],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self.listen(server)
            end = time.monotonic() + 60
            numbers = {}
            while numbers.get('hole_punch_registrations') != 1:
                self.assertLess(time.monotonic(), end, (
                    numbers, (self.folder / 'prometheus.log').read_text()))
                time.sleep(0.5)
                numbers = self.query(port, '{job="hole-punch"}')
            self.assertEqual(numbers['up'], 1)
            for name in parse(fetch(server.metrics)[1]):
                self.assertIn(name.partition('{')[0], numbers)
            self.assertEqual(len(self.query(
                port, 'sum by (reason) (hole_punch_dropped_datagrams_total)')),
                1)
            kinds = json.loads(fetch(
                f'http://127.0.0.1:{port}/api/v1/metadata')[1])['data']
            # Only OpenMetrics has units.
            self.assertEqual(kinds['hole_punch_sent_bytes'][0]['unit'],
                             'bytes')
        finally:
            prometheus.terminate()
            prometheus.wait()


if __name__ == '__main__':
    tools.main()
