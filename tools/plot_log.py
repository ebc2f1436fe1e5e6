#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws what `unroll train --log FILE` wrote, as SVG.

    plot_log.py run.jsonl -o loss.svg
    plot_log.py rnn.jsonl lstm.jsonl --labels rnn lstm --unit bits -o both.svg
    plot_log.py run.jsonl --gradients --steps first,1000,last -o reach.svg

Training loss (means over up to 300 stretches) and validation loss against step; several logs
lie in one figure. With --gradients: from lines that hold "gradient_by_distance", the norm of
the gradient that reaches the state k steps back, against k, a curve a layer and step.
"""

import argparse
import json
import math
import sys
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 400                        # of the figure
LEFT, RIGHT, TOP, BOTTOM = 74, 20, 34, 52       # what the frame leaves free
STRETCHES = 300
# Told apart by colour-blind eyes too (Okabe and Ito 2008).
COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#444444')
DASHES = ('', '7 4', '2 3', '9 3 2 3')


def fail(text):
    sys.exit('plot_log: ' + text)


# ---- reading ---------------------------------------------------------------

def finite(x):
    return isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x)


class Log:
    """Numbers by step. A run that was resumed may have written a step twice: the later
    line is the one that the run went on from."""

    def __init__(self, path, label):
        self.label = label
        self.train, self.valid, self.gradients = {}, {}, {}
        try:
            with open(path, encoding='utf-8') as f:
                for number, line in enumerate(f, 1):
                    self.read(line, '%s:%d' % (path, number))
        except (OSError, UnicodeDecodeError) as e:
            fail('cannot read %s: %s' % (path, e))

    def read(self, line, place):
        if not line.strip():
            return
        try:
            entry = json.loads(line)
        except ValueError:
            # The last line of a run that was killed; in a run that went on, one inside.
            print('plot_log: %s: not JSON, left out' % place, file=sys.stderr)
            return
        if not isinstance(entry, dict) or not finite(entry.get('step')):
            return
        step = entry['step']
        if entry.get('kind') == 'step' and finite(entry.get('loss')):
            self.train[step] = entry['loss']
        if entry.get('kind') == 'valid' and finite(entry.get('val_loss')):
            self.valid[step] = entry['val_loss']
        layers = entry.get('gradient_by_distance')
        if isinstance(layers, dict):
            self.gradients[step] = layers


def stretches(by_step, positive):
    """At most STRETCHES points: means over equally many neighbours, at their middle."""
    points = [p for p in sorted(by_step.items()) if p[0] > 0 or not positive]
    n = max(1, math.ceil(len(points) / STRETCHES))
    parts = [points[i:i + n] for i in range(0, len(points), n)]
    return [(sum(x for x, _ in p) / len(p), sum(y for _, y in p) / len(p)) for p in parts]


# ---- axes ------------------------------------------------------------------

def number(x):
    if x == 0:
        return '0'
    if 1e-3 <= abs(x) < 1e6:
        return ('%.10f' % x).rstrip('0').rstrip('.')
    mantissa, exponent = ('%e' % x).split('e')
    mantissa = mantissa.rstrip('0').rstrip('.')
    return ('' if mantissa == '1' else mantissa + '·') + '10^%d' % int(exponent)


class Axis:
    """Maps values to 0 ... 1, and knows where its ticks are."""

    def __init__(self, values, log, label):
        self.log, self.label = log, label
        low, high = min(values), max(values)
        if log:
            self.ticks = self.log_ticks(low, high)
        else:
            self.ticks = self.linear_ticks(low, high)
        # The frame ends at the ticks only where they are near.
        self.low, self.high = min(low, self.ticks[0]), max(high, self.ticks[-1])
        if self.low == self.high:
            self.low, self.high = (low / 2, high * 2) if log else (low - 1, high + 1)

    @staticmethod
    def linear_ticks(low, high):
        span = high - low or abs(high) or 1
        size = 10.0 ** math.floor(math.log10(span / 5))
        size *= next(m for m in (1, 2, 5, 10) if span / (size * m) <= 6)
        first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
        first -= low / size - (first - 1) < 0.25
        last += last + 1 - high / size < 0.25
        return [i * size for i in range(first, last + 1)] or [low]

    @staticmethod
    def log_ticks(low, high):
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        every = max(1, math.ceil((last - first) / 8))
        ticks = [10.0 ** e for e in range(first, last + 1, every)]
        if last - first <= 2:
            ticks = [m * 10.0 ** e for e in range(first, last + 1) for m in (1, 2, 5)]
        inside = [t for t in ticks if low * 0.999 <= t <= high * 1.001]
        if len(inside) > 1:
            return inside
        # Too few: the nearest on either side as well.
        return [max((t for t in ticks if t <= low), default=low)] + inside + [
            min((t for t in ticks if t >= high), default=high)]

    def place(self, x):
        if self.log:
            return math.log(x / self.low) / math.log(self.high / self.low)
        return (x - self.low) / (self.high - self.low)


# ---- drawing ---------------------------------------------------------------

def text(x, y, words, more=''):
    words = escape(words)
    if '10^' in words:      # an exponent stands higher
        before, _, after = words.partition('10^')
        words = '%s10<tspan dy="-4" font-size="9">%s</tspan>' % (before, after)
    return '<text x="%.1f" y="%.1f"%s>%s</text>' % (x, y, more and ' ' + more, words)


class Curve:
    def __init__(self, label, points, color, dash='', width=1.6, opacity=1.0, dots=False):
        self.label, self.points, self.color, self.dash = label, points, color, dash
        self.width, self.opacity, self.dots = width, opacity, dots

    def stroke(self):
        style = 'fill="none" stroke="%s" stroke-width="%g"' % (self.color, self.width)
        if self.dash:
            style += ' stroke-dasharray="%s"' % self.dash
        if self.opacity < 1:
            style += ' stroke-opacity="%g"' % self.opacity
        return style


def draw(curves, x_label, y_label, title, log_x, log_y):
    points = [p for c in curves for p in c.points]
    x_axis = Axis([x for x, _ in points], log_x, x_label)
    y_axis = Axis([y for _, y in points], log_y, y_label)
    # The legend stands beside the frame, as wide as its longest entry.
    legend = 46 + 7 * max(len(c.label) for c in curves)
    right, bottom = WIDTH - RIGHT - legend, HEIGHT - BOTTOM

    def at(x, y):
        return (LEFT + x_axis.place(x) * (right - LEFT),
                bottom - y_axis.place(y) * (bottom - TOP))

    svg = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
           'font-family="sans-serif" font-size="12" fill="#222">' % (WIDTH, HEIGHT, WIDTH, HEIGHT),
           '<rect width="100%" height="100%" fill="#fff"/>']
    for t in x_axis.ticks:
        x = at(t, y_axis.low)[0]
        svg.append('<path d="M%.1f %dV%d" stroke="#ddd"/>' % (x, TOP, bottom))
        svg.append(text(x, bottom + 17, number(t), 'text-anchor="middle"'))
    for t in y_axis.ticks:
        y = at(x_axis.low, t)[1]
        svg.append('<path d="M%d %.1fH%d" stroke="#ddd"/>' % (LEFT, y, right))
        svg.append(text(LEFT - 7, y + 4, number(t), 'text-anchor="end"'))
    svg.append('<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#888"/>'
               % (LEFT, TOP, right - LEFT, bottom - TOP))
    middle = (TOP + bottom) / 2
    svg.append(text(LEFT, TOP - 12, title, 'font-weight="bold"'))
    svg.append(text((LEFT + right) / 2, HEIGHT - 14, x_axis.label, 'text-anchor="middle"'))
    svg.append(text(16, middle, y_axis.label,
                    'text-anchor="middle" transform="rotate(-90 16 %.1f)"' % middle))
    for i, c in enumerate(curves):
        places = [at(x, y) for x, y in c.points]
        if len(places) > 1:
            svg.append('<polyline points="%s" %s/>'
                       % (' '.join('%.1f,%.1f' % p for p in places), c.stroke()))
        if c.dots or len(places) == 1:
            svg += ['<circle cx="%.1f" cy="%.1f" r="2.6" fill="%s"/>' % (x, y, c.color)
                    for x, y in places]
        y = TOP + 10 + 19 * i
        svg.append('<path d="M%d %dh24" %s/>' % (right + 12, y, c.stroke()))
        svg.append(text(right + 42, y + 4, c.label))
    svg.append('</svg>')
    return '\n'.join(svg) + '\n'


# ---- the two figures -------------------------------------------------------

def loss_curves(logs, args):
    curves = []
    scale = 1 / math.log(2) if args.unit == 'bits' else 1
    for i, log in enumerate(logs):
        before = log.label + ', ' if len(logs) > 1 else ''
        color = COLORS[i % len(COLORS)]
        for name, by_step in (('training', log.train), ('validation', log.valid)):
            points = stretches(by_step, args.log_x) if name == 'training' else sorted(
                p for p in by_step.items() if p[0] > 0 or not args.log_x)
            points = [(x, y * scale) for x, y in points if y > 0 or not args.log_y]
            if points:
                dots = name == 'validation'
                curves.append(Curve(before + name, points, color, width=2 if dots else 1.3,
                                    opacity=1 if dots else 0.55,
                                    dots=dots and len(points) <= 40))
    return curves


def chosen_steps(log, words):
    there = sorted(log.gradients)
    steps = []
    for word in words.split(',') if there else ():
        if word in ('first', 'last'):
            step = there[0 if word == 'first' else -1]
        else:
            step = int(word) if word.isdigit() else None
            if step not in log.gradients:
                fail('no gradients of step %s in %s: it has %s' % (
                    word, log.label, ', '.join(map(str, there[:20]))))
        if step not in steps:
            steps.append(step)
    return steps


def gradient_curves(logs, args):
    """One colour a log and layer, one dash a step. A norm of 0 has no place on the scale."""
    curves, colors = [], 0
    for log in logs:
        steps = chosen_steps(log, args.steps)
        names = sorted({name for s in steps for name in log.gradients[s]})
        for name in names:
            if args.layer is not None and name != 'layer %d' % args.layer:
                continue
            for i, step in enumerate(steps):
                norms = enumerate(log.gradients[step].get(name, ()), 1)
                points = [(k, y) for k, y in norms if finite(y) and y > 0]
                if points:
                    parts = ([log.label] if len(logs) > 1 else []) + [name, 'step %d' % step]
                    curves.append(Curve(', '.join(parts), points, COLORS[colors % len(COLORS)],
                                        dash=DASHES[i % len(DASHES)]))
            colors += 1
    return curves


def parse():
    first, rest = __doc__.split('\n\n', 1)
    p = argparse.ArgumentParser(description=first, epilog=rest,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('logs', nargs='+', metavar='LOG', help='what --log wrote')
    p.add_argument('-o', '--output', metavar='FILE.svg', help='default: standard output')
    p.add_argument('--labels', nargs='+', metavar='NAME', help='of the logs, in their order')
    p.add_argument('--title', default='', help='above the figure')
    p.add_argument('--unit', choices=('nats', 'bits'), default='nats', help='of the losses')
    p.add_argument('--log-x', action='store_true', help='a logarithmic scale of steps')
    p.add_argument('--log-y', action='store_true', help='a logarithmic scale of losses')
    p.add_argument('--gradients', action='store_true', help='norm of the gradient by distance')
    p.add_argument('--steps', default='first,last', metavar='S[,S...]',
                   help='gradients: of these steps; first and last are words for two')
    p.add_argument('--layer', type=int, help='gradients: of this layer alone')
    return p.parse_args()


def main():
    args = parse()
    labels = args.labels or args.logs
    if len(labels) != len(args.logs):
        fail('%d labels for %d logs' % (len(labels), len(args.logs)))
    logs = [Log(path, label) for path, label in zip(args.logs, labels)]
    curves = gradient_curves(logs, args) if args.gradients else loss_curves(logs, args)
    if not curves:
        fail('nothing to draw: no %s in %s' % (
            'gradients' if args.gradients else 'losses', ', '.join(args.logs)))
    if args.gradients:
        svg = draw(curves, 'distance k (steps back)', 'norm of the gradient', args.title,
                   args.log_x, True)
    else:
        svg = draw(curves, 'step (updates)', 'loss (%s a token)' % args.unit, args.title,
                   args.log_x, args.log_y)
    if not args.output:
        sys.stdout.write(svg)
        return
    try:
        with open(args.output, 'w', encoding='utf-8') as f:
            f.write(svg)
    except OSError as e:
        fail('cannot write %s: %s' % (args.output, e))


if __name__ == '__main__':
    main()
