# SPDX-License-Identifier: MIT
"""Recurrent nets step by step from the equations of docs/MATH.md: what PyTorch's modules
cannot express has its golden values from here, and what they can is compared with them."""
import torch

ACTIVATIONS = {'tanh': torch.tanh, 'relu': torch.relu, 'sigmoid': torch.sigmoid,
               'satlin': lambda a: a.clamp(0, 1), 'identity': lambda a: a}


def linear(w, x, b):
    y = x @ w.T
    return y if b is None else y + b


def rnn_step(case, p, x, h):
    f = ACTIVATIONS[case.cell[4:]]
    new = f(linear(p('weight_ih'), x, p('bias_ih')) + linear(p('weight_hh'), h, p('bias_hh')))
    return h + new if case.residual else new


def gru_step(case, p, x, h):
    xr, xz, xn = linear(p('weight_ih'), x, p('bias_ih')).chunk(3, 1)
    hr, hz, hn = linear(p('weight_hh'), h, p('bias_hh')).chunk(3, 1)
    r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
    if case.before:
        b = p('bias_hh')
        hn = linear(p('weight_hh').chunk(3)[2], r * h, None if b is None else b.chunk(3)[2])
        n = torch.tanh(xn + hn)
    else:
        n = torch.tanh(xn + r * hn)
    return (1 - z) * n + z * h


def lstm_step(case, p, x, h, c):
    a = linear(p('weight_ih'), x, p('bias_ih')) + linear(p('weight_hh'), h, p('bias_hh'))
    peep = p('weight_peep')
    if case.coupled:
        ai, ag, ao = a.chunk(3, 1)
        pi, po = peep.chunk(2) if peep is not None else (0, 0)
        i = torch.sigmoid(ai + pi * c)
        f = 1 - i
    else:
        ai, af, ag, ao = a.chunk(4, 1)
        pi, pf, po = peep.chunk(3) if peep is not None else (0, 0, 0)
        i, f = torch.sigmoid(ai + pi * c), torch.sigmoid(af + pf * c)
    new = f * c + i * torch.tanh(ag)
    if case.clip:
        new = new.clamp(-case.clip, case.clip)
    h = torch.sigmoid(ao + po * new) * torch.tanh(new)
    return (h if p('weight_hr') is None else h @ p('weight_hr').T), new


def step(case, p, x, h, c):
    """One step of one layer in one direction, zoneout as outside training: (y, h, c)."""
    keep_h, keep_c = case.zoneout
    if case.cell == 'lstm':
        new_h, new_c = lstm_step(case, p, x, h, c)
        new_c = keep_c * c + (1 - keep_c) * new_c
    else:
        new_h, new_c = (gru_step if case.cell == 'gru' else rnn_step)(case, p, x, h), c
    new_h = keep_h * h + (1 - keep_h) * new_h
    y = new_h
    if p('weight_hy') is not None:
        y = linear(p('weight_hy'), new_h, p('bias_hy'))
        y = torch.tanh(y) if case.tanh_output else y
    return y, new_h, new_c


def direction(case, p, x, h, c, reverse):
    """One layer in one direction: outputs are 0 and the state stands still beyond the end."""
    lengths = torch.tensor(case.lengths or [case.T] * case.B)
    outputs = [None] * case.T
    for t in reversed(range(case.T)) if reverse else range(case.T):
        there = (t < lengths)[:, None]
        y, new_h, new_c = step(case, p, x[t], h, c)
        outputs[t] = torch.where(there, y, torch.zeros_like(y))
        h = torch.where(there, new_h, h)
        c = torch.where(there, new_c, c) if c is not None else None
    return torch.stack(outputs), h, c


def run(case, parameters, x, h0, c0):
    """Outputs [T,B,D*O] and lists of final h and c, slot by slot."""
    outputs, h, c = [], [], []
    for slot, (l, d, _, _, end) in enumerate(case.slots()):
        if l and not d:
            x, outputs = torch.cat(outputs, 2), []
        y, last_h, last_c = direction(case, lambda kind: parameters.get(kind + end), x, h0[slot],
                                      c0[slot] if c0 else None, d == 1)
        outputs.append(y)
        h.append(last_h)
        if c0:
            c.append(last_c)
    return torch.cat(outputs, 2), h, c
