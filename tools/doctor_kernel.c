// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the kernel: its types, its functions for programs, what it locks; and what we may do.
 * Out:  which of xcap's ways to capture there are.
 * Owns: nothing that outlives a call.
 * Runs on: the tool's only thread.
 */
#define _GNU_SOURCE
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "doctor.h"

#define TCX_INGRESS 46		/* BPF_TCX_INGRESS, which Debian 12's header has not */

/* Functions of the kernel that our programs call where they are, and what they are for. */
static const struct { const char *name, *for_what; } kfuncs[] = {
	{ "bpf_rdonly_cast", "reading frames in place" },
	{ "bpf_preempt_disable", "calls that nobody interrupts" },
	{ "bpf_xdp_metadata_rx_timestamp", "the NIC's own time stamps" },
};

static bool has_btf(struct doctor *d)
{
	return !faccessat(d->sys, "kernel/btf/vmlinux", R_OK, 0);
}

static void btf(struct doctor *d, const struct check *c)
{
	if (has_btf(d))
		doctor_say(d, c, LEVEL_OK, "/sys/kernel/btf/vmlinux is there");
	else
		doctor_say(d, c, LEVEL_BAD, "the kernel has no /sys/kernel/btf/vmlinux; one "
			   "that is built with CONFIG_DEBUG_INFO_BTF has");
}

static void functions(struct doctor *d, const struct check *c)
{
	char missing[200] = "";
	struct btf *types;

	if (d->fixture || !has_btf(d))
		return;
	types = btf__load_vmlinux_btf();
	if (!types)
		return;
	for (size_t i = 0; i < sizeof(kfuncs) / sizeof(kfuncs[0]); i++)
		if (btf__find_by_name_kind(types, kfuncs[i].name, BTF_KIND_FUNC) < 0)
			snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing),
				 "%s%s (%s)", missing[0] ? ", " : "", kfuncs[i].name,
				 kfuncs[i].for_what);
	btf__free(types);
	if (missing[0])
		doctor_say(d, c, LEVEL_NOTE, "not in this kernel: %s", missing);
	else
		doctor_say(d, c, LEVEL_OK, "all that xcap's programs can use");
}

/* A kernel that knows the hook says what is there, and if it is nothing. */
static void tcx(struct doctor *d, const struct check *c)
{
	union bpf_attr attr = { 0 };

	if (d->fixture)
		return;
	attr.query.target_fd = 1;	/* lo is the first interface everywhere */
	attr.query.attach_type = TCX_INGRESS;
	if (!syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)))
		doctor_say(d, c, LEVEL_OK, "there");
	else if (errno == EINVAL)
		doctor_say(d, c, LEVEL_NOTE, "not before Linux 6.6: tap: copies at a packet "
			   "socket");
}

static void lockdown(struct doctor *d, const struct check *c)
{
	char line[128], *on;

	if (doctor_line(d->sys, line, sizeof(line), "kernel/security/lockdown") <= 0)
		return;
	on = strchr(line, '[');
	if (!on)
		return;
	on[strcspn(on, "]")] = '\0';
	on++;
	if (!strcmp(on, "confidentiality"))
		doctor_say(d, c, LEVEL_BAD, "confidentiality: programs may not read the kernel's "
			   "memory, and syscalls and owners fail");
	else
		doctor_say(d, c, LEVEL_OK, "%s", on);
}

/* ---- what we may ---- */

static const struct { int cap; const char *name; } needed[] = {
	{ CAP_BPF, "cap_bpf" }, { CAP_PERFMON, "cap_perfmon" }, { CAP_NET_ADMIN, "cap_net_admin" },
	{ CAP_NET_RAW, "cap_net_raw" }, { CAP_IPC_LOCK, "cap_ipc_lock" },
};

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

static void permissions(struct doctor *d, const struct check *c)
{
	uint64_t have = capabilities();
	char missing[100] = "";

	if (d->fixture)
		return;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!(have >> needed[i].cap & 1))
			snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing),
				 "%s%s", missing[0] ? ", " : "", needed[i].name);
	if (missing[0])
		doctor_say(d, c, LEVEL_BAD, "you have not %s; be root, or have them", missing);
	else
		doctor_say(d, c, LEVEL_OK, "all that a capture needs");
}

static void unprivileged(struct doctor *d, const struct check *c)
{
	uint64_t off, paranoid = 0;

	if (!doctor_number(d->proc, &off, "sys/kernel/unprivileged_bpf_disabled"))
		return;
	doctor_number(d->proc, &paranoid, "sys/kernel/perf_event_paranoid");
	doctor_say(d, c, LEVEL_OK, "unprivileged_bpf_disabled %llu, perf_event_paranoid %llu: for "
		   "who has capabilities neither matters", (unsigned long long)off,
		   (unsigned long long)paranoid);
}

/* Rings of AF_XDP count, unless CAP_IPC_LOCK is there. */
static void memlock(struct doctor *d, const struct check *c)
{
	bool counts = !(capabilities() >> CAP_IPC_LOCK & 1);
	struct rlimit limit;
	struct finding *f;

	if (d->fixture || getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	if (counts && limit.rlim_cur < 64 << 20) {
		f = doctor_say(d, c, LEVEL_NOTE, "%llu KiB may be locked",
			       (unsigned long long)limit.rlim_cur >> 10);
		doctor_remedy(f, "ulimit -l unlimited");
	} else {
		doctor_say(d, c, LEVEL_OK, "as much as is needed may be locked");
	}
}

const struct check kernel_checks[] = {
	{ "btf", btf, "no program of xcap can be loaded", BY_HAND, NULL, 0, 0 },
	{ "kfuncs", functions, NULL, BY_HAND, NULL, 0, 0 },
	{ "tcx", tcx, NULL, BY_HAND, NULL, 0, 0 },
	{ "lockdown", lockdown, NULL, BY_HAND, NULL, 0, 0 },
	{ "permissions", permissions, NULL, BY_HAND, NULL, 0, 0 },
	{ "unprivileged", unprivileged, NULL, BY_HAND, NULL, 0, 0 },
	{ "memlock", memlock, "AF_XDP wants some MiB for each queue", BY_HAND, NULL, 0, 0 },
	{ 0 }
};
