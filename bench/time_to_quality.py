#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How good a net is after so many minutes: `unroll train` and PyTorch train the same net on
the same text with the same options; the held-out loss (nats a character) after each time.

    python3 bench/time_to_quality.py build TEXT [--minutes 1,5,30]

The learning rate is constant, so that a mark does not depend on the marks after it. Time
spent in validation does not count on either side: unroll runs once a mark and validates at
its end, PyTorch's clock stands still. They run one after the other, never together.
"""
import argparse
import datetime
import json
import os
import subprocess
import tempfile

from sides import FOLDER, python_with

NEVER = 10 ** 9


def shape(args):
    return ["--hidden", str(args.hidden), "--layers", str(args.layers), "--seq-length",
            str(args.seq_length), "--batch", str(args.batch), "--lr", str(args.lr),
            "--threads", str(args.threads)]


def ours(args, seconds, folder):
    """(held-out loss, updates) of a run of that long."""
    log, model = os.path.join(folder, "log"), os.path.join(folder, "model.safetensors")
    subprocess.run(
        [os.path.join(args.build, "unroll"), "train", args.text, "-o", model, "--force", "-q",
         "--log", log, "--time", f"{seconds:g}s", "--epochs", str(NEVER), "--eval-every",
         str(NEVER), "--schedule", "constant", "--val", "0.1", *shape(args)], check=True)
    with open(log, encoding="utf-8") as f:
        last = [json.loads(line) for line in f][-1]
    return last["val_loss"], last["step"]


def theirs(args, python, marks):
    """(version, {seconds: (loss, updates)}) of one run."""
    out = subprocess.run(
        [python, os.path.join(FOLDER, "peer_torch_lm.py"), args.text, "--seconds",
         *map(str, marks), *shape(args)], check=True, capture_output=True, text=True).stdout
    first, *rest = map(json.loads, out.splitlines())
    return first["version"], {r["seconds"]: (r["val_loss"], r["step"]) for r in rest}


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
    args = p.parse_args()
    marks = sorted(60.0 * float(m) for m in args.minutes.split(","))
    python = python_with("torch")

    print(f"{args.layers}x{args.hidden} LSTM, T {args.seq_length}, B {args.batch}, AdamW, constant "
          f"learning rate {args.lr:g}, {args.threads} threads; "
          f"{datetime.date.today().isoformat()}, load average {os.getloadavg()[0]:.2f}\n")
    version, peer = theirs(args, python, marks) if python else ("absent", {})
    print(f"| minutes | unroll: loss | updates | PyTorch {version}: loss | updates |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for seconds in marks:
            loss, updates = ours(args, seconds, folder)
            there = peer.get(seconds)
            print(f"| {seconds / 60:g} | {loss:.4f} | {updates} | " +
                  (f"{there[0]:.4f} | {there[1]} |" if there else "| |"), flush=True)


if __name__ == "__main__":
    main()
