/* SPDX-License-Identifier: MIT */
/* Which lines look like rows of labelled examples. */
#include "testing.h"

#include <string.h>

#include "data/vocab.h"
#include "task/label_hint.h"

static void label_hint__rows_are_told_from_lines(void **state)
{
    (void)state;
    static const struct { const char *lines[4]; bool rows; } cases[] = {
        {{"good\ta b", "bad\tc"}, true},
        {{"a, b,good", "\"c, d\",bad"}, true},
        {{"text;label", "x;\"bad\"", "y;good"}, true},
        {{"x\t_\tgood\t_", "", "y\t_\tbad\t_"}, true},
        {{"good\ta b"}, false},                         /* one may be a text */
        {{"good", "bad"}, false},                       /* of one field */
        {{"a,b,good", "nothing", "of the", "kind"}, false},
        {{"good enough, bad", "a, b", "c, d", "e, f"}, false},
        {{"\tgood", "\"bad\"\t", "\"\t\"", "\""}, false},
        {{",good", ",", ";bad"}, true},
    };
    ur_vocab *labels;
    assert_ok(ur__vocab_new_words(&labels, UR_TOKEN_WORD, 4,
                                (const char *[]){"<unk>", "</s>", "bad", "good"}));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ur__label_hint h = {0};
        assert_null(ur__label_hint_note(&h));
        for (int k = 0; k < 4 && cases[i].lines[k]; k++) {
            /* Not followed by a zero: nothing is read behind the line. */
            size_t n = strlen(cases[i].lines[k]);
            char *line = malloc(n ? n : 1);
            memcpy(line, cases[i].lines[k], n);
            ur__label_hint_see(&h, labels, line, n);
            free(line);
        }
        if (!ur__label_hint_note(&h) == cases[i].rows)
            fail_msg("case %zu", i);
    }
    ur_vocab_free(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_hint__rows_are_told_from_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
