#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `unroll train --task classify` and `--task tag` reach on public data beside a simple method.

    python3 bench/levels.py build DATA [SET...] [--seeds 1,2,3] [--threads N] [--keep FOLDER]

DATA is a folder with the sets in the places that SETS names. Each is trained on with the options
that stand there, once a seed, and measured once on a part that training does not see. A line of a
table for each: the figure's median, all of them, the time of one training, the floor. Sets of one
file are split by line: every tenth is for the test (of sentences and their documents: the last
fifth of the documents).
"""
import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import floors


def lines_split(data, folder, path, name):
    """Every tenth line for the test."""
    parts = os.path.join(folder, name + ".train.tsv"), os.path.join(folder, name + ".test.tsv")
    with gzip.open(os.path.join(data, path), "rt", encoding="utf-8", newline="") as f, \
            open(parts[0], "w", encoding="utf-8", newline="") as train, \
            open(parts[1], "w", encoding="utf-8", newline="") as test:
        for number, line in enumerate(f, 1):
            (train if number % 10 else test).write(line)
    return parts


def documents_split(data, folder, path, name):
    """The last fifth of the documents for the test."""
    with gzip.open(os.path.join(data, path), "rt", encoding="utf-8") as f:
        documents = f.read().split("-DOCSTART- O\n")
    cut = len(documents) * 4 // 5
    parts = []
    for half, some in ("train", documents[:cut]), ("test", documents[cut:]):
        parts.append(os.path.join(folder, f"{name}.{half}.conll"))
        with open(parts[-1], "w", encoding="utf-8") as f:
            f.write("".join(some))
    return tuple(parts)


def two_files(train, test):
    return lambda data, folder, *_: (os.path.join(data, train), os.path.join(data, test))


def one_file(split, path):
    return lambda data, folder, name: split(data, folder, path, name)


MNIST = two_files("digits/mnist-train10k-images.idx3.gz", "digits/mnist-test-even-images.idx3.gz")
WNUT = two_files("tagging/wnut17-train.conll.gz", "tagging/wnut17-dev.conll.gz")
EWT = two_files("tagging/en_ewt-ud-train.conllu.gz", "tagging/en_ewt-ud-dev.conllu.gz")
WIKIGOLD = one_file(documents_split, "tagging/wikigold.conll.gz")

# name: files, options, figure, floor
SETS = {
    "sms": (one_file(lines_split, "sentiment/sms-spam.tsv.gz"), "--task classify", "f1",
            ["text"]),
    "names": (one_file(lines_split, "names/names.tsv.gz"), "--task classify", "accuracy",
              ["text", "--chars", "3"]),
    "names-average": (one_file(lines_split, "names/names.tsv.gz"), "--task classify --average 1 "
                      "--schedule constant --epochs 24", "accuracy", ["text", "--chars", "3"]),
    "rt": (one_file(lines_split, "sentiment/rt-polarity.tsv.gz"), "--task classify", "accuracy",
           ["text"]),
    "mnist-rows": (MNIST, "--task classify", "accuracy", ["pictures"]),
    "mnist-dense": (MNIST, "--task classify --cell none", "accuracy", ["pictures"]),
    "mnist-wide": (MNIST, "--task classify --cell none --hidden 512 --lr 1e-3 --dropout 0.5 "
                   "--label-smoothing 0.1 --epochs 20", "accuracy", ["pictures"]),
    "mnist-pixels": (MNIST, "--task classify --scan pixel --epochs 1", "accuracy", ["pictures"]),
    "ewt": (EWT, "--task tag --column upos", "accuracy", ["tags", "--column", "3"]),
    "wnut": (WNUT, "--task tag", "f1", ["entities"]),
    "wnut-average": (WNUT, "--task tag --average 1 --schedule constant", "f1", ["entities"]),
    "wnut-crf": (WNUT, "--task tag --crf", "f1", ["entities"]),
    "wikigold": (WIKIGOLD, "--task tag", "f1", ["entities"]),
    "wikigold-crf": (WIKIGOLD, "--task tag --crf", "f1", ["entities"]),
}


def measured(program, arguments):
    run = subprocess.run([program, *arguments], check=False, stdout=subprocess.PIPE)
    if run.returncode:
        sys.exit(f"levels.py: status {run.returncode} of {' '.join(run.args)}")
    return run.stdout


def one_run(args, name, files, options, seed, folder):
    """(the test's figures, seconds, seconds of the processor) of one training."""
    program, model = os.path.join(args.build, "unroll"), os.path.join(folder, f"{name}.{seed}")
    start = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    measured(program, ["train", files[0], *options.split(), "--seed", seed, "-o", model, "-q",
                       "--log", model + ".jsonl", "--force", "--threads", str(args.threads)])
    end = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = json.loads(measured(program, ["eval", model + ".safetensors", files[1], "--json",
                                            "--unknown", "replace", "-q"]))
    busy = end[1].ru_utime + end[1].ru_stime - start[1].ru_utime - start[1].ru_stime
    return figures, end[0] - start[0], busy


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    p.add_argument("build")
    p.add_argument("data")
    p.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    p.add_argument("--seeds", default="1,2,3")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--keep", metavar="FOLDER", help="of models and logs")
    args = p.parse_args()
    print("| set | options | figure | median | all | seconds | of a processor | floor |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or temporary
        os.makedirs(folder, exist_ok=True)
        for name in args.sets or SETS:
            find, options, figure, floor = SETS[name]
            files = find(args.data, folder, name)
            runs = [one_run(args, name, files, options, seed, folder)
                    for seed in args.seeds.split(",")]
            values = [100 * run[0][figure] for run in runs]
            low = floors.figures(floor[0], *files, *floor[1:])[None][figure]
            print(f"| {name} | `{options}` | {figure} | {statistics.median(values):.2f} % | "
                  f"{', '.join(f'{v:.2f}' for v in values)} | "
                  f"{statistics.median(run[1] for run in runs):.0f} | "
                  f"{statistics.median(run[2] for run in runs):.0f} | {100 * low:.2f} % |",
                  flush=True)


if __name__ == "__main__":
    main()
