#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the defaults that README.md and docs/*.md state with those of --help.

    check_defaults.py UNROLL            the documents
    check_defaults.py UNROLL FILE...    these files

A default is stated in one of these forms, names spelled as on the command line or with
underscores:

    `--lr` (2e-3), `lr` (2e-3), --lr (2e-3)     a name, then the value as --help has it
    `cosine` (default), `--cell lstm` (default) a choice of an option; **adamw**, too
    | option | default |                        a table whose first columns are these

A sentence that speaks of a default in another way is a fault, unless ELSEWHERE knows it: so none
goes unseen. One line a fault, file:line: what; exit status 1 if there is any.
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FEWEST = 15     # statements in all the documents: fewer, and a form is no longer recognised
SPEAKS = re.compile(r'\b(defaults?|unless (set|given))\b', re.IGNORECASE)

# Sentences about defaults that no option has: of functions, processors, peers.
ELSEWHERE = (
    'every option with its default',
    'with all options and their defaults',
    'Arguments that are left out have defaults',
    "PyTorch's default is 0",
    'where a default differs',
    'IEEE default mode',
    'runs in the default mode',
    'Defaults: β₁ 0.9, β₂ 0.999, α 0.95',
    'asks for the default',
    'defaults filled in',
    'of a step of the default net',
)

# Fields whose option has another name, or none of its own.
FIELDS = {'seconds': 'time', 'zoneout-h': 'zoneout', 'zoneout-c': 'zoneout-cell'}
FIELDS_ONLY = ('val-file',)


# ---- what the program says -------------------------------------------------

def options_of(unroll):
    """{option: default} and {option: choices}; train's where several commands have one."""
    defaults, choices = {}, {}
    for command in 'train', 'sample', 'eval', 'predict', 'see':
        text = subprocess.run([unroll, command, '--help'], check=True, capture_output=True,
                              text=True).stdout
        for entry in re.split(r'\n  (?=-)', text)[1:]:
            entry = entry.split('\n\n', 1)[0]
            name, values = re.match(r'(?:-\w, )?--([\w-]+)(?: (\S+))?', entry).groups()
            value = re.search(r'\(([^()]*)\)$', ' '.join(entry.split()))
            if name not in defaults:
                defaults[name] = value[1] if value else 'none'
                choices[name] = (values or '').split('|')
    return defaults, choices


def plain(value):
    """One spelling of equal values: 2e-3 and 0.002; none, off and 0: off."""
    value = value.strip(' `')
    if value in ('off', 'no limit') or re.fullmatch(r'0: (off|none|never)', value):
        return 'none'
    try:
        return float(value.replace(',', ''))
    except ValueError:
        return value


# ---- what the documents say ------------------------------------------------

def sentences(path):
    """(line, text): of prose a sentence, of a table a row."""
    with open(path, encoding='utf-8') as f:
        lines = f.read().split('\n')
    start, held = 1, ''
    for number, line in enumerate(lines + [''], 1):
        for part in re.split(r'(?<=[.;])\s+', line.strip()):
            if held and (re.search(r'[.;]$', held) or re.match(r'\s*(([|#-]|\d+\.) |\||$)', line)):
                yield start, held
                held = ''
            start = start if held else number
            held = (held + ' ' + part).strip()


def option(name):
    name = name.strip(' `-').replace('_', '-')
    return FIELDS.get(name, name)


def statements(text, in_table, defaults, choices):
    """(option, value) of each that a sentence makes."""
    for match in re.finditer(r'(?:`(?:--)?([a-z_-]+)`|--([a-z-]+)) \(([^()`]+)\)', text):
        if option(match[1] or match[2]) in defaults:
            yield option(match[1] or match[2]), match[3]
    for match in re.finditer(r'(?:`|\*\*)(?:--([a-z-]+) )?([a-z-]+)(?:`|\*\*) \(default\)', text):
        for name in [match[1]] if match[1] else [o for o in choices if match[2] in choices[o]]:
            yield name, match[2]
    if in_table:
        names, values = ([part.strip() for part in cell.split(',')]
                         for cell in text.split('|')[1:3])
        for i, name in enumerate(names):
            if option(name) not in FIELDS_ONLY:
                yield option(name), values[i] if i < len(values) else ''


def check(path, shown, defaults, choices):
    """How many statements a document makes, and how many faults it has."""
    stated, faults, in_table = 0, 0, False
    for line, text in sentences(path):
        if text.startswith('| option | default |') or re.fullmatch(r'\|[-|]+', text):
            in_table = text.startswith('| option') or in_table
            continue
        in_table = in_table and text.startswith('|')
        found = list(statements(text, in_table, defaults, choices))
        stated += len(found)
        wrong = [f'--{name} is {value} here, {defaults.get(name)} in --help'
                 for name, value in found if plain(value) != plain(defaults.get(name, '?'))]
        prose = re.sub('`[^`]*`', '', text)     # names of files and functions speak of nothing
        if SPEAKS.search(prose) and not found and not any(known in text for known in ELSEWHERE):
            wrong.append(f'a default in no known form: {text}')
        for what in wrong:
            print(f'{shown}:{line}: {what}')
        faults += len(wrong)
    return stated, faults


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    unroll, *paths = sys.argv[1:]
    fewest = 1 if paths else FEWEST
    paths = paths or [os.path.join(ROOT, 'README.md'),
                      *sorted(glob.glob(os.path.join(ROOT, 'docs', '*.md')))]
    options = options_of(unroll)
    counts = [check(path, os.path.relpath(path, ROOT), *options) for path in paths]
    stated, faults = (sum(column) for column in zip(*counts))
    if stated < fewest:
        faults += 1
        print(f'{stated} defaults are stated: fewer than {fewest}')
    print(f'{stated} defaults in {len(paths)} files, {faults} faults')
    sys.exit(faults > 0)


if __name__ == '__main__':
    main()
