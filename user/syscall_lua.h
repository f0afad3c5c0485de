/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns the rows of user/syscall_names.h into Lua: { "read", 0, 3, 63, "f fd", ... }, */
#define C(name, ...) { #name, __VA_ARGS__ },
#define D(n, ...) "d "..#n
#define L(n, ...) "l "..#n
#define U(n, ...) "u "..#n
#define X(n, ...) "x "..#n
#define O(n, ...) "o "..#n
#define P(n, ...) "p "..#n
#define F(n) "f "..#n
#define FI F
#define RF(n) nil
#define RP(n) nil
#define S P
#define ARGV P
#define B P
#define BO P
#define V P
#define VO P
#define M P
#define MO P
#define MM P
#define MMO P
#define A P
#define AO P
#define Y P
#define YO P
#define T P
#define TO P
#define TIO P
#define N P
#define NO P
#define NIO P
#define G P
#define GO P
#define K P
#include "syscall_names.h"
