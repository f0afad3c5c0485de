/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture in two processes: who has the privilege opens, who has none reads. Part of xcap.h,
 * which includes it.
 */
#ifndef XCAP_SERVE_PUBLIC_H
#define XCAP_SERVE_PUBLIC_H

#include "xcap.h"

#ifdef __cplusplus
extern "C" {
#endif

#define XCAP_TOLD_SOURCES 32

/* How the stream of the other end stands, in its words: show them to nobody unescaped. */
struct xcap_told {
	size_t sz;		/* sizeof(struct xcap_told) of the library */
	__u32 nr_sources;	/* told below, at most XCAP_TOLD_SOURCES */
	__u32 nr_all;		/* its sources; those that are not told are in the total */
	const struct xcap_stats *total;
	const char *const *specs;	/* of each source, as in struct xcap_source_info */
	const char *const *modes;
	const struct xcap_stats *const *stats;
};

struct xcap_serve_opts {
	size_t sz;		/* sizeof(struct xcap_serve_opts) */
	/*
	 * Everything is open and attached: privilege can be given up. flags: XCAP_SOURCE_ of all
	 * sources, what is needed to the end. NULL: not called.
	 */
	void (*started)(void *user, __u32 flags);
	/*
	 * Once it is started, and twice a second while the other end reads; told lives for the
	 * call. NULL: not called.
	 */
	void (*told)(void *user, const struct xcap_told *told);
	void *user;
};

/**
 * xcap_serve - capture for a process that has no privilege, as xcap run does
 * @fd:   connected SOCK_SEQPACKET unix socket, whose other end asks
 * @opts: who is told what happens; NULL nobody
 *
 * Opens the sources that the other end names, and hands it the descriptors to read them
 * with; no packet and no record goes through this process. All is detached when the other
 * end hangs up. What may be captured is for the caller to decide, by whom it serves.
 *
 * Return: 0 the other end has hung up; -EINVAL, -E2BIG opts is no such struct, or newer than the
 *         library; another -errno what became of it; with a sentence in xcap_errmsg(NULL).
 * Owns:   @fd stays the caller's.
 * Threads: any; returns when the other end is gone.
 * Since:  0.1
 */
XCAP_API int xcap_serve(int fd, const struct xcap_serve_opts *opts);

#ifdef __cplusplus
}
#endif

#endif
