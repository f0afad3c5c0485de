// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   flags of calls about mounts, quotas, swap.
 * Out:  their names.
 * Owns: constants.
 * Runs on: any thread.
 */
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/quota.h>
#include <sys/swap.h>
#include "arg_names.h"

/* the kernel leaves these to the library, whose header cannot stand beside the kernel's */
#define MNT_FORCE 1
#define MNT_DETACH 2
#define MNT_EXPIRE 4
#define UMOUNT_NOFOLLOW 8

LONG_FLAGS(mount_flags,
	NAME(MS_RDONLY), NAME(MS_NOSUID), NAME(MS_NODEV), NAME(MS_NOEXEC), NAME(MS_SYNCHRONOUS),
	NAME(MS_REMOUNT), NAME(MS_MANDLOCK), NAME(MS_DIRSYNC), NAME(MS_NOSYMFOLLOW),
	NAME(MS_NOATIME), NAME(MS_NODIRATIME), NAME(MS_BIND), NAME(MS_MOVE), NAME(MS_REC),
	NAME(MS_SILENT), NAME(MS_POSIXACL), NAME(MS_UNBINDABLE), NAME(MS_PRIVATE),
	NAME(MS_SLAVE), NAME(MS_SHARED), NAME(MS_RELATIME), NAME(MS_KERNMOUNT),
	NAME(MS_I_VERSION), NAME(MS_STRICTATIME), NAME(MS_LAZYTIME));

FLAGS(umount_flags,
	NAME(MNT_FORCE), NAME(MNT_DETACH), NAME(MNT_EXPIRE), NAME(UMOUNT_NOFOLLOW));

FLAGS(fsopen_flags,
	NAME(FSOPEN_CLOEXEC));

FLAGS(fspick_flags,
	NAME(FSPICK_CLOEXEC), NAME(FSPICK_SYMLINK_NOFOLLOW), NAME(FSPICK_NO_AUTOMOUNT),
	NAME(FSPICK_EMPTY_PATH));

ENUM(fsconfig_cmd,
	NAME(FSCONFIG_SET_FLAG), NAME(FSCONFIG_SET_STRING), NAME(FSCONFIG_SET_BINARY),
	NAME(FSCONFIG_SET_PATH), NAME(FSCONFIG_SET_PATH_EMPTY), NAME(FSCONFIG_SET_FD),
	NAME(FSCONFIG_CMD_CREATE), NAME(FSCONFIG_CMD_RECONFIGURE));

FLAGS(fsmount_flags,
	NAME(FSMOUNT_CLOEXEC));

FLAGS(mount_attrs,
	NAME(MOUNT_ATTR_RDONLY), NAME(MOUNT_ATTR_NOSUID), NAME(MOUNT_ATTR_NODEV),
	NAME(MOUNT_ATTR_NOEXEC), PART(MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME),
	PART(MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME), NAME(MOUNT_ATTR_NODIRATIME),
	NAME(MOUNT_ATTR_IDMAP), NAME(MOUNT_ATTR_NOSYMFOLLOW));

FLAGS(open_tree,
	NAME(AT_EMPTY_PATH), NAME(AT_NO_AUTOMOUNT), NAME(AT_RECURSIVE),
	NAME(AT_SYMLINK_NOFOLLOW), NAME(OPEN_TREE_CLONE), NAME(OPEN_TREE_CLOEXEC));

FLAGS(move_mount,
	NAME(MOVE_MOUNT_F_SYMLINKS), NAME(MOVE_MOUNT_F_AUTOMOUNTS),
	NAME(MOVE_MOUNT_F_EMPTY_PATH), NAME(MOVE_MOUNT_T_SYMLINKS),
	NAME(MOVE_MOUNT_T_AUTOMOUNTS), NAME(MOVE_MOUNT_T_EMPTY_PATH),
	NAME(MOVE_MOUNT_SET_GROUP));

static void put_mount_attr(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "{attr_set=");
	out_flags(o, &arg_form_mount_attrs, arg_u64(v, 0));
	out_text(o, ", attr_clr=");
	out_flags(o, &arg_form_mount_attrs, arg_u64(v, 8));
	out_text(o, ", propagation=");
	out_flags(o, &arg_form_mount_flags, arg_u64(v, 16));
	out_text(o, ", userns_fd=");
	out_number(o, arg_u64(v, 24), 10);
	out_char(o, '}');
}

STRUCT(mount_attr, 32, 32, put_mount_attr);

static const struct arg_form types = { .names = NAMES(
	NAME(USRQUOTA), NAME(GRPQUOTA), NAME(PRJQUOTA)) };

/* "QCMD(Q_GETQUOTA, USRQUOTA)": a command and whose */
static void put_quota_cmd(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_text(o, "QCMD(");
	out_enum(o, form, (__s32)((__u32)v->value >> SUBCMDSHIFT));
	out_text(o, ", ");
	out_enum(o, &types, v->value & SUBCMDMASK);
	out_char(o, ')');
}

const struct arg_form arg_form_quota_cmd = {
	.put = put_quota_cmd,
	.names = NAMES(NAME(Q_SYNC), NAME(Q_QUOTAON), NAME(Q_QUOTAOFF), NAME(Q_GETFMT),
		       NAME(Q_GETINFO), NAME(Q_SETINFO), NAME(Q_GETQUOTA), NAME(Q_SETQUOTA),
		       NAME(Q_GETNEXTQUOTA)),
};

/* "SWAP_FLAG_PREFER|7": a priority in the low bits */
static void put_swap_flags(struct out *o, const struct arg_form *form, const struct arg_value *v)
{
	out_flags(o, form, (__u32)v->value & ~SWAP_FLAG_PRIO_MASK);
	if (v->value & SWAP_FLAG_PREFER) {
		out_char(o, '|');
		out_number(o, v->value & SWAP_FLAG_PRIO_MASK, 10);
	}
}

const struct arg_form arg_form_swap_flags = {
	.put = put_swap_flags,
	.names = NAMES(NAME(SWAP_FLAG_PREFER), NAME(SWAP_FLAG_DISCARD)),
};
