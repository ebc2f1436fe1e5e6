#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How good a net is after so many minutes: `unroll train` and PyTorch train the same net on
the same text with the same options; the held-out loss (nats a character) after each time.

    python3 bench/time_to_quality.py build TEXT [--minutes 1,5,30]
    python3 bench/time_to_quality.py build TEXT --curve EVERY,UPDATES > CURVE
    python3 bench/time_to_quality.py build TEXT --from CURVE [--minutes 1,5,30]

The learning rate is constant, so that a mark does not depend on the marks after it. Time
spent in validation does not count on either side: unroll runs once a mark and validates at
its end, PyTorch's clock stands still. They run one after the other, never together.

An hour of quiet is rare on a shared machine. What a net has learnt after so many updates
depends on no clock: --curve finds it at leisure, --from turns it into minutes by the time of
an update, measured in alternation.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile

from sides import FOLDER, python_with

NEVER = 10 ** 9


def shape(args):
    return ["--hidden", str(args.hidden), "--layers", str(args.layers), "--seq-length",
            str(args.seq_length), "--batch", str(args.batch), "--lr", str(args.lr),
            "--threads", str(args.threads)]


def ours(args, folder, *options):
    """The log of a run."""
    log, model = os.path.join(folder, "log"), os.path.join(folder, "model.safetensors")
    subprocess.run(
        [os.path.join(args.build, "unroll"), "train", args.text, "-o", model, "--force", "-q",
         "--log", log, "--epochs", str(NEVER), "--schedule", "constant", "--val", "0.1",
         *map(str, options), *shape(args)], check=True)
    with open(log, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def theirs(args, python, *options):
    """(version, the lines) of one run."""
    out = subprocess.run(
        [python, os.path.join(FOLDER, "peer_torch_lm.py"), args.text, *map(str, options),
         *shape(args)], check=True, capture_output=True, text=True).stdout
    first, *rest = map(json.loads, out.splitlines())
    return first["version"], rest


# ---- by the clock ----------------------------------------------------------

def by_clock(args, python, marks):
    version, lines = theirs(args, python, "--seconds", *marks) if python else ("absent", [])
    peer = {r["seconds"]: r for r in lines}
    print(f"| minutes | unroll: loss | updates | PyTorch {version}: loss | updates |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for seconds in marks:
            last = ours(args, folder, "--time", f"{seconds:g}s", "--eval-every", NEVER)[-1]
            there = peer.get(seconds)
            print(f"| {seconds / 60:g} | {last['val_loss']:.4f} | {last['step']} | " +
                  (f"{there['val_loss']:.4f} | {there['step']} |" if there else "| |"),
                  flush=True)


# ---- by updates ------------------------------------------------------------

def curve(args, python, every, updates):
    """Prints side, updates, held-out loss: one line each."""
    with tempfile.TemporaryDirectory() as folder:
        for line in ours(args, folder, "--steps", updates, "--eval-every", every):
            if line["kind"] == "valid":
                print(f"unroll\t{line['step']}\t{line['val_loss']:.6f}", flush=True)
    version, lines = theirs(args, python, "--every", every, "--updates", updates)
    for line in lines:
        print(f"PyTorch {version}\t{line['step']}\t{line['val_loss']:.6f}", flush=True)


def seconds_an_update(args, python, updates=100, rounds=5):
    """Of ours and theirs, medians of rounds in alternation."""
    mine, other = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            log = ours(args, folder, "--steps", updates, "--eval-every", NEVER)
            steps = [r for r in log if r["kind"] == "step"]
            mine.append((steps[-1]["seconds"] - steps[0]["seconds"]) / (len(steps) - 1))
            _, lines = theirs(args, python, "--every", updates // 2, "--updates", updates)
            other.append((lines[-1]["seconds"] - lines[0]["seconds"]) / (updates // 2))
    return statistics.median(mine), statistics.median(other)


def from_curve(args, python, marks):
    sides = {}
    with open(getattr(args, "from"), encoding="utf-8") as f:
        for line in f:
            side, step, loss = line.rstrip("\n").split("\t")
            sides.setdefault(side, []).append((int(step), float(loss)))
    times = dict(zip(sides, seconds_an_update(args, python)))
    for side, points in sides.items():
        print(f"{side}: {1e3 * times[side]:.1f} ms an update, of which {points[-1][0]} were made")
    print("\n| minutes | " + " | ".join(f"{s}: loss | the best so far" for s in sides) + " |")
    print("|" + "---|" * (1 + 2 * len(sides)))
    for seconds in marks:
        cells = []
        for side, points in sides.items():
            there = [loss for step, loss in points if step * times[side] <= seconds]
            beyond = seconds > points[-1][0] * times[side]
            cells += ["not reached" if beyond else f"{there[-1]:.4f}" if there else "",
                      f"{min(there):.4f}" if there else ""]
        print(f"| {seconds / 60:g} | " + " | ".join(cells) + " |")
    (mine, here), (other, there) = sides.items()
    loss, step = min((loss, step) for step, loss in there)
    first = next((s for s, l in here if l <= loss), None)
    print(f"\n{other} is at its best, {loss:.4f}, after {step * times[other] / 60:.1f} minutes; "
          + (f"{mine} has it after {first * times[mine] / 60:.1f}" if first else
             f"{mine} does not reach it"))


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("build")
    p.add_argument("text", help="tiny Shakespeare, or another text; .gz is fine")
    p.add_argument("--minutes", default="1,5,30")
    p.add_argument("--hidden", type=int, default=256)
    p.add_argument("--layers", type=int, default=2)
    p.add_argument("--seq-length", type=int, default=64)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--curve", metavar="EVERY,UPDATES")
    p.add_argument("--from", metavar="CURVE", help="what --curve printed")
    args = p.parse_args()
    marks = sorted(60.0 * float(m) for m in args.minutes.split(","))
    python = python_with("torch")
    if (args.curve or getattr(args, "from")) and not python:
        sys.exit("time_to_quality.py: no Python has PyTorch: name one in UNROLL_TORCH_PYTHON")
    if args.curve:
        curve(args, python, *map(int, args.curve.split(",")))
        return
    print(f"{args.layers}x{args.hidden} LSTM, T {args.seq_length}, B {args.batch}, AdamW, constant "
          f"learning rate {args.lr:g}, {args.threads} threads; "
          f"{datetime.date.today().isoformat()}, load average {os.getloadavg()[0]:.2f}\n")
    if getattr(args, "from"):
        from_curve(args, python, marks)
    else:
        by_clock(args, python, marks)


if __name__ == "__main__":
    main()
