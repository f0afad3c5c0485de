#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 300
#
# In:   the sources, and the compiler that `make` does not use.
# Out:  whether clang builds library, tools and tests without a warning.
# Owns: a build directory of its own.
# Runs on: anything with clang.
set -u
cd "$TOP" || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
make -j"$(nproc)" B="$TMPDIR/clang" CC="${CLANG:-clang}" WERROR=1 CFLAGS=-O1 tests >"$TMPDIR/log" 2>&1 && exit
grep -v '^  [A-Z]' "$TMPDIR/log" | head -n 40
exit 1
