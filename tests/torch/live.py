#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Weights and numbers exchanged with the PyTorch that is installed, both ways.

    python3 tests/torch/live.py --peer build/tests/torch_peer [--nets 200] [--seed 1]

Random nn.RNN, nn.LSTM, nn.GRU and nn.Embedding with nn.Linear: our initial weights load
strictly there, theirs (in four types) load strictly here and come back as they went, and with
the same weights the outputs and final states agree. Nets that PyTorch does not have must not
load. Prints how many and the largest error max|a-b| / max(1, max|b|).
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from case import Case, module, run_module

TYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
OTHERS = ('lstm coupled', 'lstm clip=1', 'rnn_tanh residual', 'gru before', 'rnn_sigmoid',
          'rnn_satlin', 'rnn_identity', 'gru zoneout=0.1,0', 'lstm peepholes', 'gru learned',
          'lstm output=3')


class Peer:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def path(self, name):
        return os.path.join(self.folder, name + '.safetensors')

    def save(self, line, seed):
        subprocess.run([self.program, 'save', line, str(seed), self.path('ours')], check=True)
        return load_file(self.path('ours'))

    def run(self, line, weights, data):
        """Outputs with these weights; what is written back must be what was read."""
        save_file(weights, self.path('theirs'))
        save_file(data, self.path('data'))
        subprocess.run([self.program, 'run', line] +
                       [self.path(n) for n in ('theirs', 'data', 'outputs', 'back')], check=True)
        back = load_file(self.path('back'))
        assert back.keys() == weights.keys(), (sorted(back), sorted(weights))
        for name, w in weights.items():
            assert torch.equal(back[name], w.float()), name
        return load_file(self.path('outputs'))


def random_line(r):
    cell = r.choice(('rnn_tanh', 'rnn_relu', 'lstm', 'lstm', 'gru', 'gru'))
    H, T, B = r.randint(1, 70), r.randint(1, 20), r.randint(1, 9)
    line = '%s layers=%d input=%d hidden=%d time=%d batch=%d bias=%d' % (
        cell, r.randint(1, 3), r.randint(1, 40), H, T, B, r.choice((0, 2)))
    if r.random() < 0.5:
        line += ' bidirectional'
    if r.random() < 0.5:
        line += ' lengths=' + ','.join(str(r.randint(1, T)) for _ in range(B))
    if cell == 'lstm' and H > 1 and r.random() < 0.5:
        line += ' projection=%d' % r.randint(1, H - 1)
    return line


def error(got, want):
    want = want.detach().flatten()
    assert got.shape == want.shape
    return ((got - want).abs().max() / want.abs().max().clamp(min=1)).item()


def check_rnn(peer, line, seed, dtype):
    case = Case(line)
    h0 = torch.randn(case.L * case.D, case.B, case.P[0] or case.H[0])
    data = {'x': torch.randn(case.T, case.B, case.I), 'h_0': h0}
    if case.cell == 'lstm':
        data['c_0'] = torch.randn(case.L * case.D, case.B, case.H[0])
    ours = peer.save(line, seed)
    fresh = module(case, ours)          # loads strictly
    fresh.reset_parameters()
    theirs = {name: p.detach().to(dtype) for name, p in fresh.state_dict().items()}
    worst = 0.0
    for weights in ours, theirs:
        net = module(case, {name: w.double() for name, w in weights.items()})
        got = peer.run(line, weights, data)
        y, h, c = run_module(case, net, data['x'].double(), list(h0.double()),
                             list(data['c_0'].double()) if 'c_0' in data else [])
        worst = max(worst, error(got['y'], y), error(got['h_n'], torch.stack(h)))
        if c:
            worst = max(worst, error(got['c_n'], torch.stack(c)))
    return worst


def check_words(peer, r, seed, dtype):
    V, E, O, bias = r.randint(1, 50), r.randint(1, 40), r.randint(1, 40), r.randint(0, 1)
    line = 'words vocabulary=%d embedding=%d output=%d bias=%d' % (V, E, O, bias)
    net = nn.Sequential(nn.Embedding(V, E), nn.Linear(E, O, bias=bool(bias))).double()
    theirs = {name: p.detach().to(dtype) for name, p in net.state_dict().items()}
    ids = torch.randint(V, (r.randint(1, 20), r.randint(1, 9)), dtype=torch.int32)
    worst = 0.0
    for weights in peer.save(line, seed), theirs:
        net.load_state_dict(weights, strict=True)
        worst = max(worst, error(peer.run(line, weights, {'ids': ids})['y'], net(ids)))
    return worst


def check_other(peer, options):
    """A net of ours that PyTorch would compute otherwise does not load there."""
    line = options + ' input=4 hidden=5 time=1 batch=1'
    kind = options.partition(' ')[0].partition('_')[0]
    net = getattr(nn, kind.upper())(4, 5)
    try:
        net.load_state_dict(peer.save(line, 1), strict=True)
    except RuntimeError:
        return
    raise AssertionError('%s was taken for an nn.%s' % (line, kind.upper()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--peer', required=True, help='the program made of peer.c')
    parser.add_argument('--nets', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    r = random.Random(options.seed)
    worst = worst_words = 0.0
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(options.peer, folder)
        for i in range(options.nets):
            line = random_line(r)
            found = check_rnn(peer, line, i, TYPES[i % 4])
            if not found <= 1e-5:
                print('%s: %.2g' % (line, found))
            worst = max(worst, found)
            if i % 10 == 0:
                worst_words = max(worst_words, check_words(peer, r, i, TYPES[i // 10 % 4]))
        for other in OTHERS:
            check_other(peer, other)
    print('PyTorch %s: %d recurrent nets both ways, largest error %.2g; %d embeddings with linear '
          'layers, %.2g; %d nets of other forms refused'
          % (torch.__version__, options.nets, worst, (options.nets + 9) // 10, worst_words,
             len(OTHERS)))
    return 0 if max(worst, worst_words) <= 1e-5 else 1


if __name__ == '__main__':
    sys.exit(main())
