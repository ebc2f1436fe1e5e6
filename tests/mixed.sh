#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs and libraries of different number types do not link; those of one do. And no function
# that has an ur_real to do with is left out of include/unroll/real.h.
#
# Environment: SOURCE_DIR, FLOAT and DOUBLE (static libraries), SHARED (or empty), CC, CXX (or
# empty), NM, LIBS (what they need).
. "$(dirname "$0")/cli/lib.inc"
include=$SOURCE_DIR/include

# ---- the list ------------------------------------------------------------
sed -n 's/^#define \(ur_[a-z_]*\) *\1_in_double$/\1/p' "$include/unroll/real.h" | sort >list
[ "$(wc -l <list)" -eq "$(grep -c '^#define ur_' "$include/unroll/real.h")" ] ||
    not_ok "real.h has a name that is not NAME_in_double"
# Declarations, one a line, bodies included.
echo '#include <unroll.h>' | "$CC" -std=c11 -E -P "-I$include" - | tr '\n' ' ' |
    sed 's/__attribute__((visibility("default")))//g; s/[{};]/&\n/g' |
    awk '{ depth += /{$/; depth -= /}$/; line = line $0
           if (depth == 0 && (/;$/ || (/}$/ && line !~ /^ *(typedef|struct|enum|union)/))) {
               print line; line = "" } }' >declarations
# Types with an ur_real inside, however deep, count as one.
types='ur_real\|float' more=
while [ "$types" != "$more" ]; do
    more=$types
    names=$(grep -w "$types" declarations | sed -n '/^ *\(typedef\|struct\)/p' |
        sed -n 's/.*(\*\(ur_[a-z_]*\)).*/\1/p; t; s/.*} *\(ur_[a-z_]*\);$/\1/p; t
                s/^ *struct \(ur_[a-z_]*\) *{.*/\1/p' | sort -u)
    types=$(printf 'ur_real\nfloat\n%s' "$names" | tr '\n' '|' | sed 's/|/\\|/g')
done
for type in ur_chain ur_batch ur_train_options ur_observer; do
    echo "$names" | grep -qx "$type" || not_ok "$type has no ur_real inside?"
done
grep -v 'typedef\|{' declarations | grep -w "$types" |
    sed -n 's/^[^(]*[ *]\(ur_[a-z_]*\)(.*/\1/p' | grep -v '_init_size$' | sort -u >needed
comm -13 list needed >lacking
[ -s needed ] && [ ! -s lacking ] || not_ok "real.h lacks $(tr '\n' ' ' <lacking)"
"$NM" -g --defined-only "$DOUBLE" 2>nothing | sed -n 's/^[0-9a-f]* T //p' | sort -u >defined
sed 's/$/_in_double/' list | sort | comm -23 - defined | grep . && not_ok "the library has no such"
comm -12 list defined | grep . && not_ok "the double library has these under both names"

# ---- linking -------------------------------------------------------------
cat >calls.c <<'END'
#include <unroll.h>

int main(void)
{
    ur_tape *tape;
    ur_real x = 1;
    int one = 1;
    if (ur_tape_new(&tape, NULL) != UR_OK)
        return 1;
    int wrong = *ur_data(ur_constant(tape, 1, &one, &x)) != 1;
    ur_tape_free(tape);
    return wrong;
}
END
cp calls.c calls.cpp

# links COMPILER SOURCE FLAG LIBRARY: into ./calls, which runs.
links() {
    # shellcheck disable=SC2086  # lists of options
    expect 0 "$1" $3 "-I$include" "$2" "$4" "-Wl,-rpath,$(dirname "$4")" $LIBS -o calls &&
        expect 0 ./calls
}
# clashes COMPILER SOURCE FLAG LIBRARY NAME: NAME is undefined.
clashes() {
    # shellcheck disable=SC2086  # lists of options
    "$1" $3 "-I$include" "$2" "$4" $LIBS -o calls >out 2>err && not_ok "$1 $3 links with $4"
    grep -q "undefined.*[^a-z_]$5[^a-z_]" err || not_ok "$1 $3, $4: no word of $5: $(cat err)"
}
each() {
    links "$1" "$2" -UUR_DOUBLE "$FLOAT"
    links "$1" "$2" -DUR_DOUBLE "$DOUBLE"
    clashes "$1" "$2" -UUR_DOUBLE "$DOUBLE" ur_tape_new
    clashes "$1" "$2" -DUR_DOUBLE "$FLOAT" ur_tape_new_in_double
    [ -n "$SHARED" ] || return 0
    links "$1" "$2" -UUR_DOUBLE "$SHARED"
    clashes "$1" "$2" -DUR_DOUBLE "$SHARED" ur_tape_new_in_double
}
each "$CC" calls.c
[ -z "$CXX" ] || each "$CXX" calls.cpp
finish
