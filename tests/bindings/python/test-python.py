#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""All of the library, from Python."""

import faulthandler
import sys
import unittest

import harness
import objects
import peers
import servers
import streams


def main():
    faulthandler.enable()
    # An exception in a callback would only be printed.
    failures = []
    hook = sys.excepthook

    def note(kind, value, traceback):
        failures.append(value)
        hook(kind, value, traceback)
    sys.excepthook = note

    loader = unittest.TestLoader()
    suite = unittest.TestSuite(loader.loadTestsFromModule(module)
                               for module in (objects, peers, servers,
                                              streams))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    assert not failures, failures
    assert result.testsRun > 30
    assert harness.EVERYTHING, 'to be run by every.py'
    sys.exit(not result.wasSuccessful())


if __name__ == '__main__':
    main()
