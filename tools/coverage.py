#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says which lines of src/ and cli/ a build with gcc's --coverage has run.

    coverage.py BUILD                     lines by floor and by file
    coverage.py BUILD --lines [PATH...]   and the lines that never ran
    coverage.py BUILD --least PERCENT     exit status 1 if src/ has less
    coverage.py BUILD --parsers           only of PARSERS; --least: each of them has as much

A source that is compiled several times (once per instruction set, once in double) counts a line as
run if any of its objects has run it.
"""

import argparse
import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What takes a stranger's bytes apart: the files whose lines the inputs of tests/fuzz/corpus must
# reach by themselves (make fuzz-coverage). Those of src/io that write, lock and sweep are none.
PARSERS = (
    'src/base/text.c',
    'src/data/cells.c', 'src/data/choose.c', 'src/data/corpus.c', 'src/data/intake.c',
    'src/data/labels.c', 'src/data/lines.c', 'src/data/numbers.c', 'src/data/read_conll.c',
    'src/data/read_conllu.c', 'src/data/read_csv.c', 'src/data/read_frames.c',
    'src/data/read_idx.c', 'src/data/read_text.c', 'src/data/read_ts.c', 'src/data/read_wav.c',
    'src/data/split.c', 'src/data/table.c', 'src/data/vectors.c', 'src/data/vocab.c',
    'src/data/wav.c', 'src/data/word_table.c',
    'src/exchange/params_file.c', 'src/exchange/rename.c', 'src/exchange/weights.c',
    'src/exchange/weights_rnn.c',
    'src/io/dtype.c', 'src/io/json.c', 'src/io/json_parse.c', 'src/io/option_json.c',
    'src/io/reader.c', 'src/io/safetensors_header.c', 'src/io/safetensors_read.c',
    'src/io/sniff.c', 'src/model/file.c', 'src/model/vocab_text.c',
    'src/train/checkpoint.c', 'src/train/identity.c', 'src/train/optimizer_file.c',
)


def notes(build):
    """The .gcno files of the library and the program; tests and examples are not measured."""
    for folder, _, names in os.walk(build):
        if '/tests/' in folder + '/' or '/CMakeFiles/example_' in folder:
            continue
        for name in sorted(names):
            if name.endswith('.gcno'):
                yield os.path.join(folder, name)


def read(gcov, build):
    """{path: {line: times}} of all sources below src/ and cli/."""
    files = collections.defaultdict(dict)
    paths = list(notes(build))
    if not paths:
        sys.exit('coverage.py: %s holds no .gcno file: build it with --coverage' % build)
    for at in range(0, len(paths), 50):
        run = subprocess.run([gcov, '--json-format', '--stdout'] + paths[at:at + 50],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=build,
                             check=False)
        for text in run.stdout.splitlines():
            if text.strip():
                collect(json.loads(text), files)
    return files


def collect(report, files):
    for entry in report['files']:
        path = os.path.join(report['current_working_directory'], entry['file'])
        path = os.path.relpath(os.path.realpath(path), os.path.realpath(ROOT))
        if not path.startswith(('src/', 'cli/')):
            continue
        lines = files[path]
        for line in entry['lines']:
            number = line['line_number']
            lines[number] = max(lines.get(number, 0), line['count'])


def floor_of(path):
    return os.path.dirname(path)


def ranges(numbers):
    """[1,2,3,7] -> 1-3, 7"""
    parts = []
    for n in sorted(numbers):
        if parts and parts[-1][1] == n - 1:
            parts[-1][1] = n
        else:
            parts.append([n, n])
    return ', '.join('%d' % a if a == b else '%d-%d' % (a, b) for a, b in parts)


def percent(run, all_lines):
    return 100.0 * run / all_lines if all_lines else 100.0


def row(name, lines_of):
    total = sum(len(lines) for lines in lines_of)
    run = sum(sum(1 for n in lines.values() if n > 0) for lines in lines_of)
    print('%-34s %6d lines %6d run %6.1f %%' % (name, total, run, percent(run, total)))
    return percent(run, total)


def list_missed(files, wanted):
    for path in sorted(files):
        missed = [n for n, times in files[path].items() if times == 0]
        if missed and path.startswith(wanted):
            print('%s: %s' % (path, ranges(missed)))


def report_parsers(files, options):
    """Exit status: is one of them below the least?"""
    absent = [path for path in PARSERS if path not in files]
    if absent:
        sys.exit('coverage.py: not in this build: %s' % ', '.join(absent))
    shares = {path: row(path, [files[path]]) for path in PARSERS}
    row('all parsers', [files[path] for path in PARSERS])
    if options.lines is not None:
        list_missed({path: files[path] for path in PARSERS}, tuple(options.lines) or ('',))
    low = [path for path in PARSERS if shares[path] < options.least]
    if low:
        print('coverage: less than %.1f %% of its lines run: %s' % (options.least, ', '.join(low)))
    return 1 if low else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build')
    parser.add_argument('--gcov', default=os.environ.get('GCOV', 'gcov'))
    parser.add_argument('--lines', nargs='*', metavar='PATH')
    parser.add_argument('--least', type=float, default=0)
    parser.add_argument('--parsers', action='store_true')
    options = parser.parse_args()

    files = read(options.gcov, os.path.abspath(options.build))
    if options.parsers:
        return report_parsers(files, options)
    floors = sorted({floor_of(path) for path in files})
    for floor in floors:
        for path in sorted(files):
            if floor_of(path) == floor:
                row('  ' + path, [files[path]])
        row(floor, [files[path] for path in files if floor_of(path) == floor])
    if options.lines is not None:
        list_missed(files, tuple(options.lines) or ('',))
    print()
    for floor in floors:
        row(floor, [files[path] for path in files if floor_of(path) == floor])
    print()
    row('cli', [files[path] for path in files if path.startswith('cli/')])
    share = row('src', [files[path] for path in files if path.startswith('src/')])
    if share < options.least:
        print('coverage: src/ has %.1f %% of its lines run, not %.1f %%' % (share, options.least))
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
