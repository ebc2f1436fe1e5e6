#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a simple method reaches, to stand beside a net's figure on the same files.

    floors.py text TRAIN.tsv TEST.tsv [--chars N]   naive Bayes over words, or 1- to N-grams of
                                                    characters; lines are label<TAB>text
    floors.py tags TRAIN TEST [--column N]          each word its most frequent label, unknown ones
                                                    the most frequent of all; CoNLL, columns from 0
    floors.py entities TRAIN TEST [--column N]      the same; B- and I- labels are counted by entity
    floors.py pictures TRAIN.idx3 TEST.idx3         the nearest picture in black and white

Prints accuracy and F1 of the test file: macro-F1 of labels, or that of whole entities. Multinomial
naive Bayes with add-one smoothing, as in Manning, Raghavan and Schütze, Introduction to
Information Retrieval (2008), chapter 13. Entities as conlleval counts them.
"""
import argparse
import collections
import gzip
import math
import struct


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


KINDS = {"text": (text_pairs, macro), "tags": (tag_pairs, macro),
         "entities": (tag_pairs, by_entity), "pictures": (picture_pairs, macro)}


def figures(*words):
    """{"n", "accuracy", "f1"} by words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--chars", type=int, default=0)
    parser.add_argument("--column", type=int, default=-1)
    a = parser.parse_args(words or None)
    pair, f1 = KINDS[a.kind]
    pairs = pair(a.train, a.test, a)
    real = [x for x in pairs if x[0] is not None]
    return {"n": len(real), "accuracy": sum(a == b for a, b in real) / len(real),
            "f1": f1(pairs if a.kind == "entities" else real)}


if __name__ == "__main__":
    found = figures()
    print(f"n {found['n']}  accuracy {100 * found['accuracy']:.2f} %  F1 {found['f1']:.4f}")
