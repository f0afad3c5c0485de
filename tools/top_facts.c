// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   records.
 * Out:  to which row of each view they belong, and what they add to it.
 * Owns: calls that have begun, names of sources, and of cgroups met last.
 * Runs on: one thread.
 *
 * Nothing is kept of a record but by value: it is lent.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include "decode.h"
#include "top_facts.h"
#include "top_rows.h"

#define CGROUPS 64
#define SOURCES 256
#define SOURCE_NAME 32
#define CALL_NUMBERS 1024

struct call {			/* the entry that a thread's exit is awaited of */
	uint32_t tid, nr;
	int64_t mono_ns;
};

struct cgroup {
	const struct xcap_cgroup *at;
	uint64_t id;
	struct top_key key;
	uint8_t name_len;
	char name[TOP_NAME_MAX];
};

struct top_facts_state {
	uint64_t seed[2];
	struct call calls[TOP_PENDING];
	struct cgroup cgroups[CGROUPS];
	char sources[SOURCES][SOURCE_NAME];
	uint8_t moves[2][CALL_NUMBERS];		/* enum moves, of 64 and 32 bits */
	char path[TOP_NAME_MAX];		/* the end of a long one */
};

enum moves { MOVES_NOTHING, MOVES_IN, MOVES_OUT };

static void set_key(struct top_facts *f, enum top_view view, const void *bytes, uint8_t len)
{
	struct top_key *key = &f->key[view];

	memset(key, 0, sizeof(*key));
	memcpy(key->bytes, bytes, len);
	key->len = len;
	f->have |= 1u << view;
}

/* Any text as a key: itself, or two hashes of it that nobody else knows, and its length. */
static void text_key(const struct top_facts_state *s, struct top_key *key, char kind,
		     const char *text, uint32_t len)
{
	uint64_t h[2] = { s->seed[0], s->seed[1] };

	memset(key, 0, sizeof(*key));
	key->bytes[0] = kind;
	key->len = TOP_KEY_MAX;
	if (len < TOP_KEY_MAX - 1) {
		memcpy(key->bytes + 1, text, len);
		key->bytes[TOP_KEY_MAX - 1] = len;
		return;
	}
	for (uint32_t i = 0; i < len; i++) {
		h[0] = (h[0] ^ (uint8_t)text[i]) * 0x9e3779b97f4a7c15ull;
		h[0] ^= h[0] >> 31;
		h[1] = (h[1] ^ (uint8_t)text[i]) * 0xbf58476d1ce4e5b9ull;
		h[1] ^= h[1] >> 29;
	}
	memcpy(key->bytes + 1, h, sizeof(h));
	memcpy(key->bytes + 20, &len, sizeof(len));
	key->bytes[TOP_KEY_MAX - 1] = 0xff;
}

static void set_name(struct top_facts *f, enum top_view view, const char *name, size_t len)
{
	f->name[view] = name;
	f->name_len[view] = len < TOP_NAME_MAX ? len : TOP_NAME_MAX;
}

/* ---- whose it is ---- */

static void process(struct top_facts *f, const struct xcap_record *rec)
{
	const char *exe = rec->process ? rec->process->exe : "", *slash = strrchr(exe, '/');
	size_t comm_len = strnlen(rec->comm, sizeof(rec->comm));

	exe = slash ? slash + 1 : exe;
	set_key(f, TOP_PROCESS, &rec->pid, sizeof(rec->pid));
	f->rename = comm_len && rec->tid == rec->pid && rec->pid;
	if (f->rename || !*exe)
		set_name(f, TOP_PROCESS, rec->comm, comm_len);
	else
		set_name(f, TOP_PROCESS, exe, strlen(exe));
}

/* "docker\0" "4c01db0b339c\0" "web", or one name. */
static void cgroup_name(const struct top_facts_state *s, struct cgroup *c,
			const struct xcap_cgroup *g)
{
	const char *name = *g->container_name ? g->container_name : "";
	const char *one = *g->unit ? g->unit : *g->path ? g->path : "";
	size_t len = 0, room;

	if (!*g->container) {
		text_key(s, &c->key, *one ? TOP_KEY_UNIT : TOP_KEY_CGROUP,
			 *one ? one : (const char *)&g->id, *one ? strlen(one) : sizeof(g->id));
		len = strlen(one);
		c->name_len = len < sizeof(c->name) ? len : sizeof(c->name);
		memcpy(c->name, one, c->name_len);
		return;
	}
	text_key(s, &c->key, TOP_KEY_CONTAINER, g->container, strlen(g->container));
	len = strnlen(g->runtime, 16);
	memcpy(c->name, g->runtime, len);
	c->name[len++] = '\0';
	room = strnlen(g->container, 12);
	memcpy(c->name + len, g->container, room);
	len += room;
	c->name[len++] = '\0';
	room = strnlen(name, sizeof(c->name) - len);
	memcpy(c->name + len, name, room);
	c->name_len = len + room;
}

static void container(struct top_facts_state *s, struct top_facts *f, const struct xcap_record *rec)
{
	const struct xcap_cgroup *g = rec->cgroup;
	struct cgroup *c = &s->cgroups[rec->cgroup_id % CGROUPS];
	char unknown = TOP_KEY_UNKNOWN;

	f->have |= 1u << TOP_CONTAINER;
	if (!g && !rec->cgroup_id) {
		set_key(f, TOP_CONTAINER, &unknown, 1);
		return;
	}
	if (!g) {
		text_key(s, &f->key[TOP_CONTAINER], TOP_KEY_CGROUP, (const char *)&rec->cgroup_id,
			 sizeof(rec->cgroup_id));
		return;
	}
	if (c->at != g || c->id != g->id || !c->key.len) {
		cgroup_name(s, c, g);
		c->at = g;
		c->id = g->id;
	}
	f->key[TOP_CONTAINER] = c->key;
	set_name(f, TOP_CONTAINER, c->name, c->name_len);
}

static void source(struct top_facts_state *s, struct top_facts *f, const struct xcap_record *rec)
{
	uint32_t where = rec->source + 1;
	const char *name = rec->source < SOURCES ? s->sources[rec->source] : "";

	set_key(f, TOP_INTERFACE, &where, sizeof(where));
	set_name(f, TOP_INTERFACE, name, strlen(name));
	f->where = rec->ifindex ? rec->ifindex | 1u << 31 : where;
}

/* ---- packets ---- */

struct end {
	uint8_t family;
	uint8_t address[16];
	uint16_t port;
};

/* The key of a flow has its ends in one order, whichever way the packet goes. */
static void flow(struct top_facts *f, uint8_t proto, const struct end *from, const struct end *to)
{
	uint8_t key[38] = { proto, from->family };
	int order = memcmp(from->address, to->address, 16);
	const struct end *a, *b;

	if (!order)
		order = from->port - to->port;
	a = order <= 0 ? from : to;
	b = order <= 0 ? to : from;
	memcpy(key + 2, a->address, 16);
	memcpy(key + 18, b->address, 16);
	memcpy(key + 34, &a->port, 2);
	memcpy(key + 36, &b->port, 2);
	set_key(f, TOP_FLOW, key, sizeof(key));
	f->way[TOP_FLOW] = order <= 0 ? TOP_OUT : TOP_IN;
}

static void host_key(struct top_key *key, const struct end *end)
{
	memset(key, 0, sizeof(*key));
	key->len = 17;
	key->bytes[0] = end->family;
	memcpy(key->bytes + 1, end->address, 16);
}

/* The lower port is the service, as a rule. */
static void port(struct top_facts *f, uint8_t proto, uint16_t from, uint16_t to)
{
	uint16_t service = from <= to ? from : to;
	uint8_t key[3] = { proto };

	memcpy(key + 1, &service, 2);
	set_key(f, TOP_PORT, key, sizeof(key));
	f->way[TOP_PORT] = from <= to ? TOP_OUT : TOP_IN;
}

static bool loops(const struct decoded *d)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (!memcmp(d->src, d->dst, 16))
		return true;
	return d->family == AF_INET ? d->src[0] == 127 : !memcmp(d->src, one, 16);
}

/* What is no IP has no ends: all of its protocol is one row. */
static void other_protocol(struct top_facts *f, const struct decoded *d)
{
	uint8_t key[12] = { 0, 0 };

	if (d->proto)
		memcpy(key + 4, d->proto, strnlen(d->proto, sizeof(key) - 4));
	else
		memcpy(key + 2, &d->ethertype, 2);
	set_key(f, TOP_FLOW, key, sizeof(key));
}

static void packet(struct top_facts *f, const struct xcap_record *rec)
{
	struct end from = { 0 }, to = { 0 };
	struct decoded d = { 0 };
	bool known = decode_packet(&d, rec->data, rec->caplen, rec->packet.linktype);
	bool loop = known && d.have & DECODED_IP && loops(&d);
	uint8_t way = rec->direction == XCAP_DIR_OUT ? TOP_OUT : TOP_IN;

	f->packet = true;
	f->add[TOP_PACKETS_IN] = 1;
	f->add[TOP_BYTES_IN] = rec->len;
	f->way[TOP_INTERFACE] = way;
	/* on lo a packet is its sender's */
	f->way[TOP_PROCESS] = f->way[TOP_CONTAINER] = loop ? TOP_OUT : way;
	if (!(d.have & DECODED_IP))
		return other_protocol(f, &d);
	from.family = to.family = d.family;
	memcpy(from.address, d.src, 16);
	memcpy(to.address, d.dst, 16);
	from.port = d.have & DECODED_PORTS ? d.sport : 0;
	to.port = d.have & DECODED_PORTS ? d.dport : 0;
	flow(f, d.ip_proto, &from, &to);
	/* what leaves has this host's end left, and else who spoke first */
	f->left = (f->way[TOP_FLOW] == TOP_IN) ^ (rec->direction == XCAP_DIR_IN && !loop);
	if (d.have & DECODED_PORTS)
		port(f, d.ip_proto, d.sport, d.dport);
	host_key(&f->key[TOP_HOST], &from);
	host_key(&f->host2, &to);
	f->way[TOP_HOST] = TOP_OUT;
	f->have |= 1u << TOP_HOST;
}

/* ---- calls ---- */

/* An end as packets have it: IPv4 within IPv6 is IPv4. */
static struct end socket_end(uint16_t family, const uint8_t *address, uint16_t port)
{
	bool mapped = family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address);
	struct end end = { .family = mapped ? AF_INET : family, .port = port };

	memcpy(end.address, address + (mapped ? 12 : 0), end.family == AF_INET ? 4 : 16);
	return end;
}

static bool is_known(const struct end *end)
{
	static const uint8_t none[16];

	return end->port && memcmp(end->address, none, sizeof(none));
}

/*
 * The socket that a call is about belongs to a flow, as packets do. One that has no address of its
 * own yet, or none to talk to, would be a row beside the one that it will be.
 */
static void call_socket(struct top_facts *f, const struct xcap_file *file)
{
	struct end local, remote;

	if (file->family != AF_INET && file->family != AF_INET6)
		return;
	local = socket_end(file->family, file->local, file->local_port);
	remote = socket_end(file->family, file->remote, file->remote_port);
	if (!is_known(&local) || !is_known(&remote))
		return;
	flow(f, file->protocol, &local, &remote);
	f->left = f->way[TOP_FLOW] == TOP_IN;
	port(f, file->protocol, file->local_port, file->remote_port);
	host_key(&f->key[TOP_HOST], &remote);
	host_key(&f->host2, &local);
	f->have |= 1u << TOP_HOST;
}

static void call_file(struct top_facts_state *s, struct top_facts *f, const struct xcap_record *rec)
{
	struct xcap_file file;
	uint32_t cut;

	f->opens = rec->type == XCAP_SYS_EXIT && xcap_record_file(rec, XCAP_ARG_RESULT, &file);
	if (!f->opens && !xcap_record_file(rec, -1, &file))
		return;
	if (file.kind == XCAP_FILE_SOCKET)
		call_socket(f, &file);
	if (!file.path_len || (file.kind == XCAP_FILE_SOCKET && file.family != AF_UNIX))
		return;
	text_key(s, &f->key[TOP_FILE], 'f', file.path, file.path_len);
	f->have |= 1u << TOP_FILE;
	set_name(f, TOP_FILE, file.path, file.path_len);
	if (file.path_len <= TOP_NAME_MAX)
		return;
	cut = file.path_len - (TOP_NAME_MAX - 3);
	memcpy(s->path, "...", 3);
	memcpy(s->path + 3, file.path + cut, TOP_NAME_MAX - 3);
	set_name(f, TOP_FILE, s->path, TOP_NAME_MAX);
}

static void call(struct top_facts_state *s, struct top_facts *f, const struct xcap_record *rec)
{
	bool compat = rec->flags & XCAP_REC_COMPAT;
	uint32_t nr = rec->type == XCAP_SYS_ENTER ? rec->enter.nr : rec->exit.nr;
	uint32_t key[2] = { nr, compat };
	struct call *c = &s->calls[rec->tid % TOP_PENDING];
	int64_t ret = rec->exit.ret;

	set_key(f, TOP_SYSCALL, key, sizeof(key));
	call_file(s, f, rec);
	if (rec->type == XCAP_SYS_ENTER) {
		f->add[TOP_CALLS] = 1;
		*c = (struct call){ rec->tid, nr, rec->mono_ns };
		return;
	}
	if (c->tid == rec->tid && c->nr == nr && c->tid && rec->mono_ns >= c->mono_ns) {
		f->add[TOP_WAITED] = 1;
		f->add[TOP_WAIT_NS] = rec->mono_ns - c->mono_ns;
		c->tid = 0;
	}
	f->add[TOP_ERRORS] = ret < 0 && ret >= -4095;
	if (ret <= 0 || nr >= CALL_NUMBERS)
		return;
	if (s->moves[compat][nr] == MOVES_IN)
		f->add[TOP_READ] = ret;
	else if (s->moves[compat][nr] == MOVES_OUT)
		f->add[TOP_WRITTEN] = ret;
}

/* ---- all ---- */

bool top_facts(struct top_facts_state *s, struct top_facts *f, const struct xcap_record *rec)
{
	memset(f, 0, offsetof(struct top_facts, key));
	memset(f->way, 0, sizeof(*f) - offsetof(struct top_facts, way));
	f->mono_ns = rec->mono_ns;
	source(s, f, rec);
	switch (rec->type) {
	case XCAP_PACKET:
		packet(f, rec);
		break;
	case XCAP_SYS_ENTER:
	case XCAP_SYS_EXIT:
		call(s, f, rec);
		break;
	case XCAP_LOSS:
		f->add[TOP_LOST] = rec->loss.count;
		return true;
	default:
		return false;
	}
	process(f, rec);
	container(s, f, rec);
	return true;
}

static bool same(const struct top_key *a, const struct top_key *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

bool top_facts_match(const struct top_facts *f, const struct top_condition *c, int nr)
{
	for (int i = 0; i < nr; i++)
		if (!(f->have & 1u << c[i].view) ||
		    !(same(&f->key[c[i].view], &c[i].key) ||
		      (c[i].view == TOP_HOST && same(&f->host2, &c[i].key))))
			return false;
	return true;
}

/* ---- state ---- */

static const struct { const char *name; uint8_t moves; } movers[] = {
	{ "read", MOVES_IN }, { "pread64", MOVES_IN }, { "readv", MOVES_IN },
	{ "preadv", MOVES_IN }, { "preadv2", MOVES_IN }, { "recv", MOVES_IN },
	{ "recvfrom", MOVES_IN }, { "recvmsg", MOVES_IN },
	{ "write", MOVES_OUT }, { "pwrite64", MOVES_OUT }, { "writev", MOVES_OUT },
	{ "pwritev", MOVES_OUT }, { "pwritev2", MOVES_OUT }, { "send", MOVES_OUT },
	{ "sendto", MOVES_OUT }, { "sendmsg", MOVES_OUT }, { "sendfile", MOVES_OUT },
};

int top_facts_new(struct top_facts_state **out)
{
	struct top_facts_state *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	if (getrandom(s->seed, sizeof(s->seed), GRND_NONBLOCK) != sizeof(s->seed))
		s->seed[0] = s->seed[1] = (uintptr_t)s;
	for (size_t i = 0; i < sizeof(movers) / sizeof(movers[0]); i++)
		for (int compat = 0; compat < 2; compat++) {
			int nr = xcap_syscall_nr(movers[i].name, compat);

			if (nr >= 0 && nr < CALL_NUMBERS)
				s->moves[compat][nr] = movers[i].moves;
		}
	*out = s;
	return 0;
}

void top_facts_free(struct top_facts_state *s)
{
	free(s);
}

/* "tap:eth0?snaplen=128" is eth0, "file:/tmp/x.pcapng" x.pcapng, others are as they are called. */
void top_facts_source(struct top_facts_state *s, int i, const char *spec)
{
	const char *name = spec, *slash = strrchr(spec, '/');

	if (!strncmp(spec, "tap:", 4) || !strncmp(spec, "xsk:", 4))
		name = spec + 4;
	else if (!strncmp(spec, "file:", 5))
		name = slash ? slash + 1 : spec + 5;
	if (i >= 0 && i < SOURCES)
		snprintf(s->sources[i], SOURCE_NAME, "%.*s", (int)strcspn(name, "?"), name);
}

void top_facts_reset(struct top_facts_state *s)
{
	memset(s->calls, 0, sizeof(s->calls));
	memset(s->cgroups, 0, sizeof(s->cgroups));
}
