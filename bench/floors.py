#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a simple method reaches, to stand beside a net's figure on the same files.

    floors.py text TRAIN.tsv TEST.tsv [--chars N]   naive Bayes over words, or 1- to N-grams of
                                                    characters; lines are label<TAB>text
    floors.py tags TRAIN TEST [--column N]          each word its most frequent label, unknown ones
                                                    the most frequent of all; CoNLL, columns from 0
    floors.py entities TRAIN TEST [--column N]      the same; B- and I- labels are counted by entity
    floors.py pictures TRAIN.idx3 TEST.idx3         the nearest picture in black and white
    floors.py series TRAIN [TEST] [--segments N]    the label of the nearest series: dynamic time
                                                    warping, or the distance of the means of N equal
                                                    parts; .ts files or lists of sounds, as
                                                    log-mel frames. Without TEST each group is left
                                                    out in turn, or, if there are none, each series

Prints accuracy and F1 of the test file: macro-F1 of labels, or that of whole entities. Multinomial
naive Bayes with add-one smoothing, as in Manning, Raghavan and Schütze, Introduction to
Information Retrieval (2008), chapter 13. Entities as conlleval counts them.
"""
import argparse
import array
import cmath
import collections
import gzip
import math
import os
import struct
import wave


def read(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        return f.read()


def lines(path):
    return read(path).decode("utf-8").removesuffix("\n").split("\n")


# ---- texts: naive Bayes ------------------------------------------------------

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


def text_pairs(train, test, options):
    parts = [[line.split("\t", 1) for line in lines(path)] for path in (train, test)]
    predict = naive_bayes(parts[0], options.chars)
    return [(label, predict(text)) for label, text in parts[1]]


# ---- words: the most frequent label --------------------------------------------

def most_frequent(train):
    count = collections.defaultdict(collections.Counter)
    for label, word in train:
        count[word][label] += 1
    usual = sum(count.values(), collections.Counter()).most_common(1)[0][0]
    return lambda word: count[word].most_common(1)[0][0] if word in count else usual


def tagged(path, column):
    """(label, word) of each token; of a sentence's end (None, None)."""
    universal = ".conllu" in path
    for line in lines(path):
        cells = line.split("\t") if "\t" in line else line.split(" ")
        if not line.strip():
            yield None, None
        elif not universal:
            yield cells[column], cells[0]
        elif cells[0].isdigit():    # no comments, ranges, empty nodes
            yield cells[column], cells[1]


def tag_pairs(train, test, options):
    predict = most_frequent(x for x in tagged(train, options.column) if x[0])
    return [(label, predict(word) if label else None)
            for label, word in tagged(test, options.column)]


def entities(labels):
    """{(begin, end, kind)} as conlleval sees them: an I- that follows no label of its kind begins
    an entity too."""
    found, begin, kind = set(), 0, None
    for at, label in enumerate([*labels, None]):
        mark, _, new = (label or "O").partition("-")
        if kind is not None and (mark != "I" or new != kind):
            found.add((begin, at, kind))
            kind = None
        if mark in "BI" and kind is None:
            begin, kind = at, new
    return found


# ---- pictures: the nearest neighbour --------------------------------------------

def pictures(path):
    """[(label, pixels of more than half as the bits of a number)]"""
    data, labels = read(path), read(path.replace("images", "labels").replace("idx3", "idx1"))[8:]
    n, height, width = struct.unpack(">3I", data[4:16])
    bright = bytes(48 + (x > 127) for x in range(256))
    bits, size = data[16:].translate(bright), height * width
    return [(labels[i], int(bits[i * size:(i + 1) * size], 2)) for i in range(n)]


def picture_pairs(train, test, _):
    known = pictures(train)
    return [(label, min(known, key=lambda x: (x[1] ^ bits).bit_count())[0])
            for label, bits in pictures(test)]


# ---- series: the nearest neighbour ----------------------------------------------

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
    """(label, that of the nearest other, group); test None: of train, without its own group."""
    distance = math.dist if parts else warped
    if parts:
        train = [(a, g, segments(x, parts)) for a, g, x in train]
        test = test and [(a, g, segments(x, parts)) for a, g, x in test]
    for i, (label, group, x) in enumerate(test or train):
        others = (t for k, t in enumerate(train) if test or (k != i and (
            group is None or t[1] != group)))
        yield label, min((distance(x, y), a) for a, _, y in others)[1], group


def series_pairs(train, test, options):
    known, asked = list(series(train)), test and list(series(test))
    return list(nearest(known, asked, options.segments))


# ---- figures ---------------------------------------------------------------------

def macro(pairs):
    f1 = []
    for label in {x for pair in pairs for x in pair}:
        hit = sum(a == b == label for a, b in pairs)
        said = sum(a == label for a, _ in pairs) + sum(b == label for _, b in pairs)
        f1.append(2 * hit / said)
    return sum(f1) / len(f1)


def by_entity(pairs):
    truth, guess = (entities(x) for x in zip(*pairs))
    return 2 * len(truth & guess) / max(1, len(truth) + len(guess))


# kind: (label, what the method says) of each item, with its group where there are groups; F1
KINDS = {"text": (text_pairs, macro), "tags": (tag_pairs, macro),
         "entities": (tag_pairs, by_entity), "pictures": (picture_pairs, macro),
         "series": (series_pairs, macro)}


def measured(pairs, f1):
    real = [x for x in pairs if x[0] is not None]
    return {"n": len(real), "accuracy": sum(a == b for a, b in real) / len(real),
            "f1": f1(pairs if f1 is by_entity else real)}


def figures(*words):
    """{"n", "accuracy", "f1"} by words of the command line; of each group, and of all (None)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("train")
    parser.add_argument("test", nargs="?")
    parser.add_argument("--chars", type=int, default=0)
    parser.add_argument("--column", type=int, default=-1)
    parser.add_argument("--segments", type=int, default=0)
    a = parser.parse_args(words or None)
    if not a.test and a.kind != "series":
        parser.error("a test file is needed")
    pair, f1 = KINDS[a.kind]
    found = pair(a.train, a.test, a)
    groups = sorted({x[2] for x in found if len(x) > 2 and x[2]} if not a.test else ())
    return {group: measured([x[:2] for x in found if group in (None, *x[2:])], f1)
            for group in [*groups, None]}


def main():
    for group, f in figures().items():
        print(f"{group + '  ' if group else ''}n {f['n']}  accuracy {100 * f['accuracy']:.2f} %  "
              f"F1 {f['f1']:.4f}")


if __name__ == "__main__":
    main()
