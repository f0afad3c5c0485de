// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   socket records and packets' flows, in stream order.
 * Out:  the process that a packet belongs to.
 * Owns: the table: sockets, found by cookie, by both addresses, by local port.
 * Runs on: the thread of the handle.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "owner.h"

#define NR_BUCKETS 65536		/* of each hash; a power of two */
#define NR_USERS 4			/* kept of each socket: late packets look back */
#define KEEP_NS (65 * NS_PER_SEC)	/* after close: TIME_WAIT and what is sent again */
#define NR_CLOSED 65536			/* closed sockets kept at most */
#define NR_SOCKETS (1u << 20)		/* at all; more are not taken in */
#define NR_ADDRESSES 4096		/* a power of two */

enum { NOWHERE, PAIRS, BOUND };		/* which hash a socket stands in, beside that of cookies */

struct user {
	int64_t from_ns;
	struct owner who;
};

struct sock {
	struct sock *next_cookie;
	struct sock *next;		/* in pairs or bound */
	struct sock *newer;		/* closed after it */
	uint64_t cookie, netns;
	int64_t closed_ns;		/* 0: open */
	int64_t used_ns;		/* when somebody was last told to use it */
	uint8_t where, protocol, flags, nr_users;
	uint16_t local_port, remote_port;
	uint32_t device;		/* that it is bound to, or 0 */
	uint8_t local[16], remote[16];
	struct user users[NR_USERS];	/* newest first */
};

struct address {
	uint64_t netns;			/* 0: free */
	uint8_t bytes[16];
};

struct owners {
	struct sock *cookies[NR_BUCKETS];
	struct sock *pairs[NR_BUCKETS];	/* that have both addresses */
	struct sock *bound[NR_BUCKETS];	/* that have a local port only */
	struct sock *oldest, *newest;	/* closed */
	unsigned int nr, nr_closed;
	struct address addresses[NR_ADDRESSES];
	unsigned int nr_addresses;
	int64_t unsure_ns;		/* see owners_unsure() */
	uint64_t nr_learned;		/* times that a socket or an address got to be known */
};

struct owners *owners_new(void)
{
	struct owners *t = calloc(1, sizeof(*t));

	if (t)
		t->unsure_ns = INT64_MIN;
	return t;
}

void owners_free(struct owners *t)
{
	struct sock *s, *next;

	for (int i = 0; t && i < NR_BUCKETS; i++) {
		for (s = t->cookies[i]; s; s = next) {
			next = s->next_cookie;
			free(s);
		}
	}
	free(t);
}

unsigned int owners_count(const struct owners *t)
{
	return t->nr;
}

uint64_t owners_nr_learned(const struct owners *t)
{
	return t->nr_learned;
}

/* ---- hashing ---- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

static uint64_t mix_address(uint64_t h, const uint8_t a[16])
{
	uint64_t v[2];

	memcpy(v, a, 16);
	return mix(mix(h, v[0]), v[1]);
}

static struct sock **by_cookie(struct owners *t, uint64_t cookie)
{
	return &t->cookies[mix(0, cookie) & (NR_BUCKETS - 1)];
}

static struct sock **by_pair(struct owners *t, uint8_t protocol, const uint8_t local[16],
			     uint16_t local_port, const uint8_t remote[16], uint16_t remote_port)
{
	uint64_t h = mix(protocol, (uint64_t)local_port << 16 | remote_port);

	return &t->pairs[mix_address(mix_address(h, local), remote) & (NR_BUCKETS - 1)];
}

static struct sock **by_port(struct owners *t, uint8_t protocol, uint16_t port)
{
	return &t->bound[mix(protocol, port) & (NR_BUCKETS - 1)];
}

/* ---- addresses of this host ---- */

static bool is_any(const uint8_t a[16])
{
	static const uint8_t any4[16] = { [10] = 0xff, [11] = 0xff }, any6[16];

	return !memcmp(a, any6, 16) || !memcmp(a, any4, 16);
}

static bool is_v4(const uint8_t a[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a, prefix, 12);
}

static struct address *find_address(struct owners *t, uint64_t netns, const uint8_t a[16])
{
	unsigned int i = mix_address(netns, a) & (NR_ADDRESSES - 1);

	while (t->addresses[i].netns &&
	       (t->addresses[i].netns != netns || memcmp(t->addresses[i].bytes, a, 16)))
		i = (i + 1) & (NR_ADDRESSES - 1);
	return &t->addresses[i];
}

void owners_add_address(struct owners *t, uint64_t netns, const uint8_t a[16])
{
	struct address *to = find_address(t, netns, a);

	if (!netns || to->netns || is_any(a) || t->nr_addresses >= NR_ADDRESSES / 2)
		return;
	to->netns = netns;
	memcpy(to->bytes, a, 16);
	t->nr_addresses++;
	t->nr_learned++;
}

/* ---- sockets in and out of the hashes ---- */

static void unlink_place(struct owners *t, struct sock *s)
{
	struct sock **at;

	if (s->where == NOWHERE)
		return;
	at = s->where == PAIRS ? by_pair(t, s->protocol, s->local, s->local_port, s->remote,
					 s->remote_port) :
	     by_port(t, s->protocol, s->local_port);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->where = NOWHERE;
}

/* By the most that is known of it. A younger one stands before an older. */
static void place(struct owners *t, struct sock *s)
{
	struct sock **at;

	if (!s->local_port)
		return;
	if (!is_any(s->remote) && !is_any(s->local)) {
		at = by_pair(t, s->protocol, s->local, s->local_port, s->remote, s->remote_port);
		s->where = PAIRS;
	} else {
		at = by_port(t, s->protocol, s->local_port);
		s->where = BOUND;
	}
	s->next = *at;
	*at = s;
}

static struct sock *find_cookie(struct owners *t, uint64_t cookie)
{
	struct sock *s = *by_cookie(t, cookie);

	while (s && s->cookie != cookie)
		s = s->next_cookie;
	return s;
}

static void forget_oldest(struct owners *t)
{
	struct sock *s = t->oldest, **at = by_cookie(t, s->cookie);

	t->oldest = s->newer;
	if (!t->oldest)
		t->newest = NULL;
	unlink_place(t, s);
	while (*at != s)
		at = &(*at)->next_cookie;
	*at = s->next_cookie;
	free(s);
	t->nr--;
	t->nr_closed--;
}

static void expire(struct owners *t, int64_t now_ns)
{
	while (t->oldest && (t->nr_closed > NR_CLOSED || t->nr >= NR_SOCKETS ||
			     now_ns - t->oldest->closed_ns > KEEP_NS))
		forget_oldest(t);
}

static struct sock *add(struct owners *t, const struct xcap_ev_sock *ev)
{
	struct sock *s, **to = by_cookie(t, ev->cookie);

	expire(t, ev->ev.mono_ns);
	if (t->nr >= NR_SOCKETS)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->cookie = ev->cookie;
	s->netns = ev->netns;
	s->protocol = ev->protocol;
	s->next_cookie = *to;
	*to = s;
	t->nr++;
	return s;
}

/* ---- what is told ---- */

static void learn_addresses(struct owners *t, struct sock *s, const uint8_t local[16],
			    uint16_t local_port, const uint8_t remote[16], uint16_t remote_port)
{
	if (!local_port || (s->local_port == local_port && s->remote_port == remote_port &&
			    !memcmp(s->local, local, 16) && !memcmp(s->remote, remote, 16)))
		return;
	/* closing takes the addresses away; what is still under way needs them */
	if (s->where == PAIRS && (is_any(remote) || is_any(local)))
		return;
	t->nr_learned++;
	unlink_place(t, s);
	memcpy(s->local, local, 16);
	memcpy(s->remote, remote, 16);
	s->local_port = local_port;
	s->remote_port = remote_port;
	place(t, s);
	owners_add_address(t, s->netns, local);
}

static void push_user(struct sock *s, const struct xcap_ev_sock *ev, const char *comm)
{
	const struct user *last = &s->users[0];
	struct user u = {
		.from_ns = ev->ev.mono_ns,
		.who = {
			.pid = ev->ev.pid, .tid = ev->ev.tid, .uid = ev->uid,
			.cgroup_id = ev->cgroup_id,
			.how = ev->what == XSOCK_SEED ? XCAP_OWNER_SEEDED : XCAP_OWNER_SOCKET,
		},
	};

	if (!ev->ev.pid)
		return;
	if (s->used_ns < u.from_ns)
		s->used_ns = u.from_ns;
	if (comm)
		memcpy(u.who.comm, comm, sizeof(u.who.comm));
	/* several may hold it at start: the iterator goes from the oldest process on */
	if (s->nr_users && (ev->what == XSOCK_SEED || last->who.pid == u.who.pid))
		return;
	memmove(&s->users[1], &s->users[0], (NR_USERS - 1) * sizeof(u));
	s->users[0] = u;
	if (s->nr_users < NR_USERS)
		s->nr_users++;
}

static void close_sock(struct owners *t, struct sock *s, int64_t mono_ns)
{
	if (s->closed_ns)
		return;
	s->closed_ns = mono_ns ?: 1;
	s->newer = NULL;
	if (t->newest)
		t->newest->newer = s;
	else
		t->oldest = s;
	t->newest = s;
	t->nr_closed++;
}

void owners_apply(struct owners *t, const struct xcap_ev_sock *ev, const char *comm)
{
	struct sock *s = ev->cookie ? find_cookie(t, ev->cookie) : NULL;

	if (!s && ev->what != XSOCK_CLOSED && ev->cookie)
		s = add(t, ev);
	if (!s)
		return;
	if (ev->what != XSOCK_STATE)
		push_user(s, ev, comm);
	if (ev->local_port) {
		s->flags = ev->flags;
		s->device = ev->device;
	}
	learn_addresses(t, s, ev->local, ev->local_port, ev->remote, ev->remote_port);
	if (ev->what == XSOCK_CLOSED)
		close_sock(t, s, ev->ev.mono_ns);
}

void owners_unsure(struct owners *t, int64_t mono_ns)
{
	t->unsure_ns = mono_ns;
}

/* ---- what is asked ---- */

static bool tell(const struct owners *t, const struct sock *s, int64_t mono_ns, struct owner *out)
{
	int i = 0;

	if (!s->nr_users || s->used_ns <= t->unsure_ns)
		return false;
	while (i < s->nr_users - 1 && s->users[i].from_ns > mono_ns)
		i++;
	*out = s->users[i].who;
	out->from_ns = s->users[i].from_ns;
	if (s->closed_ns && s->closed_ns <= mono_ns)
		out->how = XCAP_OWNER_CLOSED;
	else if (s->flags & XSOCK_LISTENS)
		out->how = XCAP_OWNER_LISTENER;
	return true;
}

struct end {
	const uint8_t *local, *remote;
	uint16_t local_port, remote_port;
};

/* netns 0: any, if it is one only that fits. */
static struct sock *find_pair(struct owners *t, uint8_t protocol, const struct end *e,
			      uint64_t netns)
{
	struct sock *found = NULL, *s;

	for (s = *by_pair(t, protocol, e->local, e->local_port, e->remote, e->remote_port); s;
	     s = s->next) {
		if (s->local_port != e->local_port || s->remote_port != e->remote_port ||
		    s->protocol != protocol || memcmp(s->local, e->local, 16) ||
		    memcmp(s->remote, e->remote, 16) || (netns && s->netns != netns))
			continue;
		if (netns)
			return s;	/* the youngest */
		if (found && found->netns != s->netns)
			return NULL;
		found = found ?: s;
	}
	return found;
}

/* How well a bound socket fits; 0 not at all. */
static int fits(struct owners *t, const struct sock *s, const struct owner_flow *f,
		const struct end *e)
{
	bool v4 = is_v4(e->local);

	if (s->device && s->device != f->ifindex)
		return 0;
	if (!memcmp(s->local, e->local, 16))
		return 3;
	if (!is_any(s->local) || !find_address(t, s->netns, e->local)->netns)
		return 0;
	if (is_v4(s->local) == v4)
		return 2;
	return v4 && !(s->flags & XSOCK_ONLY6);
}

/*
 * Who takes what comes to a port. Several sockets may stand there by SO_REUSEPORT: then the kernel
 * chooses, and nobody says which (*torn), unless they are of one process.
 */
static struct sock *find_bound(struct owners *t, const struct owner_flow *f, const struct end *e,
			       bool *torn)
{
	struct sock *found = NULL, *s;
	int best = 0, fit;

	*torn = false;
	for (s = *by_port(t, f->protocol, e->local_port); s; s = s->next) {
		if (s->local_port != e->local_port || s->protocol != f->protocol ||
		    s->netns != f->netns)
			continue;
		fit = 2 * fits(t, s, f, e);
		if (s->closed_ns)	/* an open one goes before it, the last before others */
			fit = fit ? 1 : 0;
		if (fit > best) {
			best = fit;
			found = s;
			*torn = false;
		} else if (fit > 1 && fit == best) {
			*torn |= s->users[0].who.pid != found->users[0].who.pid;
		}
	}
	return *torn ? NULL : found;
}

/* What is not connected stands by the port that it sends from. */
static void learn_port(struct owners *t, struct sock *s, const struct owner_flow *f)
{
	static const uint8_t any[16];

	owners_add_address(t, s->netns, f->src);
	if (s->where != PAIRS)
		learn_addresses(t, s, s->local, f->src_port, any, 0);
}

/*
 * The socket that sent it; its addresses are learned, unless the packet is a fragment, or made by
 * hand, or around another.
 */
static struct sock *find_sender(struct owners *t, const struct owner_flow *f)
{
	struct sock *s = f->cookie ? find_cookie(t, f->cookie) : NULL;

	if (!s || (s->protocol != f->protocol && !f->out))
		return NULL;
	if (s->protocol != f->protocol)
		return s->nr_users ? s : NULL;
	if (f->protocol == IPPROTO_TCP)
		learn_addresses(t, s, f->src, f->src_port, f->dst, f->dst_port);
	else
		learn_port(t, s, f);
	return s->nr_users ? s : NULL;
}

/*
 * Connected, or else who takes what comes to that port: nobody has accepted yet. A port that was
 * left is soon another's, but for TCP, which waits for what is late. *torn: somebody here, and it
 * is not known who.
 */
static struct sock *find_end(struct owners *t, const struct owner_flow *f, const struct end *e,
			     bool *torn)
{
	struct sock *pair = find_pair(t, f->protocol, e, f->netns), *bound;

	*torn = false;
	if (pair && !pair->nr_users)
		pair = NULL;
	if (pair && (!pair->closed_ns || f->protocol == IPPROTO_TCP))
		return pair;
	bound = find_bound(t, f, e, torn);
	if (!pair || *torn || (bound && (!bound->closed_ns || bound->closed_ns > pair->closed_ns)))
		return bound;
	return pair;
}

/* In another namespace, if one only can be meant; and who listens there, before it is accepted. */
static struct sock *find_elsewhere(struct owners *t, const struct owner_flow *f,
				   const struct end *e)
{
	struct sock *s = find_pair(t, f->protocol, e, 0);
	struct owner_flow there = *f;
	bool torn;

	if (!s || s->nr_users)
		return s;
	there.netns = s->netns;
	return find_bound(t, &there, e, &torn);
}

bool owners_find(struct owners *t, const struct owner_flow *f, int64_t mono_ns, struct owner *out,
		 bool *sure)
{
	const struct end src = { f->src, f->dst, f->src_port, f->dst_port };
	const struct end dst = { f->dst, f->src, f->dst_port, f->src_port };
	struct sock *sender = find_sender(t, f), *s;
	bool torn = false;

	*sure = !f->protocol;
	if (!f->protocol)
		return sender && tell(t, sender, mono_ns, out);
	s = f->out && sender ? sender : find_end(t, f, f->out ? &src : &dst, &torn);
	*sure = s || torn;
	if (torn)
		return false;
	if (!s)
		s = find_pair(t, f->protocol, f->out ? &dst : &src, f->netns);
	/* what still has its sender's socket was sent in another namespace of this host */
	s = s ?: sender;
	/* it passes by, between other namespaces: who sent it goes first */
	s = s ?: find_elsewhere(t, f, &src) ?: find_elsewhere(t, f, &dst);
	return s && tell(t, s, mono_ns, out);
}
