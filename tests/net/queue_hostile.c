// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   queue_hostile WHAT SECONDS CLUSTER [QUEUE]
 * Out:  a reader that speaks the protocol by itself, and means no good; 1 it got what it must not
 *       get, with a line for each.
 * Owns: its connections.
 * Runs on: one thread; "poll" many.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "cluster.h"
#include "queue.h"

#define MOST_FDS 253
#define CONNECTIONS 1000
#define POLLERS 300

struct label {
	uint32_t kind, len, nr_fds, reserved;
};

/* What an attachment gives. */
struct prey {
	int sock, head_fd, tail_fd, bell_fd, area_fd;
	size_t head_size, tail_size;
	struct cluster_welcome w;
	const struct queue_head *head;
	struct queue_tail *tail;
	uint8_t *verdicts;
};

static uint32_t cluster, queue;
static int64_t end_ns;
static uint64_t seed = 88172645463325252;
static int failures;

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 20) % n;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static bool time_left(void)
{
	return now_ns() < end_ns;
}

static void nap(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

static void got(bool it, const char *what)
{
	if (it)
		printf("possible: %s\n", what);
	failures += it;
}

/* ---- the protocol ---- */

static int dial(int flags)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *dir = getenv("XCAP_RUN_DIR");
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s/%u.sock", dir ?: QUEUE_RUN_DIR, cluster);
	for (int i = 0; i < 200; i++) {
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			return fd;
		if (errno != EAGAIN)
			break;
		nap(5000);
	}
	close(fd);
	return -1;
}

static int say(int fd, const struct label *l, const void *bytes, size_t len, const int *fds, int nr)
{
	union { char room[CMSG_SPACE(MOST_FDS * sizeof(int))]; struct cmsghdr align; } c = {};
	struct iovec iov[2] = { { (void *)l, l ? sizeof(*l) : 0 }, { (void *)bytes, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (nr) {
		msg.msg_control = c.room;
		msg.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, nr * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int ask(int fd, uint32_t kind, const void *bytes, uint32_t len)
{
	return say(fd, &(struct label){ .kind = kind, .len = len }, bytes, len, NULL, 0);
}

static int ask_attach(int fd, uint32_t next)
{
	struct cluster_hello h = { .size_slot = sizeof(struct queue_slot),
				   .size_record = sizeof(struct xcap_record),
				   .queue = queue, .next = next };

	snprintf(h.version, sizeof(h.version), "%s", xcap_version());
	return ask(fd, CLUSTER_ATTACH, &h, sizeof(h));
}

/* Return: false: it was refused. */
static bool take_answer(int fd, struct prey *p)
{
	union { char room[CMSG_SPACE(MOST_FDS * sizeof(int))]; struct cmsghdr align; } c;
	struct label l;
	struct iovec iov[2] = { { &l, sizeof(l) }, { &p->w, sizeof(p->w) } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = c.room,
			      .msg_controllen = sizeof(c.room) };
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int fds[4];

	if (poll(&pfd, 1, 3000) != 1 || recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) <= 0 ||
	    l.kind != CLUSTER_ATTACHED || !CMSG_FIRSTHDR(&msg))
		return false;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fds));
	p->head_fd = fds[0];
	p->tail_fd = fds[1];
	p->bell_fd = fds[2];
	p->area_fd = fds[3];
	for (uint32_t i = 4; i < l.nr_fds; i++)
		close(((int *)(void *)CMSG_DATA(CMSG_FIRSTHDR(&msg)))[i]);
	return true;
}

static bool try_attach(struct prey *p, uint32_t next)
{
	*p = (struct prey){ .sock = dial(0) };
	if (p->sock < 0 || ask_attach(p->sock, next) || !take_answer(p->sock, p)) {
		close(p->sock);
		return false;
	}
	p->head_size = QUEUE_SLOTS_AT + (size_t)p->w.size * sizeof(struct queue_slot);
	p->tail_size = QUEUE_VERDICTS_AT + p->w.size;
	p->head = mmap(NULL, p->head_size, PROT_READ, MAP_SHARED, p->head_fd, 0);
	p->tail = mmap(NULL, p->tail_size, PROT_READ | PROT_WRITE, MAP_SHARED, p->tail_fd, 0);
	p->verdicts = (uint8_t *)p->tail + QUEUE_VERDICTS_AT;
	return p->head != MAP_FAILED && p->tail != MAP_FAILED;
}

static bool attach(struct prey *p, uint32_t next)
{
	for (int i = 0; i < 300; i++, nap(10000))
		if (try_attach(p, next))
			return true;
	printf("no queue to be had\n");
	return false;
}

static void leave(struct prey *p)
{
	int fds[] = { p->sock, p->head_fd, p->tail_fd, p->bell_fd, p->area_fd };

	for (int n = 5, i = rnd(5); n--; i = (i + 1) % 5)
		close(fds[i]);
	munmap((void *)p->head, p->head_size);
	munmap(p->tail, p->tail_size);
}

/* Return: it was hung up on, within two seconds. */
static bool is_dropped(const struct prey *p)
{
	struct pollfd pfd = { .fd = p->sock, .events = POLLRDHUP };

	return poll(&pfd, 1, 2000) == 1;
}

/* ---- what it does ---- */

static void put(struct queue_tail *t, uint64_t tail)
{
	__atomic_store_n(&t->tail, tail, __ATOMIC_RELEASE);
}

/* The master may not have seen the last tail yet: one step back would be none. */
static uint64_t nonsense(uint64_t head, uint64_t tail, uint32_t size)
{
	switch (rnd(5)) {
	case 0: return head + 1000000;
	case 1: return tail - size - 1 - rnd(3);
	case 2: return 1ull << 63 | head;
	case 3: return UINT64_MAX - rnd(100);
	default: return tail - (1ull << 32);
	}
}

/* Gives back what it got, in any steps, with any verdict; at last what it never got. */
static void ring(uint32_t next)
{
	struct prey p;

	while (time_left() && attach(&p, next)) {
		uint64_t tail = 0, head = 0;

		for (int n = 200 + rnd(3000); n && time_left(); n--) {
			head = __atomic_load_n(&p.head->head, __ATOMIC_ACQUIRE);
			for (int i = 0; i < 64; i++)
				p.verdicts[rnd(p.w.size)] = rnd(4) ? QUEUE_HAND_ON : rnd(256);
			__atomic_store_n(&p.tail->reader_sleeps, rnd(2) ? rnd(1 << 30) : 0,
					 __ATOMIC_RELAXED);
			tail += head == tail ? 0 : rnd(head - tail + 1);
			put(p.tail, tail);
			if (!rnd(20))
				ask(p.sock, CLUSTER_KICK, NULL, 0);
			nap(rnd(300));
		}
		if (time_left()) {
			put(p.tail, nonsense(__atomic_load_n(&p.head->head, __ATOMIC_ACQUIRE) + 1,
					     tail, p.w.size));
			got(!is_dropped(&p), "to stay in spite of a tail out of range");
		}
		leave(&p);
	}
}

static void garbage_on(int fd)
{
	static uint8_t bytes[60000];
	struct label l = { .kind = CLUSTER_ATTACH + rnd(8), .len = rnd(3) ? rnd(70000) : rnd(100),
			   .nr_fds = rnd(2) ? rnd(3000) : 0, .reserved = rnd(2) };
	uint32_t len = rnd(3) ? rnd(200) : rnd(sizeof(bytes));
	int fds[MOST_FDS];

	for (int i = 0; i < 50; i++)
		bytes[rnd(len + 1)] = rnd(256);
	for (int i = 0; i < MOST_FDS; i++)
		fds[i] = rnd(2) ? fd : STDIN_FILENO;
	switch (rnd(6)) {
	case 0: say(fd, NULL, bytes, rnd(16), NULL, 0); break;
	case 1: say(fd, &l, bytes, len, NULL, 0); break;
	case 2: say(fd, &l, bytes, len, fds, 1 + rnd(MOST_FDS)); break;
	case 3: say(fd, NULL, bytes, len, NULL, 0); break;
	case 4:
		l.len = len;
		l.nr_fds = 2000;
		for (int i = 0; i < 10; i++)
			say(fd, &l, bytes, i ? 0 : len, fds, 200);
		break;
	case 5:
		l.len = len;
		l.nr_fds = 0;
		say(fd, &l, bytes, len, NULL, 0);
	}
}

static void garbage(void)
{
	while (time_left()) {
		int fd = dial(0);

		for (int n = rnd(20); n; n--)
			garbage_on(fd);
		nap(rnd(1000));
		close(fd);
	}
}

/* Questions without end, and nobody who reads the answers. */
static void questions(void)
{
	static char filter[32000];
	int fd = dial(0), nr = 0;

	while (time_left()) {
		uint32_t len, to = rnd(10);

		uint32_t kind = nr++ % 3 ? CLUSTER_STATUS : CLUSTER_KICK;

		if (ask(fd, kind, NULL, 0) == -EPIPE || !rnd(500)) {
			close(fd);
			fd = dial(0);
		}
		if (rnd(400))
			continue;
		memcpy(filter, &to, 4);		/* a queue, a length, a text */
		len = sizeof(filter) - 8;
		memcpy(filter + 4, &len, 4);
		for (uint32_t i = 0; i + 24 < len; i += 24)
			memcpy(filter + 8 + i, "portrange 100-20000 and ", 24);
		ask(fd, CLUSTER_FILTER, filter, sizeof(filter));
	}
	close(fd);
}

static void hold(void)
{
	for (int i = 0; i < CONNECTIONS && time_left(); i++)
		dial(SOCK_NONBLOCK);	/* and never closed */
	while (time_left())
		nap(10000);
}

static void churn(void)
{
	struct prey p;
	int fd;

	while (time_left()) {
		fd = dial(0);
		ask_attach(fd, CLUSTER_NO_NEXT);
		if (rnd(2))
			nap(rnd(4000));
		close(fd);			/* with or without an answer in it */
		if (!rnd(4) && try_attach(&p, CLUSTER_NO_NEXT))
			leave(&p);
	}
}

static bool can_map(int fd)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p != MAP_FAILED;
}

static bool can_protect(int fd)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	return !mprotect(p, 4096, PROT_READ | PROT_WRITE) || !madvise(p, 4096, MADV_REMOVE);
}

static void touch(int fd, const char *name, bool ours)
{
	char path[64], what[128];
	int again;

#define TRY(it, how) (snprintf(what, sizeof(what), "to %s the %s", how, name), got(it, what))
	TRY(!ftruncate(fd, 100), "cut");
	TRY(!ftruncate(fd, 1 << 30), "extend");
	TRY(!fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), "seal");
	if (ours)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	TRY(can_map(fd) || (again >= 0 && can_map(again)), "map, to write, ");
	TRY(can_protect(fd), "make writable");
	TRY(write(fd, "x", 1) > 0 || pwrite(fd, "x", 1, 0) > 0 || write(again, "x", 1) > 0,
	    "write to");
	TRY(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), "punch holes in");
	TRY(open(path, O_WRONLY | O_TRUNC) >= 0 && lseek(fd, 0, SEEK_END) == 0, "empty");
#undef TRY
	close(again);
}

static void seals(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct prey p;
	int mine[2];

	if (!attach(&p, CLUSTER_NO_NEXT) || pipe(mine))
		exit(1);
	touch(p.head_fd, "head", false);
	touch(p.area_fd, "frames", false);
	touch(p.tail_fd, "tail", true);
	epoll_ctl(p.bell_fd, EPOLL_CTL_ADD, mine[0], &ev);	/* its own: it may */
	for (int fd = 0; fd < 64; fd++)
		got(fd != mine[0] && !epoll_ctl(p.bell_fd, EPOLL_CTL_DEL, fd, &ev),
		    "to take something out of the bell");
	fallocate(p.tail_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, p.tail_size);
	nap(50000);
	leave(&p);
}

/* A socket that takes long to close, for who closes it last: its data is never read. */
static int lingering(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct linger linger = { 1, 5 };
	socklen_t len = sizeof(at);
	static char much[65536];

	if (bind(server, (struct sockaddr *)&at, len) || listen(server, 1) ||
	    getsockname(server, (struct sockaddr *)&at, &len))
		return -1;
	connect(fd, (struct sockaddr *)&at, len);
	nap(20000);
	while (write(fd, much, sizeof(much)) > 0)
		;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return fd;
}

static void linger(void)
{
	while (time_left()) {
		int held = lingering(), fd = dial(0);

		say(fd, &(struct label){ .kind = CLUSTER_STATUS }, NULL, 0, &held, 1);
		close(held);
		nap(50000);
		close(fd);
	}
}

static void *poller(void *arg)
{
	struct prey *p = arg;
	struct pollfd pfd = { .fd = p->bell_fd, .events = POLLIN };
	struct epoll_event ev;

	while (time_left()) {
		poll(&pfd, 1, 100);
		epoll_wait(p->bell_fd, &ev, 1, 0);
		__atomic_store_n(&p->tail->reader_sleeps, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Whoever rings wakes hundreds. */
static void pollers(void)
{
	pthread_t threads[POLLERS];
	struct prey p;

	if (!attach(&p, CLUSTER_NO_NEXT))
		exit(1);
	for (int i = 0; i < POLLERS; i++)
		if (pthread_create(&threads[i], NULL, poller, &p))
			exit(1);
	while (time_left()) {
		put(p.tail, __atomic_load_n(&p.head->head, __ATOMIC_ACQUIRE));
		nap(500);
	}
	for (int i = 0; i < POLLERS; i++)
		pthread_join(threads[i], NULL);
	leave(&p);
}

int main(int argc, char **argv)
{
	struct rlimit many = { 4096, 4096 };
	const char *what = argc > 3 ? argv[1] : "";
	uint32_t highest = argc > 5 ? (uint32_t)atoi(argv[5]) : CLUSTER_NO_NEXT;

	setrlimit(RLIMIT_NOFILE, &many);
	if (argc < 4)
		return 2;
	end_ns = now_ns() + atoi(argv[2]) * 1000000000LL;
	cluster = atoi(argv[3]);
	queue = argc > 4 ? (uint32_t)atoi(argv[4]) : CLUSTER_ANY_QUEUE;
	seed += (uint64_t)getpid() << 32;
	if (!strcmp(what, "ring"))
		ring(highest);
	else if (!strcmp(what, "garbage"))
		garbage();
	else if (!strcmp(what, "questions"))
		questions();
	else if (!strcmp(what, "hold"))
		hold();
	else if (!strcmp(what, "churn"))
		churn();
	else if (!strcmp(what, "seals"))
		seals();
	else if (!strcmp(what, "linger"))
		linger();
	else if (!strcmp(what, "poll"))
		pollers();
	else
		return 2;
	return failures != 0;
}
