// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what the kernel tells of files, file systems and itself.
 * Out:  its fields, as far as people ask for them.
 * Owns: constants.
 * Runs on: any thread.
 */
#include <linux/magic.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include "arg_names.h"

static const struct arg_form types = { .names = NAMES(
	PART(S_IFREG, S_IFMT), PART(S_IFDIR, S_IFMT), PART(S_IFLNK, S_IFMT), PART(S_IFCHR, S_IFMT),
	PART(S_IFBLK, S_IFMT), PART(S_IFIFO, S_IFMT), PART(S_IFSOCK, S_IFMT), NAME(S_ISUID),
	NAME(S_ISGID), NAME(S_ISVTX)) };

/* "S_IFREG|0644" */
static void out_mode(struct out *o, __u32 mode)
{
	if (mode & ~0777u) {
		out_flags(o, &types, mode & ~0777u);
		out_char(o, '|');
	}
	if (!(mode & 0777))
		out_char(o, '0');
	out_octal(o, mode & 0777);
}

static void out_stat(struct out *o, const char *prefix, __u32 mode, __u64 size)
{
	out_char(o, '{');
	out_text(o, prefix);
	out_text(o, "mode=");
	out_mode(o, mode);
	out_text(o, ", ");
	out_text(o, prefix);
	out_text(o, "size=");
	out_number(o, size, 10);
	out_text(o, ", ...}");
}

#define AT(field) offsetof(struct stat, st_##field)

/* That of 32-bit calls is the second of its history: shorts, and a size of 32 bits. */
static void put_stat(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	if (v->compat)
		out_stat(o, "st_", arg_u16(v, 8), arg_u32(v, 20));
	else
		out_stat(o, "st_", arg_u32(v, AT(mode)), arg_u64(v, AT(size)));
}

STRUCT(stat, sizeof(struct stat), 64, put_stat);

/* Its third, which 64-bit calls never had. */
static void put_stat64(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_stat(o, "st_", arg_u32(v, 16), arg_u64(v, 44));
}

STRUCT(stat64, 96, 96, put_stat64);

static void put_statx(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_stat(o, "stx_", arg_u16(v, offsetof(struct statx, stx_mode)),
		 arg_u64(v, offsetof(struct statx, stx_size)));
}

STRUCT(statx, 256, 256, put_statx);

/* ---- file systems ---- */

static const struct arg_form magics = { .names = NAMES(
	NAME(EXT4_SUPER_MAGIC), NAME(TMPFS_MAGIC), NAME(PROC_SUPER_MAGIC), NAME(SYSFS_MAGIC),
	NAME(XFS_SUPER_MAGIC), NAME(BTRFS_SUPER_MAGIC), NAME(OVERLAYFS_SUPER_MAGIC),
	NAME(NFS_SUPER_MAGIC), NAME(CGROUP_SUPER_MAGIC), NAME(CGROUP2_SUPER_MAGIC),
	NAME(BPF_FS_MAGIC), NAME(DEVPTS_SUPER_MAGIC), NAME(DEBUGFS_MAGIC), NAME(TRACEFS_MAGIC),
	NAME(SQUASHFS_MAGIC), NAME(ISOFS_SUPER_MAGIC), NAME(MSDOS_SUPER_MAGIC),
	NAME(PIPEFS_MAGIC), NAME(SOCKFS_MAGIC), NAME(NSFS_MAGIC), NAME(FUSE_SUPER_MAGIC),
	NAME(RAMFS_MAGIC), NAME(HUGETLBFS_MAGIC), NAME(SECURITYFS_MAGIC), NAME(F2FS_SUPER_MAGIC)) };

static void out_statfs(struct out *o, __u32 type, __u64 block, __u64 blocks, __u64 left)
{
	out_text(o, "{f_type=");
	out_enum(o, &magics, (__s32)type);
	out_text(o, ", f_bsize=");
	out_number(o, block, 10);
	out_text(o, ", f_blocks=");
	out_number(o, blocks, 10);
	out_text(o, ", f_bfree=");
	out_number(o, left, 10);
	out_text(o, ", ...}");
}

static void put_statfs(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_statfs(o, arg_ulong(v, 0), arg_ulong(v, 1), arg_ulong(v, 2), arg_ulong(v, 3));
}

STRUCT(statfs, 120, 64, put_statfs);

static void put_statfs64(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_statfs(o, arg_u32(v, 0), arg_u32(v, 4), arg_u64(v, 8), arg_u64(v, 16));
}

STRUCT(statfs64, 84, 84, put_statfs64);

static void put_cachestat(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	static const char *const names[] = {
		"{nr_cache=", ", nr_dirty=", ", nr_writeback=", ", nr_evicted=",
		", nr_recently_evicted=",
	};

	for (int i = 0; i < 5; i++) {
		out_text(o, names[i]);
		out_number(o, arg_u64(v, 8 * i), 10);
	}
	out_char(o, '}');
}

STRUCT(cachestat, 40, 40, put_cachestat);

/* ---- the machine ---- */

#define NAME_SIZE 65		/* of each part of struct utsname */

static void put_utsname(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	static const char *const names[] = {
		"{sysname=", ", nodename=", ", release=", ", version=", ", machine=",
	};

	for (int i = 0; i < 5; i++) {
		const char *part = (const char *)v->bytes + i * NAME_SIZE;

		out_text(o, names[i]);
		out_quoted(o, part, strnlen(part, NAME_SIZE));
	}
	out_text(o, ", ...}");
}

STRUCT(utsname, 6 * NAME_SIZE, 6 * NAME_SIZE, put_utsname);
STRUCT(old_utsname, 5 * NAME_SIZE, 5 * NAME_SIZE, put_utsname);

/* uptime, three loads, then memory */
static void put_sysinfo(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{uptime=");
	out_signed(o, arg_long(v, 0));
	out_text(o, ", totalram=");
	out_number(o, arg_ulong(v, 4), 10);
	out_text(o, ", freeram=");
	out_number(o, arg_ulong(v, 5), 10);
	out_text(o, ", procs=");
	out_number(o, arg_u16(v, v->compat ? 40 : 80), 10);
	out_text(o, ", ...}");
}

STRUCT(sysinfo, 112, 64, put_sysinfo);

/* ---- numbers that a call writes ---- */

static void put_int(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_char(o, '[');
	out_signed(o, (__s32)arg_u32(v, 0));
	out_char(o, ']');
}

STRUCT(number, 4, 4, put_int);

/* A file's offset. */
static void put_offset(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_char(o, '[');
	out_signed(o, v->compat && form->size32 == 4 ? (__s32)arg_u32(v, 0) : (__s64)arg_u64(v, 0));
	out_char(o, ']');
}

STRUCT(offset, 8, 4, put_offset);
STRUCT(offset64, 8, 8, put_offset);

/* Users and groups: 16 bits once, 32 since. */
static void put_id(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_signed(o, v->len == 2 ? (__s16)arg_u16(v, 0) : (__s32)arg_u32(v, 0));
}

STRUCT(id, 4, 2, put_id);
STRUCT(id32, 4, 4, put_id);
