# SPDX-License-Identifier: MIT
"""Whether all sides compute the same: run.py --check."""
import array
import operator
import os
import tempfile

TOLERANCE = 1e-4


def read(path):
    """Named results as worker_write leaves them."""
    results = {}
    with open(path, "rb") as f:
        for line in iter(f.readline, b""):
            name, size = line.split()
            results[name.decode()] = values = array.array("f")
            values.fromfile(f, int(size))
    return results


def difference(a, b):
    """Largest difference, measured by the largest element."""
    if len(a) != len(b) or any(map(operator.ne, a, a)) or any(map(operator.ne, b, b)):
        return float("inf")     # another shape, or not a number
    return max(map(abs, map(operator.sub, a, b))) / max(1e-30, max(map(abs, b)))


def values_of(side, row, folder):
    path = os.path.join(folder, "values")
    if side.ask(f"values {path} {row.name}") != "ok":
        return None
    try:
        return read(path)
    except (OSError, ValueError, EOFError) as e:
        return side.lose(f"values {row.name}: what it wrote cannot be read: {e}")


def check(rows, sides_of, threads):
    """Prints the largest difference of each result; the exit status."""
    bad = compared = 0
    with tempfile.TemporaryDirectory() as folder:
        for t in threads:
            sides = sides_of(t)
            for row in rows:
                ours = values_of(sides[0], row, folder) or {}
                for side in sides[1:]:
                    theirs = values_of(side, row, folder)
                    if theirs is None:
                        continue
                    errors = {name: difference(ours.get(name, []), values)
                              for name, values in theirs.items()}
                    name = max(errors, key=errors.get)
                    fine = errors[name] <= TOLERANCE
                    bad += not fine
                    compared += 1
                    print(f"{row.title():36}{t:3} threads  {side.name:22}"
                          f"{len(errors):3} results, worst {name} {errors[name]:.1e}"
                          f"{'' if fine else '  DIFFERS'}", flush=True)
            for side in sides:
                side.close()
    print(f"{compared} comparisons, {bad} beyond {TOLERANCE:g} of the largest element")
    return 1 if bad or not compared else 0
