/* SPDX-License-Identifier: BSD-2-Clause */
/* What PID.account holds, between who writes it and who reads it. */
#ifndef RUNNING_FILE_H
#define RUNNING_FILE_H

#include <stdbool.h>
#include "running.h"

#define RUNNING_SUFFIX ".account"
#define RUNNING_MAGIC "xcapacc"
#define RUNNING_VERSION 1

_Static_assert((int)RUNNING_SOURCES >= XCAP_TOLD_SOURCES, "what is told has room");

struct running_file {
	char magic[8];
	uint32_t version;
	uint32_t size;		/* of this struct */
	uint32_t seq;		/* odd: it is being written */
	uint32_t reserved;
	struct running_account account;
};

const char *running_dir(void);
int running_dir_open(void);	/* -errno */

/* Whether the name still means what is open. */
bool running_same_file(int fd, int dir_fd, const char *name);

/* The first is the capture's, and never anybody else's; the second that of who removes the file. */
enum { RUNNING_ALIVE = 0, RUNNING_BURIAL = 1 };

/* Nobody but who may write the file can have it. Return: 0; -EAGAIN it is another's; -errno. */
int running_lock(int fd, off_t byte);

#endif
