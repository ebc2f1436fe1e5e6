#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""unroll beside PyTorch on this machine: the same work in alternation, medians, ratios.

    python3 bench/peers.py UNROLL [--rounds 5] [--threads N] [--csv FILE]

Without PyTorch its columns stay empty. Layers: forward and backward with input gradients,
GFLOP/s counted as 2·T·B·(I+H)·G·H forward and three times that for both. Models: one-hot
characters, softmax cross-entropy, clipping by norm, AdamW; characters a second.
"""
import argparse
import csv
import datetime
import json
import os
import platform
import statistics
import subprocess
import time

try:
    import torch
except ImportError:
    torch = None

VOCABULARY = 65
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
ROWS = [  # cell, layers, hidden, T, B
    ("lstm", 1, 128, 64, 64), ("lstm", 1, 512, 64, 64), ("gru", 1, 512, 64, 64),
    ("rnn", 1, 512, 64, 64), ("lstm", 2, 128, 50, 50), ("lstm", 2, 512, 64, 64),
]


def module(cell, inputs, hidden, layers):
    kinds = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
    return kinds[cell](inputs, hidden, layers)


def timed(work, seconds=2.0):
    work()
    took = []
    while sum(took) < seconds or len(took) < 3:
        begin = time.perf_counter()
        work()
        took.append(time.perf_counter() - begin)
    return statistics.median(took)


def torch_layers(cell, layers, hidden, steps, batch):
    net = module(cell, hidden, hidden, layers)
    x = torch.randn(steps, batch, hidden, requires_grad=True)
    grad = torch.randn(steps, batch, hidden)

    def work():
        net.zero_grad()
        x.grad = None
        net(x)[0].backward(grad)

    flop = 3 * layers * 2 * steps * batch * 2 * hidden * GATES[cell] * hidden
    return flop / timed(work) / 1e9


def torch_model(cell, layers, hidden, steps, batch):
    net = module(cell, VOCABULARY, hidden, layers)
    decoder = torch.nn.Linear(hidden, VOCABULARY)
    parameters = list(net.parameters()) + list(decoder.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=1e-3)
    ids = torch.randint(VOCABULARY, (steps + 1, batch))

    def work():
        x = torch.nn.functional.one_hot(ids[:-1], VOCABULARY).float()
        logits = decoder(net(x)[0])
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY),
                                                 ids[1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return steps * batch / timed(work)


def unroll(program, row, threads):
    cell, layers, hidden, steps, batch = row
    command = [program, "bench", "--json", "--cell", cell, "--layers", str(layers),
               "--hidden", str(hidden), "--seq-length", str(steps), "--batch", str(batch),
               "--threads", str(threads), "--seconds", "2"]
    out = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    result = {"kernels": out["kernels"]}
    for r in out["rows"]:
        result.update({k: v for k, v in r.items() if k.endswith(("gflops", "second"))})
    return result


def machine():
    try:
        with open("/proc/cpuinfo") as f:
            model = next(line.split(":")[1].strip() for line in f if "model name" in line)
    except (OSError, StopIteration):
        model = platform.processor()
    return f"{model}, {os.cpu_count()} cores"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--csv")
    args = p.parse_args()
    if torch:
        torch.set_num_threads(args.threads)
    peer = f"PyTorch {torch.__version__}" if torch else "PyTorch absent"
    print(f"{machine()}; {args.threads} threads; {peer}; medians of {args.rounds} rounds\n")
    print(f"{'work':26}{'unroll':>10}{'PyTorch':>10}{'ratio':>8}")
    table = []
    for row in ROWS:
        ours, theirs = [], {"layers": [], "model": []}
        for _ in range(args.rounds):
            ours.append(unroll(args.program, row, args.threads))
            if torch:
                theirs["layers"].append(torch_layers(*row))
                theirs["model"].append(torch_model(*row))
        cell, layers, hidden, steps, batch = row
        for what, key, unit in (("layers", "forward_backward_gflops", "GFLOP/s"),
                                ("model", "train_tokens_per_second", "chars/s")):
            a = statistics.median(r[key] for r in ours)
            b = statistics.median(theirs[what]) if torch else None
            name = f"{cell} {layers}x{hidden} T{steps} B{batch} {what}"
            shown = f"{b:10.4g}{a / b:8.2f}" if b else ""
            print(f"{name:26}{a:10.4g}{shown} {unit}", flush=True)
            table.append([name, unit, f"{a:.4g}", f"{b:.4g}" if b else "",
                          f"{a / b:.2f}" if b else "", ours[0]["kernels"]])
        sampled = statistics.median(r["sample_tokens_per_second"] for r in ours)
        print(f"{'  sampling, batch 1':26}{sampled:10.4g} chars/s", flush=True)
        table.append([f"{cell} {layers}x{hidden} sampling", "chars/s", f"{sampled:.4g}", "", "",
                      ours[0]["kernels"]])
    if args.csv:
        with open(args.csv, "w", newline="") as f:
            w = csv.writer(f)
            w.writerow([f"# {machine()}; {args.threads} threads; {peer}; "
                        f"{datetime.date.today().isoformat()}; medians of {args.rounds}"])
            w.writerow(["work", "unit", "unroll", "pytorch", "ratio", "kernels"])
            w.writerows(table)


if __name__ == "__main__":
    main()
