// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a subcommand: what a test inside a guest needs and busybox lacks.
 * Out:  frames on a wire, system calls, or the mode of another process's AF_XDP sockets.
 * Owns: everything it makes, until it exits.
 * Runs on: one thread, but for "ends", inside a guest.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ETHERTYPE 0x88b5	/* local experiment: no stack answers it */
#define FRAME_MIN 60
#define FRAME_MAX 1514

static long number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 0);

	if (!*text || *end || n < 0)
		errx(2, "%s: not a number", text);
	return n;
}

/* Writes a broadcast frame's headers, with a VLAN tag if vlan is not 0. Return: their length. */
static int frame_headers(unsigned char *frame, const unsigned char *from, int vlan)
{
	uint16_t type = htons(ETHERTYPE), tag[2] = { htons(ETH_P_8021Q), htons(vlan) };
	int len = 2 * ETH_ALEN;

	memset(frame, 0xff, ETH_ALEN);
	memcpy(frame + ETH_ALEN, from, ETH_ALEN);
	if (vlan) {
		memcpy(frame + len, tag, sizeof(tag));
		len += sizeof(tag);
	}
	memcpy(frame + len, &type, sizeof(type));
	return len + (int)sizeof(type);
}

/*
 * send NIC COUNT [VLAN]: frames of all sizes in turn, 16 a millisecond, because
 * an emulated NIC has few buffers. Prints the number of bytes sent.
 */
static int cmd_send(char **argv)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0), headers, vlan = argv[2] ? (int)number(argv[2]) : 0;
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(argv[0]) };
	unsigned char frame[FRAME_MAX + 4];
	long count = number(argv[1]), i, bytes = 0;
	struct ifreq ifr = { 0 };

	strncpy(ifr.ifr_name, argv[0], IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &ifr))
		err(1, "%s", argv[0]);
	headers = frame_headers(frame, (unsigned char *)ifr.ifr_hwaddr.sa_data, vlan);
	for (i = 0; i < count; i++) {
		size_t len = FRAME_MIN + i % (FRAME_MAX - FRAME_MIN + 1) + (vlan ? 4 : 0);

		memset(frame + headers, (int)i, sizeof(frame) - headers);
		while (sendto(fd, frame, len, 0, (void *)&to, sizeof(to)) < 0)
			if (errno != ENOBUFS)
				err(1, "send on %s", argv[0]);
		bytes += (long)len;
		if (i % 16 == 15)
			usleep(1000);
	}
	printf("%ld\n", bytes);
	return 0;
}

/* calls COUNT: so many getppid(). Prints the process id. */
static int cmd_calls(char **argv)
{
	long count = number(argv[0]);

	while (count-- > 0)
		syscall(SYS_getppid);
	printf("%d\n", getpid());
	return 0;
}

static pthread_barrier_t all;

static void *spin(void *unused)
{
	pthread_barrier_wait(&all);
	while (!*(volatile int *)unused)
		;
	return NULL;
}

/* ends COUNT: so many processes, of eight threads each, which all end at once. */
static int cmd_ends(char **argv)
{
	long count = number(argv[0]);
	int never = 0;
	pthread_t thread;
	pid_t child;

	while (count-- > 0) {
		child = fork();
		if (!child) {
			pthread_barrier_init(&all, NULL, 8);
			for (int i = 0; i < 7; i++)
				if (pthread_create(&thread, NULL, spin, &never))
					errx(1, "no thread");
			pthread_barrier_wait(&all);
			_exit(5);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			err(1, "no process");
	}
	return 0;
}

/* listen: at port 99, with a socket that is open twice. Prints a line, and stays. */
static int cmd_listen(char **argv)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(99) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	(void)argv;
	if (fd < 0 || bind(fd, (void *)&at, sizeof(at)) || listen(fd, 1) || dup(fd) < 0)
		err(1, "port 99");
	puts("listens");
	fflush(stdout);
	for (;;)
		pause();
}

/*
 * xsk-mode PID: asks each AF_XDP socket of a process how it is bound. Prints a
 * line a socket, "zero-copy" or "copy". Exit status 1: the process has none.
 */
static int cmd_xsk_mode(char **argv)
{
	int pid = (int)number(argv[0]), pidfd = (int)syscall(SYS_pidfd_open, pid, 0), sockets = 0;
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (pidfd < 0 || !dir)
		err(1, "process %d", pid);
	while ((d = readdir(dir))) {
		int fd = d->d_name[0] == '.' ? -1 :
			 (int)syscall(SYS_pidfd_getfd, pidfd, (int)number(d->d_name), 0);
		struct xdp_options opts = { 0 };
		socklen_t len = sizeof(opts);

		if (fd >= 0 && !getsockopt(fd, SOL_XDP, XDP_OPTIONS, &opts, &len)) {
			puts(opts.flags & XDP_OPTIONS_ZEROCOPY ? "zero-copy" : "copy");
			sockets++;
		}
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return !sockets;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int min_args, max_args;
		int (*run)(char **argv);
	} commands[] = {
		{ "send", 2, 3, cmd_send },
		{ "calls", 1, 1, cmd_calls },
		{ "ends", 1, 1, cmd_ends },
		{ "listen", 0, 0, cmd_listen },
		{ "xsk-mode", 1, 1, cmd_xsk_mode },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(argv[1], commands[i].name) && argc - 2 >= commands[i].min_args &&
		    argc - 2 <= commands[i].max_args)
			return commands[i].run(argv + 2);
	fputs("usage: guest send NIC COUNT [VLAN] | calls COUNT | ends COUNT | listen |"
	      " xsk-mode PID\n", stderr);
	return 2;
}
