// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a code and the words for it, from where the cause is known.
 * Out:  the sentence that xcap_errmsg() shows.
 * Owns: nothing; the text lives in the handle, or in the thread.
 * Runs on: any thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include "error.h"

int error_set(struct error *e, int err, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return err;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return err;
}
