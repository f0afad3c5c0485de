// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   addresses that are drawn.
 * Out:  their names, once the system's resolver has told them.
 * Owns: a cache of 4096 and a queue of 256: what has no room is asked for when it is drawn again.
 * Runs on: the thread that draws, and one that waits for answers.
 *
 * An answer may take a minute, so nobody waits for the thread at the end: the last of the two that
 * lets go frees.
 */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include "top_hosts.h"

#define CACHE 4096
#define QUEUE 256
#define NAME_MAX_SIZE 64

enum state { FREE, WAITING, KNOWN, NAMELESS };

struct entry {
	enum state state;
	uint8_t family;
	uint8_t address[16];
	char name[NAME_MAX_SIZE];
};

struct top_hosts {
	pthread_mutex_t lock;
	pthread_cond_t asked;
	struct entry cache[CACHE];	/* each address has one place */
	uint16_t queue[QUEUE];
	unsigned int head, tail;	/* of the queue: tail - head wait */
	unsigned int answers;
	int holders;
	bool over;
	char shown[NAME_MAX_SIZE];	/* of the thread that draws */
};

static struct entry *place(struct top_hosts *h, uint8_t family, const uint8_t *address)
{
	uint64_t sum = family, word;

	for (int i = 0; i < 16; i += 8) {
		memcpy(&word, address + i, 8);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
		sum ^= sum >> 32;
	}
	return &h->cache[sum % CACHE];
}

static bool ask(const struct entry *e, char *name)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	memcpy(&four.sin_addr, e->address, 4);
	memcpy(&six.sin6_addr, e->address, 16);
	if (e->family == AF_INET)
		return !getnameinfo((struct sockaddr *)&four, sizeof(four), name, NAME_MAX_SIZE,
				    NULL, 0, NI_NAMEREQD);
	return !getnameinfo((struct sockaddr *)&six, sizeof(six), name, NAME_MAX_SIZE, NULL, 0,
			    NI_NAMEREQD);
}

/* With the lock held, which is gone then. */
static void let_go(struct top_hosts *h)
{
	bool last = !--h->holders;

	pthread_mutex_unlock(&h->lock);
	if (!last)
		return;
	pthread_cond_destroy(&h->asked);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static void *answer(void *arg)
{
	struct top_hosts *h = arg;
	struct entry *e, copy;
	bool known;

	pthread_mutex_lock(&h->lock);
	while (!h->over) {
		if (h->head == h->tail) {
			pthread_cond_wait(&h->asked, &h->lock);
			continue;
		}
		e = &h->cache[h->queue[h->head++ % QUEUE]];
		copy = *e;	/* what waits is not replaced */
		pthread_mutex_unlock(&h->lock);
		known = ask(&copy, copy.name);
		pthread_mutex_lock(&h->lock);
		memcpy(e->name, copy.name, sizeof(e->name));
		e->state = known ? KNOWN : NAMELESS;
		h->answers++;
	}
	let_go(h);
	return NULL;
}

const char *top_hosts_name(struct top_hosts *h, int family, const uint8_t *address)
{
	struct entry *e = place(h, family, address);
	const char *name = NULL;

	pthread_mutex_lock(&h->lock);
	if (e->state != FREE && e->family == family && !memcmp(e->address, address, 16)) {
		if (e->state == KNOWN)
			name = memcpy(h->shown, e->name, sizeof(h->shown));
	} else if (e->state != WAITING && h->tail - h->head < QUEUE) {
		e->state = WAITING;
		e->family = family;
		memcpy(e->address, address, 16);
		h->queue[h->tail++ % QUEUE] = e - h->cache;
		pthread_cond_signal(&h->asked);
	}
	pthread_mutex_unlock(&h->lock);
	return name;
}

unsigned int top_hosts_answers(struct top_hosts *h)
{
	unsigned int answers;

	pthread_mutex_lock(&h->lock);
	answers = h->answers;
	pthread_mutex_unlock(&h->lock);
	return answers;
}

int top_hosts_new(struct top_hosts **out)
{
	struct top_hosts *h = calloc(1, sizeof(*h));
	sigset_t all, before;
	pthread_t thread;
	int err;

	if (!h)
		return -ENOMEM;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->asked, NULL);
	h->holders = 2;
	sigfillset(&all);	/* signals are for the first thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, NULL, answer, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		pthread_cond_destroy(&h->asked);
		pthread_mutex_destroy(&h->lock);
		free(h);
		return -err;
	}
	pthread_detach(thread);
	*out = h;
	return 0;
}

void top_hosts_free(struct top_hosts *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->over = true;
	pthread_cond_signal(&h->asked);
	let_go(h);
}
