# SPDX-License-Identifier: MIT
"""Sequences of unequal lengths in PyTorch: recurrent layers over packed sequences, or over padded
ones, where the second direction gets each sequence reversed within its length. Both compute the
same; which is faster depends on how unequal the lengths are."""
import time

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

WAYS = ("packed", "padded")


class Lengths:
    """What a batch's lengths say, made before the clock starts, as a loader would. Rows are in the
    order of their lengths, the longest first, which packed sequences ask for."""

    def __init__(self, lengths):
        self.T, self.B = int(lengths.max()), len(lengths)
        self.order = torch.argsort(lengths, descending=True, stable=True)
        self.lengths = lengths[self.order]
        t, b = torch.arange(self.T)[:, None], torch.arange(self.B)[None, :]
        self.mask = (t < self.lengths).float()[..., None]
        source = torch.where(t < self.lengths, self.lengths - 1 - t, t)
        self.reverse = (source * self.B + b).reshape(-1)        # rows of [T·B]
        self.last = (self.lengths - 1) * self.B + b[0]
        self.batch_sizes = (t < self.lengths).sum(1)

    def pack(self, x):
        """[T,B] in this order -> the living ones, as packed sequences lie."""
        return pack_padded_sequence(x, self.lengths).data

    def packed(self, data):
        return PackedSequence(data, self.batch_sizes)

    def pad(self, data):
        return pad_packed_sequence(self.packed(data), total_length=self.T)[0]

    def reversed(self, x):
        return x.reshape(self.T * self.B, -1).index_select(0, self.reverse).view(x.shape)


def _padded_direction(net, layer, direction, x):
    """One direction of one layer: the function that the module itself calls."""
    at = (layer * (1 + net.bidirectional) + direction) * 4
    zero = x.new_zeros(1, x.shape[1], net.hidden_size)
    function = {"LSTM": torch.lstm, "GRU": torch.gru, "RNN_TANH": torch.rnn_tanh}[net.mode]
    return function(x, (zero, zero) if net.mode == "LSTM" else zero,
                    net._flat_weights[at:at + 4], True, 1, 0.0, True, False, False)[0]


def padded(net, x, lengths):
    """[T,B,I] -> each direction's outputs of the last layer, the second ones still reversed;
    padding is not cleared."""
    for layer in range(net.num_layers):
        both = [_padded_direction(net, layer, 0, x)]
        if net.bidirectional:
            both.append(_padded_direction(net, layer, 1, lengths.reversed(x)))
        if layer + 1 < net.num_layers:
            x = joined(both, lengths)
    return both


def joined(both, lengths):
    """[T,B,D·H]"""
    return torch.cat((both[0], lengths.reversed(both[1])), 2) if len(both) > 1 else both[0]


def faster(ways, rounds=3):
    """The name of the way whose best call takes the least time; ways: functions by name."""
    best = dict.fromkeys(ways, float("inf"))
    for call in ways.values():
        call()
    for _ in range(rounds):
        for name, call in ways.items():
            begin = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - begin)
    return min(best, key=best.get)
