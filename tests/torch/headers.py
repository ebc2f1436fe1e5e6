#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of headers that unit.safetensors reads, against the safetensors that is installed.

    python3 tests/torch/headers.py

The first column of tests/golden/headers.tsv says whether the reference reader takes a file;
prints where the installed one differs.
"""
import os
import struct
import sys

import safetensors

TABLE = os.path.join(os.path.dirname(__file__), '..', 'golden', 'headers.tsv')


def takes(header, size):
    try:
        safetensors.deserialize(struct.pack('<Q', len(header)) + header + bytes(size))
        return 'yes'
    except Exception:
        return 'no'


def main():
    lines = differ = 0
    with open(TABLE) as table:
        for line in table:
            if line.startswith('#'):
                continue
            want, _, size, _, text = line.rstrip('\n').split('\t')
            header = text.encode().decode('unicode_escape').encode('latin-1')
            got = takes(header, int(size))
            lines += 1
            if got != want:
                differ += 1
                print('%s, not %s: %s' % (got, want, text))
    print('safetensors %s: %d headers, %d taken otherwise' % (safetensors.__version__, lines,
                                                              differ))
    return differ > 0


if __name__ == '__main__':
    sys.exit(main())
