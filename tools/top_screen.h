/* SPDX-License-Identifier: BSD-2-Clause */
/* xcap top on a terminal. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include "top.h"
#include "top_page.h"

/* Until q, a signal, or the terminal's end; the terminal is then as it was. */
void top_screen_run(struct top_run *r, struct top_look *look, bool names);

#endif
