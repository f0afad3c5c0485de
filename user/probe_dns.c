// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   the layout of the probe dns, with a question as it was on the wire: hostile.
 * Out:  its fields; the name as people write it, and names for the numbers.
 * Owns: room for two texts, for each thread: good until the next record's.
 * Runs on: any thread.
 */
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <stdio.h>
#include "probe_fields.h"

#define LABEL_MAX 63

/*
 * Where the name ends, behind its last byte. No name of a question refers to another, so what
 * looks like it is none. Return: 0: it does not end.
 */
static unsigned int name_end(const struct xprobe_dns *x)
{
	unsigned int i = 0;

	while (i < x->question_len && x->question[i] && x->question[i] <= LABEL_MAX)
		i += 1 + x->question[i];
	return i < x->question_len && !x->question[i] && i < NS_MAXCDNAME ? i + 1 : 0;
}

/* What is no printable character is \000 to \255. */
static const char *dns_name(const void *row)
{
	static _Thread_local char text[NS_MAXDNAME];
	const struct xprobe_dns *x = row;

	if (x->question_len > sizeof(x->question) || !name_end(x) ||
	    ns_name_ntop(x->question, text, sizeof(text)) < 0)
		return "?";
	return text;
}

static const struct {
	uint16_t type;
	const char *name;
} types[] = {
	{ 1, "A" }, { 2, "NS" }, { 5, "CNAME" }, { 6, "SOA" }, { 12, "PTR" }, { 13, "HINFO" },
	{ 15, "MX" }, { 16, "TXT" }, { 28, "AAAA" }, { 29, "LOC" }, { 33, "SRV" },
	{ 35, "NAPTR" }, { 37, "CERT" }, { 39, "DNAME" }, { 43, "DS" }, { 44, "SSHFP" },
	{ 46, "RRSIG" }, { 47, "NSEC" }, { 48, "DNSKEY" }, { 50, "NSEC3" },
	{ 51, "NSEC3PARAM" }, { 52, "TLSA" }, { 53, "SMIMEA" }, { 59, "CDS" },
	{ 60, "CDNSKEY" }, { 61, "OPENPGPKEY" }, { 64, "SVCB" }, { 65, "HTTPS" },
	{ 249, "TKEY" }, { 250, "TSIG" }, { 251, "IXFR" }, { 252, "AXFR" }, { 255, "ANY" },
	{ 256, "URI" }, { 257, "CAA" },
};

static const char *dns_type(const void *row)
{
	static _Thread_local char text[16];
	const struct xprobe_dns *x = row;
	unsigned int end = x->question_len <= sizeof(x->question) ? name_end(x) : 0, type;

	if (!end || end + 2 > x->question_len)
		return "?";
	type = x->question[end] << 8 | x->question[end + 1];
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return types[i].name;
	snprintf(text, sizeof(text), "TYPE%u", type);
	return text;
}

static const char *dns_rcode(const void *row)
{
	static const char *const names[] = {
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN",
		"YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI", "RCODE12", "RCODE13",
		"RCODE14", "RCODE15",
	};
	const struct xprobe_dns *x = row;

	if (x->rcode == XPROBE_DNS_NONE)
		return "TIMEOUT";
	return x->rcode >= 0 && x->rcode < (int)(sizeof(names) / sizeof(names[0])) ?
	       names[x->rcode] : "?";
}

static const char *dns_protocol(const void *row)
{
	return ((const struct xprobe_dns *)row)->flow.protocol == IPPROTO_TCP ? "TCP" : "UDP";
}

const struct probe_field probe_dns_fields[] = {
	FIELD_AS(dns, flow.saddr, "saddr", ADDRESS, XCAP_WIDTH_NEVER),
	FIELD_AS(dns, flow.sport, "sport", UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD_AS(dns, flow.daddr, "daddr", ADDRESS, XCAP_WIDTH_NEVER),
	FIELD_AS(dns, flow.dport, "dport", UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD_NAMED("protocol", XCAP_WIDTH_NEVER, dns_protocol),
	FIELD_NAMED("qtype", 5, dns_type),
	FIELD_NAMED("rcode", 8, dns_rcode),
	FIELD(dns, latency_ns, DURATION, 7),
	FIELD(dns, answers, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(dns, truncated, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD(dns, id, UNSIGNED, XCAP_WIDTH_NEVER),
	FIELD_NAMED("qname", 0, dns_name),
	{ 0 }
};
