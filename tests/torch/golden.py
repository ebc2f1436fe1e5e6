#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/rnn.safetensors: what PyTorch computes, in double, for many nets.

    python3 tests/torch/golden.py [FILE]

One tensor [n] a net, named by its line (case.py): y; then for every layer and direction the
final h and c; dx; dh_0 and dc_0 again slot by slot; at last the gradients of the parameters
in the order of Case.shapes(). The loss is the sum of outputs and final states, each times a
number of its own, so that everything has a gradient. Nets that PyTorch's modules have are
computed by these, and once more by the equations of cells.py, which must agree.

One tensor [2,n] a run of training, named by its line: n losses and n norms of the gradient.
"""
import itertools
import os
import sys

import torch
from safetensors.torch import save_file

import cells
import train
from case import Case, module, run_module

SMALL = 'input=2 hidden=3 time=4 batch=3'


def module_lines():
    """Everything that nn.RNN, nn.LSTM and nn.GRU can be."""
    kinds = ('rnn_tanh', 'rnn_relu', 'lstm', 'gru', 'lstm projection=2')
    for kind, layers, way, lengths, bias in itertools.product(
            kinds, (1, 2, 3), ('', ' bidirectional'), ('', ' lengths=2,4,1'), (0, 2)):
        cell, _, projection = kind.partition(' ')
        yield '%s layers=%d %s%s%s bias=%d%s' % (
            cell, layers, SMALL, way, lengths, bias, projection and ' ' + projection)
    large = 'input=9 time=7 batch=5'
    yield 'rnn_tanh layers=2 hidden=33 ' + large
    yield 'gru layers=2 hidden=13 bidirectional lengths=3,7,1,5,7 ' + large
    yield 'lstm layers=1 hidden=37 ' + large
    yield 'lstm layers=2 hidden=19 bidirectional projection=7 lengths=3,7,1,5,7 ' + large


def equation_lines():
    """What they cannot be."""
    one = SMALL
    two = 'layers=2 input=2 hidden=3,5 time=4 batch=3 bidirectional lengths=4,0,3'
    for options in ('gru {} before bias=1', 'gru {} before', 'rnn_sigmoid {}', 'rnn_satlin {}',
                    'rnn_identity {}', 'rnn_tanh {} residual', 'rnn_relu {} residual bias=1',
                    'rnn_tanh {} bias=1', 'gru {} bias=1', 'lstm {} bias=1',
                    'lstm {} peepholes', 'lstm {} peepholes projection=2 bias=1',
                    'lstm {} coupled', 'lstm {} coupled bias=0',
                    'lstm {} coupled peepholes', 'lstm {} clip=0.25',
                    'lstm {} clip=0.25 peepholes',
                    'lstm {} clip=0.5 coupled peepholes projection=2',
                    'rnn_tanh {} learned', 'gru {} learned', 'lstm {} learned',
                    'lstm {} learned projection=2', 'rnn_tanh {} output=2 tanh_output',
                    'gru {} output=4 bias=0', 'lstm {} output=2 tanh_output bias=1',
                    'lstm {} output=4 projection=2', 'rnn_tanh {} zoneout=0.25,0',
                    'rnn_relu {} zoneout=0.5,0', 'gru {} zoneout=0.25,0',
                    'lstm {} zoneout=0.25,0', 'lstm {} zoneout=0,0.5', 'lstm {} zoneout=0.125,0.25',
                    'lstm {} zoneout=0.25,0.5 projection=2',
                    'gru {} before learned output=2 zoneout=0.25,0 bias=1',
                    'rnn_satlin {} residual learned output=2 bias=0',
                    'rnn_tanh {} residual zoneout=0.25,0 output=2',
                    'lstm {} peepholes clip=0.5 zoneout=0.25,0.125',
                    'lstm {} peepholes coupled clip=0.5 learned output=2 projection=2',
                    'lstm {} peepholes coupled clip=0.5 output=2 projection=2 zoneout=0.25,0.5'):
        yield options.format(one)
        yield options.format(two)


def leaf(x):
    return x.clone().requires_grad_()


def inputs(case):
    x = leaf(case.numbers('x', (case.T, case.B, case.I), 1))
    h0 = [leaf(case.numbers('h_0' + end, (case.B, P), 1)) for _, _, P, _, end in case.slots()]
    c0 = [leaf(case.numbers('c_0' + end, (case.B, C), 1)) for _, _, _, C, end in case.slots() if C]
    return x, h0, c0


def loss_of(case, y, h, c):
    loss = (case.numbers('w_y', y.shape, 1) * y).sum()
    for slot, (_, _, P, C, end) in enumerate(case.slots()):
        loss = loss + (case.numbers('w_h' + end, (case.B, P), 1) * h[slot]).sum()
        if C:
            loss = loss + (case.numbers('w_c' + end, (case.B, C), 1) * c[slot]).sum()
    return loss


def flat(tensors):
    return torch.cat([t.detach().flatten() for t in tensors])


def slotwise(h, c):
    """h and c of each slot side by side."""
    return list(itertools.chain(*zip(h, c))) if c else h


def results(case, y, h, c, x, h0, c0, parameters):
    loss_of(case, y, h, c).backward()
    grads = [x.grad] + ([] if case.learned else [t.grad for t in slotwise(h0, c0)])
    return flat([y] + slotwise(h, c) + grads + [p.grad for p in parameters])


def by_equations(case):
    parameters = {name: leaf(p) for name, p in case.parameters().items()}
    x, h0, c0 = inputs(case)
    if case.learned:
        h0 = [parameters['h_0' + end].expand(case.B, -1) for *_, end in case.slots()]
        c0 = [parameters['c_0' + end].expand(case.B, -1) for *_, end in case.slots() if c0]
    y, h, c = cells.run(case, parameters, x, h0, c0)
    return results(case, y, h, c, x, h0, c0, parameters.values())


def by_module(case):
    parameters = case.parameters()
    net = module(case, parameters)
    x, h0, c0 = inputs(case)
    y, h, c = run_module(case, net, x, h0, c0)
    return results(case, y, h, c, x, h0, c0, [getattr(net, name) for name in parameters])


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    path = sys.argv[1] if sys.argv[1:] else os.path.join(here, '../golden/rnn.safetensors')
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    golden, apart, modules = {}, 0.0, 0
    for line in module_lines():
        golden[line] = by_module(Case(line))
        apart = max(apart, (golden[line] - by_equations(Case(line))).abs().max().item())
        modules += 1
    assert apart < 1e-12, apart
    for line in equation_lines():
        golden[line] = by_equations(Case(line))
    nets = len(golden)
    for line in train.LINES:
        golden[line] = train.run(line)
    assert all(torch.isfinite(t).all() for t in golden.values())
    save_file(golden, path, {'made by': 'tests/torch/golden.py'})   # one key: a fixed order
    os.chmod(path, 0o644)
    print('%d nets (%d by modules, apart from the equations by %.1e), %d runs: %d numbers, %d bytes'
          % (nets, modules, apart, len(golden) - nets, sum(t.numel() for t in golden.values()),
             os.path.getsize(path)))


if __name__ == '__main__':
    main()
