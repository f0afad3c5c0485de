// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a loaded program and an interface.
 * Out:  a descriptor that holds it there; close it and the program is gone.
 * Owns: nothing; the caller has the descriptor.
 * Runs on: any thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "attach.h"
#include "netdev.h"

/* Kernel 6.6; older headers do not know them. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

static const char *name_of(uint32_t ifindex, char *name)
{
	if (!if_indextoname(ifindex, name))
		strcpy(name, "interface");
	return name;
}

/* The hook is taken: say by whom, so that it can be found with bpftool. */
static int say_owner(uint32_t ifindex, int err_nr, struct error *err)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info), id = 0;
	char name[IF_NAMESIZE];
	int fd;

	name_of(ifindex, name);
	if (!bpf_xdp_query(ifindex, 0, &q))
		id = q.drv_prog_id ?: q.skb_prog_id ?: q.hw_prog_id ?: q.prog_id;
	fd = id ? bpf_prog_get_fd_by_id(id) : -1;
	if (fd >= 0) {
		if (bpf_obj_get_info_by_fd(fd, &info, &len))
			info.name[0] = '\0';
		close(fd);
	}
	return error_set(err, err_nr,
			 "%s already has the XDP program '%s' (id %u): "
			 "copy with tap:%s, or detach it first",
			 name, info.name[0] ? info.name : "unnamed", id, name);
}

/* Errors that the generic hook would answer in the same way. */
static bool is_final(int err)
{
	return err == -EBUSY || err == -EEXIST || err == -EPERM || err == -ENODEV ||
	       err == -ENOMEM || err == -EBADF;
}

int attach_xdp(int prog_fd, uint32_t ifindex, bool *generic, struct error *err)
{
	static const __u32 modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	int fd = -EINVAL, first = 0;
	char name[IF_NAMESIZE];

	for (int i = 0; i < 2; i++) {
		LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = modes[i]);

		fd = bpf_link_create(prog_fd, ifindex, BPF_XDP, &opts);
		if (fd >= 0) {
			*generic = i == 1;
			return fd;
		}
		fd = -errno;
		if (!i)
			first = fd;
		if (is_final(fd))
			break;
	}
	if (!netdev_exists(ifindex))	/* bpf_link_create calls it EINVAL */
		return error_set(err, -ENODEV,
				 "the interface with index %u has gone away", ifindex);
	switch (fd) {
	case -EBUSY:
	case -EEXIST:
		return say_owner(ifindex, -EBUSY, err);
	case -EPERM:
		return error_set(err, fd,
				 "attaching XDP to %s is not permitted: "
				 "run as root, or with CAP_NET_ADMIN and CAP_BPF",
				 name_of(ifindex, name));
	}
	return error_set(err, fd == -EINVAL ? -EOPNOTSUPP : fd,
			 "%s takes no XDP program (native: %s; generic: %s): copy with tap:%s",
			 name_of(ifindex, name), strerrordesc_np(-first), strerrordesc_np(-fd),
			 name);
}

int attach_tcx(int prog_fd, uint32_t ifindex, bool egress, struct error *err)
{
	/* Of our own, padded: libbpf 1.1 and its headers end before TCX. */
	union {
		struct {
			__u32 prog_fd, ifindex, attach_type, flags;
		};
		__u8 padding[64];
	} attr = { .prog_fd = prog_fd, .ifindex = ifindex,
		   .attach_type = egress ? TCX_EGRESS : TCX_INGRESS };
	char name[IF_NAMESIZE];
	int fd;

	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd >= 0)
		return fd;
	fd = -errno;
	if (fd == -EINVAL || fd == -EOPNOTSUPP)	/* an attach type it has never heard of */
		return -EOPNOTSUPP;
	name_of(ifindex, name);
	if (fd == -EPERM)
		return error_set(err, fd,
				 "attaching TCX to %s is not permitted: "
				 "run as root, or with CAP_NET_ADMIN and CAP_BPF",
				 name);
	return error_set(err, fd, "cannot attach TCX %s to %s: %s", egress ? "egress" : "ingress",
			 name, strerrordesc_np(-fd));
}

int attach_packet(int prog_fd, uint32_t ifindex, struct error *err)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				   .sll_ifindex = ifindex };
	char name[IF_NAMESIZE];
	int fd, ret;

	/* Protocol 0 and the filter before bind: nothing unfiltered is ever queued. */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		ret = -errno;
		return error_set(err, ret,
				 "cannot open a packet socket: %s; "
				 "run as root, or with CAP_NET_RAW",
				 strerrordesc_np(-ret));
	}
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog_fd, sizeof(prog_fd)) ||
	    bind(fd, (struct sockaddr *)&sll, sizeof(sll))) {
		ret = -errno;
		close(fd);
		return error_set(err, ret, "cannot bind a packet socket to %s: %s",
				 name_of(ifindex, name), strerrordesc_np(-ret));
	}
	return fd;
}

int attach_wire(uint32_t ifindex, struct error *err)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET, .sll_ifindex = ifindex };
	char name[IF_NAMESIZE];
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), ret;

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&sll, sizeof(sll)))
		return fd;
	ret = -errno;
	if (fd >= 0)
		close(fd);
	return error_set(err, ret, "cannot send on %s: %s; run as root, or with CAP_NET_RAW",
			 name_of(ifindex, name), strerrordesc_np(-ret));
}

int attach_promisc(uint32_t ifindex, struct error *err)
{
	struct packet_mreq mreq = { .mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC };
	char name[IF_NAMESIZE];
	int fd, ret;

	/* Protocol 0: the socket receives nothing, it only holds the membership. */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq)))
		return fd;
	ret = -errno;
	if (fd >= 0)
		close(fd);
	return error_set(err, ret, "cannot make %s promiscuous: %s; try ?promisc=off",
			 name_of(ifindex, name), strerrordesc_np(-ret));
}
