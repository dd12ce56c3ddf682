#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The quick starts of all languages, with one another.

    crosswise.py pair SERVER CALLEE CALLER LANGUAGE=PROGRAM…
    crosswise.py endless|ends|fails LANGUAGE LANGUAGE=PROGRAM…

Every server has a port that was free; nothing is waited for by sleeping.
"""

import contextlib
import re
import sys

from children import Child, command_of

ADDRESS = r'(?:[\d.]+|\[[\da-f:.]+\]):\d+'
TIME = r'\d+\.\d ms'
ANSWER = f'caller: sent 10240 bytes, got "callee got you" back in {TIME}'
# The callers in these let sending find the callee; the others connect first.
FIND_BY_SENDING = ('c', 'python')
SINCE_FOUND = f', {TIME} of them since wq was found'


class Stage(contextlib.ExitStack):
    """Starts programs, ends them all."""

    def __init__(self, programs):
        super().__init__()
        self.programs = programs

    def start(self, language, *arguments):
        command = command_of(language, self.programs[language])
        return self.enter_context(Child(
            [*command, *arguments], ' in '.join([*arguments[:1], language])))

    def start_server(self, language):
        server = self.start(language, 'server', '0')
        port = server.expect(r'server: listening on port (\d+)')[1]
        assert int(port) > 0
        return server, f'127.0.0.1:{port}'

    def start_callee(self, language, address):
        callee = self.start(language, 'callee', 'wq', address)
        callee.expect(f'callee: registered as wq, seen at {ADDRESS}')
        return callee


def check_end(child, status):
    assert status == 0, f'{child.name}: ended with {status}'
    assert not child.errors, f'{child.name}: {child.errors}'


def pair(stage, server_language, callee_language, caller_language):
    server, address = stage.start_server(server_language)
    callee = stage.start_callee(callee_language, address)
    callee_at = server.expect(f'server: wq is at ({ADDRESS})')[1]
    caller = stage.start(caller_language, 'caller', 'wq', address)
    # On one machine the peers may meet at any of its addresses, but the port
    # is the one that the server saw.
    found = caller.expect(f'caller: found wq at ({ADDRESS}) after {TIME}')[1]
    assert found.split(':')[-1] == callee_at.split(':')[-1], \
        (found, callee_at)
    answers = caller.rest()
    check_end(caller, caller.wait())
    assert len(answers) == 5, answers
    first = ANSWER
    if caller_language in FIND_BY_SENDING:
        first += SINCE_FOUND
    assert re.fullmatch(first, answers[0]), answers[0]
    for answer in answers[1:]:
        assert re.fullmatch(ANSWER, answer), answer
    server.expect(f'server: introduced {ADDRESS} to wq')
    callee.expect(f'callee: found {ADDRESS} after {TIME}')
    for _ in answers:
        callee.expect('callee: got 10240 bytes')
    check_end(callee, callee.interrupt())
    check_end(server, server.interrupt())


def endless(stage, language):
    """COUNT 0 goes on until it is interrupted, and may be then."""
    server, address = stage.start_server(language)
    callee = stage.start_callee(language, address)
    caller = stage.start(language, 'caller', 'wq', address, '0')
    for _ in range(50):
        caller.expect(ANSWER)
    check_end(caller, caller.interrupt())
    check_end(callee, callee.interrupt())
    check_end(server, server.interrupt())


def ends(stage, language):
    """A callee that ends says so: its caller waits for nothing."""
    _, address = stage.start_server(language)
    callee = stage.start_callee(language, address)
    caller = stage.start(language, 'caller', 'wq', address, '0')
    caller.expect(ANSWER)
    check_end(callee, callee.interrupt())
    caller.rest()
    assert caller.wait() == 1
    assert len(caller.errors) == 1, caller.errors
    assert caller.errors[0].startswith('quick-start: '), caller.errors


def fails(stage, language):
    """What goes wrong is told in one line, with an exit status."""
    _, address = stage.start_server(language)

    def check(status, *arguments):
        with stage.start(language, *arguments) as child:
            child.rest()
            assert child.wait() == status, arguments
            return child.errors

    errors = check(1, 'caller', 'nobody', address)
    assert len(errors) == 1 and errors[0].startswith('quick-start: '), errors
    # The port is taken.
    errors = check(1, 'server', address.split(':')[1])
    assert len(errors) == 1 and errors[0].startswith('quick-start: '), errors
    # The id too.
    stage.start_callee(language, address)
    errors = check(1, 'callee', 'wq', address)
    assert len(errors) == 1 and errors[0].startswith('quick-start: '), errors
    assert any('caller ID SERVER' in line for line in check(2))
    assert any('caller ID SERVER' in line for line in check(2, 'caller'))
    assert any('caller ID SERVER' in line for line in check(2, 'friend'))


SCENARIOS = {'pair': pair, 'endless': endless, 'ends': ends, 'fails': fails}


def main(scenario, *arguments):
    languages = [a for a in arguments if '=' not in a]
    programs = dict(a.split('=', 1) for a in arguments if '=' in a)
    with Stage(programs) as stage:
        SCENARIOS[scenario](stage, *languages)
    print(scenario, *languages, 'ok')


if __name__ == '__main__':
    main(*sys.argv[1:])
