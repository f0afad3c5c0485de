// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   a program that calls libpcap by its own names.
 * Out:  the same calls to pcap_twin.c, or to the libpcap that stands behind this library.
 * Owns: libpcap, opened by its path, because this library has its name.
 * Runs on: any thread.
 *
 * libxcap-pcap.so has the soname of libpcap: preloaded, it is what the program's own
 * reference and a later dlopen("libpcap.so.0.8") find; in a directory of
 * LD_LIBRARY_PATH it is found instead of it. So it must have every function that libpcap
 * has. Those that take no handle are jumps, made from the list of libpcap's symbols when
 * this is built (forward.sh).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../pcap_calls.h"

#define XCAP_PCAP_NO_NAMES
#include <xcap_pcap.h>

#define EXPORT __attribute__((visibility("default")))

/* of forward.S: names, and where each jump goes; the last name is NULL */
extern const char *const forward_names[];
extern void *forward_to[];

/* Data of libpcap's, which old programs print. */
EXPORT char pcap_version[80] = "libpcap";

/* Nobody could go on, and this is no place to return an error from. */
__attribute__((noreturn))
static void give_up(const char *what, const char *advice)
{
	fprintf(stderr, "libxcap-pcap: no libpcap behind this library: %s; %s\n", what, advice);
	_exit(127);
}

static void *find_libpcap(void)
{
	const char *path = secure_getenv("XCAP_LIBPCAP");
	void *lib = dlopen(path ?: LIBPCAP_PATH, RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		give_up(dlerror(), "XCAP_LIBPCAP=/path/of/libpcap.so says where it is");
	return lib;
}

static void *symbol(void *lib, const char *name)
{
	void *at = dlsym(lib, name);

	if (!at)
		give_up(name, "it is not there, and was when xcap was built: build it again");
	return at;
}

/* Before the constructors of what the program brings. */
__attribute__((constructor(101)))
static void load(void)
{
	void *lib = find_libpcap();
	const char *version;

#define X(ret, name, params, args, ours) *(void **)&pcap_real.name = symbol(lib, "pcap_" #name);
#define XV(name, params, args, ours) *(void **)&pcap_real.name = symbol(lib, "pcap_" #name);
	PCAP_HANDLE_CALLS(X, XV)
#undef X
#undef XV
#define X(ret, name, params) *(void **)&pcap_real.name = symbol(lib, "pcap_" #name);
	PCAP_PLAIN_CALLS(X)
#undef X
	for (int i = 0; forward_names[i]; i++)
		forward_to[i] = symbol(lib, forward_names[i]);
	version = dlsym(lib, "pcap_version");
	if (version)
		snprintf(pcap_version, sizeof(pcap_version), "%s", version);
}

/* ---- libpcap's names ---- */

#define X(ret, name, params, args, ours) \
	EXPORT ret pcap_##name params { return xcap_pcap_##name args; }
#define XV(name, params, args, ours) \
	EXPORT void pcap_##name params { xcap_pcap_##name args; }
PCAP_HANDLE_CALLS(X, XV)
#undef X
#undef XV

EXPORT pcap_t *pcap_create(const char *device, char *errbuf)
{
	return xcap_pcap_create(device, errbuf);
}

EXPORT pcap_t *pcap_open_live(const char *device, int snaplen, int promisc, int to_ms,
			      char *errbuf)
{
	return xcap_pcap_open_live(device, snaplen, promisc, to_ms, errbuf);
}

EXPORT void pcap_close(pcap_t *p)
{
	xcap_pcap_close(p);
}

EXPORT int pcap_findalldevs(pcap_if_t **all, char *errbuf)
{
	return xcap_pcap_findalldevs(all, errbuf);
}

EXPORT int pcap_lookupnet(const char *device, bpf_u_int32 *net, bpf_u_int32 *mask, char *errbuf)
{
	return xcap_pcap_lookupnet(device, net, mask, errbuf);
}

EXPORT int pcap_datalink_name_to_val(const char *name)
{
	return xcap_pcap_datalink_name_to_val(name);
}

EXPORT const char *pcap_datalink_val_to_name(int dlt)
{
	return xcap_pcap_datalink_val_to_name(dlt);
}

EXPORT const char *pcap_datalink_val_to_description(int dlt)
{
	return xcap_pcap_datalink_val_to_description(dlt);
}

EXPORT const char *pcap_datalink_val_to_description_or_dlt(int dlt)
{
	return xcap_pcap_datalink_val_to_description_or_dlt(dlt);
}
