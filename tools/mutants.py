#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants faults in a copy of the sources, one at a time, and runs the tests of the floor.

    mutants.py BUILD [--numeric 36] [--parsers 24] [--seed 1] [--only N,N]

A mutant turns round one operator, moves one whole number by one, or drops one "!". It is killed if
one of its floor's tests fails or does not end in time, plainly or, as in `make test`, under the
address and undefined behaviour sanitizers. One that does not compile, or whose object
code is that of the original, does not count: another is drawn. BUILD/mutants.txt keeps the list.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Sources below src/, and the test programs that stand for them: what is quick first.
NUMERIC = {
    'kernel/': ['test_kernel_elem', 'test_kernel_gates', 'test_kernel_sum', 'test_kernel_gemm',
                'test_kernel_math', 'test_kernel_forms', 'test_kernel_bits', 'test_guard_kernel',
                'double_kernel'],
    'rnn/': ['test_rnn', 'test_golden', 'test_rnn_bits', 'test_guard', 'test_guard_stack',
             'test_rnn_split', 'double_rnn'],
    'tape/': ['test_tape', 'test_tape_more', 'double_tape', 'double_tape_more',
              'test_tape_heads', 'test_tape_dump', 'test_tape_round', 'test_tape_decode',
              'test_misuse_tape'],
    'train/optimizer.c': ['test_train', 'test_resume'],
    'train/schedule.c': ['test_train', 'test_resume'],
    'metric/': ['test_decode', 'test_task'],
    'decode/': ['test_decode', 'test_guard_decode'],
}
PARSERS = {
    'io/': ['test_json', 'test_safetensors', 'test_descriptors', 'test_io',
            'test_lock', 'test_hostile'],
    'model/': ['test_model', 'test_model_run', 'test_fill', 'test_misuse_models', 'test_hostile',
               'test_plan'],
    'data/': ['test_word_table', 'test_data', 'test_words', 'test_fill'],
}

# Lines whose numbers choose between ways to the same bits: they move speed and nothing else.
SPEED = re.compile(r'prefetch|WORTH_|LARGE_WEIGHTS|PROJECT_ROWS =|SPINS|#define [MNK]C '
                   r'|few\b.*2 \* MR|LARGE_PIECE|PIECE_ROWS =')

SWAP = {
    '+': '-', '-': '+', '*': '/', '/': '*', '<': '<=', '<=': '<', '>': '>=', '>=': '>',
    '==': '!=', '!=': '==', '&&': '||', '||': '&&', '++': '--', '--': '++', '!': '',
}
TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    r'|(?m:^[ ]*#[ ]*(?:include|if|ifdef|ifndef|elif|else|endif|error|undef|pragma)[^\n]*)'
    r'|0[xX][0-9a-fA-F.]+(?:[pP][+-]?\d+)?\w*|\d+\.\d*(?:[eE][+-]?\d+)?\w*|\d+\w*|\w+'
    r'|->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/]=|\S', re.S)


class Mutant:
    def __init__(self, path, at, end, old, new):
        self.path, self.at, self.end, self.old, self.new = path, at, end, old, new

    def apply(self, text):
        return text[:self.at] + self.new + text[self.end:]

    def diff(self, text):
        line = text.count('\n', 0, self.at)
        old, new = text.split('\n')[line], self.apply(text).split('\n')[line]
        return '%s:%d\n    - %s\n    + %s' % (self.path, line + 1, old.strip(), new.strip())


def mutants_of(path, text, number):
    """All places of a file; number(): +1 or -1."""
    found, previous = [], ''
    for match in TOKEN.finditer(text):
        token = match.group()
        if token.startswith(('/*', '//', '#')) and len(token) > 1:
            continue
        begin = text.rfind('\n', 0, match.start()) + 1
        line = text[begin:text.find('\n', match.start())]
        if not SPEED.search(line):
            new = change(token, previous, text[match.end():match.end() + 1], number)
            if new is not None:
                found.append(Mutant(path, match.start(), match.end(), token, new))
        previous = token
    return found


def change(token, previous, after, number):
    """What a token becomes; None: it stays."""
    if re.fullmatch(r'\d+', token) and previous != '[':
        return str(max(int(token) + number(), 0) if token != '0' else 1)
    if token == '*' and (not re.match(r'[\w)\]]', previous) or re.match(r'[\w]', after)):
        return None     # a pointer: products have a space behind
    if token in '+-' and not re.match(r'[\w)\]]', previous) and token == '+':
        return None
    return SWAP.get(token)


class Tree:
    """A copy of the sources, built once; then one file at a time is changed in it."""

    def __init__(self, build, jobs, sanitize=''):
        self.top = os.path.abspath(build)
        self.source = os.path.join(self.top, 'tree')
        self.build = os.path.join(self.top, 'asan' if sanitize else 'build')
        self.jobs, self.seconds = str(jobs), {}
        os.makedirs(self.top, exist_ok=True)
        names = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=ROOT,
                               stdout=subprocess.PIPE, text=True, check=True).stdout.split('\n')
        for name in filter(None, names):
            self.copy(name)
        subprocess.run(['cmake', '-S', self.source, '-B', self.build, '-DCMAKE_BUILD_TYPE=None',
                        '-DCMAKE_C_FLAGS=-O1', '-DUNROLL_TESTS=ON', '-DUNROLL_TEST_NESTED=OFF',
                        '-DUNROLL_SANITIZE=' + sanitize, '-DUNROLL_SHARED=OFF',
                        '-DUNROLL_EXAMPLES=OFF', '-DUNROLL_CLI=OFF'],
                       check=True, stdout=subprocess.DEVNULL)

    def copy(self, name):
        """Untouched where it is the same already, so that nothing is built for nothing."""
        old, new = os.path.join(ROOT, name), os.path.join(self.source, name)
        if not os.path.isfile(old):
            return
        os.makedirs(os.path.dirname(new), exist_ok=True)
        with open(old, 'rb') as f:
            data = f.read()
        if os.path.exists(new):
            with open(new, 'rb') as f:
                if f.read() == data:
                    return
        shutil.copyfile(old, new)

    def make(self, targets):
        return subprocess.run(['cmake', '--build', self.build, '--parallel', self.jobs, '--target']
                              + targets, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0

    def objects(self):
        """Hashes of all objects of the library."""
        seen = {}
        for folder, _, names in os.walk(os.path.join(self.build, 'CMakeFiles')):
            for name in names:
                if name.endswith('.o'):
                    path = os.path.join(folder, name)
                    with open(path, 'rb') as f:
                        seen[path] = hashlib.sha256(f.read()).digest()
        return seen

    def test(self, program):
        """passed, failed or too slow"""
        work = os.path.join(self.top, 'work')
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        limit = 20 + 8 * self.seconds.get(program, 60)
        environment = dict(os.environ, SOURCE_DIR=self.source,
                           UNROLL_DATA=os.environ.get('UNROLL_DATA', os.path.join(
                               os.path.dirname(ROOT), 'shared', 'data')))
        start = time.time()
        try:
            done = subprocess.run([os.path.join(self.build, 'tests', program)], cwd=work,
                                  env=environment, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return 'too slow'
        if program not in self.seconds and done.returncode == 0:
            self.seconds[program] = time.time() - start
        return 'passed' if done.returncode in (0, 77) else 'failed'


def sources_of(groups):
    """[(path below the tree, test programs)] of all .c and .inc files of the groups."""
    found = []
    for prefix, programs in sorted(groups.items()):
        folder = os.path.join('src', os.path.dirname(prefix))
        for name in sorted(os.listdir(os.path.join(ROOT, folder))):
            path = os.path.join(folder, name)
            wanted = path == 'src/' + prefix or prefix.endswith('/')
            if wanted and name.endswith(('.c', '.inc')) and name != 'isa_neon.c':
                found.append((path, programs))
    return found


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def try_sanitized(tree, restore, programs):
    """The same under the sanitizers: a failure counts if the unchanged program passes there."""
    for program in programs:
        if tree.make([program]) and tree.test(program) == 'failed':
            restore()
            if tree.make([program]) and tree.test(program) == 'passed':
                return 'killed: %s failed under the sanitizers' % program
            break
    return 'survived'


def try_one(tree, sanitized, mutant, programs, baseline):
    """killed by ..., survived, or why it does not count."""
    path = os.path.join(tree.source, mutant.path)
    original = read(path)

    def restore():
        with open(path, 'w', encoding='utf-8') as f:
            f.write(original)

    try:
        with open(path, 'w', encoding='utf-8') as f:
            f.write(mutant.apply(original))
        if not tree.make(['unroll_static']):
            return 'does not compile'
        now = tree.objects()
        if all(now.get(name) == seen for name, seen in baseline.items() if '_double' not in name):
            return 'same object code'
        for program in programs:
            if not tree.make([program]):
                return 'does not compile'
            verdict = tree.test(program)
            if verdict != 'passed':
                return 'killed: %s %s' % (program, verdict)
        return try_sanitized(sanitized, restore, programs)
    finally:
        restore()


def run_group(tree, sanitized, kind, groups, wanted, chance, report, only):
    """Draws floors evenly, then places evenly over a floor's code."""
    by_floor, killed, counted = {}, 0, 0
    for path, programs in sources_of(groups):
        places = mutants_of(path, read(os.path.join(tree.source, path)),
                            lambda: chance.choice((-1, 1)))
        floor = path.split('/')[1]
        by_floor.setdefault(floor, []).extend((m, programs) for m in places)
    programs = sorted({p for _, names in sources_of(groups) for p in names})
    if not wanted or only and not any(label.startswith(kind) for label in only):
        return 0, 0
    have = [p for p in programs if os.path.exists(os.path.join(tree.source, 'tests', p + '.c'))]
    if not tree.make(have):
        sys.exit('mutants: the unchanged tree does not build')
    for program in have:
        if tree.test(program) != 'passed':
            sys.exit('mutants: %s fails without any mutant' % program)
    baseline = tree.objects()
    floors = sorted(by_floor)
    number, left = 0, {label for label in only if label.startswith(kind)}
    while (left if only else counted < wanted) and any(by_floor.values()):
        floor = floors[number % len(floors)]
        if not by_floor[floor]:
            number += 1
            continue
        mutant, names = by_floor[floor].pop(chance.randrange(len(by_floor[floor])))
        label = '%s %d' % (kind, number)
        number += 1
        if only and label not in left:
            continue
        left.discard(label)
        text = read(os.path.join(tree.source, mutant.path))
        verdict = try_one(tree, sanitized, mutant, [p for p in names if p in have], baseline)
        if verdict in ('does not compile', 'same object code'):
            report('%s: %s: not counted: %s' % (label, mutant.path, verdict))
            continue
        counted += 1
        killed += verdict.startswith('killed')
        report('%s: %s: %s' % (label, verdict, mutant.diff(text)))
    return killed, counted


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('build')
    parser.add_argument('--numeric', type=int, default=36)
    parser.add_argument('--parsers', type=int, default=24)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--only', default='', help='labels, as "numeric 3,parser 0"')
    options = parser.parse_args()
    tree = Tree(options.build, options.jobs)
    sanitized = Tree(options.build, options.jobs, 'address,undefined')
    only = {name.strip() for name in options.only.split(',') if name.strip()}
    with open(os.path.join(tree.top, 'mutants.txt'), 'a' if only else 'w',
              encoding='utf-8') as log:
        def report(text):
            print(text, flush=True)
            log.write(text + '\n')
            log.flush()
        total = [0, 0]
        for kind, groups, wanted in (('numeric', NUMERIC, options.numeric),
                                     ('parser', PARSERS, options.parsers)):
            chance = random.Random('%d %s' % (options.seed, kind))
            killed, counted = run_group(tree, sanitized, kind, groups, wanted, chance, report, only)
            if not only:
                report('%s: %d of %d killed' % (kind, killed, counted))
            total = [total[0] + killed, total[1] + counted]
        if not only:
            report('mutants: %d of %d killed (%.0f %%), seed %d'
                   % (total[0], total[1], 100 * total[0] / max(total[1], 1), options.seed))
    return 0


if __name__ == '__main__':
    sys.exit(main())
