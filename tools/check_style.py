#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks what a reader should not have to: the mechanical half of the style.

    check_style.py            the whole tree
    check_style.py FILE...    these files

One line a fault, file:line: what; exit status 1 if there is any.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
C = ('.c', '.h', '.inc')
CMAKE = ('.cmake', '.cmake.in', 'CMakeLists.txt')
CODE = C + CMAKE + ('.sh', '.py')
TEXT = CODE + ('.md', '.pc.in', 'Makefile', 'LAYERS', '.clang-format', '.gitignore', '.ci/run')
MAX_COLUMNS = 100
MAX_LINES = 700
MAX_PARAMETERS = 6

# Stored numbers and expected output are data, whatever their ending.
DATA = re.compile(r'^(tests/(golden|data|fuzz)/|demo/|build)')

INVISIBLE = re.compile('[\u00a0\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]')
MARK = re.compile(r'\b(TO' r'DO|FIX' r'ME|X' r'XX)\b')
CALL = r'(?<![\w.])(?<!->)(%s)\s*\('
UNSAFE = re.compile(CALL % 'sprintf|vsprintf|strcpy|strcat|strtok|atoi|atol|atof|rand|srand|gets')
HEAP = re.compile(CALL % 'malloc|calloc|realloc|free|strdup|strndup|aligned_alloc')
VOICE = re.compile(CALL % 'printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror|exit|_exit'
                   '|abort|assert')
# The host's locale and rounding would show: src/base/locale.h prints real numbers.
PRINTED = re.compile(r'(?<!\w)(?:(vsnprintf)\s*\('
                     r'|(snprintf)\s*\([^;]*?(?<!%)%[-+ #0-9.*]*[aefgAEFG])')
INTRINSIC = re.compile(r'\b_mm\d*_\w+|\b\w*(?:mmintrin|immintrin|x86intrin|arm_neon|arm_acle)\.h')
UPWARDS = re.compile(r'^\s*#\s*include\s*"\.\./')
FAST = re.compile(r'-f' r'fast-math|-O' r'fast\b|-march=' r'native')
DECLARATION = re.compile(r'^UR_API\b')
# A function, or a pointer to one, with its list to the bracket or semicolon behind.
LIST = re.compile(r'(?m)^[ \t]*(?!return\b|else\b|#)[A-Za-z_][\w ]*[ *](?:(\w+)|\(\*(\w+)'
                  r'(?:\[\w*\])?\))\(([^;{}]*?)\)\s*(?:UR_PRINTF\([^)]*\)\s*)?[;{]')
BANNER = re.compile(r'/\* -{4} \w')


def ends(path, endings):
    return path.endswith(endings)


def all_files():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(d for d in folders
                            if d == '.ci' or not (d.startswith(('.', 'build')) or
                                                  d == '__pycache__'))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), ROOT)
            if ends(path, TEXT) and not DATA.match(path):
                yield path


def blank(match):
    """What a comment or a string is replaced with: as many lines, no words."""
    text = match.group()
    quote = text[0] if text[0] in '"\'' else ''
    return quote + '\n' * text.count('\n') + quote


TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
HASH_COMMENT = re.compile(r'(?m)^\s*#(?!!).*$')


class File:
    def __init__(self, path):
        self.path = path.replace(os.sep, '/')
        self.faults = []
        with open(os.path.join(ROOT, path), 'rb') as f:
            raw = f.read()
        try:
            self.text = raw.decode('utf-8')
        except UnicodeDecodeError:
            self.text = raw.decode('utf-8', 'replace')
            self.fault(1, 'not UTF-8')
        self.lines = self.text.split('\n')

    def fault(self, line, what):
        self.faults.append('%s:%d: %s' % (self.path, line, what))

    def find(self, pattern, text, what):
        """A fault for each match; what may hold %s for the first group or the match."""
        for match in pattern.finditer(text):
            word = match.group(match.lastindex or 0)
            line = text.count('\n', 0, match.start(match.lastindex or 0)) + 1
            self.fault(line, what % word if '%s' in what else what)

    def check(self):
        self.check_text()
        if ends(self.path, CODE) or self.path in ('Makefile', '.ci/run'):
            self.check_code()
        if ends(self.path, C):
            self.check_c()
        if self.path.startswith('include/'):
            self.check_documented()
        return self.faults

    def check_text(self):
        for number, line in enumerate(self.lines, 1):
            if line.endswith((' ', '\t', '\r')):
                self.fault(number, 'space at the end of the line')
            if '\t' in line and not self.path.endswith('Makefile'):
                self.fault(number, 'tab')
        self.find(INVISIBLE, self.text, 'invisible character')
        if self.text and not self.text.endswith('\n'):
            self.fault(len(self.lines), 'no line end at the end of the file')
        if self.text.endswith('\n\n'):
            self.fault(len(self.lines) - 1, 'empty line at the end of the file')

    def check_code(self):
        if not any('SPDX-License-Identifier: MIT' in line for line in self.lines[:3]):
            self.fault(1, 'no SPDX-License-Identifier in the first lines')
        for number, line in enumerate(self.lines, 1):
            if len(line) > MAX_COLUMNS:
                self.fault(number, '%d columns (at most %d)' % (len(line), MAX_COLUMNS))
        if len(self.lines) - 1 > MAX_LINES:
            self.fault(MAX_LINES, '%d lines (at most %d): it wants to be two files'
                       % (len(self.lines) - 1, MAX_LINES))
        self.find(MARK, self.text, '%s: do it, or write down why not')
        if not ends(self.path, C):
            self.find(FAST, HASH_COMMENT.sub(blank, self.text),
                      '%s: results would depend on the build')

    def check_c(self):
        for number, line in enumerate(self.lines, 1):
            if UPWARDS.match(line):
                self.fault(number, 'include from the root, not upwards')
        bare = TOKENS.sub(blank, self.text)
        self.find(UNSAFE, bare, '%s() is banned')
        ours = self.path.startswith(('src/', 'include/'))
        if (ours or self.path.startswith('cli/')) and self.path != 'src/base/mem.c':
            self.find(HEAP, bare, '%s(): memory comes from base/mem.h')
        if ours or self.path.startswith('cli/'):
            self.check_lists(bare)
        if ours:
            self.find(VOICE, bare, '%s(): the library neither prints nor exits')
            if self.path != 'src/base/locale.c':
                self.find(PRINTED, re.sub(r'/\*.*?\*/', blank, self.text, flags=re.S),
                          '%s() of real numbers: ur__format() or ur__vformat()')
        if not re.match(r'src/(kernel/vec_[^/]*\.h$|base/)', self.path):
            # Headers are named in what the token pattern takes for strings.
            text = re.sub(r'/\*.*?\*/', blank, self.text, flags=re.S)
            self.find(INTRINSIC, text, '%s: instructions are named in src/kernel/vec_*.h alone')

    def check_lists(self, bare):
        for m in LIST.finditer(bare):
            name, inner = m.group(1) or m.group(2), m.group(3)
            while '(' in inner:     # lists within are not this one's
                shorter = re.sub(r'\([^()]*\)', '', inner)
                if shorter == inner:
                    break
                inner = shorter
            n = inner.count(',') + 1
            if n > MAX_PARAMETERS:
                self.fault(bare.count('\n', 0, m.start(3)) + 1,
                           '%s has %d parameters (at most %d): make a struct of some'
                           % (name, n, MAX_PARAMETERS))

    def check_documented(self):
        """A public function has a comment above it or above its group, or a banner."""
        group = banner = False
        for number, line in enumerate(self.lines, 1):
            if (not line.strip() or line.startswith('#')) and not banner:
                group = False
            banner = bool(BANNER.match(line))
            group = group or banner or '*/' in line
            if DECLARATION.match(line) and not group:
                self.fault(number, 'a public function without a comment')


def check_version():
    """The version stands in two places, which must agree."""
    def read(path):
        try:
            with open(os.path.join(ROOT, path), encoding='utf-8') as f:
                return f.read()
        except FileNotFoundError:
            return ''
    header = read('include/unroll/base.h')
    built = re.search(r'project\(unroll VERSION ([\d.]+)', read('CMakeLists.txt'))
    text = re.search(r'#define UR_VERSION "([\d.]+)"', header)
    parts = re.findall(r'#define UR_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)', header)
    versions = {m.group(1) for m in (built, text) if m} | {'.'.join(parts)}
    if len(versions) > 1:
        return ['include/unroll/base.h:1: versions differ: %s' % ', '.join(sorted(versions))]
    return []


def main():
    named = [os.path.relpath(os.path.abspath(p), ROOT) for p in sys.argv[1:]]
    paths = named or list(all_files())
    faults = check_version()
    for path in paths:
        faults += File(path).check()
    for fault in faults:
        print(fault)
    print('style: %d files, faults: %d' % (len(paths), len(faults)))
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
