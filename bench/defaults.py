#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How good the defaults of `unroll train` are: a run without options against those of a grid of
--batch and --lr that take as long, on texts of several sizes.

    python3 bench/defaults.py build TEXT... [--sizes 5,20,100,1000] [--out RUNS]
    python3 bench/defaults.py build TEXT... --default '--batch 8 --lr 4e-3 --epochs 25'

A text is cut to so many thousand bytes, its last tenth held out. The figure of a run is its best
validation, in nats. Runs are compared by time, but what a net has learnt after so many steps
depends on no clock: so what a token costs with each batch is measured first, on the first text,
as the processor time of one thread (or by --threads, on a quiet machine, as time that passes),
and each run of the grid has as many epochs as cost what the default run's cost. Then the machine
may be shared.

Runs are kept in RUNS, a JSON object a line, and those of this program that are there are not made
again.
--default stands for another default that the program does not have yet. A line of a table for
each text and size; status 1 if a default is worse than the grid's best by more than --bound.
"""
import argparse
import concurrent.futures
import gzip
import json
import math
import os
import resource
import shlex
import subprocess
import sys
import tempfile

SEQ_LENGTH = 64         # the default of train
DIVERGED = 6            # the status of a run whose numbers were not finite
TIMED = 640             # rows of the steps that are timed


# ---- runs ------------------------------------------------------------------

def train(program, text, options):
    """(the log's lines, processor seconds) of one run."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run([program, "train", text, "-o", os.path.join(folder, "model"), "-q",
                              "--log", log, *options], check=False)
        if run.returncode not in (0, DIVERGED):
            sys.exit(f"defaults.py: status {run.returncode} of {shlex.join(run.args)}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(log, encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
    return lines, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def best(lines):
    """What is kept of a run: its steps, its best validation and when that was, its last."""
    valid = [(line["val_loss"], line["step"]) for line in lines
             if line["kind"] == "valid" and line["val_loss"] is not None]
    loss, step = min(valid, default=(math.inf, 0))
    return {"steps": lines[-1]["step"], "loss": loss, "at": step,
            "last": valid[-1][0] if valid else math.inf}


def token_cost(program, text, batch, threads, rounds=3):
    """Seconds of a token: of one thread the processor's, of more those that pass; the least."""
    costs, steps = [], max(8, TIMED // batch)
    warm = steps // 4
    fixed = ["--batch", str(batch), "--val", "0", "--epochs", "1e9", "--threads", str(threads)]
    for _ in range(rounds):
        if threads == 1:
            few, many = (train(program, text, [*fixed, "--steps", str(n)])[1]
                         for n in (warm, warm + steps))
            costs.append(many - few)
        else:
            lines, _ = train(program, text, [*fixed, "--steps", str(warm + steps)])
            at = {line["step"]: line["seconds"] for line in lines if line["kind"] == "step"}
            costs.append(at[warm + steps] - at[warm])
    return min(costs) / (steps * batch * SEQ_LENGTH)


class Runs:
    """Runs by what they are of; those made before come from the file."""

    def __init__(self, args):
        self.args, self.known = args, {}
        self.program = os.path.join(args.build, "unroll")
        if args.out and os.path.exists(args.out):
            with open(args.out, encoding="utf-8") as f:
                for line in map(json.loads, f):
                    self.known[line["name"], line["options"]] = line

    def __call__(self, name, text, options):
        key = name, " ".join(options)
        if key not in self.known:
            lines, _ = train(self.program, text, [*options, "--threads", "1"])
            self.known[key] = {"name": name, "options": key[1], **best(lines)}
            if self.args.out:
                with open(self.args.out, "a", encoding="utf-8") as f:
                    f.write(json.dumps(self.known[key]) + "\n")
        return self.known[key]


# ---- the comparison --------------------------------------------------------

def prefix(path, size, folder):
    """(its name, a file with the first bytes of a text, cut before a character's middle)."""
    name = f"{os.path.basename(path).split('.')[0]} {size // 1000} kB"
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        text = f.read(size).decode("utf-8", "ignore")
    cut = os.path.join(folder, name.replace(" ", "."))
    with open(cut, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    return name, cut


def planned(program, text, options):
    """(rows, epochs, tokens to learn from) of a run, as --dry-run has them."""
    out = subprocess.run([program, "train", text, "--dry-run", "--json", "-o",
                          os.path.join(os.path.dirname(text), "none"), *options], check=True,
                         capture_output=True, text=True).stdout
    plan = json.loads(out)
    tokens, steps = plan["train_tokens"], plan["epoch_steps"]
    for batch in (2 ** k for k in range(21)):
        if -(-((tokens - 1) // batch) // SEQ_LENGTH) == steps:
            return batch, plan["steps"] / steps, tokens
    raise ValueError(f"no power of two makes {steps} steps of {tokens} tokens")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("build")
    p.add_argument("texts", nargs="+", metavar="TEXT", help=".gz is fine")
    p.add_argument("--sizes", default="5,20,100,1000", help="thousands of bytes")
    p.add_argument("--batch", default="4,16,64")
    p.add_argument("--lr", default="2e-3,5e-3")
    p.add_argument("--default", default="", help="options that stand for a run without any")
    p.add_argument("--options", default="", help="options of all runs, such as '--cell gru'")
    p.add_argument("--threads", type=int, default=1, help="of the steps that are timed")
    p.add_argument("--jobs", type=int, default=1, help="runs at a time")
    p.add_argument("--bound", type=float, default=1.04)
    p.add_argument("--out", metavar="RUNS")
    compare(p.parse_args())


def compare(args):
    runs, failed, cost = Runs(args), 0, {}
    common, default = shlex.split(args.options), shlex.split(args.default)
    grid = [(int(b), lr) for b in args.batch.split(",") for lr in args.lr.split(",")]
    print("| text | batch | epochs | seconds | nats | " +
          " | ".join(f"{b}, {lr}" for b, lr in grid) + " | ratio |")
    print("|" + "---|" * (6 + len(grid)))
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for path in args.texts:
            for size in (int(1000 * float(s)) for s in args.sizes.split(",")):
                name, text = prefix(path, size, folder)
                batch, epochs, tokens = planned(runs.program, text, common + default)
                for b in {batch, *(b for b, _ in grid)} - set(cost):
                    cost[b] = token_cost(runs.program, args.texts[0], b, args.threads)
                mine = pool.submit(runs, name, text, common + default)
                others = [pool.submit(runs, name, text, [
                    *common, "--batch", str(b), "--lr", lr, "--epochs",
                    f"{epochs * cost[batch] / cost[b]:.4g}"]) for b, lr in grid]
                loss, losses = mine.result()["loss"], [o.result()["loss"] for o in others]
                ratio = loss / min(losses)
                failed += ratio > args.bound
                seconds = epochs * tokens * cost[batch]
                print(f"| {name} | {batch} | {epochs:g} | {seconds:.1f} | {loss:.4f} | " +
                      " | ".join(f"{x:.4f}" for x in losses) + f" | {ratio:.3f} |", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
