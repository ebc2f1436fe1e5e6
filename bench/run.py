#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""unroll beside its peers on this machine: the same work in alternation.

    python3 bench/run.py build [--rows REGEX] [--threads 1,2] [--rounds N] [--quick] [--check]

What the rows are and how they are counted stands in docs/PERFORMANCE.md. A peer that is
absent is a blank column. Needs nothing but Python's standard library.
"""
import argparse
import csv
import datetime
import os
import platform
import re
import statistics
import subprocess
import sys
import time

from compare import check
from sides import Limits, Side, sides_of

FOLDER = os.path.dirname(os.path.abspath(__file__))


class Row:
    """A line of `unroll --list`."""

    def __init__(self, line):
        self.name, *numbers = line.split("\t")
        self.flop, self.batched, self.reads, self.bytes = map(float, numbers[:4])
        self.quick, self.units = numbers[4] == "1", int(numbers[5])
        self.kind, self.cell, *sizes = self.name.split()
        self.T, self.B, self.H, self.L = map(int, sizes[:4])
        self.D = int(sizes[4]) if len(sizes) > 4 else 1

    def title(self):
        return f"{self.kind} {self.cell} T{self.T} B{self.B} {self.L}x{self.H}" + \
            (" bi" if self.D == 2 else "")

    def rate(self, seconds):
        if self.kind == "lm":
            return self.T * self.B / seconds, "chars/s"
        if self.kind.startswith(("classify", "tag")):
            return 1 / seconds, "examples/s"
        if self.kind == "sample":
            return 1 / seconds, "chars/s"
        if self.kind == "step":
            return self.bytes / seconds / 1e9, "GB/s"
        return self.flop / seconds / 1e9, "GFLOP/s"


class Result:
    """Times of one side on one row: a list a round."""

    def __init__(self, rounds):
        self.rounds = [statistics.median(r) for r in rounds]
        everything = [t for r in rounds for t in r]
        self.median = statistics.median(self.rounds)
        self.best = min(everything)
        self.spread = (max(self.rounds) - min(self.rounds)) / self.median
        self.calls = len(everything)

    def ratio_to(self, other):
        """How many times other's time this side takes: the median over the rounds, each of
        which sees one state of the machine."""
        return statistics.median(a / b for a, b in zip(self.rounds, other.rounds))


def turn(side, row, seconds):
    """Seconds of each unit, by the clock."""
    return side.numbers(f"time {seconds:g} {row.name}")


def processor_turn(side, row, seconds):
    """The same in processor time, which others that compute hardly disturb; one number."""
    calls, begin, before = 0, time.monotonic(), side.processor_seconds()
    while calls == 0 or time.monotonic() - begin < seconds:
        if not side.numbers(f"time 0 {row.name}"):      # one call
            return None
        calls += 1
    return [(side.processor_seconds() - before) / calls / row.units]


def measure(row, sides, rounds, seconds, take):
    """Results by side, in alternation; a side that has no such row has none."""
    times = {}
    for side in sides:
        # The first call makes the net, its code and its pages.
        if side.numbers(f"time 0 {row.name}"):
            times[side] = []
    for _ in range(rounds):
        for side in list(times):
            answer = take(side, row, seconds)
            if answer is None:
                del times[side]
            else:
                times[side].append(answer)
    for side in sides:
        side.forget()
    return {side: Result(r) for side, r in times.items()}


# ---- what is printed and kept ----------------------------------------------

def in_seconds(s):
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if s * scale >= 1 or unit == "us":
            return f"{s * scale:.4g} {unit}"


def number(x):
    return f"{x:,.0f}" if x >= 1000 else f"{x:.3g}"


class Table:
    def __init__(self, names):
        self.names = names      # of the peers
        self.lines = []         # the percentage as a function: limits may yet be raised

    def head(self):
        print(f"{'work':36}{'threads':>8}{'median':>11}{'best':>11}{'spread':>8}"
              f"{'rate':>17}{'limit':>7}" + "".join(f"{n:>20}" for n in self.names), flush=True)

    def add(self, row, threads, results, limits):
        ours = next(r for side, r in results.items() if side.ours)
        rate, unit = row.rate(ours.median)

        def share():
            return f"{100 * limits.seconds(row) / ours.median:.0f}"

        peers = {side.name: r for side, r in results.items() if not side.ours}
        line = [row.title(), threads, f"{ours.median:.6g}", f"{ours.best:.6g}",
                f"{ours.spread:.2f}", ours.calls, f"{rate:.5g}", unit, share]
        shown = ""
        for name in self.names:
            r = peers.get(name)
            line += [f"{r.median:.6g}", f"{r.best:.6g}", f"{r.ratio_to(ours):.3g}"] if r \
                else ["", "", ""]
            shown += f"{in_seconds(r.median) + f'{r.ratio_to(ours):8.2f}x':>20}" if r else " " * 20
        self.lines.append(line)
        print(f"{row.title():36}{threads:8}{in_seconds(ours.median):>11}"
              f"{in_seconds(ours.best):>11}{100 * ours.spread:7.0f}%"
              f"{number(rate) + ' ' + unit:>17}{share():>6}%{shown}".rstrip(), flush=True)

    def write(self, path, header):
        with open(path, "w", newline="", encoding="utf-8") as f:
            for line in header:
                f.write(f"# {line}\n")
            w = csv.writer(f, lineterminator="\n")
            w.writerow(["work", "threads", "seconds", "best", "spread", "calls", "rate", "unit",
                        "percent_of_limit"] +
                       [n + c for n in self.names for c in (" seconds", " best", " ratio")])
            w.writerows([c() if callable(c) else c for c in line] for line in self.lines)


def machine():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            model = next(line.split(":")[1].strip() for line in f if "model name" in line)
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def commit():
    try:
        return subprocess.run(["git", "describe", "--always", "--dirty"], cwd=FOLDER, check=True,
                              capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def cpu_times():
    """Busy and all CPU time since the start of the system; None where nobody says so."""
    try:
        with open("/proc/stat", encoding="ascii") as f:
            times = [int(t) for t in f.readline().split()[1:9]]
    except (OSError, ValueError):
        return None
    return sum(times) - times[3] - times[4], sum(times)


def state_of_machine():
    """(is it quiet, words for it): what others use of it while we wait two seconds. The load
    average alone would still count the compiler that has built us."""
    load, before = os.getloadavg()[0], cpu_times()
    if before is None:
        return load <= 0.15 * os.cpu_count(), f"load average {load:.2f}"
    time.sleep(2)
    now = cpu_times()
    share = (now[0] - before[0]) / max(1, now[1] - before[1])
    words = f"others use {100 * share:.0f} % of the machine, load average {load:.2f}"
    return share <= 0.05, words + ("" if share <= 0.05 else ": BUSY, not to be published")


# ---- the run ---------------------------------------------------------------

def show_own_cell(measured):
    """The price of a cell on the tape, where both rows have been measured."""
    for (name, threads), seconds in measured.items():
        fused = measured.get((name.replace("cell", "train", 1), threads))
        if name.startswith("cell ") and fused:
            print(f"an LSTM written on the tape, {threads} threads: {seconds / fused:.2f} times "
                  "the fused layer's time")


def show_memory(build, isa, threads, table):
    """Bytes a call needs beside weights, inputs and their gradients, in programs that have
    done nothing else."""
    T, B, H = 100, 32, 1024
    print(f"\nmemory of one training call, train lstm T{T} B{B} 1x{H}, bytes a unit and step "
          "(outputs and their gradients: 8 of them)")
    for side in sides_of(build, threads, isa):
        answer = side.numbers(f"memory train lstm {T} {B} {H} 1", zero=True)
        if answer and answer[0] > 0:
            each = answer[0] / (T * B * H)
            print(f"    {side.name:24}{each:8.1f}")
            table.lines.append([f"memory train lstm T{T} B{B} 1x{H} {side.name}", threads, "", "",
                                "", "", f"{each:.4g}", "bytes/(T*B*H)", ""] +
                               [""] * (3 * len(table.names)))
        side.close()


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("build", help="the build folder")
    p.add_argument("--rows", default="", metavar="REGEX", help="rows whose name matches")
    p.add_argument("--threads", default="1,2", help="numbers of threads (default 1,2)")
    p.add_argument("--rounds", type=int, help="alternations (default 5; quick: 3)")
    p.add_argument("--seconds", type=float, help="each side's turn (default 0.3; quick: 0.03)")
    p.add_argument("--quick", action="store_true", help="without the large rows, two minutes")
    p.add_argument("--check", action="store_true",
                   help="compare what all of them compute, instead of how fast")
    p.add_argument("--isa", help="avx2: hold every side to it (ONNX Runtime cannot be)")
    p.add_argument("--processor", action="store_true",
                   help="processor time instead of the clock's: one thread on a busy machine")
    p.add_argument("--csv", help="where the results go (default BUILD/bench/results.csv)")
    p.add_argument("--publish", action="store_true",
                   help="to bench/results.csv; refused on a busy machine")
    args = p.parse_args()
    args.threads = [int(t) for t in args.threads.split(",")]
    if args.processor and args.threads != [1]:
        p.error("--processor is for --threads 1: threads that wait for each other compute, too")
    args.rounds = args.rounds or (3 if args.quick else 5)
    args.seconds = args.seconds or (0.03 if args.quick else 0.3)
    args.csv = args.csv or (os.path.join(FOLDER, "results.csv") if args.publish else
                            os.path.join(args.build, "bench", "results.csv"))
    return args


def grid(args):
    out = subprocess.run([os.path.join(args.build, "bench", "unroll"), "--list"], check=True,
                         capture_output=True, text=True).stdout
    rows = [Row(line) for line in out.splitlines()]
    return [r for r in rows if re.search(args.rows, r.name) and (r.quick or not args.quick)]


def run(args, state, begin):
    sides = {t: sides_of(args.build, t, args.isa) for t in args.threads}
    limits = {t: Limits(args.build, t, args.isa) for t in args.threads}
    names = [s.name for s in sides[args.threads[0]]]
    header = [machine(), f"commit {commit()}, {datetime.date.today().isoformat()}",
              f"at the start {state}",
              ", ".join(names) + f"; medians of {args.rounds} rounds"]
    header += [f"held to {args.isa}"] if args.isa else []
    header += ["times are processor time"] if args.processor else []
    print("\n".join(header))
    print("\nratio: a peer's time by ours\n")
    table, measured = Table(names[1:]), {}
    table.head()
    for row in grid(args):
        for t in args.threads:
            limits[t].measure(row)
            results = measure(row, sides[t], args.rounds, args.seconds,
                              processor_turn if args.processor else turn)
            table.add(row, t, results, limits[t])
            measured[row.name, t] = results[sides[t][0]].median
    print()
    for t in args.threads:
        header.append(f"limit with {t} threads: {limits[t].gflops():.0f} GFLOP/s")
        print(header[-1])
    for side in [s for t in args.threads for s in [*sides[t], limits[t]]]:
        side.close()
    show_own_cell(measured)
    if not args.rows and not args.quick:
        show_memory(args.build, args.isa, args.threads[-1], table)
    table.write(args.csv, header)
    print(f"\n{args.csv} written after {time.monotonic() - begin:.0f} s")


def main():
    begin, args = time.monotonic(), arguments()
    quiet, state = state_of_machine()
    if args.publish and (not quiet or args.rows or args.quick or args.isa or args.processor):
        sys.exit(f"run.py: --publish wants all rows on a quiet machine: {state}")
    try:
        if args.check:
            sys.exit(check(grid(args), lambda t: sides_of(args.build, t, args.isa), args.threads))
        run(args, state, begin)
    except Side.Ended as e:
        sys.exit(f"run.py: {e}")


if __name__ == "__main__":
    main()
