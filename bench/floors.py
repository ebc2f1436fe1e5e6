#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a simple method reaches, to stand beside a net's figure on the same files.

    floors.py text TRAIN.tsv TEST.tsv [--chars N]   naive Bayes over words, or 1- to N-grams of
                                                    characters; lines are label<TAB>text
    floors.py tags TRAIN TEST [--column N]          each word its most frequent label, unknown ones
                                                    the most frequent of all; CoNLL, columns from 0
    floors.py series TRAIN [TEST] [--segments N]    the label of the nearest series: dynamic time
                                                    warping, or the distance of the means of N equal
                                                    parts; .ts files or lists of sounds, as
                                                    log-mel frames. Without TEST each group is left
                                                    out in turn, or, if there are none, each series

Prints accuracy and macro-F1 of the test file. Multinomial naive Bayes with add-one smoothing, as
in Manning, Raghavan and Schütze, Introduction to Information Retrieval (2008), chapter 13.
"""
import argparse
import array
import cmath
import collections
import gzip
import math
import os
import wave


def lines(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
        yield from (line.rstrip("\r\n") for line in f)


def features(text, chars):
    if not chars:
        return text.split()
    text = "^" + text + "$"
    return [text[i:i + n] for n in range(1, chars + 1) for i in range(len(text) - n + 1)]


def naive_bayes(train, chars):
    count = collections.defaultdict(collections.Counter)
    prior = collections.Counter()
    for label, text in train:
        prior[label] += 1
        count[label].update(features(text, chars))
    known = set().union(*count.values())
    total = {label: sum(c.values()) + len(known) for label, c in count.items()}

    def predict(text):
        words = [w for w in features(text, chars) if w in known]
        return max(sorted(prior), key=lambda label: math.log(prior[label]) + sum(
            math.log((count[label][w] + 1) / total[label]) for w in words))
    return predict


def most_frequent(train):
    count = collections.defaultdict(collections.Counter)
    for label, word in train:
        count[word][label] += 1
    usual = sum(count.values(), collections.Counter()).most_common(1)[0][0]
    return lambda word: count[word].most_common(1)[0][0] if word in count else usual


def tagged(path, column):
    for line in lines(path):
        cells = line.split("\t") if "\t" in line else line.split(" ")
        if len(cells) < 2 or line.startswith("#") or not cells[0]:
            continue
        if len(cells) >= 10:        # CoNLL-U: no ranges, no empty nodes
            if cells[0].isdigit():
                yield cells[column], cells[1]
        else:
            yield cells[column], cells[0]


# ---- series ----------------------------------------------------------------

def fft(x):
    n = len(x)
    if n == 1:
        return x
    even, odd = fft(x[::2]), fft(x[1::2])
    turned = [cmath.exp(-2j * math.pi * k / n) * odd[k] for k in range(n // 2)]
    return [a + b for a, b in zip(even, turned)] + [a - b for a, b in zip(even, turned)]


def log_mel(path, bands=40):
    """The frames of docs/DATA.md, section Sound, of a mono file of 16 bits."""
    with wave.open(path) as f:
        rate, samples = f.getframerate(), array.array("h", f.readframes(f.getnframes()))
    window, hop, points = rate // 40, rate // 100, 2 ** math.ceil(math.log2(rate / 40))
    hann = [0.5 - 0.5 * math.cos(2 * math.pi * i / window) for i in range(window)]
    top = 2595 * math.log10(1 + rate / 1400)
    edge = [700 * (10 ** (i * top / (bands + 1) / 2595) - 1) for i in range(bands + 2)]
    bins = [k * rate / points for k in range(points // 2 + 1)]
    weight = [[(k, w) for k, f in enumerate(bins) if (w := min(
        (f - edge[b]) / (edge[b + 1] - edge[b]),
        (edge[b + 2] - f) / (edge[b + 2] - edge[b + 1]))) > 0] for b in range(bands)]
    frames = []
    for at in range(0, len(samples) - window + 1, hop):
        x = [s / 32768 * w for s, w in zip(samples[at:at + window], hann)]
        power = [abs(c) ** 2 for c in fft(x + [0] * (points - window))[:points // 2 + 1]]
        frames.append([math.log(max(sum(w * power[k] for k, w in row), 1e-6)) for row in weight])
    return frames


def series(path):
    """(label, group or None, steps) of each line."""
    for line in lines(path):
        if ".wav" in line:
            label, sound, *group = line.split("\t")
            yield label, group[0] if group else None, log_mel(
                os.path.join(os.path.dirname(path), sound))
        elif line and line[0] not in "#@":
            *channels, label = line.split(":")
            yield label, None, list(zip(*([float(x) for x in c.split(",")] for c in channels)))


def warped(a, b):
    """Distance by dynamic time warping (Sakoe and Chiba 1978), no window."""
    row = [0.0] + [math.inf] * len(b)
    for x in a:
        before, row = row, [math.inf]
        for k, y in enumerate(b):
            row.append(math.dist(x, y) + min(before[k], before[k + 1], row[k]))
    return row[-1]


def segments(steps, n):
    means = []
    for i in range(n):
        part = steps[i * len(steps) // n:max((i + 1) * len(steps) // n, i * len(steps) // n + 1)]
        means += [sum(column) / len(part) for column in zip(*part)]
    return means


def nearest(train, test, parts):
    """(label, label of the nearest other) of each; test None: of train, without its own group."""
    distance = math.dist if parts else warped
    if parts:
        train = [(a, g, segments(x, parts)) for a, g, x in train]
        test = test and [(a, g, segments(x, parts)) for a, g, x in test]
    for i, (label, group, x) in enumerate(test or train):
        others = (t for k, t in enumerate(train) if test or (k != i and (
            group is None or t[1] != group)))
        yield group, label, min((distance(x, y), a) for a, _, y in others)[1]


def report(pairs):
    right = sum(a == b for a, b in pairs)
    labels = {a for a, _ in pairs} | {b for _, b in pairs}
    f1 = []
    for label in labels:
        hit = sum(a == b == label for a, b in pairs)
        said = sum(a == label for a, _ in pairs) + sum(b == label for _, b in pairs)
        f1.append(2 * hit / said if said else 0)
    print(f"n {len(pairs)}  accuracy {100 * right / len(pairs):.2f} %  "
          f"macro-F1 {sum(f1) / len(f1):.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["text", "tags", "series"])
    parser.add_argument("train")
    parser.add_argument("test", nargs="?")
    parser.add_argument("--chars", type=int, default=0)
    parser.add_argument("--column", type=int, default=-1)
    parser.add_argument("--segments", type=int, default=0)
    a = parser.parse_args()
    if a.kind == "series":
        found = list(nearest(list(series(a.train)), a.test and list(series(a.test)), a.segments))
        for group in sorted({g for g, _, _ in found if g} if not a.test else ()):
            print(group, end="  ")
            report([(label, said) for g, label, said in found if g == group])
        report([(label, said) for _, label, said in found])
        return
    if not a.test:
        parser.error("a test file is needed")
    if a.kind == "text":
        read = [[tuple(line.split("\t", 1)) for line in lines(p)] for p in (a.train, a.test)]
        predict = naive_bayes(read[0], a.chars)
    else:
        read = [list(tagged(p, a.column)) for p in (a.train, a.test)]
        predict = most_frequent(read[0])
    report([(label, predict(x)) for label, x in read[1]])


if __name__ == "__main__":
    main()
