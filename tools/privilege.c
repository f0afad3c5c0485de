// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a process that has opened, loaded and attached all it needs.
 * Out:  the same process without a capability: packets and files are read by nobody special.
 * Owns: nothing.
 * Runs on: the tool's only thread.
 *
 * The user id stays: files were opened with it, and what is written belongs to it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "privilege.h"

int privilege_drop(bool keep_net_admin)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	__u32 keep = keep_net_admin ? 1U << CAP_NET_ADMIN : 0;

	if (keep) {
		if (syscall(SYS_capget, &header, none))
			return -errno;
		none[0].effective = none[0].permitted &= keep;
		none[1].effective = none[1].permitted = 0;
		none[0].inheritable = none[1].inheritable = 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    syscall(SYS_capset, &header, none))
		return -errno;
	return 0;
}
