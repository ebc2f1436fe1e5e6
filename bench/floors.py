#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a simple method reaches, to stand beside a net's figure on the same files.

    floors.py text TRAIN.tsv TEST.tsv [--chars N]   naive Bayes over words, or 1- to N-grams of
                                                    characters; lines are label<TAB>text
    floors.py tags TRAIN TEST [--column N]          each word its most frequent label, unknown ones
                                                    the most frequent of all; CoNLL, columns from 0

Prints accuracy and macro-F1 of the test file. Multinomial naive Bayes with add-one smoothing, as
in Manning, Raghavan and Schütze, Introduction to Information Retrieval (2008), chapter 13.
"""
import argparse
import collections
import gzip
import math


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
    parser.add_argument("kind", choices=["text", "tags"])
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--chars", type=int, default=0)
    parser.add_argument("--column", type=int, default=-1)
    a = parser.parse_args()
    if a.kind == "text":
        read = [[tuple(line.split("\t", 1)) for line in lines(p)] for p in (a.train, a.test)]
        predict = naive_bayes(read[0], a.chars)
    else:
        read = [list(tagged(p, a.column)) for p in (a.train, a.test)]
        predict = most_frequent(read[0])
    report([(label, predict(x)) for label, x in read[1]])


if __name__ == "__main__":
    main()
