#!/bin/sh
# SPDX-License-Identifier: MIT
# Renews demo/corpus.txt.gz, the snapshot of this project's C source that the demo trains on.
# Done at releases: a new corpus needs a new demo-hash in README.md.
set -eu
cd "$(dirname "$0")/.."
mkdir -p demo
git ls-files 'include/*.h' 'src/*.[ch]' 'src/*.inc' 'cli/*.[ch]' 'examples/*.c' | LC_ALL=C sort |
    xargs cat | gzip -9n >demo/corpus.txt.gz
gzip -l demo/corpus.txt.gz
