# SPDX-License-Identifier: MIT
"""The programs under measurement: which there are, how they are started and asked."""
import glob
import math
import os
import shutil
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))

# What holds a peer to AVX2.
AVX2 = {"UNROLL_ISA": "avx2", "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2",
        "DNNL_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def cores():
    """CPUs that this process may use, one of each core first."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    first, rest, seen = [], [], set()
    for cpu in sorted(os.sched_getaffinity(0)):
        try:
            with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list",
                      encoding="ascii") as f:
                core = f.read().strip()
        except OSError:
            core = str(cpu)
        (rest if core in seen else first).append(cpu)
        seen.add(core)
    return first + rest


class Side:
    """A program that answers lines (worker.h)."""

    class Ended(Exception):
        """Our own program has failed: there is nothing to compare."""

    def __init__(self, command, threads, isa, ours=False):
        self.ours = ours
        self.lost = False
        count = str(threads)
        env = dict(os.environ, OMP_NUM_THREADS=count, MKL_NUM_THREADS=count,
                   OPENBLAS_NUM_THREADS=count)
        if isa == "avx2":
            env.update(AVX2)
        elif isa:
            env["UNROLL_ISA"] = isa
        # As many cores as threads: a peer that counts cores by itself sees no more than that.
        allowed = cores()[:threads]

        def pin():
            if allowed:
                os.sched_setaffinity(0, allowed)

        self.process = subprocess.Popen(
            [*command, count], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
            errors="replace", preexec_fn=pin, stderr=None if ours else subprocess.DEVNULL)
        self.name = self.process.stdout.readline().strip()

    def ask(self, line):
        """Its answer; None: it has no such row, or it failed and has said why."""
        if self.lost:
            return None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except OSError:
            answer = ""
        if answer == "":
            return self.lose(f"{line}: the program has ended with status {self.process.wait()}")
        if answer.startswith("error"):
            return self.fail(f"{line}: {answer.strip()}")
        return None if answer == "none\n" else answer.strip()

    def numbers(self, line, zero=False):
        """Its answer as numbers above zero (or zero); None as ask, or where it is none."""
        answer = self.ask(line)
        if answer is None:
            return None
        try:
            numbers = [float(x) for x in answer.split()]
        except ValueError:
            numbers = []
        if numbers and all(math.isfinite(x) and (x > 0 or zero and x == 0) for x in numbers):
            return numbers
        return self.lose(f"{line}: answers {answer[:60]!r} where numbers are expected: left out")

    def fail(self, why):
        """Says why there is no answer. The run ends where it is ours."""
        if self.ours:
            raise Side.Ended(f"{self.name}: {why}")
        print(f"{self.name}: {why}", file=sys.stderr, flush=True)

    def lose(self, why):
        """The same, and it is asked no more."""
        self.lost = True
        self.fail(why)

    def processor_seconds(self):
        """What its threads have had of the processors (Linux)."""
        total = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
        return total * 1e-9

    def forget(self):
        """Gives the last row's memory back by opening one that is nothing."""
        self.ask("time 0 train rnn 1 1 1 1")

    def close(self):
        try:
            self.process.stdin.close()
        except OSError:     # it has ended with a question unread
            pass
        self.process.stdout.close()
        self.process.wait()


class Limits(Side):
    """What the machine can do with so many threads: FLOP and bytes a second. Measured anew at
    each question, the best of which counts: a limit seen while others compute is none."""

    def __init__(self, build, threads, isa):
        super().__init__([os.path.join(build, "bench", "limits")], threads, isa, ours=True)
        self.best = {}

    def measure(self, row):
        """Before a row is measured: the limits that it has."""
        for line in (["fma"] if row.batched else []) + \
                ([f"read {row.bytes:.0f}"] if row.reads else []):
            rate = self.numbers(line) or self.fail(f"{line}: there is no such limit")
            self.best[line] = max(self.best.get(line, 0.0), 1e9 * rate[0])

    def seconds(self, row):
        """Seconds below which this machine cannot do it."""
        s = row.batched / self.best["fma"] if row.batched else 0.0
        return s + (row.reads * row.bytes / self.best[f"read {row.bytes:.0f}"] if row.reads else 0)

    def gflops(self):
        return self.best.get("fma", 0.0) / 1e9


def python_with(modules):
    """The interpreter that has them: the user's, the usual one, the distribution's."""
    for python in (os.environ.get("UNROLL_TORCH_PYTHON"), "python3", "/usr/bin/python3"):
        if python and shutil.which(python) and subprocess.run(
                [python, "-c", f"import {modules}, numpy"], check=False,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return None


FOUND = {}


def sides_of(build, threads, isa):
    """Ours first, then the peers that are installed."""
    sides = [Side([os.path.join(build, "bench", "unroll"), "--worker"], threads, isa, ours=True)]
    if not sides[0].name:
        raise Side.Ended("our own program does not start")
    commands = []
    for script, modules in (("peer_torch.py", "torch"),
                            ("peer_onnxruntime.py", "onnx, onnxruntime")):
        if isa and modules != "torch":
            continue
        if modules not in FOUND:
            FOUND[modules] = python_with(modules)
        if FOUND[modules]:
            commands.append([FOUND[modules], os.path.join(FOLDER, script)])
    commands += [[program, "--worker"]
                 for program in sorted(glob.glob(os.path.join(build, "bench", "onednn-*")))]
    for command in commands:
        side = Side(command, threads, isa)
        if side.name:
            sides.append(side)
        else:
            print(f"{' '.join(command)} does not start", file=sys.stderr)
    return sides
