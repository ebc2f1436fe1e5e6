#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares BLEU and chrF2 with sacreBLEU's, on the same texts.

    compare.py --figures PROGRAM --data FOLDER [--outputs TEXTS REFERENCES]...

PROGRAM is made of figures.c. The texts are lines of the parallel data in FOLDER, spoilt in ways
that are drawn, beside what they were and beside several references; and, line by line, any outputs
of models that are named. Exit status 1 if a figure differs by 0.01 or more.
"""
import argparse
import gzip
import os
import random
import subprocess
import sys
import tempfile

from sacrebleu.metrics import BLEU, CHRF

TOLERANCE = 0.01


def lines(path):
    opened = gzip.open if path.endswith('.gz') else open
    with opened(path, 'rt', encoding='utf-8') as f:
        return [line.rstrip('\n') for line in f]


def spoil(draw, text, share):
    """Leaves words out, doubles them, swaps them, and cuts letters off."""
    words = []
    for word in text.split(' '):
        dice = draw.random() / share
        if dice < 0.2:
            continue
        words.append(word[:-1] if 0.2 <= dice < 0.4 and len(word) > 1 else word)
        if 0.4 <= dice < 0.6:
            words.append(word)
        if 0.6 <= dice < 1 and len(words) > 1:
            words[-2:] = reversed(words[-2:])
    return ' '.join(words)


def ours(program, texts, references):
    with tempfile.NamedTemporaryFile('w', encoding='utf-8', suffix='.txt') as f:
        for text, some in zip(texts, references):
            f.write(''.join('=%s\n' % one for one in [text] + some) + '\n')
        f.flush()
        out = subprocess.run([program, f.name], stdout=subprocess.PIPE, check=True).stdout
    return [float(x) for x in out.split()]


def theirs(texts, references):
    # All need equally many here: one that is there twice changes nothing.
    most = max(len(some) for some in references)
    columns = [[some[min(i, len(some) - 1)] for some in references] for i in range(most)]
    bleu = BLEU(tokenize='none', smooth_method='exp', force=True)
    return [bleu.corpus_score(texts, columns).score,
            CHRF().corpus_score(texts, columns).score]


def compare(program, name, texts, references):
    a, b = ours(program, texts, references), theirs(texts, references)
    worst = max(abs(x - y) for x, y in zip(a, b))
    print('%-34s %5d texts  BLEU %8.4f %8.4f  chrF2 %8.4f %8.4f' % (
        name, len(texts), a[0], b[0], a[1], b[1]))
    return worst


def cases(folder):
    draw = random.Random(7)
    pairs = [line.split('\t') for line in lines(os.path.join(folder, 'en-ja-dev.tsv.gz'))]
    for side, language in enumerate(('English', 'Japanese')):
        right = [pair[side] for pair in pairs]
        for share in (0.1, 0.5, 0.95):
            yield ('%s, %d %% of the words spoilt' % (language, round(100 * share)),
                   [spoil(draw, text, share) for text in right], [[text] for text in right])
        yield (language + ', up to four references', [spoil(draw, t, 0.5) for t in right],
               [[spoil(draw, text, 0.3) for _ in range(draw.randint(1, 4))] for text in right])
        yield language + ', one text', [right[0] + ' x'], [[right[0]]]
    yield 'nothing in common', ['a b', ''], [['c d'], ['e']]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--figures', required=True)
    parser.add_argument('--data', required=True)
    parser.add_argument('--outputs', nargs=2, action='append', default=[])
    options = parser.parse_args()
    worst = max(compare(options.figures, *case) for case in cases(options.data))
    for texts, references in options.outputs:
        worst = max(worst, compare(options.figures, os.path.basename(texts), lines(texts),
                                   [[text] for text in lines(references)]))
    print('largest difference %.1e' % worst)
    sys.exit(worst >= TOLERANCE)


if __name__ == '__main__':
    main()
