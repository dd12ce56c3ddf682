#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes the manual's pages again and fails when gtk-doc warns.

gtk-doc's tools exit with 0 after a warning, and Meson shows their output only
in passing. Works on a copy of the built manual.

check-warnings.py SOURCES BUILT
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WARNING = re.compile(r'\b(warning|error)\b|no link for', re.IGNORECASE)
# The manuals of GLib and GIO need not be installed: links to their symbols
# are allowed to stay plain text, ours are not.
FOREIGN = re.compile(r'no link for: "(?!hp|hole|api-)', re.IGNORECASE)


def run(directory, *command):
    result = subprocess.run(command, cwd=directory, text=True, check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.stdout.splitlines()


def main(sources, built):
    module = '--module=hole-punch'
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary) / 'reference'
        shutil.copytree(built, copy)
        shutil.rmtree(copy / 'xml', ignore_errors=True)
        shutil.rmtree(copy / 'html', ignore_errors=True)
        (copy / 'html').mkdir()
        private = [path.name for path in pathlib.Path(sources).iterdir()
                   if path.is_dir()]
        output = run(copy, 'gtkdoc-mkdb', module, '--output-format=xml',
                     '--xml-mode', f'--source-dir={sources}',
                     f'--source-dir={pathlib.Path(built).parents[1]}/hole-punch',
                     '--ignore-files=' + ' '.join(private),
                     '--main-sgml-file=hole-punch-docs.xml',
                     '--default-includes=hole-punch/hole-punch.h')
        output += run(copy / 'html', 'gtkdoc-mkhtml', f'--path={copy}',
                      'hole-punch', '../hole-punch-docs.xml')
        output += run(copy, 'gtkdoc-fixxref', module, '--module-dir=html')
    found = [line for line in output
             if WARNING.search(line) and not FOREIGN.search(line)]
    print('\n'.join(found) or 'no warnings')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
