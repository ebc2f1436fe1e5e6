#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares log-mel frames with librosa's.

    compare.py --frames PROGRAM --data spoken-digits.tar.gz [--files N]

PROGRAM is made of frames.c. Of the recordings every so-manieth is taken, N in all (0: all of
them). Exit status 1 if a number differs by more than 1e-4.
"""
import argparse
import os
import subprocess
import sys
import tarfile
import tempfile

import librosa
import numpy as np

TOLERANCE = 1e-4
RULES = (40, 23)    # bands


def reference(path, bands):
    y, rate = librosa.load(path, sr=None)
    window = rate // 40
    points = 1 << (window - 1).bit_length()
    power = librosa.feature.melspectrogram(
        y=y, sr=rate, n_fft=points, win_length=window, hop_length=rate // 100, window='hann',
        center=False, power=2, n_mels=bands, htk=True, norm=None)
    return np.log(np.maximum(power, 1e-6)).T


def compare(program, folder, names, bands):
    path = os.path.join(folder, 'list')
    with open(path, 'w', encoding='utf-8') as f:
        f.writelines(name + '\n' for name in names)
    run = subprocess.run([program, path, str(bands)], stdout=subprocess.PIPE, check=True)
    ours = np.frombuffer(run.stdout, 'float32').reshape(-1, bands)
    theirs = np.concatenate([reference(os.path.join(folder, name), bands) for name in names])
    if ours.shape != theirs.shape:
        sys.exit('compare.py: %d frames where librosa has %d' % (len(ours), len(theirs)))
    worst = float(np.abs(ours - theirs).max())
    print('log-mel frames of %d files, %d bands, %d numbers: largest difference %.1e'
          % (len(names), bands, ours.size, worst))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--frames', required=True)
    parser.add_argument('--data', required=True)
    parser.add_argument('--files', type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(options.data) as tar:
            tar.extractall(folder, filter='data')
        names = sorted(os.path.relpath(os.path.join(top, name), folder)
                       for top, _, found in os.walk(folder) for name in found
                       if name.endswith('.wav'))
        if options.files:
            names = names[::max(1, len(names) // options.files)][:options.files]
        worst = max(compare(options.frames, folder, names, bands) for bands in RULES)
    return 1 if worst > TOLERANCE else 0


if __name__ == '__main__':
    sys.exit(main())
