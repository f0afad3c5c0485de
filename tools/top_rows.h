/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands first in the keys of containers; all other keys are made and read in two places. */
#ifndef TOP_ROWS_H
#define TOP_ROWS_H

enum {
	TOP_KEY_CONTAINER = 'c',
	TOP_KEY_UNIT = 'u',	/* or a path */
	TOP_KEY_CGROUP = 'n',	/* its number */
	TOP_KEY_UNKNOWN = '?',
};

#endif
