#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""null_calls.py OUT.c HEADER...: writes a program that calls every public function with NULL
for each of its pointers in turn, the others being valid where a value can be made, and then
with NULL for all of them, each time in a child process. None may be ended by a signal.

Nothing here names a function: they, and what makes a value of a type, are found in the
headers. A declaration that is not understood is an error, so that none is left out.
"""
import os
import re
import sys

# What a text of this name is, where any will not do.
TEXTS = {"arch": "lm", "task": "lm", "text": "a b\\n"}
# Members without which a struct of options says nothing.
MEMBERS = {"input": "1", "hidden": "ints"}
NUMBERS = {"bool", "char", "double", "float", "int", "int32_t", "int64_t", "size_t", "uint8_t",
           "uint32_t", "uint64_t", "ur_real"}


def fail(text):
    sys.exit("null_calls.py: " + text)


def plain(text):
    """C without comments, preprocessor lines and line ends."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", " ", text, flags=re.M)


class Param:
    """One parameter: `text` is its type, `base` that without const and stars."""

    def __init__(self, declaration):
        m = re.fullmatch(r"(.+?)(\w+)\s*(\[\w*\])?", declaration.strip())
        if not m or "(" in declaration or "..." in declaration:
            fail(f"a parameter that is not understood: {declaration}")
        self.name = m.group(2)
        self.text = m.group(1).strip() + ("*" if m.group(3) else "")
        self.base = re.sub(r"\bconst\b|\bstruct\b|[*\s]", "", self.text)
        self.stars = self.text.count("*")
        self.const = bool(re.match(r"const\b", self.text))


class Function:
    def __init__(self, result, name, params):
        self.result = Param(result + " result") if result.strip() != "void" else None
        self.name = name
        self.params = [] if params.strip() == "void" else [Param(p) for p in params.split(",")]


class Headers:
    def __init__(self, paths):
        texts = [open(path, encoding="utf-8").read() for path in paths]
        raw, text = "\n".join(texts), " ".join(plain(t) for t in texts)
        # An attribute after a parameter list says nothing here.
        text = re.sub(r"\bUR_PRINTF\([^)]*\)", " ", text)
        self.names = [os.path.relpath(p, os.path.dirname(os.path.dirname(paths[0])))
                      for p in paths]
        self.macros = set(re.findall(r"#define (UR_\w+_INIT)\b", raw))
        self.enums = set(re.findall(r"typedef enum \w*\s*{[^}]*}\s*(\w+);", text))
        self.structs = self.bodies(text)
        self.callbacks = {m[1]: m for m in
                          re.findall(r"typedef ([\w *]+?)\(\*(\w+)\)\(([^;]*)\);", text)}
        self.opaque = set(re.findall(r"typedef struct (\w+) \w+;", text)) - set(self.structs)
        self.functions = [Function(*m) for m in
                          re.findall(r"\bUR_API\s+([\w *]+?)(\w+)\s*\(([^()]*)\)\s*;", text)]
        if len(self.functions) != len(re.findall(r"\bUR_API\b", text)):
            fail(f"{len(self.functions)} functions of {len(re.findall('UR_API', text))} are "
                 "understood")

    @staticmethod
    def bodies(text):
        structs = {}
        for m in re.finditer(r"typedef struct (\w+)\s*{", text):
            depth, at = 1, m.end()
            while depth:
                depth += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
            structs[m.group(1)] = text[m.end():at]
        return structs

    def is_pointer(self, p):
        return p.stars > 0 or p.base in self.callbacks

    def value(self, p, owner):
        """A valid argument, as an expression; NULL where none could be made."""
        b = p.base
        if b in self.callbacks:
            return f"stub_{b}"
        if p.stars == 0:
            if b in NUMBERS:
                return "1"
            if b in self.enums:
                return f"({b})0"
            if b in self.structs:
                return f"value_{b}"
            fail(f"no value of the type {p.text} ({p.name})")
        if b == "char":
            sibling = re.sub("_find$", "_name", owner)
            if sibling != owner and p.const and any(f.name == sibling for f in self.functions):
                return f"{sibling}(0)"      # a name that is found
            text = f'"{TEXTS.get(p.name, owner)}"'
            return text if p.stars == 1 and p.const else "chars" if p.stars == 1 else "texts"
        if b in self.opaque or b in self.structs:
            if p.stars == 2:
                return f"(void *)list(POOL_{b})"
            if b in self.opaque or p.const:
                return f"pool[POOL_{b}]"
            return f"storage(POOL_{b})"     # to be written to
        if b == "void":
            return "chars"
        if b in NUMBERS or b in self.enums:
            return "(void *)reals" if b in ("ur_real", "float", "double") else "(void *)ints"
        return fail(f"no value of the type {p.text} ({p.name})")


def preparers(h):
    """Calls that what was made needs before it can be used."""
    return [call(h, f, never) for f in h.functions if re.search("_(build|prepare)$", f.name)]


def call(h, f, null):
    """The call; null: an expression that is true for the pointer of a number to be NULL."""
    words = []
    for i, p in enumerate(f.params):
        value = h.value(p, f.name)  # names of its own, as each may be taken once
        if h.is_pointer(p):
            value = f"{null(i)} ? NULL : {value}"
        elif p.base in h.structs:
            value = f"{null(i)} ? ({p.base}){{0}} : {value}"
        words.append(value)
    return f"{f.name}({', '.join(words)})"


def never(_):
    return "0"


def makers(h, of):
    """What may make a value of a type: statements that leave it in `made`."""
    for f in h.functions:
        for i, p in enumerate(f.params):
            if p.base == of and p.stars == 2 and p.name == "out":
                text = call(h, f, lambda k, at=i: f"{int(k == at)}")
                text = re.sub(rf"1 \? NULL : \(void \*\)list\(POOL_{of}\)", "(void *)&made", text)
                yield text
            elif i == 0 and "_init" in f.name and p.base == of and p.stars == 1 and not p.const:
                done = f"{call(h, f, never)}{' == UR_OK' if f.result else ', true'}"
                yield f"made = ({done}) ? storage(POOL_{of}) : NULL"
        if f.result and f.result.base == of and f.result.stars == 1:
            yield f"made = (void *)(uintptr_t){call(h, f, never)}"


PROGRAM = """\
/* Written by tests/null_calls.py. */
#define _POSIX_C_SOURCE 200809L
#include "unroll.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- values ------------------------------------------------------------ */

enum {{ {pool}, N_POOL }};
static const char *const pool_names[] = {{{pool_names}}};
static void *pool[N_POOL];          /* a valid value of each type, or NULL */
static const size_t sizes[N_POOL] = {{{sizes}}};
static long long stores[N_POOL][2048], list_of[N_POOL][8];
static char chars[65536];
static int ints[4096];
static ur_real reals[4096];
static const char *texts[] = {{"x", "x", "x", "x", NULL}};
{stubs}
{structs}
/* Room for one of a type with a definition. */
static void *storage(int type)
{{
    return sizes[type] <= sizeof stores[type] ? stores[type] : NULL;
}}

static void **list(int type)
{{
    void **values = (void **)list_of[type];
    for (int i = 0; i < 8; i++)
        values[i] = pool[type];
    return values;
}}

static void set_up(void)
{{
    for (int i = 0; i < 4096; i++) {{
        ints[i] = 1;
        reals[i] = 1;
    }}
{initial}}}

/* ---- what makes them --------------------------------------------------- */

{makers}
static const struct maker {{
    int type;
    void *(*make)(void);
}} makers[] = {{
{maker_rows}}};

static void prepare(void)
{{
{preparers}}}

/* ---- the functions ----------------------------------------------------- */

{calls}
static const struct function {{
    const char *name;
    void (*call)(int null);
    int n;
    const char *params[16];
}} functions[] = {{
{rows}}};

/* ---- calling them ------------------------------------------------------ */

/* In a child: 0, or what ended it. */
static int try_in_child(const struct maker *m, const struct function *f, int null)
{{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {{
        alarm(60);
        if (f) {{
            f->call(null);
            _exit(0);
        }}
        _exit(m->make() ? 0 : 1);
    }}
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}}

/* Values are made of values, so until no more can be made. */
static void fill_pool(void)
{{
    bool again = true;
    while (again) {{
        again = false;
        for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {{
            const struct maker *m = &makers[i];
            if (!pool[m->type] && try_in_child(m, NULL, 0) == 0) {{
                pool[m->type] = m->make();
                again = true;
            }}
        }}
    }}
}}

int main(void)
{{
    int calls = 0, faults = 0, made = 0;
    set_up();
    fill_pool();
    prepare();
    fill_pool();
    prepare();
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {{
        const struct function *f = &functions[i];
        for (int null = 0; null <= f->n; null++, calls++) {{
            int status = try_in_child(NULL, f, null);
            if (status == 0)
                continue;
            faults++;
            printf("%s with NULL for %s: %s %d\\n", f->name, null < f->n ? f->params[null] : "all",
                   WIFSIGNALED(status) ? "signal" : "status",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }}
    }}
    for (int i = 0; i < N_POOL; i++) {{
        made += pool[i] != NULL;
        if (!pool[i])
            printf("no value of %s was made\\n", pool_names[i]);
    }}
    printf("%d calls of %zu functions, values of %d types of %d: %d faults\\n", calls,
           sizeof functions / sizeof *functions, made, N_POOL, faults);
    return faults > 0 || made == 0;
}}
"""


def stub(m):
    result, name, params = m
    end = "" if result.strip() == "void" else f" return ({result})0;"
    return f"static {result} stub_{name}({params}) {{{end} }}\n"


def macro(of):
    return re.sub(r"^ur_", "UR_", of).upper() + "_INIT"


def initial(h, of):
    """Structs by value and the storage of those whose start is a macro's."""
    text = ""
    if macro(of) in h.macros:
        text += f"    {of} begin_{of} = {macro(of)};\n"
        text += "".join(f"    begin_{of}.{name} = {value};\n" for name, value in MEMBERS.items()
                        if re.search(rf"[ *]{name};", h.structs[of]))
        text += f"    memcpy(storage(POOL_{of}), &begin_{of}, sizeof begin_{of});\n"
        text += f"    pool[POOL_{of}] = storage(POOL_{of});\n"
    return text


def by_value(h, of):
    """{ints, 1, 1}: each pointer of numbers points to some, each number is 1."""
    words = []
    for member in h.structs[of].rstrip("}").split(";"):
        for p in [q for q in member.split(",") if q.strip()]:
            words.append("(void *)ints" if "*" in p else "1")
    return f"static const {of} value_{of} = {{{', '.join(words)}}};\n"


def main():
    out, h = sys.argv[1], Headers(sys.argv[2:])
    pool = sorted(h.opaque | set(h.structs))
    passed = {p.base for f in h.functions for p in f.params if p.stars == 0} & set(h.structs)
    made, calls, rows, maker_rows = "", "", "", ""
    for of in pool:
        for i, text in enumerate(makers(h, of)):
            made += (f"static void *make_{of}_{i}(void)\n{{\n    void *made = NULL;\n"
                     f"    {text};\n    return made;\n}}\n\n")
            maker_rows += f"    {{POOL_{of}, make_{of}_{i}}},\n"
    for f in h.functions:
        n = [p.name for p in f.params if h.is_pointer(p) or p.base in passed]
        index = {i: k for k, i in enumerate(i for i, p in enumerate(f.params)
                                            if h.is_pointer(p) or p.base in passed)}
        text = call(h, f, lambda i, at=index, all_=len(n):
                    f"(null == {at[i]} || null == {all_})")
        calls += (f"static void call_{f.name}(int null)\n{{\n    (void)null;\n    {text};\n"
                  "}\n\n")
        names = ", ".join(f'"{name}"' for name in n)
        rows += f'    {{"{f.name}", call_{f.name}, {len(n)}, {{{names or "NULL"}}}}},\n'
    text = PROGRAM.format(
        pool=", ".join(f"POOL_{of}" for of in pool),
        pool_names=", ".join(f'"{of}"' for of in pool),
        sizes=", ".join(f"sizeof({of})" if of in h.structs else "0" for of in pool),
        stubs="".join(stub(m) for m in h.callbacks.values()),
        structs="".join(by_value(h, of) for of in sorted(passed)),
        initial="".join(initial(h, of) for of in pool),
        preparers="".join(f"    {text};\n" for text in preparers(h)),
        makers=made, maker_rows=maker_rows, calls=calls, rows=rows)
    with open(out, "w", encoding="utf-8") as file:
        file.write(text)


main()
