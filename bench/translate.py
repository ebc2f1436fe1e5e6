#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Translation beside PyTorch: processor seconds of an update, and of a text made by a beam.

    translate.py --unroll PROGRAM [--steps N] [--hidden N] [--words N] [--beam N]

Both train the same net on the same pairs, drawn words of 4 to 16 tokens, in batches of 64 pairs of
similar length, on one thread: vectors of 64, an LSTM in both directions, additive attention, an
LSTM decoder twice as wide, softmax cross-entropy, clipping by norm, AdamW. Then both make texts
for 256 sources, 32 at a time, by a beam, PyTorch of exactly 16 tokens; ours end where they end.
Processor time, as machines may be busy; what both take to start is taken off.
"""
import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

EMBED, BATCH, SOURCES, LONG = 64, 64, 256, 16


def pairs(words, n):
    draw = random.Random(5)
    for _ in range(n):
        length = draw.randint(4, LONG)
        text = ['w%d' % draw.randrange(words) for _ in range(length)]
        yield ' '.join(text), ' '.join('v' + word[1:] for word in reversed(text))


def seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(options, data, lines, folder):
    model = os.path.join(folder, 'm.safetensors')

    def train(steps):
        return seconds([options.unroll, 'train', data, '--task', 'translate', '--hidden',
                        str(options.hidden), '--dropout', '0', '--batch', str(BATCH), '--steps',
                        str(steps), '--val', '0', '--threads', '1', '--min-count', '1', '-o', model,
                        '--force', '--checkpoint-every', '1000000'])

    few = max(options.steps // 10, 1)
    train(few)
    start = min(train(few) for _ in range(3))
    update = min(train(options.steps + few) - start for _ in range(3)) / options.steps
    load = min(seconds([options.unroll, 'info', model]) for _ in range(3))
    text = min(seconds([options.unroll, 'predict', model, lines, '--beam', str(options.beam),
                        '--threads', '1']) for _ in range(3)) - load
    made = subprocess.run([options.unroll, 'predict', model, lines, '--beam', str(options.beam)],
                          stdout=subprocess.PIPE, check=True).stdout
    return update, text / max(len(made.split()) + SOURCES, 1)


def theirs(options, texts):
    import torch
    from torch import nn
    torch.set_num_threads(1)
    H, V = options.hidden, options.words + 2

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.source, self.target = nn.Embedding(V, EMBED), nn.Embedding(V, EMBED)
            self.encoder = nn.LSTM(EMBED, H, bidirectional=True)
            self.bridge = nn.Linear(4 * H, 4 * H)
            self.decoder = nn.LSTM(EMBED, 2 * H)
            self.key, self.ask = nn.Linear(2 * H, 2 * H), nn.Linear(2 * H, 2 * H, bias=False)
            self.score = nn.Linear(2 * H, 1, bias=False)
            self.combine, self.out = nn.Linear(4 * H, 2 * H), nn.Linear(2 * H, V)

        def encode(self, x, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(self.source(x), lengths,
                                                       enforce_sorted=False)
            y, (h, c) = self.encoder(packed)
            m, _ = nn.utils.rnn.pad_packed_sequence(y)
            s = torch.tanh(self.bridge(torch.cat([h[0], h[1], c[0], c[1]], 1)))
            m = m.transpose(0, 1)
            mask = torch.arange(m.shape[1])[None, :] >= lengths[:, None]
            return m, self.key(m), mask, (s[None, :, :2 * H].contiguous(),
                                          s[None, :, 2 * H:].contiguous())

        def decode(self, y, m, keys, mask, state):
            h, state = self.decoder(self.target(y), state)
            h = h.transpose(0, 1)
            e = self.score(torch.tanh(self.ask(h)[:, :, None] + keys[:, None])).squeeze(-1)
            a = torch.softmax(e.masked_fill(mask[:, None], float('-inf')), -1)
            return self.out(torch.tanh(self.combine(torch.cat([a @ m, h], 2)))), state

    def batch(rows):
        rows = [[[2 + int(w[1:]) for w in side.split()] for side in row] for row in rows]
        S = max(len(r[0]) for r in rows) + 1
        x, y, z = (torch.zeros(S, len(rows), dtype=torch.long) for _ in range(3))
        z -= 1
        for b, (source, target) in enumerate(rows):
            x[:len(source), b] = torch.tensor(source)
            x[len(source), b] = 1
            y[0, b] = 1
            y[1:len(target) + 1, b] = torch.tensor(target)
            z[:len(target), b] = torch.tensor(target)
            z[len(target), b] = 1
        return x, torch.tensor([len(r[0]) + 1 for r in rows]), y, z

    net = Net()
    adamw = torch.optim.AdamW(net.parameters(), 2e-3)
    ordered = sorted(texts, key=lambda pair: len(pair[0].split()))
    batches = [batch(ordered[i:i + BATCH]) for i in range(0, len(ordered) - BATCH + 1, BATCH)]
    random.Random(3).shuffle(batches)

    def update(x, lengths, y, z):
        adamw.zero_grad()
        m, keys, mask, state = net.encode(x, lengths)
        logits, _ = net.decode(y, m, keys, mask, state)
        loss = nn.functional.cross_entropy(logits.transpose(0, 1).reshape(-1, V), z.reshape(-1),
                                           ignore_index=-1)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1)
        adamw.step()

    def search(x, lengths):
        K, B = options.beam, x.shape[1]
        m, keys, mask, state = net.encode(x, lengths)
        m, keys, mask = (t.repeat_interleave(K, 0) for t in (m, keys, mask))
        state = tuple(t.repeat_interleave(K, 1) for t in state)
        total = torch.full((B, K), float('-inf'))
        total[:, 0] = 0
        last = torch.ones(B * K, dtype=torch.long)
        for _ in range(LONG):
            logits, state = net.decode(last[None], m, keys, mask, state)
            total, at = (total[:, :, None] + torch.log_softmax(logits[:, 0], -1).view(B, K, V)) \
                .view(B, -1).topk(K)
            rows = (torch.arange(B)[:, None] * K + at // V).view(-1)
            state = tuple(t[:, rows] for t in state)
            last = (at % V).view(-1)

    def timed(work):
        start = time.process_time()
        work()
        return time.process_time() - start

    def train():
        for i in range(options.steps):
            update(*batches[i % len(batches)])

    def decode():
        with torch.no_grad():
            for i in range(0, SOURCES, 32):
                x, lengths, _, _ = batch(texts[i:i + 32])
                search(x, lengths)

    update(*batches[0])
    step = min(timed(train) for _ in range(3)) / options.steps
    decode()
    return step, min(timed(decode) for _ in range(3)) / (SOURCES * LONG)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--unroll', required=True)
    parser.add_argument('--steps', type=int, default=100)
    parser.add_argument('--hidden', type=int, default=128)
    parser.add_argument('--words', type=int, default=100)
    parser.add_argument('--beam', type=int, default=10)
    options = parser.parse_args()
    texts = list(pairs(options.words, 40 * BATCH))
    with tempfile.TemporaryDirectory() as folder:
        data, lines = os.path.join(folder, 'd.tsv'), os.path.join(folder, 'l.txt')
        with open(data, 'w', encoding='utf-8') as f:
            f.writelines('%s\t%s\n' % pair for pair in texts)
        with open(lines, 'w', encoding='utf-8') as f:
            f.writelines(pair[0] + '\n' for pair in texts[:SOURCES])
        a, b = ours(options, data, lines, folder), theirs(options, texts)
    for name, x, y in zip(('update', 'token made, beam %d' % options.beam), a, b):
        print('%-22s unroll %8.3f ms  PyTorch %8.3f ms  %.2f times as fast' % (
            name, 1e3 * x, 1e3 * y, y / x))


if __name__ == '__main__':
    sys.exit(main())
