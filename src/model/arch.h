/* SPDX-License-Identifier: MIT */
/*
 * An architecture: how blocks make a network. One const struct each, one file each (arch_*.c),
 * one list (archs.c); nothing else asks for a name.
 *
 * A batch's fields have the roles that the architecture names. What runs without a tape goes
 * through its runner: rows of sequences side by side, each with memory of its own.
 */
#ifndef UR_MODEL_ARCH_H
#define UR_MODEL_ARCH_H

#include "model/block.h"

/* Running a network without a tape. r: memory of `size` zeroed bytes. After open nothing is
 * allocated, but for what a row is given to begin with. */
struct ur__runner_plug {
    size_t size;
    bool many;                  /* begin() takes several sequences at once, for rows row, row + 1
                                   ... */
    /* Room for `rows` rows. */
    ur_status (*open)(void *r, const ur_model *m, int rows, ur_team *team);
    void (*close)(void *r);     /* also of what open has left half done */
    /* Gives a row (a new one by select(), if there is one) what it starts from: the fields of one
     * sequence (B = 1), or NULL. out [O]: its outputs; untouched if only steps have any. */
    ur_status (*begin)(void *r, int row, const ur_batch *given, ur_real *out);
    /* T steps of all rows: ids [T,rows] -> out [T,rows,O]. NULL: there are no steps. */
    ur_status (*run)(void *r, int T, const int32_t *ids, ur_real *out);
    /* From now on there are n rows, row i being the old row from[i], or a new one for -1. NULL:
     * nothing inside belongs to a row. */
    ur_status (*select)(void *r, int n, const int *from);
    /* The recurrent state of a stack, to look at; NULL: there is none. */
    ur_state *(*state)(void *r, int stack);
    /* Bytes that so many rows take, which begin with fields as large as these (their arrays may be
     * nowhere); the model need not be built. NULL: nobody asks. */
    ur_status (*measure)(const ur_model *m, int rows, const ur_batch *given, ur_team *team,
                         size_t *bytes);
    /* Takes that, so that to begin takes nothing more. */
    ur_status (*reserve)(void *r, const ur_batch *given);
};

typedef ur_tensor *(*ur__arch_forward)(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                                       ur_state *const *states);

struct ur__arch {
    const char *name;
    const char *task;                   /* the usual one */
    const ur_option_table *options;     /* of a configuration */
    const char *const *vocabs;          /* roles, at most UR__MAX_VOCABS, ended by NULL */
    const char *const *fields;          /* roles of a batch's fields, ended by NULL */
    /* Has a network of that configuration the vocabulary or the field of that role? NULL: all. */
    bool (*has)(const void *config, const char *role);
    /* Does a network of that configuration carry state from one piece of a sequence to the next, as
     * none does that reads from its end? NULL: none does. */
    bool (*carries)(const void *config);
    /* Why one that carries nothing needs all of a sequence, and what would change that: "reads from
     * both ends: set ...". NULL: nothing would. */
    const char *(*whole)(const void *config);
    size_t net_size;                    /* of what declare() leaves in m->net, zeroed before */
    /* Fills in what a configuration left open. UR_EINVAL: it is impossible. */
    ur_status (*resolve)(void *config);
    /* Adds the blocks; m has configuration and vocabularies. */
    ur_status (*declare)(ur_model *m);
    /* On a tape; the batch has all fields (for features and outputs: all but targets). states: of
     * the stacks in the order of their blocks (NULL of one that carries nothing), or NULL.
     * features: what m->decoder reads [T,B,I]; outputs, loss: NULL where they are its logits, and
     * the cross entropy of these and the field target. */
    ur__arch_forward features, outputs, loss;
    const struct ur__runner_plug *runner;       /* NULL: it runs on a tape alone */
    const char *steps_of;               /* role of the vocabulary whose tokens the steps read */
    int (*output)(const ur_model *m);   /* O: numbers that a step puts out; NULL: the decoder's */
};

/* What a network computes, whichever way its architecture says it. */
ur_tensor *ur__net_outputs(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                           ur_state *const *states);
ur_tensor *ur__net_loss(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                        ur_state *const *states);
int ur__net_output(const ur_model *m);

/* The architecture of a name; NULL: there is none. */
const struct ur__arch *ur__arch_find(const char *name);

/* Roles of a network over one text. */
extern const char *const ur__text_vocabs[], *const ur__text_fields[];

/* How many roles of vocabularies it has. */
int ur__arch_roles(const struct ur__arch *arch);
/* Has a network of these options the vocabulary or field of that role, one of its lists? */
bool ur__arch_has(const struct ur__arch *arch, const ur_options *config, const char *role);

/* The i-th stack; NULL: there is none. carried: it is one whose state is carried. */
ur_rnn *ur__model_stack(const ur_model *m, int i, bool *carried);
bool ur__model_carries(const ur_model *m);
static inline const void *ur__model_values(const ur_model *m)
{
    return ur__options_read(&m->config);
}
/* For select() of plugs: n rows of `width` numbers, row i being the old row from[i], or zeros for
 * −1. *x and *spare, as large, change places. */
void ur__rows_select(ur_real **x, ur_real **spare, size_t width, int n, const int *from);
/* The vocabulary whose tokens the steps of its runner read. */
static inline const ur_vocab *ur__steps_vocab(const ur_model *m)
{
    return ur_model_vocab(m, m->arch->steps_of);
}
/* Are its runner's outputs logits of the tokens of that vocabulary, too? */
static inline bool ur__outputs_tokens(const ur_model *m)
{
    return ur__net_output(m) == ur_vocab_size(ur__steps_vocab(m));
}
/* Does it go from token to token? */
static inline bool ur__steps_in_tokens(const ur_model *m)
{
    return m->arch->runner && m->arch->runner->run && ur__outputs_tokens(m);
}

#endif
