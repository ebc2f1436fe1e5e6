/* SPDX-License-Identifier: MIT */
/* Files of labelled examples, whatever their format. */
#ifndef UR_DATA_FORMATS_H
#define UR_DATA_FORMATS_H

#include "data/format.h"

/* The names of all formats, ended by NULL, in the order in which a file is compared with them. */
const char *const *ur__format_names(void);
/* NULL: there is none. */
const struct ur__format *ur__format_find(const char *name);

/* Is that one of a format's options (data/format.h), with this value? Files may be groups in every
 * format. */
bool ur__format_has(const char *format, const char *option, const char *value);

/* Reads all files into one set. Without labels in the rule *labels gets those that are found (it
 * is owned by the caller); unlabelled, it is NULL. The format is the rule's, else told by the
 * first file's first bytes and by its name. UR_EDATA: what is wrong and where (FILE:LINE, in binary
 * files an offset or the number of an example); no example; two formats that do not go together. */
ur_status ur__examples_open(struct ur__examples **out, const char *const *paths, int n_paths,
                            const struct ur__read_rule *rule, ur_vocab **labels);

/* The same examples one by one, as they are read; the rule is unlabelled. */
struct ur__example_reader;
/* Paths and rule are borrowed until it is closed; closing NULL is fine. */
ur_status ur__example_reader_open(struct ur__example_reader **out, const char *const *paths,
                                  int n_paths, const struct ur__read_rule *rule);
void ur__example_reader_close(struct ur__example_reader *r);
/* The next example, number 0 of a set of one, which is borrowed until the next call; NULL: there is
 * none left. After an error the reader can only be closed. */
ur_status ur__example_reader_next(struct ur__example_reader *r, struct ur__examples **x);

#endif
