// SPDX-License-Identifier: GPL-2.0-only
/*
 * In:   every open file of the process that reads the iterator.
 * Out:  its descriptor, the length of its path and whether it was cut; then the path.
 * Owns: nothing.
 * Runs on: the reading process.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

static const struct { __u32 casts; } cfg = { 0 };	/* as on the oldest kernel */

#include "path.bpf.h"

/* one room, used by the reader only */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct path_room);
} rooms SEC(".maps");

SEC("iter/task_file")
int paths(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct path_room *room;
	__u32 head[3], zero = 0, len, at;

	if (!task || !file || task->tgid != (int)(bpf_get_current_pid_tgid() >> 32))
		return 0;
	room = bpf_map_lookup_elem(&rooms, &zero);
	if (!room)
		return 0;
	len = path_of(file->f_path.dentry, file->f_path.mnt, room);
	head[0] = ctx->fd;
	head[1] = len;
	head[2] = room->cut;
	bpf_seq_write(ctx->meta->seq, head, sizeof(head));
	at = room->at;
	asm volatile("" : "+r"(at), "+r"(len));	/* the verifier knows of no relation */
	if (at < PATH_SIZE && len <= PATH_SIZE)
		bpf_seq_write(ctx->meta->seq, &room->text[at], len);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
