#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The hole-punch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Writes gtk-doc's sections file: a page for each public header.

gtk-doc can make it by itself, but takes the type macros of G_DECLARE_…_TYPE
for symbols that want a description.

sections.py HEADERS… > hole-punch-sections.txt
"""

import pathlib
import re
import sys

COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)
SYMBOL = re.compile(
    r'^#define (?P<macro>HP_\w+)'
    r'|^HP_AVAILABLE_IN_\w+\s+G_DECLARE_\w+\s*\(\s*(?P<declared>\w+)'
    r'|^HP_AVAILABLE_IN_\w+\s[^;(]*?\b(?P<function>hp_\w+)\s*\('
    r'|^} (?P<enum>Hp\w+);'
    r'|^typedef [^;(]*\(\*(?P<callback>Hp\w+)\)'
    r'|^struct _(?P<struct>Hp\w+)$',
    re.MULTILINE)
STANDARD = re.compile(r'HP_TYPE_\w+|\w+_get_type|\w+_quark')


def section(header):
    text = COMMENT.sub('', header.read_text(encoding='utf-8'))
    symbols = [match[match.lastgroup] for match in SYMBOL.finditer(text)]
    yield '<SECTION>'
    yield f'<FILE>{header.name.split(".")[0]}</FILE>'
    yield from (name for name in symbols if not STANDARD.fullmatch(name))
    yield '<SUBSECTION Standard>'
    yield from (name for name in symbols if STANDARD.fullmatch(name))
    yield '</SECTION>'


for argument in sys.argv[1:]:
    print('\n'.join(section(pathlib.Path(argument))), end='\n\n')
