/* SPDX-License-Identifier: MIT */
/* The one list of architectures, and their configurations by name. A build adds its own with
 * -DUR_EXTRA='"list.h"', a header that defines UR__EXTRA_ARCHS(ARCH). */
#include <string.h>

#include "base/status.h"
#include "model/arch.h"

#ifdef UR_EXTRA
#include UR_EXTRA
#endif

#ifndef UR__EXTRA_ARCHS
#define UR__EXTRA_ARCHS(ARCH)
#endif

/* ARCH(x): ur__arch_x, of arch_x.c. */
#define ARCHS(ARCH)     \
    ARCH(lm)            \
    ARCH(fill)          \
    ARCH(classify)      \
    ARCH(tag)           \
    ARCH(translate)     \
    ARCH(forecast)      \
    UR__EXTRA_ARCHS(ARCH)

#define DECLARE(x) extern const struct ur__arch ur__arch_##x;
#define ENTRY(x) &ur__arch_##x,
ARCHS(DECLARE)
static const struct ur__arch *const archs[] = {ARCHS(ENTRY)};
enum { N_ARCHS = sizeof archs / sizeof *archs };

const struct ur__arch *ur__arch_find(const char *name)
{
    for (int i = 0; i < N_ARCHS && name; i++)
        if (strcmp(archs[i]->name, name) == 0)
            return archs[i];
    return NULL;
}

const char *const *ur_arch_names(void)
{
    static _Thread_local const char *names[N_ARCHS + 1];
    for (int i = 0; i < N_ARCHS; i++)
        names[i] = archs[i]->name;
    return names;
}

ur_status ur_config_init(ur_options *config, const char *arch)
{
    UR__NEED(config, "config");
    UR__NEED(arch, "arch");
    const struct ur__arch *a = ur__arch_find(arch);
    if (!a)
        return ur__fail(UR_EINVAL, "there is no architecture \"%.80s\"", arch);
    ur__options_init(config, a->options);
    return UR_OK;
}

ur_status ur_config_check(const ur_options *config)
{
    UR__NEED(config, "config");
    UR__TRY(ur__options_check(config, "network"));
    ur_options copy = *config;
    return ur__arch_find(config->table->name)->resolve(ur__options_values(&copy));
}
