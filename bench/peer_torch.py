#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PyTorch on the same work: peer_torch.py THREADS, then the lines of worker.h."""
import math
import sys

import numpy as np
import torch

import worker
from peer_torch_labels import Labels
from peer_torch_ragged import WAYS, Lengths, faster, joined, padded
from worker import STEPS_A_CALL, STREAM_IDS, STREAM_X, VOCABULARY

MODULES = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
CELLS = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell, "rnn": torch.nn.RNNCell}


def set_parameters(parameters, H):
    """Each parameter from its stream, in the order of declaration."""
    with torch.no_grad():
        for i, p in enumerate(parameters):
            p.copy_(torch.from_numpy(worker.fill(tuple(p.shape), i, 1 / math.sqrt(H))))


def gradients(named):
    return {"d." + name.replace("rnn.", ""): p.grad.numpy() for name, p in named}


class Layers:
    def __init__(self, row):
        self.row = row
        self.net = MODULES[row.cell](row.H, row.H, row.L, bidirectional=row.D == 2)
        set_parameters(self.net.parameters(), row.H)
        self.x = torch.from_numpy(worker.fill((row.T, row.B, row.H), STREAM_X, 1.0))


class Train(Layers):
    def __init__(self, row):
        super().__init__(row)
        self.x.requires_grad_()
        self.ones = torch.ones(row.T, row.B, row.D * row.H)

    def forward(self):
        return self.net(self.x)[0]

    def call(self):
        self.net.zero_grad(set_to_none=True)
        self.x.grad = None
        y = self.forward()
        y.backward(self.ones)
        return y

    def values(self):
        y = self.call()
        return {"y": y.detach().numpy(), "dx": self.x.grad.numpy(),
                **gradients(self.net.named_parameters())}

    def memory(self):
        """What autograd keeps from forward to backward; temporary memory is not seen."""
        kept = {}

        def pack(t):
            kept[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
            return t

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            y = self.forward()
        kept[y.untyped_storage().data_ptr()] = y.untyped_storage().nbytes()
        for own in [self.x, *self.net.parameters()]:
            kept.pop(own.untyped_storage().data_ptr(), None)
        return sum(kept.values()) + self.ones.untyped_storage().nbytes()


class Ragged(Train):
    """The living steps as packed sequences, or a padded batch whose padding is cleared in the end:
    whichever is faster. y and the gradient of x are brought into our order of rows."""

    def __init__(self, row):
        super().__init__(row)
        self.steps = Lengths(torch.from_numpy(worker.lengths(row)))
        self.back = torch.argsort(self.steps.order)
        self.x = self.x.detach()[:, self.steps.order].contiguous().requires_grad_()
        self.way = None
        self.way = faster({way: lambda way=way: self.call(way) for way in WAYS})

    def forward(self):
        steps = self.steps
        if self.way == "packed":
            x = torch.nn.utils.rnn.pack_padded_sequence(self.x, steps.lengths)
            return steps.pad(self.net(x)[0].data)
        return joined(padded(self.net, self.x, steps), steps) * steps.mask

    def call(self, way=None):
        self.way = way or self.way
        return super().call()

    def values(self):
        return {name: v[:, self.back.numpy()] if name in ("y", "dx") else v
                for name, v in super().values().items()}


class Cell(Train):
    """An LSTM's step in the operations that a cell of one's own would use."""

    def forward(self):
        w_ih, w_hh, b_ih, b_hh = self.net.parameters()
        h = c = torch.zeros(self.row.B, self.row.H)
        y = []
        for x in self.x.unbind(0):
            a = torch.nn.functional.linear(x, w_ih, b_ih) + \
                torch.nn.functional.linear(h, w_hh, b_hh)
            i, f, g, o = a.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            y.append(h)
        return torch.stack(y)


class Infer(Layers):
    @torch.inference_mode()
    def call(self):
        return self.net(self.x)[0]

    def values(self):
        return {"y": self.call().numpy()}


class Step:
    """The cell module: for one step it is faster than the layer module."""

    def __init__(self, row):
        self.row = row
        self.net = CELLS[row.cell](row.H, row.H)
        set_parameters(self.net.parameters(), row.H)
        self.x = torch.from_numpy(worker.fill((row.B, row.H), STREAM_X, 1.0))
        self.state = None

    @torch.inference_mode()
    def call(self):
        for _ in range(STEPS_A_CALL):
            self.state = self.net(self.x, self.state)

    def values(self):
        self.call()
        return {"y": (self.state[0] if self.row.cell == "lstm" else self.state).numpy()}


class Model(torch.nn.Module):
    def __init__(self, row):
        super().__init__()
        self.rnn = MODULES[row.cell](VOCABULARY, row.H, row.L)
        self.decoder = torch.nn.Linear(row.H, VOCABULARY)
        set_parameters(self.parameters(), row.H)

    def forward(self, ids, state):
        x = torch.nn.functional.one_hot(ids, VOCABULARY).float()
        y, state = self.rnn(x, state)
        return self.decoder(y), state


class LanguageModel:
    def __init__(self, row):
        self.net = Model(row)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=1e-3, weight_decay=0.01)
        self.ids = torch.from_numpy(worker.characters((row.T + 1, row.B), STREAM_IDS))
        self.state = None

    def call(self, look=None):
        logits, state = self.net(self.ids[:-1], self.state)
        self.state = tuple(s.detach() for s in state) if isinstance(state, tuple) \
            else state.detach()
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY),
                                                 self.ids[1:].reshape(-1))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if look:
            look()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()

    def values(self):
        found = {}

        def look():
            found.update((name, g.copy())
                         for name, g in gradients(self.net.named_parameters()).items())

        losses = [self.call(None if found else look) for _ in range(5)]
        return {**found, "losses": np.array(losses)}


class Sample:
    """Draws by chance; for a comparison it feeds given characters."""

    @torch.inference_mode()
    def __init__(self, row):
        self.net = Model(row)
        self.state = None
        self.feed(torch.zeros(1, 1, dtype=torch.int64))

    def feed(self, ids):
        self.logits, self.state = self.net(ids, self.state)

    @torch.inference_mode()
    def call(self, given=None):
        for i in range(STEPS_A_CALL):
            p = torch.softmax(self.logits[0], 1)
            ids = torch.multinomial(p, 1)
            self.feed(ids if given is None else given[i].view(1, 1))

    def values(self):
        self.call(torch.from_numpy(worker.characters((STEPS_A_CALL,), STREAM_IDS)))
        return {"logits": self.logits.numpy()}


def make(row):
    if row.kind == "cell" and (row.cell != "lstm" or row.L != 1):
        return None
    if row.kind == "step" and row.L != 1:
        return None
    return {"train": Train, "infer": Infer, "step": Step, "lm": LanguageModel,
            "sample": Sample, "cell": Cell, "ragged": Ragged, "classify": Labels,
            "classify-mix": Labels, "tag": Labels, "tag-mix": Labels}[row.kind](row)


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    torch.set_num_interop_threads(1)
    worker.serve("torch " + torch.__version__, make)
