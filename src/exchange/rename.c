/* SPDX-License-Identifier: MIT */
#include "exchange/rename.h"

#include <string.h>

#include "base/status.h"

static int stars(const char *pattern)
{
    int n = 0;
    for (; *pattern; pattern++)
        n += *pattern == '*';
    return n;
}

/* Does name fit? *rest and *length are then what the star stands for. */
static bool fits(const char *pattern, const char *name, const char **rest, size_t *length)
{
    const char *star = strchr(pattern, '*');
    size_t n = strlen(name);
    *rest = name + n;
    *length = 0;
    if (!star)
        return strcmp(pattern, name) == 0;
    size_t before = (size_t)(star - pattern), after = strlen(star + 1);
    if (n < before + after || memcmp(name, pattern, before) != 0 ||
        memcmp(name + n - after, star + 1, after) != 0)
        return false;
    *rest = name + before;
    *length = n - before - after;
    return true;
}

static ur_status check_pair(int i, const ur_rename *pair)
{
    const char *ours = pair->ours, *theirs = pair->theirs;
    if (!ours)
        return ur__fail(UR_EINVAL, "pair %d of the map of names has no name of ours", i);
    if (stars(ours) > 1 || (theirs && stars(theirs) != stars(ours)))
        return ur__fail(UR_EINVAL, "names \"%.80s\" and \"%.80s\": both have one star, or "
                        "neither", ours, theirs ? theirs : "(none)");
    return UR_OK;
}

/* Also if an earlier pair takes it: {"rnn.*_l0",...}, {"rnn.*",...} suits nets of any depth. */
static bool fits_any(const char *pattern, const ur_params *params)
{
    const char *rest;
    size_t length;
    for (int i = 0; i < ur_params_count(params); i++) {
        if (fits(pattern, ur_params_at(params, i)->name, &rest, &length))
            return true;
    }
    for (int i = 0; i < ur_params_typed_count(params); i++) {
        if (fits(pattern, ur_params_typed_at(params, i)->name, &rest, &length))
            return true;
    }
    return false;
}

ur_status ur__rename_check(int n, const ur_rename *map, const ur_params *params)
{
    if (n < 0 || (n > 0 && !map))
        return ur__fail(UR_EINVAL, "a map of %d names is impossible", n);
    for (int i = 0; i < n; i++) {
        UR__TRY(check_pair(i, &map[i]));
        if (params && !fits_any(map[i].ours, params))
            return ur__fail(UR_EINVAL, "the map of names has \"%.80s\", but no parameter has such "
                            "a name", map[i].ours);
    }
    return UR_OK;
}

/* `theirs` with its star, if it has one, replaced by the text. */
static ur_status fill(struct ur__buf *to, const char *theirs, const char *text, size_t length)
{
    const char *star = strchr(theirs, '*');
    size_t before = star ? (size_t)(star - theirs) : strlen(theirs);
    UR__TRY(ur__buf_put(to, theirs, before));
    UR__TRY(ur__buf_put(to, text, length));
    return star ? ur__buf_puts(to, star + 1) : UR_OK;
}

ur_status ur__rename(int n, const ur_rename *map, const char *name, struct ur__buf *to,
                     bool *left_out)
{
    const char *text;
    size_t length;
    to->size = 0;
    *left_out = false;
    for (int i = 0; i < n; i++) {
        if (!fits(map[i].ours, name, &text, &length))
            continue;
        *left_out = !map[i].theirs;
        return *left_out ? UR_OK : fill(to, map[i].theirs, text, length);
    }
    return ur__buf_puts(to, name);
}
