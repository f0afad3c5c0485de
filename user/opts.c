// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a struct whose first member is its size, of another version perhaps.
 * Out:  the same in our size; an error where it says what we cannot know.
 * Owns: nothing.
 * Runs on: any thread.
 */
#include <errno.h>
#include <string.h>
#include "opts.h"

int opts_in(void *ours, size_t size, const void *theirs)
{
	size_t sz;

	memset(ours, 0, size);
	if (!theirs)
		return 0;
	memcpy(&sz, theirs, sizeof(sz));
	if (sz < sizeof(size_t))
		return -EINVAL;
	for (size_t i = size; i < sz; i++)
		if (((const unsigned char *)theirs)[i])
			return -E2BIG;
	memcpy(ours, theirs, sz < size ? sz : size);
	return 0;
}

int opts_out(void *theirs, const void *ours, size_t size)
{
	size_t sz;

	if (!theirs)
		return -EINVAL;
	memcpy(&sz, theirs, sizeof(sz));
	if (sz < sizeof(size_t))
		return -EINVAL;
	if (sz > size)
		sz = size;
	memcpy(theirs, ours, sz);
	memcpy(theirs, &sz, sizeof(sz));
	return 0;
}
