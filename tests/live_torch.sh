#!/bin/sh
# SPDX-License-Identifier: MIT
# Exchanges random nets with the PyTorch that is installed (tests/torch/live.py), and looks
# whether the safetensors that is installed takes what ours believes (tests/torch/headers.py).
#
# Environment: SOURCE_DIR, PEER (the program made of tests/torch/peer.c), UNROLL_TORCH_PYTHON
# (an interpreter that can import torch and safetensors; python3). Exits 77 without one.
python=${UNROLL_TORCH_PYTHON:-python3}
if "$python" -c 'import safetensors' 2>/dev/null; then
    "$python" "$SOURCE_DIR/tests/torch/headers.py" || exit 1
fi
if ! "$python" -c 'import torch, safetensors, numpy' 2>/dev/null; then
    echo "$python cannot import torch, safetensors and numpy (UNROLL_TORCH_PYTHON names another)"
    exit 77
fi
PYTHONDONTWRITEBYTECODE=1 exec "$python" "$SOURCE_DIR/tests/torch/live.py" --peer "$PEER"
