/* SPDX-License-Identifier: MIT */
/* Signatures of the files that people take for weights. Sources: the formats' own
 * specifications; of PyTorch's two formats torch/serialization.py, of ONNX onnx.proto. */
#include "io/sniff.h"

#include <string.h>

#include "base/text.h"

struct head {
    const unsigned char *at;
    size_t n;
};

static bool holds(struct head h, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= h.n; i++) {
        if (memcmp(h.at + i, text, n) == 0)
            return true;
    }
    return false;
}

/* torch.save's archive begins with NAME/data.pkl, numpy.savez's with NAME.npy. */
static bool is_torch_zip(struct head h)
{
    return holds(h, "/data.pkl") || holds(h, "/version");
}

static bool is_npz(struct head h)
{
    return holds(h, ".npy");
}

/* PROTO of protocol 2 and above. */
static bool is_pickle(struct head h)
{
    return h.n > 2 && h.at[1] >= 2 && h.at[1] <= 5;
}

/* A ModelProto begins with ir_version and goes on with producer, domain, graph ... */
static bool is_onnx(struct head h)
{
    return h.n > 3 && h.at[1] > 0 && h.at[1] < 0x40 &&
           memchr("\x12\x1a\x22\x28\x32\x3a\x42", h.at[2], 7);
}

/* Without the byte order mark and the white space that may stand before text. */
static struct head trimmed(struct head h)
{
    if (h.n >= 3 && memcmp(h.at, "\xef\xbb\xbf", 3) == 0)
        h = (struct head){h.at + 3, h.n - 3};
    while (h.n > 0 && memchr(" \t\r\n", *h.at, 4))
        h = (struct head){h.at + 1, h.n - 1};
    return h;
}

/* UTF-8, but for a character that is cut at the end, without control characters. */
static bool is_text(struct head h)
{
    for (size_t i = 0; i < h.n; i++) {
        if ((h.at[i] < 0x20 && !memchr("\t\n\f\r", h.at[i], 4)) || h.at[i] == 0x7f)
            return false;
    }
    return h.n > 0 && h.n - ur__utf8_check(h.at, h.n) < 4;
}

static bool is_html(struct head h)
{
    static const char *const begins[] = {"<!doctype", "<html", "<head", "<?xml"};
    h = trimmed(h);
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        size_t n = strlen(begins[i]), same = 0;
        while (same < n && same < h.n &&
               (h.at[same] | (h.at[same] >= 'A' && h.at[same] <= 'Z' ? 32 : 0)) == begins[i][same])
            same++;
        if (same == n)
            return true;
    }
    return false;
}

static bool is_json(struct head h)
{
    bool text = is_text(h);
    h = trimmed(h);
    return text && h.n > 0 && (*h.at == '{' || *h.at == '[');
}

/* The first that fits counts. */
static const struct {
    const char *bytes;                  /* what it begins with, */
    size_t n;
    bool (*fits)(struct head h);        /* and more about it; NULL: nothing */
    const char *what;
} kinds[] = {
#define BEGINS(text) text, sizeof(text) - 1
    {BEGINS("PK\3\4"), is_torch_zip,
     "a PyTorch checkpoint (zip); load it there and save its state_dict with "
     "safetensors.torch.save_file"},
    {BEGINS("PK\3\4"), is_npz,
     "a NumPy archive (.npz); load it there and save its arrays with "
     "safetensors.numpy.save_file"},
    {BEGINS("PK\3\4"), NULL,
     "a zip archive; unpack it, or, if a program's model is in it, export that as safetensors"},
    {BEGINS("\x80"), is_pickle,
     "a Python pickle, perhaps an old PyTorch checkpoint; load it there and save its state_dict "
     "with safetensors.torch.save_file"},
    {BEGINS("GGUF"), NULL,
     "a GGUF file; those hold transformers for llama.cpp, which unroll does not run"},
    {BEGINS("\x89HDF\r\n\x1a\n"), NULL,
     "an HDF5 file, perhaps of Keras; load it there and save its arrays with "
     "safetensors.numpy.save_file"},
    {BEGINS("\x93NUMPY"), NULL,
     "a NumPy array (.npy); load it there and save it with safetensors.numpy.save_file"},
    {BEGINS("\x1f\x8b"), NULL, "a gzip file; unpack it with gunzip"},
    {BEGINS("BZh"), NULL, "a bzip2 file; unpack it with bunzip2"},
    {BEGINS("\xfd" "7zXZ"), NULL, "an xz file; unpack it with unxz"},
    {BEGINS("\x28\xb5\x2f\xfd"), NULL, "a zstd file; unpack it with unzstd"},
    {BEGINS("version https://git-lfs"), NULL,
     "a git-lfs pointer, which stands for the file itself; fetch that with git lfs pull"},
    {BEGINS("\x08"), is_onnx,
     "an ONNX model; export the weights from the program that made it, as safetensors"},
    {BEGINS(""), is_html, "a web page; the download gave that instead of the file"},
    {BEGINS(""), is_json, "JSON; the weights are in a file that ends in .safetensors"},
    {BEGINS(""), is_text, "text; what is wanted is a safetensors file, as unroll train writes "
                          "from one: NAME.safetensors"},
#undef BEGINS
};

const char *ur__sniff(const unsigned char *head, size_t n)
{
    const struct head h = {head, n};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (n >= kinds[i].n && memcmp(head, kinds[i].bytes, kinds[i].n) == 0 &&
            (!kinds[i].fits || kinds[i].fits(h)))
            return kinds[i].what;
    }
    return NULL;
}
