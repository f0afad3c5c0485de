/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal: taken, and put back. */
#ifndef TOP_TERMINAL_H
#define TOP_TERMINAL_H

#include <stdbool.h>

/* Is standard output a terminal that is known, and are there keys? Before privilege is given up. */
bool top_terminal_possible(void);

/* Return: 0; -errno. */
int top_terminal_open(void);

/* Where keys come from: standard input, if that is no file to be read. */
int top_terminal_keys(void);
void top_terminal_close(void);

/* What of that a signal handler may do. */
void top_terminal_restore(void);

#endif
