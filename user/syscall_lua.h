/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns the rows of user/syscall_names.h into Lua: { "read", 0, 3, 63, "f fd", ... }, */
#define C(name, ...) { #name, __VA_ARGS__ },
#define D(n, ...) "d "..#n __VA_OPT__(.." "..#__VA_ARGS__)
#define L(n, ...) "l "..#n __VA_OPT__(.." "..#__VA_ARGS__)
#define U(n, ...) "u "..#n __VA_OPT__(.." "..#__VA_ARGS__)
#define X(n, ...) "x "..#n __VA_OPT__(.." "..#__VA_ARGS__)
#define O(n, ...) "o "..#n __VA_OPT__(.." "..#__VA_ARGS__)
#define P(n, ...) "p "..#n
#define TEXT(n, ...) "p "..#n.." text"
#define MESSAGE(n, ...) "p "..#n.." message"
#define ADDRESS(n, ...) "p "..#n.." sockaddr"
#define F(n) "f "..#n
#define FI F
#define RF(n) nil
#define RP(n) nil
#define S TEXT
#define ARGV P
#define B TEXT
#define BO TEXT
#define V TEXT
#define VO TEXT
#define M MESSAGE
#define MO MESSAGE
#define MM MESSAGE
#define MMO MESSAGE
#define A ADDRESS
#define AO ADDRESS
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
/* those that 32-bit calls have instead: -2 for the numbers */
#undef C
#define C(name, ...) { #name, -2, -2, -2, __VA_ARGS__ },
#include "syscall_names32.h"
