#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the house keeps its floors: the law is tools/LAYERS.

    check_layers.py                    includes only
    check_layers.py --build DIR        and the symbols of the objects built in DIR
    check_layers.py --sizes            lines of each floor, the ten largest files

A module is x.c, x.h and x.inc of one folder. Includes give a graph of modules,
symbols another: every arrow must obey the law, and neither has a circle. One line
a violation; exit status 1 if there is any.
"""

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)


class Law:
    """tools/LAYERS, read."""

    def __init__(self, path):
        self.allowed = {}       # floor -> floors it may use
        self.headers = {}       # "unroll/x.h" or "<x.h>" -> floors
        self.symbols = {}       # name -> floors
        self.prefixes = {}      # prefix -> floors
        with open(path, encoding='utf-8') as f:
            for number, line in enumerate(f, 1):
                line = line.split('#')[0].strip()
                if line:
                    self.read(line, '%s:%d' % (os.path.relpath(path, ROOT), number))

    def read(self, line, where):
        if '@' in line:
            names, floors = line.split('@')
            floors = set(floors.split()) - {'none'}
            for name in names.split():
                table = self.prefixes if name.endswith('*') else self.symbols
                table[name.rstrip('*')] = floors
        elif '=' in line:
            header, floors = line.split('=')
            self.headers[header.strip()] = set(floors.split())
        elif ':' in line:
            floor, floors = line.split(':')
            self.allowed[floor.strip()] = set(floors.split())
        else:
            sys.exit('%s: neither floor, header nor symbols' % where)

    def may_use(self, floor, other):
        return other == floor or other in self.allowed.get(floor, ())

    def symbol_floors(self, name):
        """The floors that may refer to a symbol from outside; None: all."""
        if name in self.symbols:
            return self.symbols[name]
        for prefix, floors in self.prefixes.items():
            if name.startswith(prefix):
                return floors
        return None


class House:
    def __init__(self, law):
        self.law = law
        self.files = {}         # path below ROOT -> text
        self.includes = {}      # (module, module) -> why
        self.calls = {}
        self.violations = []
        self.objects = 0
        for top in ('include', 'src', 'cli'):
            for folder, folders, names in os.walk(os.path.join(ROOT, top)):
                folders.sort()
                for name in sorted(names):
                    if name.endswith(('.c', '.h', '.inc')):
                        path = os.path.join(folder, name)
                        with open(path, encoding='utf-8', errors='replace') as f:
                            self.files[os.path.relpath(path, ROOT)] = f.read()

    def complain(self, where, text):
        self.violations.append('%s: %s' % (where, text))

    def floor(self, path):
        """The floor a file lives on; for public headers, the one it speaks for."""
        parts = path.split(os.sep)
        if parts[0] == 'include':
            if len(parts) == 2:
                return 'umbrella'
            named = self.law.headers.get('unroll/' + parts[-1])
            return next(iter(named)) if named else os.path.splitext(parts[-1])[0]
        return 'cli' if parts[0] == 'cli' else parts[1]

    @staticmethod
    def module(path):
        base = os.path.splitext(path)[0]
        for top in ('src' + os.sep, 'include' + os.sep):
            if base.startswith(top):
                base = base[len(top):]
        return base

    def modules(self):
        return {self.module(path) for path in self.files}

    def join(self, arrows, source, target, why):
        pair = self.module(source), self.module(target)
        if pair[0] != pair[1]:
            arrows.setdefault(pair, why)

    # ---- includes ------------------------------------------------------------

    def check_floors(self):
        for path in self.files:
            floor = self.floor(path)
            if floor != 'umbrella' and floor not in self.law.allowed:
                self.complain(path, 'floor "%s" is not in tools/LAYERS' % floor)

    def resolve(self, path, name):
        """The file an include means, or None."""
        places = [os.path.join('include', name), os.path.join('src', name)]
        if path.startswith('cli' + os.sep):
            places = [name, os.path.join('cli', name)] + places
        for place in places:
            if place in self.files:
                return place
        return None

    def check_includes(self):
        for path, text in self.files.items():
            bare = COMMENT.sub(lambda m: '\n' * m.group().count('\n'), text)
            for match in INCLUDE.finditer(bare):
                line = bare.count('\n', 0, match.start()) + 1
                where = '%s:%d' % (path, line)
                quoted, system = match.groups()
                if system and self.resolve('', system) is None:
                    self.check_system(path, where, system)
                else:
                    self.check_include(path, where, quoted or system)

    def check_system(self, path, where, name):
        floors = self.law.headers.get('<%s>' % name)
        if floors is not None and self.floor(path) not in floors:
            self.complain(where, '<%s> is for %s alone' % (name, ' and '.join(sorted(floors))))

    def check_include(self, path, where, name):
        target = self.resolve(path, name)
        if target is None:
            self.complain(where, '"%s" is no file of the tree (names start at src/ or include/)'
                          % name)
            return
        floor, other = self.floor(path), self.floor(target)
        self.join(self.includes, path, target, '%s includes %s' % (where, name))
        if floor == 'umbrella':
            if not target.startswith('include'):
                self.complain(where, 'a public header includes the private "%s"' % name)
        elif path.startswith('include') and not target.startswith('include'):
            self.complain(where, 'a public header includes the private "%s"' % name)
        elif other == 'umbrella':
            if floor != 'cli':
                self.complain(where, 'the umbrella "unroll.h" is for users, not for src/')
        elif floor == 'cli' and target.startswith('include'):
            pass
        elif not self.law.may_use(floor, other):
            self.complain(where, '%s may not include %s ("%s")' % (floor, other, name))

    # ---- symbols -------------------------------------------------------------

    def find_objects(self, build):
        """Object file -> source, for the float library and the program."""
        objects = {}
        for target in ('unroll_base', 'unroll_objects', 'unroll_cli'):
            top = os.path.join(build, 'CMakeFiles', target + '.dir')
            for folder, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    source = os.path.relpath(os.path.splitext(path)[0], top)
                    # An object outlives a source that was renamed.
                    if name.endswith('.o') and source in self.files:
                        objects[path] = source
        return objects

    def check_symbols(self, build, nm):
        objects = self.find_objects(build)
        if not objects:
            self.complain(build, 'no objects of the library: build it first')
            return
        self.objects = len(objects)
        out = subprocess.run([nm, '-A', '-P', '-g'] + sorted(objects), check=True,
                             stdout=subprocess.PIPE, universal_newlines=True).stdout
        defined, wanted = {}, []
        for line in out.splitlines():
            path, rest = line.split(': ', 1)
            name, kind = rest.split()[:2]
            if sys.platform == 'darwin' and name.startswith('_'):
                name = name[1:]
            if kind in 'Uwv':
                wanted.append((objects[path], name.split('@')[0]))
            else:
                defined[name] = objects[path]
        for source, name in wanted:
            if name in defined:
                self.check_call(source, defined[name], name)
            else:
                self.check_foreign(source, name)

    def check_call(self, source, target, name):
        floor, other = self.floor(source), self.floor(target)
        self.join(self.calls, source, target, '%s calls %s' % (source, name))
        public = name.startswith('ur_') and not name.startswith('ur__')
        if not self.law.may_use(floor, other) and not (floor == 'cli' and public):
            self.complain(source, '%s may not call %s (%s of %s)' % (floor, other, name, target))

    def check_foreign(self, source, name):
        if source.startswith('cli'):
            return
        floors = self.law.symbol_floors(name)
        if floors is not None and self.floor(source) not in floors:
            self.complain(source, '%s may not refer to %s' % (self.floor(source), name))

    # ---- circles -------------------------------------------------------------

    @staticmethod
    def circles(arrows):
        """One shortest circle through each knot of modules that reach each other."""
        after = collections.defaultdict(list)
        for source, target in sorted(arrows):
            after[source].append(target)
        found, seen = [], set()
        for start in sorted(after):
            if start in seen:
                continue
            before, queue = {start: None}, collections.deque([start])
            while queue:
                here = queue.popleft()
                if start in after[here]:
                    circle = [start]
                    while here != start:
                        circle.insert(1, here)
                        here = before[here]
                    seen.update(circle)
                    found.append(circle)
                    break
                for there in after[here]:
                    if there not in before:
                        before[there] = here
                        queue.append(there)
        return found

    def check_circles(self):
        number = 0
        for arrows in (self.includes, self.calls):
            for circle in self.circles(arrows):
                steps = [arrows[pair] for pair in zip(circle, circle[1:] + circle[:1])]
                self.complain('circle', '%s (%s)' % (' -> '.join(circle + circle[:1]),
                                                     '; '.join(steps)))
                number += 1
        return number

    # ---- sizes ---------------------------------------------------------------

    def print_sizes(self):
        lines = {path: text.count('\n') for path, text in self.files.items()}
        floors = collections.defaultdict(lambda: [0, 0])
        for path, n in lines.items():
            name = 'include' if path.startswith('include') else self.floor(path)
            floors[name][0] += n
            floors[name][1] += 1
        for name in ['include'] + list(self.law.allowed):
            if name in floors:
                print('%-10s %6d lines in %3d files' % (name, *floors[name]))
        print('%-10s %6d lines in %3d files' % ('all', sum(lines.values()), len(lines)))
        for path in sorted(lines, key=lambda p: (-lines[p], p))[:10]:
            print('%6d  %s' % (lines[path], path))


def main():
    parser = argparse.ArgumentParser(description='Checks the floors of src/ (tools/LAYERS).')
    parser.add_argument('--build', metavar='DIR', help='build folder whose objects are checked')
    parser.add_argument('--nm', default='nm', metavar='PROGRAM')
    parser.add_argument('--sizes', action='store_true', help='print sizes and check nothing')
    options = parser.parse_args()

    house = House(Law(os.path.join(ROOT, 'tools', 'LAYERS')))
    if options.sizes:
        house.print_sizes()
        return 0

    house.check_floors()
    house.check_includes()
    if options.build:
        if shutil.which(options.nm):
            house.check_symbols(options.build, options.nm)
        else:
            print('layers: %s is not installed: symbols are not checked' % options.nm)
    circles = house.check_circles()
    for violation in house.violations:
        print(violation)
    print('layers: %d modules, %d files, %d objects, %d + %d arrows, circles: %d, violations: %d'
          % (len(house.modules()), len(house.files), house.objects, len(house.includes),
             len(house.calls), circles, len(house.violations)))
    return 1 if house.violations else 0


if __name__ == '__main__':
    sys.exit(main())
