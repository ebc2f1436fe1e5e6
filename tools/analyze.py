#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the static analysers over src/ and cli/: clang-tidy, cppcheck, gcc -fanalyzer.

    analyze.py BUILD                      all three, in the folder BUILD
    analyze.py BUILD tidy|cppcheck|gcc    one of them

One that is not installed is skipped with a line. A finding is one line, file:line: text [check];
those explained in tools/analyze.allow are not printed. Exit status 1 if there is any other, or if
an explanation explains nothing any more.
"""

import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ALLOW = os.path.join(ROOT, 'tools', 'analyze.allow')
FINDING = re.compile(r'^(/?[^\s:]+):(\d+):(?:\d+:)? (?:warning|error): (.*) \[([^\]]+)\]$')


class Allowed:
    """One explained finding: the check, the file, words of the message."""

    def __init__(self, line):
        self.check, self.path, self.words = (line.split(None, 2) + [''])[:3]
        self.used = False

    def covers(self, path, check, text):
        return check == self.check and path == self.path and self.words in text


def explained():
    with open(ALLOW, encoding='utf-8') as f:
        return [Allowed(line.strip()) for line in f
                if line.strip() and not line.startswith('#')]


def commands(build):
    """[(file, [flags])] of the library and the program."""
    compiler = shutil.which('clang') or shutil.which('gcc') or 'cc'
    subprocess.run(['cmake', '-S', ROOT, '-B', build, '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON',
                    '-DCMAKE_C_COMPILER=' + compiler, '-DCMAKE_BUILD_TYPE=Debug',
                    '-DUNROLL_TESTS=OFF', '-DUNROLL_SHARED=OFF', '-DUNROLL_EXAMPLES=OFF'],
                   check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as f:
        entries = json.load(f)
    return [(e['file'], shlex.split(e['command'])[1:]) for e in entries]


def run_all(lines, jobs):
    """Runs the command lines side by side; what they say, as one list of lines."""
    def run(line):
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        return done.stdout.splitlines()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [text for said in pool.map(run, lines) for text in said]


def tidy(build, sources, jobs):
    """Largest files first: the wide kernels would else be the last to end."""
    files = sorted((path for path, _ in sources), key=os.path.getsize, reverse=True)
    first = [path for path in files if '/isa_' in path]
    order = first + [path for path in files if path not in first]
    return run_all([['clang-tidy', '-p', build, '--quiet', path] for path in order], jobs)


def cppcheck(build, _, jobs):
    cache = os.path.join(build, 'cppcheck')
    os.makedirs(cache, exist_ok=True)
    return run_all([['cppcheck', '--project=' + os.path.join(build, 'compile_commands.json'),
                     '--enable=warning,performance,portability', '--quiet', '-j', str(jobs),
                     '--inline-suppr', '--cppcheck-build-dir=' + cache,
                     '--template={file}:{line}:{column}: warning: {message} [{id}]']], 1)


def gcc(_, sources, jobs):
    """Not the kernels: every vector operation is an inlined function, which takes the analyser
    hours and 13 GiB a file. They hold no resources, and guard pages watch their accesses."""
    lines = []
    for path, flags in sources:
        if '/kernel/isa_' in path:
            continue
        at = flags.index('-o')
        kept = flags[:at] + flags[at + 2:]
        lines.append(['gcc'] + kept + ['-fanalyzer', '-o', '/dev/null'])
    return run_all(lines, jobs)


TOOLS = {'tidy': ('clang-tidy', tidy), 'cppcheck': ('cppcheck', cppcheck), 'gcc': ('gcc', gcc)}


def findings_in(said):
    """Each once: (path, line, text, check)."""
    found = []
    for text in said:
        match = FINDING.match(text)
        if not match:
            continue
        path = os.path.relpath(os.path.realpath(os.path.join(ROOT, match.group(1))), ROOT)
        finding = (path, int(match.group(2)), match.group(3), match.group(4))
        if not path.startswith('..') and finding not in found:
            found.append(finding)
    return sorted(found)


def main():
    if len(sys.argv) < 2 or any(name not in TOOLS for name in sys.argv[2:]):
        sys.exit(__doc__)
    build = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or list(TOOLS)
    jobs = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 2
    allowed = explained()
    sources = commands(build)
    faults, complete = 0, True
    for name in names:
        program, run = TOOLS[name]
        if not shutil.which(program):
            print('analyze: %s is not installed: skipped' % program)
            complete = False
            continue
        start, ours = time.time(), 0
        found = findings_in(run(build, sources, jobs))
        for path, line, text, check in found:
            reasons = [a for a in allowed if a.covers(path, check, text)]
            for a in reasons:
                a.used = True
            if not reasons:
                print('%s:%d: %s [%s]' % (path, line, text, check))
                ours += 1
        print('analyze: %s: %d files, %d findings, %d explained, %.0f s'
              % (program, len(sources), ours, len(found) - ours, time.time() - start))
        faults += ours
    if complete and len(names) == len(TOOLS):
        for a in allowed:
            if not a.used:
                print('tools/analyze.allow: explains nothing: %s %s %s'
                      % (a.check, a.path, a.words))
                faults += 1
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
