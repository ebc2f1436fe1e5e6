/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include "support/crash.h"

#include <errno.h>
#include <fcntl.h>

#include "support/ops_hook.h"

#define MOST_EVENTS 4000
#define MOST_FDS 256
#define MOST_NAMES 32
#define NAME_SIZE 128

enum event_kind { EVENT_CREATE, EVENT_WRITE, EVENT_SYNC, EVENT_SYNC_FOLDER, EVENT_RENAME,
                  EVENT_UNLINK, EVENT_MARK };

static struct event {
    enum event_kind kind;
    int file;                   /* CREATE, WRITE, SYNC: number of the file */
    char name[NAME_SIZE], to[NAME_SIZE];
    char *data;                 /* WRITE */
    size_t n;
    long value;                 /* MARK */
} events[MOST_EVENTS];
static int n_events, n_files;

static char folder[300];
/* What each descriptor is: −1 nothing of interest, −2 the folder, else a file's number. */
static int what[MOST_FDS];

/* ---- recording --------------------------------------------------------- */

/* The name in the folder, or NULL if the path leads elsewhere. */
static const char *inside(const char *path)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1 : NULL;
}

static struct event *add(enum event_kind kind)
{
    assert_true(n_events < MOST_EVENTS);
    struct event *e = &events[n_events++];
    *e = (struct event){.kind = kind};
    return e;
}

static void set_name(char *to, const char *path)
{
    assert_non_null(inside(path));
    snprintf(to, NAME_SIZE, "%s", inside(path));
}

static void see_open(const struct ops_call *call)
{
    size_t n = strlen(folder);
    assert_true(call->fd < MOST_FDS);
    bool is_folder = strncmp(call->path, folder, n) == 0 && strcmp(call->path + n, "/") == 0;
    what[call->fd] = is_folder ? -2 : -1;
    if (!inside(call->path) || !(call->flags & O_CREAT))
        return;
    /* A lock's file is made if it is not there; it holds nothing that is read again. */
    if (!(call->flags & O_EXCL))
        return;
    struct event *e = add(EVENT_CREATE);
    set_name(e->name, call->path);
    what[call->fd] = e->file = n_files++;
}

static void see_write(const struct ops_call *call, long result)
{
    if (what[call->fd] < 0)
        return;
    struct event *e = add(EVENT_WRITE);
    e->file = what[call->fd];
    e->n = (size_t)result;
    e->data = malloc(e->n + 1);
    memcpy(e->data, call->data, e->n);
}

static void see(const struct ops_call *call, long result)
{
    if (result < 0)
        return;
    switch (call->kind) {
    case OPS_OPEN: see_open(call); break;
    case OPS_WRITE: see_write(call, result); break;
    case OPS_SYNC:
        if (what[call->fd] != -1)
            add(what[call->fd] == -2 ? EVENT_SYNC_FOLDER : EVENT_SYNC)->file = what[call->fd];
        break;
    case OPS_RENAME:
        set_name(add(EVENT_RENAME)->name, call->path);
        set_name(events[n_events - 1].to, call->to);
        break;
    case OPS_UNLINK:
        if (inside(call->path) && !strstr(call->path, ".lock"))
            set_name(add(EVENT_UNLINK)->name, call->path);
        break;
    default: break;
    }
}

void crash_record(const char *recorded)
{
    crash_free();
    snprintf(folder, sizeof folder, "%s", recorded);
    for (int fd = 0; fd < MOST_FDS; fd++)
        what[fd] = -1;
    ops_hook(&(struct ops_hooks){.after = see, .no_sync = true});
}

void crash_mark(long value)
{
    add(EVENT_MARK)->value = value;
}

void crash_stop(void)
{
    ops_hook(NULL);
}

void crash_free(void)
{
    for (int i = 0; i < n_events; i++)
        free(events[i].data);
    n_events = n_files = 0;
}

int crash_events(void)
{
    return n_events;
}

/* ---- replaying --------------------------------------------------------- */

/* Names, and the file that each leads to. */
struct names {
    int n;
    struct { char name[NAME_SIZE]; int file; } at[MOST_NAMES];
};

static int find(const struct names *names, const char *name)
{
    for (int i = 0; i < names->n; i++)
        if (strcmp(names->at[i].name, name) == 0)
            return i;
    return -1;
}

static void put_name(struct names *names, const char *name, int file)
{
    int i = find(names, name);
    if (i < 0) {
        assert_true(names->n < MOST_NAMES);
        i = names->n++;
        snprintf(names->at[i].name, NAME_SIZE, "%s", name);
    }
    names->at[i].file = file;
}

static void drop_name(struct names *names, const char *name)
{
    int i = find(names, name);
    if (i >= 0)
        names->at[i] = names->at[--names->n];
}

/* A change whose file is not there, because an older one was lost, is lost too. */
static void change(struct names *names, const struct event *e)
{
    int i = find(names, e->name);
    if (e->kind == EVENT_CREATE) {
        put_name(names, e->name, e->file);
    } else if (e->kind == EVENT_UNLINK) {
        drop_name(names, e->name);
    } else if (i >= 0) {
        int file = names->at[i].file;
        drop_name(names, e->name);
        put_name(names, e->to, file);
    }
}

static bool is_change(const struct event *e)
{
    return e->kind == EVENT_CREATE || e->kind == EVENT_RENAME || e->kind == EVENT_UNLINK;
}

/* The operation after which all before it are on the disk; 0: none. */
static int last_folder_sync(int n, bool lying)
{
    for (int i = n; i > 0 && !lying; i--)
        if (events[i - 1].kind == EVENT_SYNC_FOLDER)
            return i;
    return 0;
}

static int replay_names(struct names *names, int n, unsigned kept, bool lying)
{
    int synced = last_folder_sync(n, lying), waiting = 0;
    names->n = 0;
    for (int i = 0; i < n; i++) {
        if (!is_change(&events[i]))
            continue;
        if (i < synced)
            change(names, &events[i]);
        else if (waiting++ >= 31 || (kept >> (waiting - 1) & 1))
            change(names, &events[i]);
    }
    return waiting;
}

static void append(char **data, size_t *size, const struct event *e)
{
    *data = realloc(*data, *size + e->n + 1);
    memcpy(*data + *size, e->data, e->n);
    *size += e->n;
}

static void lose_bytes(char *data, size_t *size, size_t synced, enum crash_bytes bytes)
{
    size_t n = *size - synced;
    switch (bytes) {
    case CRASH_NONE: *size = synced; break;
    case CRASH_ONE: *size = synced + (n > 0); break;
    case CRASH_HALF: *size = synced + n / 2; break;
    case CRASH_ALL_BUT_ONE: *size -= n > 0; break;
    case CRASH_ZEROS: memset(data + synced, 0, n); break;
    case CRASH_SECOND_HALF: memset(data + synced, 0, n / 2); break;
    case CRASH_ALL:
    case N_CRASH_BYTES: break;
    }
}

static void write_file(const char *to, const char *name, int file, int n, enum crash_bytes bytes,
                       bool lying)
{
    char path[500], *data = malloc(1);
    size_t size = 0, synced = 0;
    for (int i = 0; i < n; i++) {
        const struct event *e = &events[i];
        if (e->file != file)
            continue;
        if (e->kind == EVENT_WRITE)
            append(&data, &size, e);
        else if (e->kind == EVENT_SYNC && !lying)
            synced = size;
    }
    lose_bytes(data, &size, synced, bytes);
    snprintf(path, sizeof path, "%s/%s", to, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
    free(data);
}

static void empty_folder(const char *to)
{
    DIR *d = opendir(to);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL; ) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", to, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    closedir(d);
}

int crash_replay(int n, enum crash_bytes bytes, unsigned kept, bool lying, const char *to,
                 long *reached)
{
    struct names names;
    int waiting = replay_names(&names, n, kept, lying);
    *reached = 0;
    for (int i = 0; i < n; i++)
        if (events[i].kind == EVENT_MARK)
            *reached = events[i].value;
    empty_folder(to);
    for (int i = 0; i < names.n; i++)
        write_file(to, names.at[i].name, names.at[i].file, n, bytes, lying);
    return waiting;
}
