/* SPDX-License-Identifier: MIT */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE     /* MAP_ANONYMOUS */
#endif

#include "support/guard.h"

#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_ARRAYS = 160, CANARIES = 128, CANARY = 0xa5 };

/* One array's place, used again by the arrays of later cases:
 * | page without access | room bytes | page without access | */
struct place {
    unsigned char *room_at;
    size_t room;
    unsigned char *at;      /* the array */
    size_t bytes;
    const char *name;
};

static struct place places[MAX_ARRAYS];
static int n_arrays;
static guard_side side;
static char title[160] = "no case";

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static void give_up(const char *why)
{
    fprintf(stderr, "guard: %s: %s\n", title, why);
    exit(1);
}

/* ---- faults ------------------------------------------------------------- */

static void say(const char *s)
{
    if (write(STDERR_FILENO, s, strlen(s)) < 0)
        _exit(1);
}

static void say_number(size_t n)
{
    char digit[24], *at = digit + sizeof digit - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    say(at);
}

/* The array whose page it was, and how far away. */
static void say_where(const unsigned char *fault)
{
    for (int i = 0; i < n_arrays; i++) {
        const struct place *p = &places[i];
        if (fault + page() < p->room_at || fault >= p->room_at + p->room + page())
            continue;
        bool before = fault < p->at;
        say_number((size_t)(before ? p->at - fault : fault - (p->at + p->bytes)));
        say(before ? " bytes before " : " bytes after the end of ");
        say(p->name);
        return;
    }
    say("an address that belongs to no array");
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    say("guard: ");
    say(title);
    say(": an access ");
    say_where(info->si_addr);
    say("\n");
    _exit(1);
}

void guard_watch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, &action, NULL) || sigaction(SIGBUS, &action, NULL))
        give_up("no handler for faults");
}

/* ---- arrays ------------------------------------------------------------- */

/* bytes (a multiple of the page) between two pages without access. */
static unsigned char *map_between(size_t bytes)
{
    unsigned char *p = mmap(NULL, bytes + 2 * page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                            0);
    if (p == MAP_FAILED || mprotect(p + page(), bytes, PROT_READ | PROT_WRITE))
        return NULL;
    return p + page();
}

static void unmap_between(unsigned char *p, size_t bytes)
{
    munmap(p - page(), bytes + 2 * page());
}

void guard_begin(guard_side new_side, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(title, sizeof title, format, arguments);
    va_end(arguments);
    n_arrays = 0;
    side = new_side;
}

const char *guard_case(void)
{
    return title;
}

static void make_room(struct place *p, size_t bytes)
{
    size_t need = (bytes + 2 * CANARIES + page() - 1) / page() * page();
    if (need <= p->room)
        return;
    if (p->room)
        unmap_between(p->room_at, p->room);
    p->room_at = map_between(need);
    p->room = need;
    if (!p->room_at)
        give_up("no memory");
}

/* Canaries before and after the array: as many as there is room for. */
static size_t canaries_before(const struct place *p)
{
    size_t n = (size_t)(p->at - p->room_at);
    return n < CANARIES ? n : CANARIES;
}

static size_t canaries_after(const struct place *p)
{
    size_t n = (size_t)(p->room_at + p->room - (p->at + p->bytes));
    return n < CANARIES ? n : CANARIES;
}

void *guard_bytes(const char *name, size_t bytes, size_t align)
{
    if (n_arrays == MAX_ARRAYS)
        give_up("too many arrays");
    struct place *p = &places[n_arrays];
    make_room(p, bytes);
    /* The room begins and ends at pages, so that rounding down aligns. */
    size_t offset = side == GUARD_END ? (p->room - bytes) & ~(align - 1) : 0;
    p->at = p->room_at + offset;
    p->bytes = bytes;
    p->name = name;
    memset(p->at - canaries_before(p), CANARY, canaries_before(p));
    memset(p->at + bytes, CANARY, canaries_after(p));
    memset(p->at, 0xff, bytes);
    n_arrays++;
    return p->at;
}

ur_real *guard_reals(const char *name, size_t n)
{
    return guard_bytes(name, n * sizeof(ur_real), sizeof(ur_real));
}

static bool all_canaries(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != CANARY)
            return false;
    return true;
}

const char *guard_check(void)
{
    for (int i = 0; i < n_arrays; i++) {
        const struct place *p = &places[i];
        size_t before = canaries_before(p);
        if (!all_canaries(p->at - before, before) ||
            !all_canaries(p->at + p->bytes, canaries_after(p)))
            return p->name;
    }
    return NULL;
}

/* ---- the library's own blocks ------------------------------------------- */

/* | its size | room, at whose end the block lies | page without access |: a block begins in the
 * first page of its room, so that its address alone leads to the size. */
static size_t *size_of(const void *block)
{
    return (size_t *)(((uintptr_t)block & ~(uintptr_t)(page() - 1)) - page());
}

static size_t mapped(size_t bytes)
{
    return (bytes + page() - 1) / page() * page() + page();
}

void *guard_allocator(void *user, void *old, size_t bytes)
{
    (void)user;
    unsigned char *block = NULL;
    if (bytes) {
        unsigned char *at = map_between(mapped(bytes));
        if (!at)
            return NULL;
        block = at + mapped(bytes) - bytes;
        *size_of(block) = bytes;
    }
    if (old) {
        size_t *size = size_of(old), kept = *size < bytes ? *size : bytes;
        if (block)
            memcpy(block, old, kept);
        unmap_between((unsigned char *)size, mapped(*size));
    }
    return block;
}
