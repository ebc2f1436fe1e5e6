/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include "support/gzip.h"

#if UR__HAVE_ZLIB
#include <zlib.h>

size_t gzip_member(const void *from, size_t n, unsigned char *out, size_t room)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)from;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return room - z.avail_out;
}
#else
size_t gzip_member(const void *from, size_t n, unsigned char *out, size_t room)
{
    (void)from;
    (void)n;
    (void)out;
    (void)room;
    print_message("skipped: built without zlib\n");
    skip();
    return 0;
}
#endif

void gzip_file(const char *path, const void *from, size_t n)
{
    size_t room = n + n / 8 + 64;
    unsigned char *packed = malloc(room);
    assert_non_null(packed);
    size_t size = gzip_member(from, n, packed, room);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(packed, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    free(packed);
}
