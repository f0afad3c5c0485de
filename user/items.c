// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records of system calls.
 * Out:  what their arguments refer to.
 * Owns: nothing; bytes are lent as the record is.
 * Runs on: any thread.
 */
#include <string.h>
#include "items.h"

_Static_assert(XCAP_FILE_OTHER == XFILE_OTHER && XCAP_FILE_PATH == XFILE_PATH &&
	       XCAP_FILE_SOCKET == XFILE_SOCKET, "one numbering");
_Static_assert(XCAP_ARG_RESULT == XITEM_RESULT, "one numbering");

struct items items_of(const struct xcap_record *rec)
{
	if (rec->type != XCAP_SYS_ENTER && rec->type != XCAP_SYS_EXIT)
		return (struct items){ 0 };
	return (struct items){ rec->data, rec->data ? rec->caplen : 0 };
}

bool items_next(struct items *it, struct item *item)
{
	__u32 padded;

	if (it->left < sizeof(item->head))
		return false;
	memcpy(&item->head, it->p, sizeof(item->head));
	item->bytes = it->p + sizeof(item->head);
	it->left -= sizeof(item->head);
	if (item->head.len > it->left)
		return false;
	padded = (item->head.len + 7) & ~7u;
	if (padded > it->left)
		padded = it->left;
	it->p = item->bytes + padded;
	it->left -= padded;
	return true;
}

bool items_find(const struct xcap_record *rec, int arg, int kind, struct item *item)
{
	struct items it = items_of(rec);

	while (items_next(&it, item))
		if (item->head.kind == kind && (arg < 0 || item->head.arg == arg))
			return true;
	return false;
}

bool item_file(const struct item *item, struct xcap_file *file)
{
	struct xcap_ev_file f;

	if (item->head.len < sizeof(f))
		return false;
	memcpy(&f, item->bytes, sizeof(f));
	*file = (struct xcap_file){
		.ino = f.ino, .cookie = f.cookie, .kind = f.kind, .family = f.family,
		.protocol = f.protocol, .type = f.type,
		.local_port = f.local_port, .remote_port = f.remote_port,
		.path = (const char *)item->bytes + sizeof(f),
		.path_len = item->head.len - sizeof(f),
	};
	memcpy(file->local, f.local, sizeof(f.local));
	memcpy(file->remote, f.remote, sizeof(f.remote));
	return f.kind <= XFILE_SOCKET;
}

int xcap_record_file(const struct xcap_record *rec, int i, struct xcap_file *file)
{
	struct items it = items_of(rec);
	struct item item;

	if (i >= 0)
		return items_find(rec, i, XITEM_FILE, &item) && item_file(&item, file);
	while (items_next(&it, &item))
		if (item.head.kind == XITEM_FILE && !(item.head.flags & XITEM_CWD))
			return item_file(&item, file);
	return 0;
}
