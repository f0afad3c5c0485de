/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for errors: written once, where the cause is known. */
#ifndef XCAP_ERROR_H
#define XCAP_ERROR_H

#define XCAP_ERR_SIZE 512

struct error {
	char text[XCAP_ERR_SIZE];
};

/**
 * error_set - write the sentence and hand the code through
 * @e:   where it goes; NULL: nowhere
 * @err: negative errno, returned as it is
 * @fmt: one sentence without a newline that says what to do next
 *
 * Use: return error_set(e, -EBUSY, "%s already has ...", name);
 */
__attribute__((format(printf, 3, 4)))
int error_set(struct error *e, int err, const char *fmt, ...);

/* stream.c: where the sentences of a handle go, so that xcap_errmsg() finds them. */
struct xcap;
struct error *stream_error(struct xcap *x);

#endif
