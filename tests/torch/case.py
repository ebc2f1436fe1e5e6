# SPDX-License-Identifier: MIT
"""A recurrent net described by one line, and its numbers.

    lstm layers=2 input=2 hidden=3 time=4 batch=3 lengths=2,4,1 bidirectional bias=2

The same line is read by tests/golden_case.h. Parameters and inputs are no random draws but
functions of (line, name, index), so that a file of golden values holds results alone. All are
multiples of 2^-13 below 1: exact in float and in double.
"""
import numpy as np
import torch

CELLS = {'rnn_tanh': 1, 'rnn_relu': 1, 'rnn_sigmoid': 1, 'rnn_satlin': 1, 'rnn_identity': 1,
         'lstm': 4, 'gru': 3}
FORMS = ('coupled', 'clip', 'residual', 'before', 'sigmoid', 'satlin', 'identity', 'zoneout')
FLAGS = ('bidirectional', 'peepholes', 'coupled', 'residual', 'before', 'learned', 'tanh_output')


class Case:
    def __init__(self, line):
        self.line = line
        self.cell, *words = line.split(' ')
        given = dict(w.partition('=')[::2] for w in words)
        for flag in FLAGS:
            setattr(self, flag, given.pop(flag, None) is not None)
        self.L = int(given.pop('layers', 1))
        self.I = int(given.pop('input'))
        self.H = self.sizes(given.pop('hidden'))
        self.T = int(given.pop('time'))
        self.B = int(given.pop('batch'))
        self.P = self.sizes(given.pop('projection', '0'))
        self.O = self.sizes(given.pop('output', '0'))
        self.bias = int(given.pop('bias', 2))
        self.clip = float(given.pop('clip', 0))
        lengths = given.pop('lengths', None)
        self.lengths = lengths and [int(n) for n in lengths.split(',')]
        self.zoneout = [float(p) for p in given.pop('zoneout', '0,0').split(',')]
        if given:
            raise ValueError('%s: unknown %s' % (line, ', '.join(given)))
        self.D = 2 if self.bidirectional else 1
        self.gates = 3 if self.cell == 'lstm' and self.coupled else CELLS[self.cell]

    def sizes(self, text):
        """One size for all layers, or one for each."""
        sizes = [int(n) for n in text.split(',')]
        return sizes * self.L if len(sizes) == 1 else sizes

    def form(self):
        """How the recurrent weights are called, '' where PyTorch computes the same net."""
        has = {'coupled': self.coupled, 'clip': self.clip, 'residual': self.residual,
               'before': self.before, 'zoneout': any(self.zoneout)}
        has[self.cell.partition('_')[2]] = True
        return next((form for form in FORMS if has.get(form)), '')

    def slots(self):
        """(layer, direction, size of h, size of c, ending of the names)."""
        for l in range(self.L):
            for d in range(self.D):
                yield (l, d, self.P[l] or self.H[l], self.H[l] if self.cell == 'lstm' else 0,
                       '_l%d%s' % (l, '_reverse' if d else ''))

    def shapes(self):
        """Name and shape of every parameter, slot by slot, in the order of golden values."""
        shapes = {}
        I = self.I
        for l, d, P, C, end in self.slots():
            H, O, G = self.H[l], self.O[l], self.gates
            if l and not d:
                I = self.D * (self.O[l - 1] or self.P[l - 1] or self.H[l - 1])
            shapes['weight_ih' + end] = (G * H, I)
            shapes['weight_hh' + end] = (G * H, P)
            if self.bias >= 1:
                shapes['bias_ih' + end] = (G * H,)
            if self.bias >= 2:
                shapes['bias_hh' + end] = (G * H,)
            if self.P[l]:
                shapes['weight_hr' + end] = (P, H)
            if self.peepholes:
                shapes['weight_peep' + end] = ((2 if self.coupled else 3) * H,)
            if O:
                shapes['weight_hy' + end] = (O, P)
                if self.bias >= 1:
                    shapes['bias_hy' + end] = (O,)
            if self.learned:
                shapes['h_0' + end] = (P,)
                if C:
                    shapes['c_0' + end] = (C,)
        return shapes

    def library_name(self, name):
        """The parameter's name in a model file of the library."""
        form = self.form()
        return 'rnn.' + (name.replace('weight_hh', 'weight_hh_' + form) if form else name)

    def numbers(self, name, shape, scale=0.75):
        return torch.from_numpy(numbers(self.line, name, shape) * scale)

    def parameters(self):
        return {name: self.numbers(name, shape) for name, shape in self.shapes().items()}


def bits(line, name, n):
    """n pseudo-random 32-bit words: FNV-1a of the names, then a finalizer on each index."""
    h = 2166136261
    for byte in (line + '/' + name).encode():
        h = (h ^ byte) * 16777619 & 0xffffffff
    x = np.uint64(h) + np.arange(n, dtype=np.uint64) * np.uint64(0x9e3779b9)
    mask = np.uint64(0xffffffff)
    x &= mask
    for shift, factor in ((16, 0x85ebca6b), (13, 0xc2b2ae35)):
        x ^= x >> np.uint64(shift)
        x = x * np.uint64(factor) & mask
    return x ^ x >> np.uint64(16)


def numbers(line, name, shape):
    """Multiples of 2^-11 in [-1,1)."""
    top = bits(line, name, int(np.prod(shape))) >> np.uint64(20)
    return (top.astype(np.float64) / 2048 - 1).reshape(shape)


def module(case, parameters):
    """The case as one of PyTorch's modules, with these parameters (without 'rnn.')."""
    kind, _, f = case.cell.partition('_')
    options = dict(num_layers=case.L, bias=case.bias > 0, bidirectional=case.bidirectional)
    if f:
        options['nonlinearity'] = f
    if case.P[0]:
        options['proj_size'] = case.P[0]
    net = getattr(torch.nn, kind.upper())(case.I, case.H[0], **options)
    net = net.to(next(iter(parameters.values())).dtype)
    net.load_state_dict(parameters, strict=True)
    return net


def run_module(case, net, x, h0, c0):
    """Outputs and lists of final h and c, slot by slot, of what module() gave."""
    state = torch.stack(h0) if not c0 else (torch.stack(h0), torch.stack(c0))
    if case.lengths:
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, case.lengths, enforce_sorted=False)
        y, last = net(packed, state)
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, total_length=case.T)
    else:
        y, last = net(x, state)
    h, c = last if c0 else (last, [])
    return y, list(h), list(c)
