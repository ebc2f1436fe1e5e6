/* SPDX-License-Identifier: MIT */
/* unroll/data.h: from text to token numbers and back; sets of labelled examples. */
#ifndef UNROLL_DATA_H
#define UNROLL_DATA_H

#include "unroll/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a token is: a byte, a Unicode code point of UTF-8 text, or a word: what stands
 *  between white space, with UR_TOKEN_WORDPUNCT punctuation apart (docs/FORMAT.md, "Words"). */
typedef enum ur_token_kind {
    UR_TOKEN_BYTE = 0,
    UR_TOKEN_CHAR = 1,
    UR_TOKEN_WORD = 2,
    UR_TOKEN_WORDPUNCT = 3
} ur_token_kind;

/** "byte", "char", "word", "wordpunct". Static text; NULL for an unknown kind. */
UR_API const char *ur_token_kind_name(ur_token_kind kind);
/** The kind of a name. False if there is none. */
UR_API bool ur_token_kind_find(const char *name, ur_token_kind *out);

/** The tokens that a model knows: bytes and characters in the order of their code, words
 *  in that of their frequency. Read-only; may be shared between threads. */
typedef struct ur_vocab ur_vocab;

/** The tokens of n bytes of text; of words those that occur at least min_count times (1: all).
 *  Give it to a model, or free it. Errors: UR_EINVAL, UR_EDATA (there are none; no UTF-8). */
UR_API ur_status ur_vocab_of_text(ur_vocab **out, ur_token_kind kind, const char *text, size_t n,
                                  int min_count);
UR_API void ur_vocab_free(ur_vocab *vocab);

/** Tokens in it; what one token is. */
UR_API int ur_vocab_size(const ur_vocab *vocab);
UR_API ur_token_kind ur_vocab_kind(const ur_vocab *vocab);
/** The token that stands for all words that are not in it, −1 for bytes and characters;
 *  the token that ends a line, −1 if there is none. */
UR_API int32_t ur_vocab_unknown(const ur_vocab *vocab);
UR_API int32_t ur_vocab_line_end(const ur_vocab *vocab);
/** Text of one token, *n bytes, borrowed (NULL: no such token). */
UR_API const char *ur_vocab_text(const ur_vocab *vocab, int32_t id, size_t *n);
/** Token numbers of n bytes of text. ids: room for n. A word that is not in the
 *  vocabulary becomes ur_vocab_unknown. Errors: UR_EINVAL, naming the first character that
 *  is not in the vocabulary or not UTF-8, and its place. */
UR_API ur_status ur_vocab_encode(const ur_vocab *vocab, const char *text, size_t n,
                                 int32_t *ids, size_t *count);

/** What becomes of words, characters or bytes that a vocabulary does not have. */
typedef enum ur_unknown {
    UR_UNKNOWN_USUAL = 0,       /* words are replaced, characters of labelled data skipped, all
                                   else is an error */
    UR_UNKNOWN_ERROR = 1,
    UR_UNKNOWN_SKIP = 2,
    UR_UNKNOWN_REPLACE = 3      /* by the unknown word; else by U+FFFD, ? or a space, the first of
                                   these that is there */
} ur_unknown;

/** The policy of a name: "error", "skip", "replace". False if there is none. */
UR_API bool ur_unknown_find(const char *name, ur_unknown *out);

/** Texts as tokens of a vocabulary that may not have all of them. */
typedef struct ur_encoder ur_encoder;

/** vocab is borrowed. Errors: UR_EINVAL (nothing in it can replace), UR_ENOMEM. */
UR_API ur_status ur_encoder_new(ur_encoder **out, const ur_vocab *vocab, ur_unknown how);
UR_API void ur_encoder_free(ur_encoder *encoder);
/** Token numbers of n bytes of text. ids: room for n. Errors: UR_EINVAL as ur_vocab_encode, of
 *  words with UR_UNKNOWN_ERROR only. */
UR_API ur_status ur_encoder_put(ur_encoder *encoder, const char *text, size_t n, int32_t *ids,
                                size_t *count);
/** A note on all texts so far, which `what` calls "the prime": "2 words of the prime
 *  are unknown to the model: read as <unk>". Borrowed until the next call; NULL: nothing. */
UR_API const char *ur_encoder_note(ur_encoder *encoder, const char *what);

/** How a text of tokens goes on. Zeroed: at the beginning. */
typedef struct ur_join {
    bool space;         /* the next word stands apart */
    bool quoted;        /* the line has an open double quote */
} ur_join;

/** Text of the next token as it continues a text, *n bytes, borrowed (NULL: no such token):
 *  words with the space in front that is due, a line's end as a line feed. */
UR_API const char *ur_vocab_join(const ur_vocab *vocab, ur_join *join, int32_t id, size_t *n);

/* ---- labelled examples ------------------------------------------------- */

/** What an example is a sequence of. */
typedef enum ur_content {
    UR_CONTENT_TEXTS = 0,       /* bytes of a text, to be split by a vocabulary */
    UR_CONTENT_TOKENS = 1,      /* tokens as the file has them */
    UR_CONTENT_FRAMES = 2       /* rows of numbers */
} ur_content;

/** What a step of a picture is. */
typedef enum ur_scan {
    UR_SCAN_AUTO = 0,           /* a row; of sequences of pictures (four dimensions, the last no
                                   colour) a picture */
    UR_SCAN_ROW = 1,
    UR_SCAN_COLUMN = 2,
    UR_SCAN_PIXEL = 3,          /* row by row */
    UR_SCAN_PICTURE = 4         /* a picture as a whole */
} ur_scan;

/** Does the first line name the columns? */
typedef enum ur_header { UR_HEADER_AUTO = 0, UR_HEADER_YES = 1, UR_HEADER_NO = 2 } ur_header;

/** How files become examples; docs/DATA.md has the formats. Texts are borrowed during the call. */
typedef struct ur_examples_options {
    size_t size;                /* set by ur_examples_options_init */
    const char *format;         /* "csv"; NULL: told by the file */
    bool tagged;                /* a label a step, not one an example */
    bool unlabelled;            /* labels are not wanted; where a format has a place for them they
                                   may be there (of texts: before the first tab), and are left
                                   out. Of csv and frames `column` says where */
    bool any_bytes;             /* texts need not be UTF-8 */
    const ur_vocab *labels;     /* another set's, or a model's: others are UR_EDATA. NULL: those
                                   that are found */
    const char *label_file;     /* of pictures; NULL: beside them, by its name */
    /* Columns by name or number from 1; NULL: where the format has it. */
    const char *column;         /* of the label */
    const char *text;           /* of a text or token */
    const char *group;          /* of what is held out as a whole, such as a speaker; "file": the
                                   file; NULL: nothing */
    ur_header header;
    int steps, width;           /* a line of numbers as [steps,width]; 0: as the other leaves it,
                                   both: [n,1] */
    ur_scan scan;
} ur_examples_options;

/** One label an example, all else told by the files. */
UR_STRUCT_INIT(ur_examples_options)

/** A set of examples. What it holds beyond 64 MiB lies in a scratch file without a name, so
 *  reading may fail (UR_EINPUT). */
typedef struct ur_examples ur_examples;

/** Reads n files into one set. options may be NULL: the usual. Errors: UR_EDATA (what is wrong
 *  and where, FILE:LINE; no example; files that hold different things), UR_EINPUT, UR_EOUTPUT (no
 *  room for the scratch file), UR_EINVAL, UR_ENOMEM. */
UR_API ur_status ur_examples_open(ur_examples **out, const char *const *paths, int n,
                                  const ur_examples_options *options);
UR_API void ur_examples_close(ur_examples *x);

/** How many examples; what they are. */
UR_API int64_t ur_examples_count(const ur_examples *x);
UR_API ur_content ur_examples_content(const ur_examples *x);
/** Numbers a step, I; 1 of texts and tokens. */
UR_API int ur_examples_width(const ur_examples *x);
/** How many labels there are: those found, or those of the options; 0 of an unlabelled set. */
UR_API int ur_examples_label_count(const ur_examples *x);
/** The name of label k, 0 to count−1, borrowed; NULL: there is none. */
UR_API const char *ur_examples_label_name(const ur_examples *x, int32_t k);
/** All of them, for the options of another set; borrowed, NULL of an unlabelled one. */
UR_API const ur_vocab *ur_examples_labels(const ur_examples *x);

/* Of example i. */

/** Its steps, at least 1: bytes of a text, until it is numbered. 0: no such example. */
UR_API int32_t ur_examples_length(const ur_examples *x, int64_t i);
/** Its label (−1: it has none, or one a step) and its group (−1: none). */
UR_API int32_t ur_examples_label(const ur_examples *x, int64_t i);
UR_API int32_t ur_examples_group(const ur_examples *x, int64_t i);
/** Bytes of its text or, a zero after each, of its tokens; 0 of frames. */
UR_API size_t ur_examples_bytes(const ur_examples *x, int64_t i);
/** These bytes. to: room for them. */
UR_API ur_status ur_examples_text(ur_examples *x, int64_t i, char *to);
/** Its numbers [n,I] from step `from` on. Errors: also UR_EINVAL (steps that it does not have). */
UR_API ur_status ur_examples_frames(ur_examples *x, int64_t i, int32_t from, int32_t n,
                                    ur_real *to);
/** Labels of n steps. Errors: the same; UR_EINVAL (the set has one label an example). */
UR_API ur_status ur_examples_tags(ur_examples *x, int64_t i, int32_t from, int32_t n, int32_t *to);

/* Texts and tokens as numbers. */

/** The vocabulary of n examples `which` (NULL: of all): of texts the tokens of that kind, of tokens
 *  these, words of either that occur at least min_count times. Errors: UR_EINVAL, UR_EDATA
 *  (frames). */
UR_API ur_status ur_examples_vocab(ur_vocab **out, ur_examples *x, ur_token_kind kind,
                                   int min_count, const int64_t *which, int64_t n);
/** Numbers all by a vocabulary, which is read during the call alone: from then on a step is one of
 *  its tokens. Errors: UR_EDATA (what the vocabulary does not have and where, if `how` says so; a
 *  text without words; frames), and then the set is as before. */
UR_API ur_status ur_examples_number(ur_examples *x, const ur_vocab *vocab, ur_unknown how);

/* Batches. B examples `which` [B] side by side in T steps; of a longer one the first T. Allocate
 * nothing. */

/** The most steps of n examples `which` (NULL: of all). */
UR_API int32_t ur_examples_longest(const ur_examples *x, const int64_t *which, int64_t n);
/** to [T,B,I], zeros behind a sequence's end; lengths [B]. */
UR_API ur_status ur_examples_pad_frames(ur_examples *x, const int64_t *which, int B, int T,
                                        ur_real *to, int *lengths);
/** The same of what is numbered: to [T,B]. */
UR_API ur_status ur_examples_pad_ids(ur_examples *x, const int64_t *which, int B, int T,
                                     int32_t *to, int *lengths);
/** Labels as losses take them: [T,B], −1 behind a sequence's end; where an example has one label,
 *  [B], whatever T is. */
UR_API ur_status ur_examples_pad_labels(ur_examples *x, const int64_t *which, int B, int T,
                                        int32_t *to);

/** Parts the examples: which [count] gets those to learn from, *n of them, then those held out,
 *  about a share of all, both in order. Drawn: of each label its share and never all; where there
 *  are groups, whole ones. The same arguments give the same. Errors: UR_EINVAL (share outside
 *  [0,1)), UR_EDATA (there is one group only), UR_ENOMEM. */
UR_API ur_status ur_examples_hold_out(const ur_examples *x, double share, uint64_t seed,
                                      int64_t *which, int64_t *n);

/** Batches of examples of similar length. An epoch's order is drawn; 32 batches of it at a time are
 *  sorted by length, cut, and put into an order that is drawn again. */
typedef struct ur_batches ur_batches;

/** Of n examples `which` (NULL: of all; copied), at most B a batch, with the lengths that they have
 *  now. Errors: UR_EINVAL (n or B below 1, no such example), UR_ENOMEM. */
UR_API ur_status ur_batches_new(ur_batches **out, const ur_examples *x, const int64_t *which,
                                int64_t n, int B, uint64_t seed);
UR_API void ur_batches_free(ur_batches *b);
/** Batches of an epoch. */
UR_API int64_t ur_batches_steps(const ur_batches *b);
/** The examples of a batch, *B of them, borrowed until the next call: a function of seed, epoch and
 *  step, 0 to steps−1. Allocates nothing. */
UR_API ur_status ur_batches_at(ur_batches *b, int64_t epoch, int64_t step, const int64_t **which,
                               int *B);

#ifdef __cplusplus
}
#endif
#endif
