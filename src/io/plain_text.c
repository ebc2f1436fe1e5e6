/* SPDX-License-Identifier: MIT */
/* The signatures are those of the formats' own documents. The printable ones are long, or
 * stand beside bytes that no text has. */
#include "io/plain_text.h"

#include <string.h>

#include "base/status.h"

struct kind {
    const char *first;      /* bytes that the file begins with; "": any */
    size_t at;              /* and those that it has here */
    const char *bytes;
    size_t n;
    const char *what;
    const char *command;    /* writes its text */
};

#define AT(at, bytes) at, bytes, sizeof(bytes) - 1
#define ZIP "PK\x03\x04"    /* the name of the first file in it stands at 30 */

static const struct kind kinds[] = {
    /* UTF-32's mark begins with UTF-16's. */
    {"", AT(0, "\xff\xfe\0\0"), "UTF-32", "iconv -f UTF-32 -t UTF-8 FILE"},
    {"", AT(0, "\0\0\xfe\xff"), "UTF-32", "iconv -f UTF-32 -t UTF-8 FILE"},
    {"", AT(0, "\xff\xfe"), "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE"},
    {"", AT(0, "\xfe\xff"), "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE"},
    {"", AT(0, "\x1f\x8b"), "gzip", "gzip -dc FILE"},
    {"", AT(0, "\x1f\x9d"), "compress", "gzip -dc FILE"},
    {"", AT(0, "\xfd" "7zXZ\0"), "xz", "xz -dc FILE"},
    {"", AT(0, "\x28\xb5\x2f\xfd"), "zstd", "zstd -dc FILE"},
    {"", AT(0, "\x04\x22\x4d\x18"), "lz4", "lz4 -dc FILE"},
    {"", AT(0, "7z\xbc\xaf\x27\x1c"), "7z", "7z x -so FILE"},
    {"", AT(0, "Rar!\x1a\x07"), "RAR", "unrar p -inul FILE"},
    {"BZh", AT(4, "\x31\x41\x59\x26\x53\x59"), "bzip2", "bzip2 -dc FILE"},
    {"BZh", AT(4, "\x17\x72\x45\x38\x50\x90"), "bzip2", "bzip2 -dc FILE"},
    {"", AT(257, "ustar\0"), "tar", "tar -xOf FILE"},
    {"", AT(257, "ustar  \0"), "tar", "tar -xOf FILE"},
    {"", AT(0, "%PDF-1."), "PDF", "pdftotext FILE -"},
    {"", AT(0, "%PDF-2."), "PDF", "pdftotext FILE -"},
    {"", AT(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "Word", "catdoc FILE"},
    {ZIP, AT(30, "[Content_Types].xml"), "Word", "pandoc -f docx -t plain FILE"},
    {ZIP, AT(30, "mimetypeapplication/vnd.oasis"), "OpenDocument", "pandoc -f odt -t plain FILE"},
    {ZIP, AT(30, "mimetypeapplication/epub"), "EPUB", "pandoc -f epub -t plain FILE"},
    {"", AT(0, ZIP), "zip", "unzip -p FILE"},
    {"", AT(0, "PK\x05\x06"), "zip", "unzip -p FILE"},
};

/* Wide characters without a mark, told by the zeros of Latin letters, blanks and line ends,
 * which all stand on one side. */
static const struct kind *find_wide(const unsigned char *s, size_t n)
{
    static const struct kind wide[] = {
        {.what = "UTF-32", .command = "iconv -f UTF-32LE -t UTF-8 FILE"},
        {.what = "UTF-32", .command = "iconv -f UTF-32BE -t UTF-8 FILE"},
        {.what = "UTF-16", .command = "iconv -f UTF-16LE -t UTF-8 FILE"},
        {.what = "UTF-16", .command = "iconv -f UTF-16BE -t UTF-8 FILE"},
    };
    size_t zeros[4] = {0}, units = n / 4;
    for (size_t i = 0; i < 4 * units; i++)
        zeros[i % 4] += s[i] == 0;
    size_t even = zeros[0] + zeros[2], odd = zeros[1] + zeros[3];
    if (units < 2)
        return NULL;
    if (zeros[0] == 0 && zeros[3] == units && zeros[2] > units / 2)
        return &wide[0];
    if (zeros[3] == 0 && zeros[0] == units && zeros[1] > units / 2)
        return &wide[1];
    /* Half of the characters, or an eighth of many: strings that end in zeros would have them
     * on one side by a rare chance only. */
    size_t most = even > odd ? even : odd;
    if ((even > 0 && odd > 0) || (most <= units && (most < 8 || most <= units / 4)))
        return NULL;
    return even == 0 ? &wide[2] : &wide[3];
}

static const struct kind *find(const void *head, size_t n)
{
    const char *s = head;
    n = n < UR__TEXT_HEAD ? n : UR__TEXT_HEAD;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *k = &kinds[i];
        if (n >= k->at + k->n && memcmp(s + k->at, k->bytes, k->n) == 0
            && memcmp(s, k->first, strlen(k->first)) == 0)
            return k;
    }
    return find_wide(head, n);
}

const char *ur__text_foreign(const void *head, size_t n)
{
    const struct kind *k = find(head, n);
    return k ? k->what : NULL;
}

ur_status ur__text_check(const char *name, const void *head, size_t n)
{
    const struct kind *k = find(head, n);
    if (!k)
        return UR_OK;
    return ur__fail(UR_EDATA, "%s: looks like %s, not UTF-8 text; convert it: %s | unroll ... -",
                    name, k->what, k->command);
}

size_t ur__text_mark(const void *head, size_t n)
{
    return n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

void ur__line_ends_put(struct ur__line_ends *s, char *text, size_t *n)
{
    size_t kept = 0;
    if (!ur__line_ends_matter(s, text, *n))
        return;
    for (size_t i = 0; i < *n; i++) {
        uint32_t byte = (unsigned char)text[i];
        if (ur__line_end(s, &byte))
            text[kept++] = (char)byte;
    }
    *n = kept;
}

ur_status ur__text_clean(const char *name, bool to_lf, char *text, size_t *n)
{
    struct ur__line_ends ends = {.to_lf = to_lf};
    UR__TRY(ur__text_check(name, text, *n));
    size_t mark = ur__text_mark(text, *n);
    *n -= mark;
    memmove(text, text + mark, *n);
    ur__line_ends_put(&ends, text, n);
    return UR_OK;
}
