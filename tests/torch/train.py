# SPDX-License-Identifier: MIT
"""Ten steps of training a small language model with PyTorch's own optimizers.

A line reads as in case.py with words of its own:

    train lstm layers=2 vocabulary=11 embedding=5 hidden=12 time=9 batch=4 steps=10
        optimizer=adam lr=0.02 decay=0.01 clip_norm=0.5

embedding=0: one-hot. The text is B rows that each repeat 23 tokens; step k reads T tokens of
each and predicts the T after these by one; the state goes on from step to step. The loss is
the mean cross entropy; the norm is that of all gradients, before clipping.
"""
import numpy as np
import torch
from torch import nn

from case import bits, numbers

_TEXT = 'vocabulary=11 hidden=12 time=9 batch=4 steps=10'
_SETUPS = (('adamw', 'lr=0.02 decay=0.1 clip_norm=0.2'),
           ('adam', 'lr=0.02 decay=0.01 clip_norm=0.2'),
           ('sgd', 'lr=0.25 decay=0.001 momentum=0.9 clip_norm=0.2'),
           ('rmsprop', 'lr=0.005 decay=0.01 clip_norm=0.2'),
           ('adagrad', 'lr=0.05 decay=0.001 clip_norm=0.2'),
           ('sgd', 'lr=0.5 decay=0 momentum=0 clip_value=0.02'))
LINES = ['train %s layers=%d %s embedding=%d optimizer=%s %s'
         % (cell, layers, _TEXT, embedding, optimizer, rest)
         for optimizer, rest in _SETUPS
         for cell, layers, embedding in (('lstm', 2, 5), ('gru', 1, 0), ('rnn_tanh', 2, 6))]


class Net(nn.Module):
    def __init__(self, cell, V, E, H, layers):
        super().__init__()
        kind, _, f = cell.partition('_')
        self.V, self.embed = V, nn.Embedding(V, E) if E else None
        options = {'nonlinearity': f} if f else {}
        self.rnn = getattr(nn, kind.upper())(E or V, H, layers, **options)
        self.decoder = nn.Linear(H, V)

    def forward(self, ids, state):
        x = self.embed(ids) if self.embed else nn.functional.one_hot(ids, self.V).double()
        y, state = self.rnn(x, state)
        return self.decoder(y), state


def optimizer_of(name, parameters, lr, decay, momentum):
    options = dict(lr=lr, weight_decay=decay)
    if name == 'sgd':
        return torch.optim.SGD(parameters, momentum=momentum, **options)
    options['eps'] = 1e-8
    if name == 'rmsprop':
        return torch.optim.RMSprop(parameters, alpha=0.95, **options)
    classes = {'adam': torch.optim.Adam, 'adamw': torch.optim.AdamW,
               'adagrad': torch.optim.Adagrad}
    return classes[name](parameters, **options)


def run(line):
    _, cell, *words = line.split(' ')
    o = dict(w.split('=') for w in words)
    V, E, H, T, B, L, steps = (int(o[k]) for k in ('vocabulary', 'embedding', 'hidden', 'time',
                                                   'batch', 'layers', 'steps'))
    net = Net(cell, V, E, H, L).double()
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(torch.from_numpy(numbers(line, name, p.shape) * 0.5))
    text = (bits(line, 'text', 23) % np.uint64(V)).astype(np.int64)
    optimizer = optimizer_of(o['optimizer'], list(net.parameters()), float(o['lr']),
                             float(o['decay']), float(o.get('momentum', 0)))
    state, losses, norms = None, [], []
    for k in range(steps):
        place = k * T + np.arange(T + 1)[:, None] + 5 * np.arange(B)
        ids = torch.from_numpy(text[place % 23])
        logits, state = net(ids[:-1], state)
        state = tuple(s.detach() for s in state) if cell == 'lstm' else state.detach()
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), ids[1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(net.parameters(), float(o.get('clip_norm', 'inf')))
        if 'clip_value' in o:
            nn.utils.clip_grad_value_(net.parameters(), float(o['clip_value']))
        optimizer.step()
        losses.append(loss.detach())
        norms.append(norm.detach())
    return torch.stack([torch.stack(losses), torch.stack(norms)])
