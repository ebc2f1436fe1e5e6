/* SPDX-License-Identifier: MIT */
#include "cli/picture.h"

#include <string.h>

#include "base/status.h"
#include "io/file.h"

ur_status picture_check(const char *path, bool force, const char *const *names, int n)
{
    struct ur__file_id in, out;
    bool known = ur__file_identify(&out, path);
    for (int i = 0; i < n && known; i++)
        if (ur__file_identify(&in, names[i]) && ur__file_clash(&in, &out))
            return ur__fail(UR_EOUTPUT, "cannot write %s: it is the same file as %s, which is read",
                            path, strcmp(names[i], "-") == 0 ? "standard input" : names[i]);
    if (!force && ur__file_exists(path))
        return ur__fail(UR_EEXIST, "%s exists; use --force to replace it", path);
    return ur__writer_check(path);
}

ur_status picture_write(const char *path, const struct svg *s)
{
    struct ur__writer *w;
    UR__TRY(ur__writer_open(&w, path));
    ur_status status = ur__writer_write(w, s->out.data, s->out.size);
    if (status == UR_OK)
        return ur__writer_commit(w);
    ur__writer_abort(w);
    return status;
}
