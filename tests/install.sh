#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the build below a folder of its own and uses it as a stranger would: by
# pkg-config, by CMake, from C and from C++; then uninstalls it.
#
# Environment: SOURCE_DIR, BUILD_DIR, GENERATOR, PREFIX (where the build would be
# installed), CC, CXX (or empty), NM, UNROLL. Exits 77 where the build has no shared
# library, or where a tool is not there.
. "$(dirname "$0")/cli/lib.inc"
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PKG_CONFIG_SYSROOT_DIR

skip() {
    note "skipped: $*"
    exit 77
}
[ -e "$BUILD_DIR/libunroll.so" ] || skip "this build has no libunroll.so"
for tool in "$CC" "$NM" readelf pkg-config; do
    command -v "$tool" >/dev/null 2>&1 || skip "$tool is not installed"
done

# ---- install -------------------------------------------------------------
root=$tests_folder/root
prefix=$root$PREFIX
manifest=$BUILD_DIR/install_manifest.txt

# The list of a real installation from this build is still needed, by its uninstall.
kept=''
if [ -e "$manifest" ]; then
    cp -p "$manifest" kept.txt && kept=kept.txt
fi
put_back() {
    rm -f "$manifest"
    [ -z "$kept" ] || cp -p "$tests_folder/$kept" "$manifest"
}
trap 'put_back; rm -rf "$tests_folder"' EXIT
DESTDIR=$root cmake --install "$BUILD_DIR" >log 2>&1 || {
    cat log
    not_ok "cmake --install"
    finish
}
mkdir list
cp "$manifest" list/install_manifest.txt
put_back
trap 'rm -rf "$tests_folder"' EXIT

find "$root" ! -type d | sed "s|^$root||" | sort >found
sort list/install_manifest.txt | sed 's/$//' >listed
same found listed
note "$(wc -l <found | tr -d ' ') files installed"
grep -v "^$PREFIX/" found && skip "this build installs outside its prefix"

# ---- what is there -------------------------------------------------------
lib=$(dirname "$(find "$root" -name libunroll.a)")
include=$prefix/include
[ -e "$include/unroll.h" ] || skip "this build has a header folder of its own"
for file in "$lib/libunroll.so" "$lib/libunroll.so.0" "$lib/pkgconfig/unroll.pc" \
    "$prefix/bin/unroll"; do
    [ -s "$file" ] || not_ok "$file is missing or leads nowhere"
done
grep -rlF -e "$BUILD_DIR" -e "$SOURCE_DIR" "$include" "$lib/pkgconfig" "$lib/cmake" &&
    not_ok "names folders of the build"

expect 0 "$UNROLL" --version
version=$(sed 's/^unroll //' out)
expect 0 "$prefix/bin/unroll" --version
[ "$(cat out)" = "unroll $version" ] || not_ok "the installed program says $(cat out)"
expect 0 "$prefix/bin/unroll" info
while read -r from to; do
    same "$BUILD_DIR/completion/$from" "$prefix/share/$to"
done <<'SHELLS'
unroll.bash bash-completion/completions/unroll
unroll.zsh zsh/site-functions/_unroll
unroll.fish fish/vendor_completions.d/unroll.fish
SHELLS
# Links of the documents to each other hold.
(cd "$prefix"/share/doc/* && for file in *.md docs/*.md; do
    grep -o ']([^)#:]*\.\(md\|svg\|c\|csv\)[)#]' "$file" |
        sed 's/^](//; s/[)#]$//' | while read -r to; do
        [ -e "$(dirname "$file")/$to" ] || echo "$file: $to"
    done
done) >broken
[ ! -s broken ] || not_ok "links of documents lead nowhere: $(head -n 3 broken)"
for page in "$BUILD_DIR"/man/*.1; do
    installed=$(find "$root" -path "*/man1/${page##*/}")
    same "$page" "${installed:-missing}"
done

for header in "$include"/unroll.h "$include"/unroll/*.h; do
    name=${header#"$include"/}
    same "$header" "$SOURCE_DIR/include/$name"
    printf '#include <%s>\ntypedef int alone;\n' "$name" >alone.c
    expect 0 "$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only "-I$include" alone.c
done
[ "$(find "$include" -type f | wc -l)" -eq "$(find "$SOURCE_DIR/include" -name '*.h' | wc -l)" ] ||
    not_ok "headers are missing"

# ---- the binary interface ------------------------------------------------
soname=$(readelf -d "$lib/libunroll.so" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')
[ "$soname" = libunroll.so.0 ] || not_ok "SONAME is '$soname'"

# Exactly what the headers declare: no inner name goes out, no promise stays open.
"$NM" -D --defined-only "$lib/libunroll.so" | sed 's/.* //; s/@.*//' | sort -u >exported
grep -v '^ur_[a-z0-9]' exported && not_ok "these are exported"
echo '#include <unroll.h>' | "$CC" -std=c11 -E -P "-I$include" - >headers
sed -n 's/.*static inline [a-z_]* \(ur_[a-z0-9_]*\)(.*/\1/p' headers | sort -u >inlines
grep -o '[a-z0-9_]*(' headers | grep '^ur_' | tr -d '(' | sort -u | comm -23 - inlines >declared
if ! cmp -s exported declared; then
    diff declared exported | sed -n 's/^</declared only:/p; s/^>/exported only:/p'
    not_ok "exported is not what is declared"
fi
note "$(wc -l <exported | tr -d ' ') symbols exported"
# A program that is linked statically shares these with its own names.
"$NM" -g --defined-only "$lib/libunroll.a" 2>nothing | sed -n 's/^[0-9a-f]* [A-Z] //p' |
    grep -v '^ur_' && not_ok "these are global in libunroll.a"

# ---- a consumer ----------------------------------------------------------
# Uses a net, and a reader, which may need zlib where it is linked statically.
mkdir consumer
cat >consumer/consumer.c <<'END'
#include <stdio.h>
#include <unroll.h>

int main(void)
{
    ur_params *params = NULL;
    ur_rnn *rnn = NULL;
    ur_model *model = NULL;
    int hidden = 5;
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = 3;
    o.hidden[0] = hidden;
    bool ok = ur_params_new(&params) == UR_OK && ur_rnn_new(&rnn, params, "rnn", &o) == UR_OK &&
              ur_params_build(params, 1) == UR_OK && ur_rnn_prepare(rnn) == UR_OK &&
              ur_model_load(&model, "nowhere.safetensors") == UR_EINPUT;
    printf("%s %s\n", ur_version(), ok ? UR_VERSION : ur_errmsg());
    ur_rnn_free(rnn);
    ur_params_free(params);
    return !ok;
}
END
cp consumer/consumer.c consumer/consumer.cpp

# run NEEDED PROGRAM PATH: it works, and needs the shared library once or never.
run() {
    expect 0 env LD_LIBRARY_PATH="$3" "$2" || { cat out; return 0; }
    [ "$(cat out)" = "$version $version" ] || not_ok "$2 says $(cat out)"
    needed=$(readelf -d "$2" | grep -c 'NEEDED.*libunroll\.so\.0' || true)
    [ "$needed" -eq "$1" ] || not_ok "$2 needs the shared library $needed times, not $1"
    consumers=$((consumers + 1))
}
consumers=0

PKG_CONFIG_PATH=$lib/pkgconfig
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion unroll)" = "$version" ] || not_ok "pkg-config knows another version"
flags=$(pkg-config --cflags unroll)
shared=$(pkg-config --libs unroll)
case $shared in
*-lz*) not_ok "who links the shared library need not link $shared" ;;
esac
# -lunroll would find the shared library first.
static=$(pkg-config --static --libs unroll | sed "s|-lunroll|$lib/libunroll.a|")
# The flags are words.
# shellcheck disable=SC2086
{
    expect 0 "$CC" -std=c11 $flags consumer/consumer.c -o c.shared $shared &&
        run 1 ./c.shared "$lib"
    expect 0 "$CC" -std=c11 $flags consumer/consumer.c -o c.static $static &&
        run 0 ./c.static ''
    if [ -n "$CXX" ]; then
        expect 0 "$CXX" -std=c++17 $flags consumer/consumer.cpp -o cxx.shared $shared &&
            run 1 ./cxx.shared "$lib"
        expect 0 "$CXX" -std=c++17 $flags consumer/consumer.cpp -o cxx.static $static &&
            run 0 ./cxx.static ''
    else
        note "no C++ compiler: consumers are in C alone"
    fi
}

cat >consumer/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES ${LANGUAGES})
find_package(unroll ${WANTED} REQUIRED)
foreach(language IN LISTS LANGUAGES)
    string(TOLOWER ${language} ending)
    string(REPLACE x p ending ${ending})
    add_executable(${language}.shared consumer.${ending})
    target_link_libraries(${language}.shared PRIVATE unroll::unroll)
    add_executable(${language}.static consumer.${ending})
    target_link_libraries(${language}.static PRIVATE unroll::unroll_static)
endforeach()
END
languages=C${CXX:+;CXX}
# CMake looks into lib64 only where the system has its libraries there.
if [ "$lib" = "$prefix/lib64" ]; then
    package="-Dunroll_DIR=$lib/cmake/unroll"
else
    package="-DCMAKE_PREFIX_PATH=$prefix"
fi
configure() {
    cmake -S consumer -B "$1" -G "$GENERATOR" -DCMAKE_C_COMPILER="$CC" \
        ${CXX:+"-DCMAKE_CXX_COMPILER=$CXX"} "$package" \
        -DLANGUAGES="$languages" -DWANTED="$2"
}
if expect 0 configure project "$version"; then
    grep -q "^unroll_DIR:[A-Z]*=$prefix/" project/CMakeCache.txt ||
        not_ok "another package was found: $(grep ^unroll_DIR project/CMakeCache.txt)"
    expect 0 cmake --build project && for language in C ${CXX:+CXX}; do
        run 1 "project/$language.shared" ''
        run 0 "project/$language.static" ''
    done
fi
# Before 1.0 a minor version may break: another one is refused.
runs configure other "${version%%.*}.99"
[ "$status" -ne 0 ] || not_ok "version ${version%%.*}.99 is found in $version"
note "$consumers consumers built and run"

# ---- the examples --------------------------------------------------------
# All of them, as a stranger compiles them; those that do not learn for long run.
examples=0
mkdir examples
cat >examples/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(examples LANGUAGES C)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
find_package(unroll REQUIRED)
file(GLOB sources ${FROM}/*.c)
foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE unroll::unroll m)
endforeach()
END
expect 0 cmake -S examples -B examples/build -G "$GENERATOR" -DCMAKE_C_COMPILER="$CC" "$package" \
    -DFROM="$SOURCE_DIR/examples" && expect 0 cmake --build examples/build
for source in "$SOURCE_DIR"/examples/*.c; do
    name=$(basename "$source" .c)
    [ -x "examples/build/$name" ] || not_ok "CMake has not made examples/build/$name"
    # shellcheck disable=SC2086  # the flags are words
    expect 0 "$CC" -std=c11 $flags "$source" -o "examples/$name" $shared -lm || continue
    examples=$((examples + 1))
    case $name in adding|copy|parity) continue ;; esac
    runs env LD_LIBRARY_PATH="$lib" sh "$SOURCE_DIR/tests/example.sh" "$tests_folder/examples/$name"
    [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || { cat out; not_ok "example $name: $status"; }
done
[ "$examples" -ge 15 ] || not_ok "only $examples examples were found"
note "$examples examples compiled"

# ---- uninstall -----------------------------------------------------------
make=''
for name in gmake make; do
    [ -n "$make" ] || make=$(command -v "$name" || true)
done
if [ -n "$make" ]; then
    expect 0 "$make" -C "$SOURCE_DIR" BUILD="$tests_folder/list" DESTDIR="$root" uninstall
    find "$root" ! -type d >left
    find "$prefix" -mindepth 1 -type d -name '*unroll*' >>left
    [ ! -s left ] || not_ok "left behind: $(cat left)"
else
    note "make is not installed: nothing is uninstalled"
fi

finish
