#!/bin/sh
# SPDX-License-Identifier: MIT
# Files of other kinds where a model belongs: the sentence says what each looks like and what
# to do, in every subcommand that reads a model.
. "$(dirname "$0")/lib.inc"
text some.txt

# shellcheck disable=SC2059,SC2086  # the bytes are a format; TINY is a list
make() {
    printf "$2" >"$1"
}

zeros='\000\000\000\000\000\000\000\000\000'
zip_local="PK\003\004\000\000\010\010$zeros$zeros"
make torch.pt "$zip_local\020\000\022\000archive/data.pklFB"
make script.pt "$zip_local\017\000\022\000archive/versionFB"
make arrays.npz "$zip_local\013\000\024\000weights.npy"
make model.keras "$zip_local\015\000\000\000metadata.json"
make old.pt '\200\002\212\nl\374\234F\371 j'
make pickle.pkl '\200\004\225\013\000\000\000\000\000\000\000}\224.'
make model.gguf 'GGUF\003\000\000\000\001\000\000\000'
make model.onnx '\010\007\022\007pytorch\032\0052.1.0'
make model.h5 '\211HDF\r\n\032\n\000\000\000\000'
make array.npy '\223NUMPY\001\000v\000{'
make pointer.safetensors 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'
make page.safetensors '\n<!DOCTYPE html>\n<html><head><title>Not found</title>'
make config.json '{\n  "hidden_size": 128\n}\n'
make plain.txt 'Plain text, with a \303\251 in it.\n'
make bzip.bz2 'BZh91AY&SY'
make xz.xz '\3757zXZ\000'
make zstd.zst '\050\265\057\375\044'
make empty.safetensors ''
make noise.bin '\377\001\000\002\003\000\377\377\377\000\000\000'
make weights.safetensors '\002\000\000\000\000\000\000\000{}'
gzip -c some.txt >some.txt.gz
expect 0 "$UNROLL" train some.txt $TINY --steps 2 -o m.safetensors
gzip -nc m.safetensors >m.safetensors.gz
head -c 100 m.safetensors >cut.safetensors

kinds=0
while read -r name what; do
    for command in info sample; do
        refuses 3 "^unroll: $name: $what" "$UNROLL" "$command" "$name"
    done
    refuses 3 "^unroll: $name: $what" "$UNROLL" eval "$name" some.txt
    refuses 3 "^unroll: $name: $what" "$UNROLL" predict "$name" some.txt
    refuses 3 "^unroll: $name: $what" "$UNROLL" see "$name" some.txt
    refuses 3 "$name: $what" "$UNROLL" train some.txt --init-from "$name" -o x.safetensors
    kinds=$((kinds + 1))
done <<'END'
torch.pt looks like a PyTorch checkpoint (zip); .*safetensors.torch.save_file
script.pt looks like a PyTorch checkpoint (zip); .*safetensors.torch.save_file
arrays.npz looks like a NumPy archive (.npz); .*safetensors.numpy.save_file
model.keras looks like a zip archive; unpack it
old.pt looks like a Python pickle, perhaps an old PyTorch checkpoint; .*save_file
pickle.pkl looks like a Python pickle, .*save_file
model.gguf looks like a GGUF file; .*llama.cpp
model.onnx looks like an ONNX model; export the weights
model.h5 looks like an HDF5 file, perhaps of Keras; .*save_file
array.npy looks like a NumPy array (.npy); .*save_file
some.txt.gz looks like a gzip file; unpack it with gunzip
m.safetensors.gz looks like a gzip file; unpack it with gunzip
bzip.bz2 looks like a bzip2 file; unpack it with bunzip2
xz.xz looks like an xz file; unpack it with unxz
zstd.zst looks like a zstd file; unpack it with unzstd
pointer.safetensors looks like a git-lfs pointer, .*git lfs pull
page.safetensors looks like a web page; the download
config.json looks like JSON; the weights are in a file that ends in .safetensors
plain.txt looks like text; what is wanted is a safetensors file, as unroll train writes
some.txt looks like text; what is wanted is a safetensors file, as unroll train writes
empty.safetensors is empty$
noise.bin not a safetensors file: its first 8 bytes are not a header's length
cut.safetensors not a safetensors file: it is truncated in its header
weights.safetensors is a safetensors file but no unroll model
m.state is the state of a training, not a model; the model is the .safetensors file beside it
END
note "$kinds kinds of files"
[ "$kinds" -eq 25 ] || not_ok "$kinds kinds"

# Real ones, where they are.
for file in "${UNROLL_DATA:-.}"/interop/models/*/model.onnx; do
    [ ! -e "$file" ] || refuses 3 'looks like an ONNX model' "$UNROLL" info "$file"
done
finish
