#!/bin/sh
# SPDX-License-Identifier: MIT
# Sees to the packages that unroll is built with.
#
#   deps.sh           what the library and the program need
#   deps.sh --test    and what the tests need
#   deps.sh --dev     and a second compiler, analysers, emulators, peers to compare with
#
# Nothing missing: silent. On Debian and its kin it installs, as root or through
# sudo after showing the line. Elsewhere it prints the line to run, and exits 1.
set -eu

level=${1-}
case $level in
'' | --test | --dev) ;;
*) echo "usage: deps.sh [--test | --dev]" >&2; exit 2 ;;
esac

have() { command -v "$1" >/dev/null 2>&1; }

cmake_is_new_enough() {
    have cmake || return 1
    version=$(cmake --version | sed -n 's/^cmake version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    [ "${version% *}" -gt 3 ] || { [ "${version% *}" -eq 3 ] && [ "${version#* }" -ge 25 ]; }
}

# has_header FILE: the C compiler finds it.
has_header() {
    echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1
}

clang_has_sanitizers() {
    have clang || return 1
    echo 'int main(void) { return 0; }' |
        clang -fsanitize=address -x c - -o /dev/null >/dev/null 2>&1
}

# Names, not packages: "needed" must be there; without "wanted" tests are skipped.
look() {
    needed='' wanted=''
    have cc || have gcc || have clang || needed="$needed cc"
    cmake_is_new_enough || needed="$needed cmake"
    have make || needed="$needed make"
    if have pkg-config; then
        pkg-config --exists zlib || needed="$needed zlib"
    else
        needed="$needed pkg-config zlib"
    fi
    [ -n "$level" ] || return 0

    { have pkg-config && pkg-config --exists cmocka; } || needed="$needed cmocka"
    have c++ || have g++ || have clang++ || wanted="$wanted c++"
    have python3 || wanted="$wanted python3"
    [ "$level" = --dev ] || return 0

    have clang || needed="$needed clang"
    clang_has_sanitizers || needed="$needed clang-rt"
    have clang-format || needed="$needed clang-format"
    have clang-tidy || needed="$needed clang-tidy"
    have cppcheck || needed="$needed cppcheck"
    have valgrind || needed="$needed valgrind"
    have mandoc || wanted="$wanted mandoc"
    case $(uname -m) in
    aarch64 | arm64) ;;     # no need to emulate what the machine is
    *)
        have qemu-aarch64 || have qemu-aarch64-static || needed="$needed qemu"
        have aarch64-linux-gnu-gcc || needed="$needed gcc-aarch64"
        ;;
    esac
    has_header oneapi/dnnl/dnnl.h || needed="$needed onednn"
    { have pkg-config && pkg-config --exists openblas; } || needed="$needed openblas"
}

# package SYSTEM NAME: what the system calls it; nothing where it has no such thing.
package() {
    case $1:$2 in
    apt:cc) echo gcc libc6-dev ;;
    apt:c++) echo g++ ;;
    apt:zlib) echo zlib1g-dev ;;
    apt:cmocka) echo libcmocka-dev ;;
    apt:clang-rt) echo libclang-rt-dev ;;
    apt:qemu) echo qemu-user ;;
    apt:gcc-aarch64) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
    apt:onednn) echo libdnnl-dev ;;
    apt:openblas) echo libopenblas-dev ;;
    dnf:cc) echo gcc ;;
    dnf:c++) echo gcc-c++ ;;
    dnf:pkg-config) echo pkgconf-pkg-config ;;
    dnf:zlib) echo zlib-devel ;;
    dnf:cmocka) echo libcmocka-devel ;;
    dnf:clang-rt) echo compiler-rt ;;
    dnf:clang-format | dnf:clang-tidy) echo clang-tools-extra ;;
    dnf:qemu) echo qemu-user ;;
    dnf:gcc-aarch64) echo gcc-aarch64-linux-gnu ;;
    dnf:onednn) echo onednn-devel ;;
    dnf:openblas) echo openblas-devel ;;
    pacman:cc | pacman:c++) echo gcc ;;
    pacman:pkg-config) echo pkgconf ;;
    pacman:python3) echo python ;;
    pacman:clang-rt) echo compiler-rt ;;
    pacman:clang-format | pacman:clang-tidy) echo clang ;;
    pacman:qemu) echo qemu-user ;;
    pacman:gcc-aarch64) echo aarch64-linux-gnu-gcc ;;
    apk:cc) echo gcc musl-dev ;;
    apk:c++) echo g++ ;;
    apk:pkg-config) echo pkgconf ;;
    apk:zlib) echo zlib-dev ;;
    apk:cmocka) echo cmocka-dev ;;
    apk:clang-rt) echo compiler-rt ;;
    apk:clang-format | apk:clang-tidy) echo clang-extra-tools ;;
    apk:qemu) echo qemu-aarch64 ;;
    apk:openblas) echo openblas-dev ;;
    apk:gcc-aarch64 | apk:onednn) ;;
    brew:cc | brew:c++ | brew:clang | brew:clang-rt | brew:clang-tidy) echo llvm ;;
    brew:pkg-config) echo pkgconf ;;
    brew:python3) echo python ;;
    brew:valgrind | brew:gcc-aarch64) ;;
    *) echo "$2" ;;
    esac
}

packages() {
    system=$1
    shift
    for name in "$@"; do
        package "$system" "$name"
    done | tr '\n' ' ' | sed 's/ *$//'
}

look
[ -n "$needed$wanted" ] || exit 0

system=''
for pair in apt:apt-get dnf:dnf pacman:pacman apk:apk brew:brew; do
    if have "${pair#*:}"; then
        system=${pair%%:*}
        break
    fi
done
if [ -z "$system" ]; then
    echo "deps.sh: missing:$needed$wanted; please install them" >&2
    [ -n "$needed" ] && exit 1
    exit 0
fi

# Names become words: splitting is meant.
# shellcheck disable=SC2086
list=$(packages "$system" $needed $wanted)
case $system in
apt) line="apt-get install -y --no-install-recommends $list" ;;
dnf) line="dnf install -y $list" ;;
pacman) line="pacman -S --needed $list" ;;
apk) line="apk add $list" ;;
brew) line="brew install $list" ;;
esac

# May this run install? Only what is needed is worth asking for a password.
as=''
if [ "$system" != apt ]; then
    as=nobody
elif [ "$(id -u)" -ne 0 ]; then
    as=nobody
    if [ -n "$needed" ] && have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        as=sudo
    fi
fi

if [ "$as" = nobody ]; then
    case $system in
    brew) ;;
    *) [ "$(id -u)" -eq 0 ] || line="sudo $line" ;;
    esac
    echo "deps.sh: missing:$needed$wanted; this installs them:" >&2
    echo "  $line" >&2
    [ -n "$needed" ] && exit 1
    exit 0
fi

echo "deps.sh: missing:$needed$wanted" >&2
echo "  ${as:+$as }$line" >&2
$as env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086
$as env DEBIAN_FRONTEND=noninteractive $line -qq >&2

look
if [ -n "$needed" ]; then
    echo "deps.sh: still missing after the installation:$needed" >&2
    echo "  (cmake must be 3.25 or newer)" >&2
    exit 1
fi
