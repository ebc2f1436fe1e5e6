#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of docs/PERFORMANCE.md from bench/results.csv, as Markdown.

    python3 bench/table.py [CSV]

A dagger: the slowest round took 40 % longer than the fastest.
"""
import csv
import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
DISTURBED = 0.4
NAMES = {"torch": "PyTorch", "onnxruntime": "ONNX Runtime", "onednn": "oneDNN"}


def in_seconds(s):
    for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if s * scale >= 1 or unit == "µs":
            return f"{s * scale:.3g} {unit}"


def rate(row):
    value = float(row["rate"])
    return (f"{value:,.0f}" if value >= 10 else f"{value:.2g}") + " " + row["unit"]


def peer_name(column):
    name, version = column.removesuffix(" ratio").split(" ", 1)
    return f"{NAMES.get(name, name)} {'.'.join(version.split('+')[0].split('.')[:2])}"


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(FOLDER, "results.csv")
    with open(path, newline="", encoding="utf-8") as f:
        reader = csv.DictReader(line for line in f if not line.startswith("#"))
        rows = [r for r in reader if r["seconds"]]
    ratios = [c for c in reader.fieldnames if c.endswith(" ratio")]
    print("| work | threads | time | rate | of the limit | "
          + " | ".join(map(peer_name, ratios)) + " |")
    print("|" + "---|" * (5 + len(ratios)))
    for r in rows:
        mark = " †" if float(r["spread"]) >= DISTURBED else ""
        peers = [f"{float(r[c]):.2f}" if r[c] else "" for c in ratios]
        cells = [r["work"], r["threads"], in_seconds(float(r["seconds"])) + mark, rate(r),
                 r["percent_of_limit"] + " %"]
        print("| " + " | ".join(cells + peers) + " |")


if __name__ == "__main__":
    main()
