// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   parcels whole, broken and hostile; a server of captures that is asked for nonsense.
 * Out:  whether bytes and descriptors arrive or an error does, and no descriptor is left open.
 * Owns: socket pairs.
 * Runs on: cmocka; no privilege.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xcap.h>
#include "parcel.h"
#include "remote.h"

static int nr_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

/* ---- parcels ---- */

static void whole(void **state)
{
	struct parcel *out = parcel_new(), *in = parcel_new();
	int ends[2], before = nr_fds(), taken, null;
	uint64_t n = 0;
	char text[32];

	pair(ends);
	null = open("/dev/null", O_RDONLY);
	for (int nr = 0; nr <= 450; nr += 150) {	/* more than one message takes */
		parcel_empty(out, 42);
		parcel_put(out, &(uint64_t){ 7 + nr }, 8);
		parcel_put_text(out, "a text");
		for (int i = 0; i < nr; i++)
			parcel_put_fd(out, null);
		assert_int_equal(parcel_send(ends[0], out), 0);
		assert_int_equal(parcel_recv(ends[1], in, 1000), 0);
		assert_int_equal(in->kind, 42);
		parcel_take(in, &n, 8);
		parcel_take_text(in, text, sizeof(text));
		assert_int_equal(n, 7 + nr);
		assert_string_equal(text, "a text");
		for (int i = 0; i < nr / 2; i++) {
			taken = parcel_take_fd(in);
			assert_true(fcntl(taken, F_GETFD) & FD_CLOEXEC);
			close(taken);
		}
		assert_int_equal(in->broken, 0);	/* the other half is closed with it */
	}
	parcel_free(out);
	parcel_free(in);
	close(null);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(nr_fds(), before);
}

static void too_much(void **state)
{
	static char bytes[PARCEL_BYTES];
	struct parcel *p = parcel_new();
	int ends[2];

	pair(ends);
	parcel_put(p, bytes, sizeof(bytes));
	assert_int_equal(p->broken, 0);
	assert_int_equal(parcel_send(ends[0], p), 0);
	parcel_put(p, bytes, 1);
	assert_int_equal(p->broken, -E2BIG);
	assert_int_equal(parcel_send(ends[0], p), -E2BIG);
	parcel_empty(p, 1);
	parcel_put_fd(p, -1);
	assert_int_equal(p->broken, -EBADF);
	parcel_empty(p, 1);
	for (int i = 0; i <= PARCEL_FDS; i++)
		parcel_put_fd(p, 0);
	assert_int_equal(p->broken, -E2BIG);
	parcel_free(p);
	close(ends[0]);
	close(ends[1]);
}

static void too_little(void **state)
{
	struct parcel *p = parcel_new();
	char text[8];
	uint32_t n = 5;

	parcel_put(p, &(uint32_t){ 3 }, 4);
	parcel_take(p, &n, 4);
	assert_int_equal(n, 3);
	parcel_take(p, &n, 4);
	assert_int_equal(n, 0);
	assert_int_equal(p->broken, -EBADMSG);
	assert_int_equal(parcel_take_fd(p), -1);

	parcel_empty(p, 1);
	parcel_put(p, &(uint32_t){ 0xfffffff0 }, 4);	/* a text of so many bytes */
	parcel_take_text(p, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(p->broken, -EBADMSG);
	parcel_empty(p, 1);
	parcel_put(p, &(uint32_t){ 8 }, 4);	/* no room for its end */
	parcel_put(p, "12345678", 8);
	parcel_take_text(p, text, sizeof(text));
	assert_string_equal(text, "");
	parcel_free(p);
}

static void nobody(void **state)
{
	struct parcel *p = parcel_new();
	int ends[2];

	pair(ends);
	assert_int_equal(parcel_recv(ends[0], p, 20), -ETIMEDOUT);
	close(ends[1]);
	assert_int_equal(parcel_recv(ends[0], p, 1000), -EPIPE);
	assert_int_equal(parcel_send(ends[0], p), -EPIPE);
	close(ends[0]);
	parcel_free(p);
}

/* What the label of a message says, and what is in it. */
static void send_raw(int sock, const uint32_t label[4], const void *bytes, size_t len, int fds)
{
	union { char room[CMSG_SPACE(sizeof(int) * 250)]; struct cmsghdr align; } c = {};
	struct iovec iov[2] = { { (void *)label, 16 }, { (void *)bytes, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *cmsg;

	if (fds) {
		msg.msg_control = c.room;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fds);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * fds);	/* all of them descriptor 0 */
	}
	assert_true(sendmsg(sock, &msg, MSG_NOSIGNAL) >= 0);
}

static void hostile(void **state)
{
	static const struct { uint32_t label[4]; size_t len; int fds; } cases[] = {
		{ { 1, 0xffffffff, 0, 0 }, 10, 0 },	/* less bytes than said */
		{ { 1, 2, 0, 0 }, 10, 0 },		/* more */
		{ { 1, 0, 0xffffffff, 0 }, 0, 1 },	/* and then nothing comes */
		{ { 1, 0, 0, 0 }, 0, 5 },		/* descriptors nobody spoke of */
		{ { 1, 0, 3, 0 }, 0, 5 },
	};
	struct parcel *p = parcel_new();
	char bytes[64] = "";
	int ends[2], before = nr_fds();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pair(ends);
		send_raw(ends[0], cases[i].label, bytes, cases[i].len, cases[i].fds);
		assert_true(parcel_recv(ends[1], p, 50) < 0);
		parcel_empty(p, 0);
		close(ends[0]);
		close(ends[1]);
		assert_int_equal(nr_fds(), before);
	}
	pair(ends);		/* no label at all; another label in the middle */
	assert_int_equal(send(ends[0], bytes, 3, 0), 3);
	assert_int_equal(parcel_recv(ends[1], p, 50), -EBADMSG);
	send_raw(ends[0], (uint32_t[]){ 1, 0, 400, 0 }, bytes, 0, 200);
	send_raw(ends[0], (uint32_t[]){ 2, 0, 400, 0 }, bytes, 0, 200);
	assert_int_equal(parcel_recv(ends[1], p, 50), -EBADMSG);
	parcel_free(p);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(nr_fds(), before);
}

/* ---- who serves ---- */

struct server {
	pthread_t thread;
	int sock, theirs;
	struct parcel *p;
	/* what was told: the last of it, and how often */
	struct xcap_told told;
	char spec[SOURCE_SPEC_SIZE], mode[32];
	struct xcap_stats total, stats;
	int nr_told;
};

static void told(void *user, const struct xcap_told *told)
{
	uint32_t last = told->nr_sources - 1;
	struct server *s = user;

	s->nr_told++;
	s->told = *told;
	s->total = *told->total;
	if (!told->nr_sources)
		return;
	snprintf(s->spec, sizeof(s->spec), "%s", told->specs[last]);
	snprintf(s->mode, sizeof(s->mode), "%s", told->modes[last]);
	s->stats = *told->stats[last];
}

static void *serve(void *server)
{
	struct server *s = server;

	xcap_serve(s->theirs, &(struct xcap_serve_opts){ .sz = sizeof(struct xcap_serve_opts),
							 .told = told, .user = s });
	close(s->theirs);
	return NULL;
}

static void server_start(struct server *s)
{
	int ends[2];

	pair(ends);
	s->sock = ends[0];
	s->theirs = ends[1];
	s->p = parcel_new();
	s->nr_told = 0;
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_end(struct server *s)
{
	close(s->sock);
	pthread_join(s->thread, NULL);
	parcel_free(s->p);
}

/* Return: its errno, 0: it was opened. */
static int answer(struct server *s)
{
	int code = 0;

	assert_int_equal(parcel_send(s->sock, s->p), 0);
	assert_int_equal(parcel_recv(s->sock, s->p, 10000), 0);
	if (s->p->kind != REMOTE_FAILED)
		return 0;
	parcel_take(s->p, &code, sizeof(code));
	return code;
}

static struct remote_hello hello(void)
{
	struct source_conf conf = { .snaplen = 100, .ring_bytes = 4096, .slack_ns = 1000 };
	struct remote_hello h;

	remote_hello(&h, &conf);
	return h;
}

static int ask_open(struct server *s, const struct remote_hello *h, const struct spec *spec)
{
	parcel_empty(s->p, REMOTE_OPEN);
	parcel_put(s->p, h, sizeof(*h));
	parcel_put(s->p, spec, sizeof(*spec));
	return answer(s);
}

static void nonsense(void **state)
{
	struct remote_hello good = hello(), bad;
	struct spec spec = { .scheme = "file", .name = "/etc/shadow", .text = "file:/etc/shadow" };
	struct server s;

	server_start(&s);
	/* no file is read for anybody */
	assert_int_equal(ask_open(&s, &good, &spec), -EACCES);
	spec = (struct spec){ .name = "-", .text = "-" };
	assert_int_equal(ask_open(&s, &good, &spec), -EACCES);
	spec = (struct spec){ .scheme = "nosuch", .name = "x", .text = "nosuch:x" };
	assert_int_equal(ask_open(&s, &good, &spec), -EINVAL);
	spec = (struct spec){ .scheme = "tap", .name = "nosuch0", .text = "tap:nosuch0" };
	assert_int_equal(ask_open(&s, &good, &spec), -ENODEV);
	/* texts without an end, counts without a bound */
	memset(spec.name, 'x', sizeof(spec.name));
	assert_int_equal(ask_open(&s, &good, &spec), -EBADMSG);
	spec = (struct spec){ .scheme = "tap", .name = "lo", .nr_options = 0x7fffffff };
	assert_int_equal(ask_open(&s, &good, &spec), -EBADMSG);
	spec.nr_options = -1;
	assert_int_equal(ask_open(&s, &good, &spec), -EBADMSG);
	spec.nr_options = 1;
	memset(spec.options, 'y', sizeof(spec.options));
	assert_int_equal(ask_open(&s, &good, &spec), -EBADMSG);
	/* another build; rings that cannot be */
	spec = (struct spec){ .scheme = "tap", .name = "nosuch0", .text = "tap:nosuch0" };
	bad = good;
	memset(bad.version, 'v', sizeof(bad.version));
	assert_int_equal(ask_open(&s, &bad, &spec), -EPROTO);
	bad = good;
	bad.size_cpu++;
	assert_int_equal(ask_open(&s, &bad, &spec), -EPROTO);
	bad = good;
	bad.ring_bytes = 4097;
	assert_int_equal(ask_open(&s, &bad, &spec), -EINVAL);
	bad = good;
	bad.slack_ns = -1;
	assert_int_equal(ask_open(&s, &bad, &spec), -EINVAL);
	bad = good;
	memset(&bad.ssh, 'z', sizeof(bad.ssh));
	assert_int_equal(ask_open(&s, &bad, &spec), -ENODEV);
	/* less than a question */
	parcel_empty(s.p, REMOTE_OPEN);
	assert_true(answer(&s) < 0);
	/* nothing is open: nothing to send on; started, nothing more is opened */
	parcel_empty(s.p, REMOTE_WIRE);
	parcel_put(s.p, &(uint32_t){ 1 }, 4);
	assert_int_equal(answer(&s), -EACCES);
	parcel_empty(s.p, REMOTE_START);
	assert_int_equal(answer(&s), 0);
	assert_int_equal(ask_open(&s, &good, &spec), -EBUSY);
	parcel_empty(s.p, REMOTE_STOP);
	assert_int_equal(answer(&s), 0);
	parcel_empty(s.p, REMOTE_START);
	assert_int_equal(answer(&s), 0);
	server_end(&s);
}

static struct remote_account account(uint32_t nr)
{
	struct remote_account a = { .nr_sources = nr, .nr_all = nr + 5 };

	a.total.seen = 1009;
	for (uint32_t i = 0; i < nr && i < XCAP_TOLD_SOURCES; i++) {
		snprintf(a.sources[i].spec, sizeof(a.sources[i].spec), "tap:veth%u", i);
		snprintf(a.sources[i].mode, sizeof(a.sources[i].mode), "tap tcx");
		a.sources[i].stats.seen = 31 + i;
	}
	return a;
}

/* An account of so many bytes, after the start. Return: whether it was served further. */
static bool tell(struct server *s, const struct remote_account *a, size_t bytes)
{
	server_start(s);
	parcel_empty(s->p, REMOTE_START);
	assert_int_equal(answer(s), 0);
	parcel_empty(s->p, REMOTE_TELL);
	parcel_put(s->p, a, bytes);
	assert_int_equal(parcel_send_plain(s->sock, s->p), 0);
	parcel_empty(s->p, REMOTE_STOP);
	return !parcel_send(s->sock, s->p) && !parcel_recv(s->sock, s->p, 10000) &&
	       s->p->kind == REMOTE_OPENED;
}

static size_t bytes_of(uint32_t nr)
{
	return offsetof(struct remote_account, sources) + nr * sizeof(struct remote_told);
}

static void an_account_is_told(void **state)
{
	static const uint32_t numbers[] = { 1, 7, XCAP_TOLD_SOURCES };
	struct remote_account a;
	struct server s;
	char spec[32];

	for (int i = 0; i < 3; i++) {
		a = account(numbers[i]);
		assert_true(tell(&s, &a, bytes_of(numbers[i])));
		server_end(&s);
		assert_int_equal(s.nr_told, 2);		/* and when it was started */
		assert_int_equal(s.told.nr_sources, numbers[i]);
		assert_int_equal(s.told.nr_all, numbers[i] + 5);
		assert_int_equal(s.total.seen, 1009);
		snprintf(spec, sizeof(spec), "tap:veth%u", numbers[i] - 1);
		assert_string_equal(s.spec, spec);
		assert_string_equal(s.mode, "tap tcx");
		assert_int_equal(s.stats.seen, 30 + numbers[i]);
	}
}

/* Whoever tells what cannot be is hung up on. */
static void no_account(void **state)
{
	struct remote_account a = account(2);
	struct {
		struct remote_account a;
		struct remote_told one_more;
	} many = { .a = account(XCAP_TOLD_SOURCES) };
	struct server s;

	assert_false(tell(&s, &a, bytes_of(2) - 1));
	server_end(&s);
	assert_int_equal(s.nr_told, 1);		/* when it was started */
	many.a.nr_sources = XCAP_TOLD_SOURCES + 1;
	assert_false(tell(&s, &many.a, bytes_of(XCAP_TOLD_SOURCES + 1)));
	server_end(&s);
	assert_int_equal(s.nr_told, 1);
	a.nr_sources = UINT32_MAX;
	assert_false(tell(&s, &a, bytes_of(2)));
	server_end(&s);
	a = account(2);
	a.nr_all = 1;
	assert_false(tell(&s, &a, bytes_of(2)));
	server_end(&s);
	a = account(2);
	memset(a.sources[1].spec, 'x', sizeof(a.sources[1].spec));
	assert_false(tell(&s, &a, bytes_of(2)));
	server_end(&s);
	a = account(2);
	memset(a.sources[0].mode, 'x', sizeof(a.sources[0].mode));
	assert_false(tell(&s, &a, bytes_of(2)));
	server_end(&s);
	assert_int_equal(s.nr_told, 1);
	/* before anything is open there is none */
	server_start(&s);
	parcel_empty(s.p, REMOTE_TELL);
	a = account(2);
	parcel_put(s.p, &a, bytes_of(2));
	assert_int_equal(parcel_send_plain(s.sock, s.p), 0);
	assert_int_equal(parcel_recv(s.sock, s.p, 10000), -EPIPE);
	server_end(&s);
	assert_int_equal(s.nr_told, 0);
}

/* Who serves and does not read has no more than one on its hands, and questions have room. */
static void nobody_reads(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char name[64], bytes[64];
	struct remote *r = NULL;
	struct remote_account *a;
	struct error err;
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0), conn, told = 0, nr = 0;

	snprintf(name, sizeof(name), "test-parcel-%d:secret", getpid());
	memcpy(addr.sun_path + 1, name, strlen(name) - 7);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr,
			      offsetof(struct sockaddr_un, sun_path) + strlen(name) - 6), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(remote_connect(&r, name, &err), 0);
	conn = accept(listener, NULL, NULL);
	assert_int_equal(recv(conn, bytes, sizeof(bytes), 0), 6);
	for (int64_t i = 1; i <= 1009; i++) {
		a = remote_account(r, i * 1000000000);
		if (!a)
			continue;
		*a = account(XCAP_TOLD_SOURCES);
		remote_tell(r);
		told++;
	}
	while (recv(conn, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		nr++;
	assert_int_equal(told, 1);
	assert_int_equal(nr, 1);
	assert_non_null(remote_account(r, 2000 * 1000000000LL));	/* it has read: the next */
	assert_null(remote_account(r, 2000 * 1000000000LL + 1000));
	remote_close(r);
	close(conn);
	close(listener);
}

static void gone_midway(void **state)
{
	struct server s;
	uint32_t seed = 1;
	char bytes[512];
	int before = nr_fds();

	for (int i = 0; i < 300; i++) {
		server_start(&s);
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = seed = seed * 1103515245 + 12345;
		if (i % 3 == 0)
			send(s.sock, bytes, i % sizeof(bytes), MSG_NOSIGNAL);
		else if (i % 3 == 1)
			send_raw(s.sock, (uint32_t[]){ REMOTE_OPEN + i % 6, i, 0, 0 }, bytes, i, 0);
		else
			send_raw(s.sock, (uint32_t[]){ REMOTE_OPEN, 0, 1000, 0 }, bytes, 0, 100);
		server_end(&s);
	}
	assert_int_equal(nr_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(too_much),
		cmocka_unit_test(too_little),
		cmocka_unit_test(nobody),
		cmocka_unit_test(hostile),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(an_account_is_told),
		cmocka_unit_test(no_account),
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test(gone_midway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
