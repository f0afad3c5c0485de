// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   calls of libpcap's API by the names of xcap_pcap.h.
 * Out:  the same call on one of our handles, or on libpcap's own.
 * Owns: nothing.
 * Runs on: any thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "pcap_handle.h"
#include "source.h"

#define XCAP_PCAP_NO_NAMES	/* here libpcap's own are meant */
#include <xcap_pcap.h>

struct pcap_real pcap_real = {
#define X(ret, name, params, args, ours) .name = pcap_##name,
#define XV(name, params, args, ours) .name = pcap_##name,
	PCAP_HANDLE_CALLS(X, XV)
#undef X
#undef XV
#define X(ret, name, params) .name = pcap_##name,
	PCAP_PLAIN_CALLS(X)
#undef X
};

/* ---- the functions that take a handle ---- */

#define X(ret_type, name, params, args, ours)			\
ret_type xcap_pcap_##name params				\
{								\
	struct pcap_handle *h = handle_get(p);			\
	ret_type ret;						\
								\
	if (!h)							\
		return pcap_real.name args;			\
	ret = handle_##name ours;				\
	handle_put(h);						\
	return ret;						\
}
#define XV(name, params, args, ours)				\
void xcap_pcap_##name params					\
{								\
	struct pcap_handle *h = handle_get(p);			\
								\
	if (!h) {						\
		pcap_real.name args;				\
		return;						\
	}							\
	handle_##name ours;					\
	handle_put(h);						\
}
PCAP_HANDLE_CALLS(X, XV)
#undef X
#undef XV

void xcap_pcap_close(pcap_t *p)
{
	struct pcap_handle *h = handle_get(p);

	if (h) {
		handle_close(h);
		handle_put(h);
	} else if (!handle_was_ours(p)) {	/* twice: once by each of two threads */
		pcap_real.close(p);
	}
}

/* ---- by the name of a device ---- */

/*
 * The specs that a device's name stands for. XCAP_MAP, a line "NAME=SPEC" each, says so of names
 * that need not be ours. Return: NULL: the name is libpcap's; else the caller frees it.
 */
static char *meant(const char *device)
{
	const char *line = secure_getenv("XCAP_MAP"), *end;
	size_t len = device ? strlen(device) : 0;

	for (; len && line && *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (!strncmp(line, device, len) && line[len] == '=')
			return strndup(line + len + 1, end - line - len - 1);
	}
	return len && spec_is_ours(device) ? strdup(device) : NULL;
}

pcap_t *xcap_pcap_create(const char *device, char *errbuf)
{
	char *specs = meant(device);
	struct pcap_handle *h;

	if (!specs)
		return pcap_real.create(device, errbuf);
	h = handle_new(specs, errbuf);
	free(specs);
	return h ? h->key : NULL;
}

/* Some programs show it beside the sentence. */
static int errno_of(int code)
{
	return code == PCAP_ERROR_NO_SUCH_DEVICE ? ENODEV :
	       code == PCAP_ERROR_PERM_DENIED ? EPERM : EINVAL;
}

pcap_t *xcap_pcap_open_live(const char *device, int snaplen, int promisc, int to_ms, char *errbuf)
{
	char *specs = meant(device);
	struct pcap_handle *h;
	int ret;

	if (!specs)
		return pcap_real.open_live(device, snaplen, promisc, to_ms, errbuf);
	h = handle_new(specs, errbuf);
	free(specs);
	if (!h)
		return NULL;
	h->promisc = promisc;
	h->timeout_ms = to_ms;
	handle_set_snaplen(h, snaplen);
	ret = handle_activate(h);
	if (!ret) {
		*errbuf = '\0';		/* no warning */
		return h->key;
	}
	snprintf(errbuf, PCAP_ERRBUF_SIZE, "%.*s", PCAP_ERRBUF_SIZE - 1, h->errbuf);
	handle_close(h);
	errno = errno_of(ret);
	return NULL;
}

/* The one interface that they name. Return: 0: they name none, or several. */
static unsigned int only_interface(const char *specs)
{
	struct spec *spec = malloc(sizeof(*spec));
	unsigned int only = 0, ifindex;

	while (spec && spec_next(&specs, spec, NULL) > 0) {
		ifindex = if_nametoindex(spec->name);
		if (ifindex && only && ifindex != only) {
			only = 0;
			break;
		}
		only = ifindex ?: only;
	}
	free(spec);
	return only;
}

/*
 * That of the only interface; none and several have no network in common, as "any" has none. A
 * program that scans a network asks this: 0.0.0.0/0 must not come of a name that has another.
 */
int xcap_pcap_lookupnet(const char *device, bpf_u_int32 *net, bpf_u_int32 *mask, char *errbuf)
{
	char *specs = meant(device), name[IF_NAMESIZE];
	unsigned int ifindex;

	if (!specs)
		return pcap_real.lookupnet(device, net, mask, errbuf);
	ifindex = if_nametoindex(device) ?: only_interface(specs);
	free(specs);
	if (ifindex && if_indextoname(ifindex, name))
		return pcap_real.lookupnet(name, net, mask, errbuf);
	*net = *mask = 0;
	return 0;
}

/* ---- names of link types: libpcap 1.10 has none for USER0 ---- */

int xcap_pcap_datalink_name_to_val(const char *name)
{
	if (!strncasecmp(name, "DLT_", 4))
		name += 4;
	return strcasecmp(name, "USER0") ? pcap_real.datalink_name_to_val(name) : DLT_USER0;
}

const char *xcap_pcap_datalink_val_to_name(int dlt)
{
	return dlt == DLT_USER0 ? "USER0" : pcap_real.datalink_val_to_name(dlt);
}

const char *xcap_pcap_datalink_val_to_description(int dlt)
{
	return dlt == DLT_USER0 ? "xcap records" : pcap_real.datalink_val_to_description(dlt);
}

const char *xcap_pcap_datalink_val_to_description_or_dlt(int dlt)
{
	return dlt == DLT_USER0 ? "xcap records" :
	       pcap_real.datalink_val_to_description_or_dlt(dlt);
}

/* ---- the list of devices ---- */

static pcap_if_t *new_device(const char *name, const char *description)
{
	pcap_if_t *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->name = strdup(name);
	d->description = strdup(description);
	d->flags = PCAP_IF_UP | PCAP_IF_RUNNING | PCAP_IF_CONNECTION_STATUS_NOT_APPLICABLE;
	if (d->name && d->description)
		return d;
	free(d->name);
	free(d->description);
	free(d);
	return NULL;
}

static bool has_device(const pcap_if_t *all, const char *name)
{
	while (all && strcmp(all->name, name))
		all = all->next;
	return all;
}

static void append(pcap_if_t **all, pcap_if_t *more)
{
	while (*all)
		all = &(*all)->next;
	*all = more;
}

/*
 * One, and not one for each interface: there are programs that open all they are shown. Freed
 * by pcap_freealldevs(), which frees what malloc() gave.
 */
int xcap_pcap_findalldevs(pcap_if_t **all, char *errbuf)
{
	int ret = pcap_real.findalldevs(all, errbuf);

	if (ret)
		return ret;
	if (!has_device(*all, "syscalls"))
		append(all, new_device("syscalls", "System calls of the whole host; "
				       "IF+syscalls: with packets (xcap)"));
	return 0;
}
