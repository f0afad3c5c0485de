// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   flags and modes of calls about files.
 * Out:  their names.
 * Owns: constants.
 * Runs on: any thread.
 */
#include <linux/close_range.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <linux/xattr.h>
#include <unistd.h>
#include "arg_names.h"

/* not in the headers of every 64-bit machine */
#ifndef LOCK_MAND
#define LOCK_MAND 32
#endif
#ifndef F_GETLK64		/* of 32-bit calls */
#define F_GETLK64 12
#define F_SETLK64 13
#define F_SETLKW64 14
#endif

/* what is made of two comes before its parts */
FLAGS(open_flags,
	PART(O_RDONLY, O_ACCMODE), PART(O_WRONLY, O_ACCMODE), PART(O_RDWR, O_ACCMODE),
	PART(O_ACCMODE, O_ACCMODE), NAME(O_CREAT), NAME(O_EXCL), NAME(O_NOCTTY), NAME(O_TRUNC),
	NAME(O_APPEND), NAME(O_NONBLOCK), NAME(O_SYNC), NAME(O_DSYNC), NAME(FASYNC),
	NAME(O_DIRECT), NAME(O_LARGEFILE), NAME(O_NOFOLLOW), NAME(O_NOATIME), NAME(O_CLOEXEC),
	NAME(O_PATH), NAME(O_TMPFILE), NAME(O_DIRECTORY));

/* where O_RDONLY says nothing: pipe2, dup3, memfd_secret */
FLAGS(fd_flags,
	NAME(O_CLOEXEC), NAME(O_NONBLOCK), NAME(O_DIRECT), NAME(O_EXCL));

FLAGS(module_flags,
	NAME(O_NONBLOCK), NAME(O_TRUNC));

FLAGS(at_flags,
	PART(AT_STATX_FORCE_SYNC, AT_STATX_SYNC_TYPE),
	PART(AT_STATX_DONT_SYNC, AT_STATX_SYNC_TYPE), NAME(AT_SYMLINK_NOFOLLOW),
	NAME(AT_SYMLINK_FOLLOW), NAME(AT_NO_AUTOMOUNT), NAME(AT_EMPTY_PATH),
	NAME(AT_RECURSIVE));

FLAGS(access_flags,
	NAME(AT_SYMLINK_NOFOLLOW), NAME(AT_EACCESS), NAME(AT_EMPTY_PATH));

FLAGS(unlink_flags,
	NAME(AT_REMOVEDIR), NAME(AT_SYMLINK_NOFOLLOW));

FLAGS(statx_flags,
	PART(AT_STATX_SYNC_AS_STAT, AT_STATX_SYNC_TYPE),
	PART(AT_STATX_FORCE_SYNC, AT_STATX_SYNC_TYPE),
	PART(AT_STATX_DONT_SYNC, AT_STATX_SYNC_TYPE), NAME(AT_SYMLINK_NOFOLLOW),
	NAME(AT_NO_AUTOMOUNT), NAME(AT_EMPTY_PATH));

FLAGS(statx_mask,
	NAME(STATX_ALL), NAME(STATX_BASIC_STATS), NAME(STATX_TYPE), NAME(STATX_MODE),
	NAME(STATX_NLINK), NAME(STATX_UID), NAME(STATX_GID), NAME(STATX_ATIME),
	NAME(STATX_MTIME), NAME(STATX_CTIME), NAME(STATX_INO), NAME(STATX_SIZE),
	NAME(STATX_BLOCKS), NAME(STATX_BTIME), NAME(STATX_MNT_ID), NAME(STATX_DIOALIGN));

FLAGS(access_mode,
	PART(F_OK, 7), NAME(R_OK), NAME(W_OK), NAME(X_OK));

ENUM(whence,
	NAME(SEEK_SET), NAME(SEEK_CUR), NAME(SEEK_END), NAME(SEEK_DATA), NAME(SEEK_HOLE));

ENUM(fcntl_cmd,
	NAME(F_DUPFD), NAME(F_GETFD), NAME(F_SETFD), NAME(F_GETFL), NAME(F_SETFL),
	NAME(F_GETLK), NAME(F_SETLK), NAME(F_SETLKW), NAME(F_SETOWN), NAME(F_GETOWN),
	NAME(F_SETSIG), NAME(F_GETSIG), NAME(F_GETLK64), NAME(F_SETLK64), NAME(F_SETLKW64),
	NAME(F_SETOWN_EX), NAME(F_GETOWN_EX), NAME(F_GETOWNER_UIDS), NAME(F_OFD_GETLK),
	NAME(F_OFD_SETLK), NAME(F_OFD_SETLKW), NAME(F_SETLEASE), NAME(F_GETLEASE),
	NAME(F_CANCELLK), NAME(F_DUPFD_CLOEXEC), NAME(F_NOTIFY), NAME(F_SETPIPE_SZ),
	NAME(F_GETPIPE_SZ), NAME(F_ADD_SEALS), NAME(F_GET_SEALS), NAME(F_GET_RW_HINT),
	NAME(F_SET_RW_HINT), NAME(F_GET_FILE_RW_HINT), NAME(F_SET_FILE_RW_HINT));

FLAGS(flock,
	NAME(LOCK_MAND), NAME(LOCK_SH), NAME(LOCK_EX), NAME(LOCK_UN), NAME(LOCK_NB));

FLAGS(fallocate_mode,
	NAME(FALLOC_FL_KEEP_SIZE), NAME(FALLOC_FL_PUNCH_HOLE), NAME(FALLOC_FL_NO_HIDE_STALE),
	NAME(FALLOC_FL_COLLAPSE_RANGE), NAME(FALLOC_FL_ZERO_RANGE),
	NAME(FALLOC_FL_INSERT_RANGE), NAME(FALLOC_FL_UNSHARE_RANGE));

ENUM(fadvise,
	NAME(POSIX_FADV_NORMAL), NAME(POSIX_FADV_RANDOM), NAME(POSIX_FADV_SEQUENTIAL),
	NAME(POSIX_FADV_WILLNEED), NAME(POSIX_FADV_DONTNEED), NAME(POSIX_FADV_NOREUSE));

FLAGS(rename_flags,
	NAME(RENAME_NOREPLACE), NAME(RENAME_EXCHANGE), NAME(RENAME_WHITEOUT));

FLAGS(close_range,
	NAME(CLOSE_RANGE_UNSHARE), NAME(CLOSE_RANGE_CLOEXEC));

FLAGS(xattr_flags,
	NAME(XATTR_CREATE), NAME(XATTR_REPLACE));

FLAGS(rwf_flags,
	NAME(RWF_HIPRI), NAME(RWF_DSYNC), NAME(RWF_SYNC), NAME(RWF_NOWAIT), NAME(RWF_APPEND));

FLAGS(sync_range,
	NAME(SYNC_FILE_RANGE_WAIT_BEFORE), NAME(SYNC_FILE_RANGE_WRITE),
	NAME(SYNC_FILE_RANGE_WAIT_AFTER));

static const struct arg_form fd = { .names = NAMES(
	NAME(FD_CLOEXEC)) };

static const struct arg_form seals = { .names = NAMES(
	NAME(F_SEAL_SEAL), NAME(F_SEAL_SHRINK), NAME(F_SEAL_GROW), NAME(F_SEAL_WRITE),
	NAME(F_SEAL_FUTURE_WRITE)) };

static const struct arg_form lease = { .names = NAMES(
	NAME(F_RDLCK), NAME(F_WRLCK), NAME(F_UNLCK)) };

/* What the argument of fcntl() is, the command says. */
static void put_fcntl_arg(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	switch ((__u32)arg_other(v, 1)) {
	case F_SETFD:
		out_flags(o, &fd, (__u32)v->value);
		break;
	case F_SETFL:
		out_flags(o, &arg_form_open_flags, (__u32)v->value);
		break;
	case F_ADD_SEALS:
		out_flags(o, &seals, (__u32)v->value);
		break;
	case F_SETLEASE:
		out_enum(o, &lease, (__s32)v->value);
		break;
	case F_SETSIG:
		out_signal(o, (__s32)v->value, false);
		break;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_SETOWN:
	case F_SETPIPE_SZ:
		out_signed(o, (__s32)v->value);
		break;
	default:
		out_hex(o, v->value);
	}
}

const struct arg_form arg_form_fcntl_arg = { .put = put_fcntl_arg };

/* ---- structures ---- */

static const struct arg_form resolve = { .names = NAMES(
	NAME(RESOLVE_NO_XDEV), NAME(RESOLVE_NO_MAGICLINKS), NAME(RESOLVE_NO_SYMLINKS),
	NAME(RESOLVE_BENEATH), NAME(RESOLVE_IN_ROOT), NAME(RESOLVE_CACHED)) };

static void put_open_how(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{flags=");
	out_flags(o, &arg_form_open_flags, arg_u64(v, 0));
	out_text(o, ", mode=");
	out_octal(o, arg_u64(v, 8));
	out_text(o, ", resolve=");
	out_flags(o, &resolve, arg_u64(v, 16));
	out_char(o, '}');
}

STRUCT(open_how, 24, 24, put_open_how);

static void put_cachestat_range(struct out *o, const struct arg_form *form,
				const struct arg_value *v)
{
	out_text(o, "{off=");
	out_number(o, arg_u64(v, 0), 10);
	out_text(o, ", len=");
	out_number(o, arg_u64(v, 8), 10);
	out_char(o, '}');
}

STRUCT(cachestat_range, 16, 16, put_cachestat_range);
