/* SPDX-License-Identifier: MIT */
/* Files of labelled examples: what is read of them, what is refused, and where. */
#include "readers.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "data/numbers.h"
#include "support/gzip.h"

#define TRY(cases) try_reading(cases, COUNT(cases))

/* ---- texts ------------------------------------------------------------- */

#define WHAT_IT_HOLDS " (column, text-column and header say what a file holds)"

static void text__has_a_label_before_the_first_tab(void **state)
{
    (void)state;
    const struct reading_case cases[] = {
        {"a.tsv", "label\ttext\nx\tone\n", "2 x \"one\"\n", {.header = UR_HEADER_YES}},
        {"a.tsv", "label\ttext\n", "EDATA a.tsv: holds no example", {.header = UR_HEADER_YES}},
        {"a.tsv", "b\tone two\na\tx\ty\n", "1 b \"one two\"\n2 a \"x\ty\"\n", {0}},
        {"a.tsv", "\xef\xbb\xbf" "a\tx\r\nb\ty\rc\tz", "1 a \"x\"\n2 b \"y\"\n3 c \"z\"\n", {0}},
        {"a.tsv", "a\tx\n\n \n", "1 a \"x\"\n", {0}},
        {"a", " New  York \tx\n", "1 New_York \"x\"\n", {0}},
        {"a.tsv", "a\tx\n", "1 \"x\"\n", {.unlabelled = true}},
        {"a.tsv", "a b\nc\n\tx\ty\n", "1 \"a b\"\n2 \"c\"\n3 \"x\ty\"\n",
         {.unlabelled = true}},
        {"a.tsv", "a\t\xff\n", "1 a \"\xff\"\n", {.any_bytes = true}},
        {"a.tsv", "a\tx\n", "1 a (0) \"x\"\n", {.group = "file"}},
        {"a.tsv", "10\tx\n9\ty\n-1\tz\n", "1 10 \"x\"\n2 9 \"y\"\n3 -1 \"z\"\n", {0}},
    };
    TRY(cases);
}

static void text__is_refused_with_its_line(void **state)
{
    (void)state;
    const struct reading_case cases[] = {
        {"a.tsv", "a\tx\nb y\n", "EDATA a.tsv:2: there is no tab between a label and a text", {0}},
        {"a.tsv", "a\tx\nb\t\n", "EDATA a.tsv:2: an empty sequence", {0}},
        {"a.tsv", "a\tx\n \ty\n", "EDATA a.tsv:2: the label is empty", {0}},
        {"a.tsv", "a\tx\n\nb\ty\n", "EDATA a.tsv:2: an empty line", {0}},
        {"a.tsv", "a\tx\n<unk>\ty\n", "EDATA a.tsv:2: \"<unk>\" cannot be a label: UTF-8 of at "
         "most 256 bytes, but not <unk> or </s>", {0}},
        {"a.tsv", "a\tx\nb\ty\xffz\n", "EDATA a.tsv:2: malformed UTF-8 at byte 3 (0xFF)", {0}},
        {"a.tsv", "\xff\tx\n", "EDATA a.tsv:1: \"\xef\xbf\xbd\" cannot be a label: UTF-8 of at "
         "most 256 bytes, but not <unk> or </s>", {.any_bytes = true}},
        {"a.tsv", "", "EDATA a.tsv: holds no example", {0}},
        {"a.x", "word\n", "EDATA a.x: looks like no format with a label an example: say which "
         "it is with format (idx, ts, wav, csv, text)", {0}},
        {"a.x", "a\tx\n", "EINVAL there is no format called \"xml\"", {.format = "xml"}},
        {"a.x", "a\tx\n", "EINVAL files of format csv (rows of numbers, or a text, with a column "
         "for the label) have no label a step", {.format = "csv", .tagged = true}},
    };
    TRY(cases);
    const char zero[] = "a\tx\nb\ty\0z\n", *path = tmp_path("a.tsv");
    put_file(path, zero, sizeof zero - 1);
    char *shown = read_and_show(path, &(struct ur__read_rule){0});
    assert_string_equal(shown, "EDATA a.tsv:2: byte 3 is NUL, which no text has");
    free(shown);
}

static void labels__are_in_order_and_stay_so(void **state)
{
    (void)state;
    struct ur__examples *x;
    ur_vocab *labels;
    const char *paths[] = {tmp_path("a.tsv"), tmp_path("b.tsv")};
    size_t n;
    put_file(paths[0], "10\tx\n9\ty\n", 9);
    put_file(paths[1], "-1\tz\n9\tw\n", 9);
    assert_ok(ur__examples_open(&x, paths, 2, &(struct ur__read_rule){0}, &labels));
    assert_int_equal(ur__label_count(labels), 3);
    assert_memory_equal(ur__label_text(labels, 0, &n), "-1", 2);
    assert_memory_equal(ur__label_text(labels, 2, &n), "10", 2);
    const int32_t want[] = {2, 1, 0, 1};
    for (int i = 0; i < 4; i++)
        assert_int_equal(x->example[i].label, want[i]);
    assert_string_equal(ur__examples_file(x, 3), paths[1]);
    assert_int_equal(x->example[3].line, 2);
    assert_int_equal(x->tally.bytes, 18);
    assert_int_equal(x->tally.crc, ur__crc32(ur__crc32(0, "10\tx\n9\ty\n", 9), "-1\tz\n9\tw\n",
                                             9));
    ur__examples_free(x);
    /* The same labels to measure by: another one is refused. */
    const struct ur__read_rule rule = {.labels = labels};
    assert_ok(ur__examples_open(&x, &paths[1], 1, &rule, NULL));
    assert_int_equal(x->example[0].label, 0);
    ur__examples_free(x);
    put_file(paths[1], "-1\tz\n8\tw\n", 9);
    assert_status(UR_EDATA, ur__examples_open(&x, &paths[1], 1, &rule, NULL));
    assert_non_null(strstr(ur_errmsg(), "b.tsv:2: label \"8\" was not in training"));
    ur_vocab_free(labels);
}

/* ---- CSV --------------------------------------------------------------- */

static void csv__has_numbers_or_a_text(void **state)
{
    (void)state;
    const struct reading_case cases[] = {
        {"a.csv", "1,2,3,4,x\n5,6,7,8,y\n", "1 x 1 2 3 4\n2 y 5 6 7 8\n", {0}},
        {"a.csv", "1,2,3,4,x\n", "1 x 1,2 3,4\n", {.steps = 2, .width = 2}},
        {"a.csv", "1,2,3,4,x\n", "1 x 1,2 3,4\n", {.width = 2}},
        {"a.csv", "1,2,3,4,x\n", "1 x 1,2,3,4\n", {.steps = 1}},
        {"a.csv", "u,v,class\n 1 ,-2e1,x\n", "2 x 1 -20\n", {0}},
        {"a.csv", "class,u,v\nx,1,2\n", "2 x 1 2\n", {.column = "class"}},
        {"a.csv", "7,u\n1,2\n", "2 1 2\n", {.column = "1", .header = UR_HEADER_YES}},
        {"a.csv", "class,u,v\nx,1,2\n", "EDATA a.csv:1: field 2, \"u\", is not a number"
         WHAT_IT_HOLDS,
         {.column = "1", .header = UR_HEADER_NO}},
        {"a.csv", "1;2;x\n", "1 x 1 2\n", {0}},
        {"a.csv", "x,\"a \"\"b\"\", c\"\ny,\"d\ne\"\nz,f\n",
         "1 x \"a \"b\", c\"\n2 y \"d\ne\"\n4 z \"f\"\n", {.column = "1"}},
        {"a.csv", "id,text,class\n1,hello,x\n2,you,y\n", "2 x \"hello\"\n3 y \"you\"\n",
         {.text = "text"}},
        {"a.csv", "who,u,class\nme,1,x\nyou,2,y\nme,3,x\n",
         "2 x (0) 1\n3 y (1) 2\n4 x (0) 3\n", {.group = "who"}},
        {"a.csv", "1,2\n3,4\n", "1 1 2\n2 3 4\n", {.unlabelled = true}},
        {"a.csv", "1,2,a\n", "1 1,2\n", {.unlabelled = true, .columns = 3, .width = 2}},
        {"a.csv", "1,2,3\n", "1 1 2\n", {.unlabelled = true, .columns = 3}},
        {"a.csv", "1,2\n", "1 1 2\n", {.unlabelled = true, .columns = 3}},
        {"a.csv", "a,1,2\n", "1 1 2\n", {.unlabelled = true, .columns = 3, .column = "1"}},
        {"a.csv", "1,2\n", "1 1 2\n", {.unlabelled = true, .columns = 3, .column = "1"}},
        {"a.csv", "a,1,2,9\n", "1 1 2 9\n", {.unlabelled = true, .column = "1"}},
        {"a.csv", "1,2,3\n", "1 1 2 3\n", {.unlabelled = true, .columns = 9, .column = "none"}},
        {"a.csv", "x,y,what\n1,2,a\n", "2 1 2\n",
         {.unlabelled = true, .columns = 3, .column = "what"}},
        {"a.csv", "x,y,z\n1,2,3\n", "2 1 2 3\n",
         {.unlabelled = true, .columns = 3, .column = "what"}},
        {"a.csv", "me,1,2\n", "1 1 2\n",
         {.unlabelled = true, .columns = 4, .column = "2", .group = "1"}},
        {"a.csv", "1,2,me\n", "1 1 2\n",
         {.unlabelled = true, .columns = 4, .column = "1", .group = "4"}},
        {"a.csv", "one two\n3\n", "1 \"one two\"\n2 \"3\"\n",
         {.unlabelled = true, .features = -1, .format = "csv"}},
        {"a.csv", "a,one\n", "1 \"one\"\n",
         {.unlabelled = true, .columns = 2, .column = "1", .features = -1}},
        {"a.csv", "1,\"one, two\"\n", "1 \"one, two\"\n",
         {.unlabelled = true, .columns = 3, .column = "1", .text = "3"}},
        {"a.csv", "1,2,a\n", "1 a 1,2\n", {.apart = true}},
        {"a.csv", "1,2,a\n", "1 a 1 2\n", {.apart = true, .width = 1}},
        {"a.csv", "5\" disk,x\n", "1 x \"5\" disk\"\n", {.text = "1"}},
        {"a.csv", "a,x\nb,y\n", "1 x \"a\"\n2 y \"b\"\n", {0}},
        {"a.csv", "a , x\n 5 ,y\n", "1 x \"a \"\n2 y \" 5 \"\n", {.header = UR_HEADER_NO}},
    };
    TRY(cases);
}

static void csv__is_refused_with_its_line(void **state)
{
    (void)state;
    const struct reading_case cases[] = {
        {"a.csv", "1,2,x\n3,y\n", "EDATA a.csv:2: 2 fields where the first row has 3", {0}},
        {"a.csv", "1,2,x\n3,,y\n", "EDATA a.csv:2: field 2, \"\", is not a number", {0}},
        {"a.csv", "1,nan,x\n", "EDATA a.csv:1: field 2, \"nan\", is not a number"
         WHAT_IT_HOLDS, {0}},
        {"a.csv", "\"1,5\",2,x\n", "EDATA a.csv:1: field 1, \"1,5\", is not a number (decimals "
         "follow a point)", {.column = "3"}},
        {"a.csv", "1,1e39,x\n", "EDATA a.csv:1: field 2, \"1e39\", is not a number", {0}},
        {"a.csv", "1,0x10,x\n", "EDATA a.csv:1: field 2, \"0x10\", is not a number", {0}},
        {"a.csv", "1,2,x\n\n3,4,y\n", "EDATA a.csv:2: an empty line", {0}},
        {"a.csv", "1,x\n2,\"y\n", "EDATA a.csv:2: a quote is opened and never closed", {0}},
        {"a.csv", "1,\"x\"y\n", "EDATA a.csv:1: text follows a closing quote: two stand for one "
         "within", {0}},
        {"a.csv", "1,2,3,x\n", "EDATA a.csv:1: 3 numbers do not make 2 steps of 2",
         {.steps = 2, .width = 2}},
        {"a.csv", "1,2,3,x\n", "EDATA a.csv:1: 3 numbers do not make 1 steps of 2", {.width = 2}},
        {"a.csv", "1,x\n", "EDATA a.csv: there is no column \"class\": the file has no line of "
         "names", {.column = "class"}},
        {"a.csv", "1,x\n", "EDATA a.csv: there is no column 3: the first row has 2 fields",
         {.column = "3"}},
        {"a.csv", "1\n2\n", "EDATA a.csv:1: there is nothing beside the label", {0}},
        {"a.csv", "u,class\n", "EDATA a.csv: holds no example", {.column = "class"}},
    };
    TRY(cases);
}

/* ---- series ------------------------------------------------------------ */

#define TS_HEAD "# a comment\n@problemName x\n\n@classLabel true a b\n@data\n"

static void ts__has_dimensions_and_a_class(void **state)
{
    (void)state;
    const struct reading_case cases[] = {
        {"a.ts", TS_HEAD "1,2,3:4,5,6:a\n7:8:b\n", "6 a 1,4 2,5 3,6\n7 b 7,8\n", {0}},
        {"a", TS_HEAD "?,1,?,2,?:a\n", "6 a 1 1 1 2 2\n", {0}},
        {"a.ts", "@Dimensions 2 \n@equalLength true\n@SeriesLength 2\n@CLASSLABEL false\n@DATA\n"
         "1,2:3,4\n", "6 1,3 2,4\n", {.unlabelled = true}},
        {"a.ts", TS_HEAD "1,2:b\n", "6 1 2\n", {.unlabelled = true}},
    };
    TRY(cases);
}

static void ts__is_refused_with_its_line(void **state)
{
    (void)state;
    const struct reading_case cases[] = {
        {"a.ts", TS_HEAD "1:2:a\n1:2:3:a\n", "EDATA a.ts:7: 3 dimensions, not 2", {0}},
        {"a.ts", TS_HEAD "1,2:3:a\n", "EDATA a.ts:6: dimension 2 has 1 values where the first has "
         "2", {0}},
        {"a.ts", TS_HEAD "1,2\n", "EDATA a.ts:6: there is no class after a colon", {0}},
        {"a.ts", TS_HEAD "1,x:a\n", "EDATA a.ts:6: value 2 of dimension 1, \"x\", is not a number",
         {0}},
        {"a.ts", TS_HEAD "1,,2:a\n", "EDATA a.ts:6: value 2 of dimension 1, \"\", is not a number",
         {0}},
        {"a.ts", TS_HEAD "1:?,?:a\n", "EDATA a.ts:6: dimension 2 has no value", {0}},
        {"a.ts", TS_HEAD "1,2:c\n", "EDATA a.ts:6: class \"c\" is not among those of @classLabel",
         {0}},
        {"a.ts", "@dimensions x\n@data\n1:a\n", "EDATA a.ts:1: \"x\" is not a count", {0}},
        {"a.ts", "@timeStamps true\n@data\n", "EDATA a.ts:1: series with time stamps are not read",
         {0}},
        {"a.ts", "@targetLabel true\n@data\n", "EDATA a.ts:1: the series have numbers to predict, "
         "not classes", {0}},
        {"a.ts", "@classLabel false\n@data\n1\n", "EDATA a.ts:2: @classLabel says that the series "
         "have no class", {0}},
        {"a.ts", "1:a\n", "EDATA a.ts:1: neither a property (@...) nor a comment (#...) before "
         "@data", {0}},
        {"a.ts", "@seriesLength 3\n@data\n1,2:a\n", "EDATA a.ts:3: 2 values, not the 3 of "
         "@seriesLength", {0}},
        {"a.ts", "@data\n", "EDATA a.ts: holds no example", {0}},
    };
    TRY(cases);
}

static void ts__counts_what_it_fills_in(void **state)
{
    (void)state;
    struct ur__examples *x;
    ur_vocab *labels;
    const char *path = tmp_path("a.ts"), text[] = "@data\n?,1:a\n2,?:b\n";
    put_file(path, text, sizeof text - 1);
    assert_ok(ur__examples_open(&x, &path, 1, &(struct ur__read_rule){0}, &labels));
    assert_int_equal(x->filled, 2);
    ur__examples_free(x);
    ur_vocab_free(labels);
}

/* ---- a label a step ---------------------------------------------------- */

#define TAGGED .tagged = true
#define U(id, form, upos, xpos) id "\t" form "\tl\t" upos "\t" xpos "\t_\t0\tr\t_\t_\n"

static void conllu__leaves_out_what_is_no_token(void **state)
{
    (void)state;
    const struct reading_case cases[] = {
        {"a.conllu", "# text = x\n" U("1-2", "im", "_", "_") U("1", "in", "ADP", "IN")
         U("2", "dem", "DET", "DT") U("2.1", "e", "_", "_") "\n# y\n" U("1", "10 000", "NUM", "CD"),
         "3 in/ADP dem/DET\n8 10_000/NUM\n", {TAGGED}},
        {"a", U("1", "in", "ADP", "IN"), "1 in/IN\n", {TAGGED, .column = "xpos"}},
        {"a", U("1", "in", "ADP", "IN"), "1 in/l\n", {TAGGED, .column = "3"}},
        {"a", U("1", "in", "ADP", "IN"), "1 in\n", {TAGGED, .unlabelled = true}},
        {"a.conllu", "1\tin\tADP\n", "EDATA a.conllu:1: 3 columns, not 10 separated by tabs",
         {TAGGED}},
        {"a.conllu", U("1", "a", "X", "_") U("3", "b", "X", "_"),
         "EDATA a.conllu:2: token \"3\" where number 2 is due", {TAGGED}},
        {"a.conllu", U("1", "a", "X", "_") U("2-", "b", "X", "_"),
         "EDATA a.conllu:2: token \"2-\" where number 2 is due", {TAGGED}},
        {"a.conllu", U("1", "", "X", "_"), "EDATA a.conllu:1: the token is empty", {TAGGED}},
        {"a.conllu", U("1", "a", "X", "_"), "EDATA a.conllu: there is no column \"pos\": the file "
         "has no line of names", {TAGGED, .column = "pos"}},
        {"a.conllu", "# nothing\n", "EDATA a.conllu: holds no example", {TAGGED}},
    };
    TRY(cases);
}

static void conll__has_a_token_and_a_label_a_line(void **state)
{
    (void)state;
    const struct reading_case cases[] = {
        {"a.conll", "-DOCSTART- O\n\nEU B-ORG\nin O\n\n\nx\tO\n", "3 EU/B-ORG in/O\n7 x/O\n",
         {TAGGED}},
        {"a", "#tag\tO\n\t\nb\tB\n", "1 #tag/O\n3 b/B\n", {TAGGED}},
        {"a", "EU NNP B-NP B-ORG\n", "1 EU/NNP\n", {TAGGED, .column = "2"}},
        {"a", "1 EU NNP\n", "1 EU/NNP\n", {TAGGED, .text = "2"}},
        {"a.conll", "a\nb\n", "1 a b\n", {TAGGED, .unlabelled = true}},
        {"a.conll", "a O\nb\n", "EDATA a.conll:2: 1 columns where the first token has 2", {TAGGED}},
        {"a.conll", "a\n", "EDATA a.conll:1: there is no label beside the token", {TAGGED}},
        {"a.conll", "a\tO\n\tO\n", "EDATA a.conll:2: the token is empty", {TAGGED}},
        {"a.conll", "a\tO\nb\t\n", "EDATA a.conll:2: the label is empty", {TAGGED}},
        {"a.conll", "a O\n", "EDATA a.conll: there is no column \"tag\": the file has no line of "
         "names", {TAGGED, .column = "tag"}},
    };
    TRY(cases);
}

static void frames__have_numbers_and_a_label_a_line(void **state)
{
    (void)state;
    const struct reading_case cases[] = {
        {"a.csv", "1,2,a\n3,4,b\n\n\n5,6,a\n", "1 1,2/a 3,4/b\n5 5,6/a\n", {TAGGED}},
        {"a", "1\t2\ta\n", "1 1,2/a\n", {TAGGED}},
        {"a", "1  2 a\n\n3 4 b\n", "1 1,2/a\n3 3,4/b\n", {TAGGED}},
        {"a", "u,v,tag\n1,2,a\n", "2 1,2/a\n", {TAGGED}},
        {"a", "tag,u\na,1\n", "2 1/a\n", {TAGGED, .column = "tag"}},
        {"a", "0.5 1\n2 3\n", "1 0.5,1 2,3\n", {TAGGED, .unlabelled = true}},
        {"a", "0.5 1\n2 3\n", "1 0.5 2\n", {TAGGED, .unlabelled = true, .features = 1}},
        {"a", "x 1\n\ny 3\n", "1 1\n3 3\n",
         {TAGGED, .unlabelled = true, .features = 1, .column = "1"}},
        {"a", "1\n2\n", "1 1 2\n",
         {TAGGED, .unlabelled = true, .features = 1, .format = "frames"}},
        {"a.csv", "1,a\n2,3,b\n", "EDATA a.csv:2: 3 fields where the first row has 2", {TAGGED}},
        {"a.csv", "1,a\n\nx,b\n", "EDATA a.csv:3: field 1, \"x\", is not a number", {TAGGED}},
        {"a.csv", "a\n", "EDATA a.csv:1: there is nothing beside the label", {TAGGED}},
        {"a.csv", "1,a\n2,\n", "EDATA a.csv:2: the label is empty", {TAGGED}},
    };
    TRY(cases);
}

/* ---- sets -------------------------------------------------------------- */

static void set__holds_one_kind(void **state)
{
    (void)state;
    struct ur__examples *x;
    ur_vocab *labels;
    const struct ur__read_rule rule = {0};
    const char *paths[] = {tmp_path("a.csv"), tmp_path("b.csv"), tmp_path("c.tsv")};
    put_file(paths[0], "1,2,a\n", 6);
    put_file(paths[1], "1,2,3,a\n", 8);
    put_file(paths[2], "a\tx\n", 4);
    assert_ok(ur__examples_open(&x, paths, 2, &rule, &labels));
    assert_int_equal(x->longest, 3);
    ur__examples_free(x);
    ur_vocab_free(labels);
    assert_status(UR_EDATA, ur__examples_open(&x, paths, 3, &rule, &labels));
    assert_non_null(strstr(ur_errmsg(), "holds texts where"));
    assert_status(UR_EDATA, ur__examples_open(&x, paths, 2, &(struct ur__read_rule){.steps = 1},
                                              &labels));
    assert_non_null(strstr(ur_errmsg(), "has 3 numbers a step where"));
    assert_status(UR_EINPUT, ur__examples_open(&x, (const char *[]){"/nowhere.csv"}, 1, &rule,
                                               &labels));
    assert_status(UR_EINVAL, ur__examples_open(&x, paths, 0, &rule, &labels));
    assert_status(UR_EINVAL, ur__examples_open(&x, paths, 1, &rule, NULL));
}

static void set__is_the_same_spooled_and_zipped(void **state)
{
    (void)state;
    const struct ur__read_rule rules[] = {{0}, {.tagged = true, .format = "frames"}};
    struct ur__buf text = {0};
    for (int i = 0; i < 20000; i++)
        assert_ok(ur__buf_printf(&text, "%d.5,%d,c%d\n", i, -i, i % 7));
    const char *plain = tmp_path("a.csv"), *zipped = tmp_path("b.csv.gz");
    put_file(plain, text.data, text.size);
    for (size_t i = 0; i < COUNT(rules); i++) {
        char *want = read_and_show(plain, &rules[i]);
        ur__numbers_set_spool_at(1000);
        char *spooled = read_and_show(plain, &rules[i]);
        assert_string_equal(want, spooled);
        if (UR__HAVE_ZLIB) {
            gzip_file(zipped, text.data, text.size);
            char *inflated = read_and_show(zipped, &rules[i]);
            assert_string_equal(want, inflated);
            free(inflated);
        }
        ur__numbers_set_spool_at(0);
        free(want);
        free(spooled);
    }
    ur__buf_free(&text);
}

static void reader__gives_what_the_set_has(void **state)
{
    (void)state;
    const char *const paths[] = {tmp_path("a.csv"), tmp_path("b.csv")};
    const struct ur__read_rule rules[] = {
        {.unlabelled = true}, {.unlabelled = true, .tagged = true, .format = "frames"},
    };
    struct ur__buf text = {0};
    int n = 0;
    for (int i = 0; i < 50; i++)
        assert_ok(ur__buf_printf(&text, "%d.5,%d\n%s", i, -i, i % 3 ? "" : "\n"));
    put_file(paths[0], "1,2\n3,4\n", 8);
    put_file(paths[1], text.data, text.size);
    for (size_t i = 0; i < COUNT(rules); i++)
        for (size_t spool_at = 0; spool_at < 8; spool_at += 4) {
            struct ur__examples *all, *x;
            struct ur__example_reader *r;
            struct ur__buf want = {0}, got = {0};
            /* Blank lines do not part rows. */
            int n_paths = rules[i].tagged ? 2 : 1;
            ur__numbers_set_spool_at(spool_at);
            assert_ok(ur__examples_open(&all, paths, n_paths, &rules[i], NULL));
            show_examples(all, NULL, &want);
            assert_ok(ur__example_reader_open(&r, paths, n_paths, &rules[i]));
            for (int64_t k = 0; k <= all->n; k++) {
                assert_ok(ur__example_reader_next(r, &x));
                assert_true((x != NULL) == (k < all->n));
                if (!x)
                    break;
                assert_int_equal(x->n, 1);
                assert_string_equal(ur__examples_file(x, 0), ur__examples_file(all, k));
                show_examples(x, NULL, &got);
                n++;
            }
            assert_string_equal(want.data, got.data);
            assert_ok(ur__example_reader_next(r, &x));
            assert_null(x);
            ur__example_reader_close(r);
            ur__examples_free(all);
            ur__buf_free(&want);
            ur__buf_free(&got);
        }
    ur__numbers_set_spool_at(0);
    ur__buf_free(&text);
    printf("one by one: %d examples as in their sets\n", n);
}

/* What stands in a pipe can be read once. */
static void set__comes_through_a_pipe(void **state)
{
    (void)state;
    const char *path = tmp_path("pipe");
    struct ur__examples *x;
    ur_vocab *labels;
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = open(path, O_WRONLY);
        _exit(fd < 0 || write(fd, "a\tx\n", 4) != 4);
    }
    assert_ok(ur__examples_open(&x, &path, 1, &(struct ur__read_rule){0}, &labels));
    assert_int_equal(x->n, 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    ur__examples_free(x);
    ur_vocab_free(labels);
}

static void set__refuses_steps_that_are_not_there(void **state)
{
    (void)state;
    struct ur__examples *x;
    ur_vocab *labels;
    ur_real frame[4];
    int32_t tag;
    const char *path = tmp_path("a.csv");
    put_file(path, "1,2,a\n", 6);
    assert_ok(ur__examples_open(&x, &path, 1, &(struct ur__read_rule){0}, &labels));
    assert_ok(ur__examples_frames(x, 0, 1, 1, frame));
    assert_true(frame[0] == 2);
    assert_status(UR_EINVAL, ur__examples_frames(x, 0, 1, 2, frame));
    assert_status(UR_EINVAL, ur__examples_frames(x, 0, -1, 1, frame));
    assert_status(UR_EINVAL, ur__examples_frames(x, 1, 0, 1, frame));
    assert_status(UR_EINVAL, ur__examples_tags(x, 0, 0, 1, &tag));
    ur__examples_free(x);
    ur_vocab_free(labels);
    ur__examples_free(NULL);
}

static void formats__are_found_by_name(void **state)
{
    (void)state;
    int n = 0;
    for (const char *const *name = ur__format_names(); *name; name++, n++)
        assert_string_equal(ur__format_find(*name)->name, *name);
    assert_int_equal(n, 9);
    assert_null(ur__format_find("xml"));
}

/* ---- real sets --------------------------------------------------------- */

static void real_sets__are_read_whole(void **state)
{
    (void)state;
    const struct {
        const char *path;
        int64_t n;
        int labels, longest;
        struct ur__read_rule rule;
    } sets[] = {
        {"sentiment/rt-polarity.tsv.gz", 9596, 2, 267, {0}},
        {"sentiment/sms-spam.tsv.gz", 4894, 2, 910, {0}},
        {"names/names.tsv.gz", 15514, 18, 19, {0}},
        {"digits/optdigits-train.csv.gz", 3823, 10, 8, {.width = 8}},
        {"series-class/JapaneseVowels_TRAIN.ts.gz", 270, 9, 26, {0}},
        {"digits/mnist-test-even-images.idx3.gz", 5000, 10, 28, {0}},
        {"digits/mnist-test-even-images.idx3.gz", 5000, 10, 784, {.scan = UR_SCAN_PIXEL}},
        {"tagging/en_ewt-ud-dev.conllu.gz", 2001, 17, 75, {TAGGED}},
        {"tagging/wnut17-train.conll.gz", 3394, 13, 41, {TAGGED}},
        {"tagging/wnut17-dev.conll.gz", 1009, 13, 82, {TAGGED}},
        {"tagging/wikigold.conll.gz", 1354, 5, 144, {TAGGED}},
        {"caption/e2e-devel.csv.gz", 4299, 2, 381, {.column = "fixed", .text = "ref"}},
    };
    const char *data = getenv("UNROLL_DATA");
    if (!data || !UR__HAVE_ZLIB || access(data, R_OK) != 0)
        skip();
    for (size_t i = 0; i < COUNT(sets); i++) {
        char path[4096];
        const char *one = path;
        struct ur__examples *x;
        ur_vocab *labels;
        snprintf(path, sizeof path, "%s/%s", data, sets[i].path);
        assert_ok(ur__examples_open(&x, &one, 1, &sets[i].rule, &labels));
        assert_int_equal(x->n, sets[i].n);
        assert_int_equal(ur__label_count(labels), sets[i].labels);
        assert_int_equal(x->longest, sets[i].longest);
        ur__examples_free(x);
        ur_vocab_free(labels);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__has_a_label_before_the_first_tab),
        cmocka_unit_test(text__is_refused_with_its_line),
        cmocka_unit_test(labels__are_in_order_and_stay_so),
        cmocka_unit_test(csv__has_numbers_or_a_text),
        cmocka_unit_test(csv__is_refused_with_its_line),
        cmocka_unit_test(ts__has_dimensions_and_a_class),
        cmocka_unit_test(ts__is_refused_with_its_line),
        cmocka_unit_test(ts__counts_what_it_fills_in),
        cmocka_unit_test(conllu__leaves_out_what_is_no_token),
        cmocka_unit_test(conll__has_a_token_and_a_label_a_line),
        cmocka_unit_test(frames__have_numbers_and_a_label_a_line),
        cmocka_unit_test(set__holds_one_kind),
        cmocka_unit_test(set__is_the_same_spooled_and_zipped),
        cmocka_unit_test(reader__gives_what_the_set_has),
        cmocka_unit_test(set__comes_through_a_pipe),
        cmocka_unit_test(set__refuses_steps_that_are_not_there),
        cmocka_unit_test(formats__are_found_by_name),
        cmocka_unit_test(real_sets__are_read_whole),
    };
    return cmocka_run_group_tests_name("readers", tests, NULL, NULL);
}
