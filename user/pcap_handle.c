// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what a pcap program asks for: a device name that is a spec, settings, activation.
 * Out:  an open stream behind a pcap_t.
 * Owns: the table of handles, and each handle until it is closed and no call uses it.
 * Runs on: any thread; one at a time for a handle, but for close, breakloop and stats.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "forms.h"
#include "pcap_handle.h"
#include "stream.h"

#define MAX_HANDLES 64
#define SNAPLEN_MAX 262144	/* as libpcap's MAXIMUM_SNAPLEN */
#define RING_KB_MIN 64
#define RING_KB_MAX (1024 * 1024)

/* pcap_handle.state: calls under way, and one until it is closed; the place itself */
#define OWNED (1u << 31)	/* somebody has the place; the last to leave destroys */
#define ENDING (1u << 30)	/* and is at it */

static struct pcap_handle table[MAX_HANDLES];	/* places are used again, never freed */
static unsigned int next_place;
static unsigned int nr_forks;			/* this process's number of generations */

#define LOAD(what) __atomic_load_n(&(what), __ATOMIC_ACQUIRE)

/* ---- the table ---- */

/* No lock: breakloop and stats come from signal handlers. */
struct pcap_handle *handle_get(pcap_t *p)
{
	for (int i = 0; p && i < MAX_HANDLES; i++) {
		struct pcap_handle *h = &table[i];

		if (LOAD(h->key) != p)
			continue;
		__atomic_add_fetch(&h->state, 1, __ATOMIC_ACQ_REL);
		if (LOAD(h->key) == p)
			return h;
		handle_put(h);		/* closed between the two */
	}
	return NULL;
}

bool handle_was_ours(const pcap_t *p)
{
	for (int i = 0; p && i < MAX_HANDLES; i++)
		if (LOAD(table[i].ghost) == p)
			return true;
	return false;
}

static void destroy(struct pcap_handle *h)
{
	xcap_close(h->x);
	handle_drop_filter(h);
	if (h->model)
		pcap_real.close(h->model);
	free(h->room);
	free(h->specs);
	memset((char *)h + offsetof(struct pcap_handle, errbuf), 0,
	       sizeof(*h) - offsetof(struct pcap_handle, errbuf));
	__atomic_sub_fetch(&h->state, ENDING, __ATOMIC_ACQ_REL);
}

/*
 * A get() that comes too late may count itself in and out of any place, free or not: so the
 * place is free at 0 only, and of two who leave it at OWNED one destroys.
 */
void handle_put(struct pcap_handle *h)
{
	uint32_t left = __atomic_sub_fetch(&h->state, 1, __ATOMIC_ACQ_REL);

	if (left == OWNED && __atomic_compare_exchange_n(&h->state, &left, ENDING, false,
							 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		destroy(h);
}

/*
 * libpcap's own handle stays until the place is used again, so that a call that comes after
 * the close, from a signal handler or another thread, finds one that answers.
 */
void handle_close(struct pcap_handle *h)
{
	pcap_t *key = LOAD(h->key);

	if (!key)
		return;
	__atomic_store_n(&h->ghost, key, __ATOMIC_RELEASE);
	if (!__atomic_exchange_n(&h->key, NULL, __ATOMIC_ACQ_REL))
		return;		/* by two threads at once: the other does it */
	handle_breakloop(h);
	handle_put(h);	/* the one it was born with */
}

/* The place that has been free for long, so that what was closed is known for long. */
static struct pcap_handle *place(void)
{
	unsigned int first = __atomic_fetch_add(&next_place, 1, __ATOMIC_RELAXED);

	for (unsigned int i = 0; i < MAX_HANDLES; i++) {
		struct pcap_handle *h = &table[(first + i) % MAX_HANDLES];
		pcap_t *ghost;
		uint32_t none = 0;

		if (!__atomic_compare_exchange_n(&h->state, &none, OWNED | 1, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		ghost = __atomic_exchange_n(&h->ghost, NULL, __ATOMIC_ACQ_REL);
		if (ghost)
			pcap_real.close(ghost);
		return h;
	}
	return NULL;
}

static void count_fork(void)
{
	nr_forks++;
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, count_fork);
}

struct pcap_handle *handle_new(const char *specs, char *errbuf)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct pcap_handle *h = place();
	pcap_t *key;

	if (!h) {
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "more than %d captures at once in one program",
			 MAX_HANDLES);
		return NULL;
	}
	pthread_once(&once, watch_forks);
	h->snaplen = SNAPLEN_MAX;
	h->precision = PCAP_TSTAMP_PRECISION_MICRO;
	h->direction = PCAP_D_INOUT;
	h->specs = strdup(specs);
	key = pcap_real.open_dead_with_tstamp_precision(DLT_EN10MB, SNAPLEN_MAX, h->precision);
	if (h->specs && key) {
		__atomic_store_n(&h->key, key, __ATOMIC_RELEASE);
		return h;
	}
	snprintf(errbuf, PCAP_ERRBUF_SIZE, "no memory for a capture handle");
	if (key)
		pcap_real.close(key);
	handle_put(h);
	return NULL;
}

int handle_error(struct pcap_handle *h, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->errbuf, sizeof(h->errbuf), fmt, ap);
	va_end(ap);
	return code;
}

int handle_settle_fork(struct pcap_handle *h)
{
	if (h->forks == nr_forks)
		return 0;
	h->forks = nr_forks;
	if (stream_adopt(h->x))
		return handle_error(h, PCAP_ERROR, "cannot go on with %s after a fork: %s",
				    h->specs, xcap_errmsg(h->x));
	return 0;
}

/* ---- activation ---- */

int handle_remodel(struct pcap_handle *h)
{
	pcap_t *model = pcap_real.open_dead_with_tstamp_precision(h->dlt, h->snaplen,
								  h->precision);

	if (!model)
		return handle_error(h, PCAP_ERROR, "no memory for a capture handle");
	if (h->model)
		pcap_real.close(h->model);
	h->model = model;
	return 0;
}

/*
 * One link type for all that comes. Events can be Ethernet frames, or without that header
 * bare IP; beside any other link type there is only the binary form, which carries all.
 */
static void choose_datalink(struct pcap_handle *h, const struct xcap *x)
{
	int dlt = 0;

	h->events = false;
	for (int i = 0; i < x->nr_sources; i++) {
		const struct source *s = x->sources[i];

		h->events |= s->ops->events;
		if (s->ops->no_packets)
			continue;
		if (dlt && dlt != filter_dlt(s->linktype))
			dlt = DLT_USER0;
		else
			dlt = filter_dlt(s->linktype);
	}
	h->packet_dlt = dlt ?: DLT_EN10MB;
	h->dlt = h->packet_dlt;
}

/* Of the whole, in bytes, as pcap_set_buffer_size() has it. Ours are one a CPU. */
static uint32_t ring_kb(const struct pcap_handle *h)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t kb = RING_KB_MIN;

	if (!h->buffer_size)
		return 0;
	while (kb < RING_KB_MAX && (uint64_t)kb * 1024 * (cpus > 0 ? cpus : 1) <
				   (uint64_t)h->buffer_size)
		kb *= 2;
	return kb;
}

/*
 * Does AppArmor confine this program? profile: " by NAME (MODE)". Most profiles hide even
 * that; nothing else does: then it is "".
 */
static bool confined(char *profile, size_t size)
{
	static const char by[] = " by ";
	int fd = open("/proc/self/attr/apparmor/current", O_RDONLY | O_CLOEXEC);
	const char *mode;
	ssize_t n;

	profile[0] = '\0';
	if (fd < 0)
		return errno == EACCES;
	n = read(fd, profile + strlen(by), size - sizeof(by));
	close(fd);
	if (n <= 0)
		return false;	/* the kernel runs without AppArmor */
	memcpy(profile, by, strlen(by));
	profile[strlen(by) + n] = '\0';
	profile[strcspn(profile, "\n")] = '\0';
	mode = strrchr(profile, '(');
	return mode && strcmp(mode, "(complain)") && strcmp(mode, "(unconfined)");
}

/* What a profile forbids is not seen in the kernel's answer. */
static int refused(struct pcap_handle *h, int err, const char *why, bool by_run)
{
	int code = err == -ENODEV ? PCAP_ERROR_NO_SUCH_DEVICE :
		   err == -EPERM || err == -EACCES ? PCAP_ERROR_PERM_DENIED : PCAP_ERROR;
	char profile[128];

	if (code != PCAP_ERROR_PERM_DENIED || !confined(profile, sizeof(profile)))
		return handle_error(h, code, "%s", why);
	if (!by_run)
		return handle_error(h, code, "AppArmor confines this program%s: start it with "
				    "xcap run", profile);
	return handle_error(h, code, "%s; AppArmor still confines this program%s: start xcap run "
			    "unconfined, with the name of this program right behind it", why,
			    profile);
}

static int open_stream(struct pcap_handle *h, struct xcap **x)
{
	struct xcap_opts opts = { .sz = sizeof(opts),
				  .flags = XCAP_NO_OWNERS | (h->promisc ? XCAP_PROMISC : 0),
				  .snaplen = h->snaplen, .ring_kb = ring_kb(h) };
	const char *run = secure_getenv("XCAP_RUN");
	struct remote *remote = NULL;
	int ret = 0;

	if (run && spec_is_privileged(h->specs))
		ret = remote_connect(&remote, run, stream_last_error());
	ret = ret ?: stream_open(x, h->specs, &opts, remote);
	return ret ? refused(h, ret, xcap_errmsg(NULL), run) : 0;
}

/* What fails leaves it as it was: it can be tried again. */
int handle_activate(struct pcap_handle *h)
{
	struct xcap *x;
	int ret;

	if (h->x)
		return handle_error(h, PCAP_ERROR_ACTIVATED, "%s is active already", h->specs);
	ret = open_stream(h, &x);
	if (ret)
		return ret;
	choose_datalink(h, x);
	stream_wire(x);		/* programs give up their privilege soon */
	h->forks = nr_forks;
	h->room_size = FORM_SIZE_MAX;
	h->room = malloc(h->room_size);
	if (h->room && !handle_remodel(h)) {
		__atomic_store_n(&h->x, x, __ATOMIC_RELEASE);
		return 0;
	}
	free(h->room);
	h->room = NULL;
	xcap_close(x);
	return handle_error(h, PCAP_ERROR, "no memory for a capture handle");
}
