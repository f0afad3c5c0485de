/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arguments refer to, as it stands behind a call (struct xcap_ev_item). It may come from
 * a file: whatever it says of lengths is checked, and nothing need be aligned.
 */
#ifndef XCAP_ITEMS_H
#define XCAP_ITEMS_H

#include <stdbool.h>
#include <xcap.h>
#include "xcap_event.h"

struct item {
	struct xcap_ev_item head;
	const __u8 *bytes;	/* head.len of them */
};

struct items {
	const __u8 *p;
	__u32 left;
};

/* Those of a record; none where it is no system call. */
struct items items_of(const struct xcap_record *rec);

/* Return: false: that was the last, or what follows is none. */
bool items_next(struct items *it, struct item *item);

/* Return: false: the record has none of that kind for that argument. */
bool items_find(const struct xcap_record *rec, int arg, int kind, struct item *item);

/* What the item, an XITEM_FILE, says. Return: false: it is damaged. */
bool item_file(const struct item *item, struct xcap_file *file);

#endif
