// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   requests at one address.
 * Out:  the page of metrics, made anew ten times a second at most.
 * Owns: the listening socket and the daemon, which has no thread.
 * Runs on: the tool's first thread: the loop of xcap top waits at its descriptor.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "cmd.h"
#include "metrics.h"
#include "running.h"

#define CONNECTIONS 16
#define TIMEOUT_S 10
#define BACKLOG 16
#define PAGE_NS 100000000LL	/* as long a page is good enough for everybody */

struct metrics {
	struct top_guest guest;		/* first */
	struct top_run *run;
	struct MHD_Daemon *daemon;
	int fd;
	struct running_account own;
	struct { char *text; size_t len; int64_t made_ns; } pages[2];
};

/* ---- the page ---- */

static void make_page(struct metrics *m, bool open)
{
	int64_t now = top_mono_ns();
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (m->pages[open].text && now - m->pages[open].made_ns < PAGE_NS)
		return;
	out = open_memstream(&text, &len);
	if (!out)
		return;
	running_tell(&m->own, m->run->c.x);
	metrics_page(out, open, m->run->levels[0].model, &m->own);
	if (fclose(out)) {
		free(text);
		return;
	}
	free(m->pages[open].text);
	m->pages[open].text = text;
	m->pages[open].len = len;
	m->pages[open].made_ns = now;
}

/* ---- requests ---- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned int status, const char *type,
			      const void *text, size_t len)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)text,
								 MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ret;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	ret = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result sentence(struct MHD_Connection *c, unsigned int status, const char *text)
{
	return answer(c, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result request(void *user, struct MHD_Connection *c, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_size, void **state)
{
	static int begun;
	struct metrics *m = user;
	const char *accept;
	bool open;

	if (!*state) {			/* the headers are there, what may follow is not */
		*state = &begun;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return sentence(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (strcmp(url, "/metrics"))
		return sentence(c, strcmp(url, "/") ? MHD_HTTP_NOT_FOUND : MHD_HTTP_OK,
				"xcap top: the page is /metrics\n");
	accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	open = accept && strstr(accept, "application/openmetrics-text");
	make_page(m, open);
	if (!m->pages[open].text)
		return sentence(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "no memory\n");
	return answer(c, MHD_HTTP_OK,
		      open ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
			     "text/plain; version=0.0.4; charset=utf-8",
		      m->pages[open].text, m->pages[open].len);
}

/* ---- in top's loop ---- */

static void ready(struct top_guest *g)
{
	MHD_run(((struct metrics *)g)->daemon);
}

static void tick(struct top_guest *g, struct top *all)
{
	MHD_run(((struct metrics *)g)->daemon);		/* who took too long is sent away */
}

/* ---- the address ---- */

/* Numbers only: a name may be at several addresses. Return: NULL: it is none. */
static struct addrinfo *parse(const char *address)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				  .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(address, ':');
	struct addrinfo *found = NULL;
	char host[64], *end;
	size_t len = colon ? colon - address : 0;

	if (!len || len >= sizeof(host) || colon[1] < '0' || colon[1] > '9' ||
	    !strtoul(colon + 1, &end, 10) || *end || strtoul(colon + 1, NULL, 10) > 65535)
		return NULL;
	if (address[0] == '[' && colon[-1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)len - 2, address + 1);
	else if (memchr(address, ':', len))		/* which colon is it? */
		return NULL;
	else
		snprintf(host, sizeof(host), "%.*s", (int)len, address);
	return getaddrinfo(host, colon + 1, &hints, &found) ? NULL : found;
}

static int listen_at(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1, err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (at->ai_family == AF_INET6)	/* [::] is not all of IPv4 as well */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (!bind(fd, at->ai_addr, at->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void quiet(void *user, const char *fmt, va_list ap)
{
}

static int start(struct metrics *m)
{
	const union MHD_DaemonInfo *info;

	m->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, request, m,
				     MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL,
				     MHD_OPTION_LISTEN_SOCKET, m->fd,
				     MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
				     MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_END);
	info = m->daemon ? MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info)
		return -ENOMEM;
	m->guest = (struct top_guest){ .fd = info->epoll_fd, .events = POLLIN, .ready = ready,
				       .tick = tick };
	return 0;
}

int metrics_open(struct metrics **out, const char *address, const struct command *cmd)
{
	struct addrinfo *at = parse(address);
	struct metrics *m;
	int err;

	if (!at)
		return options_wrong(cmd, "--metrics: '%s' is no address and port, such as "
				     "127.0.0.1:9464 or [::1]:9464", address);
	m = calloc(1, sizeof(*m));
	if (m)
		m->fd = listen_at(at);
	freeaddrinfo(at);
	err = !m ? -ENOMEM : m->fd < 0 ? m->fd : start(m);
	if (!err) {
		snprintf(m->own.command, sizeof(m->own.command), "%s", cmd->called);
		running_begin(&m->own);
		*out = m;
		return OPTIONS_RUN;
	}
	fprintf(stderr, "%s: cannot serve at %s: %s%s\n", cmd->called, address, strerror(-err),
		err == -EADDRINUSE ? "; take another port" : "");
	metrics_close(m);
	return EXIT_FAILED;
}

struct top_guest *metrics_guest(struct metrics *m, struct top_run *run)
{
	if (!m)
		return NULL;
	m->run = run;
	return &m->guest;
}

void metrics_close(struct metrics *m)
{
	if (!m)
		return;
	if (m->daemon)
		MHD_stop_daemon(m->daemon);	/* and the socket that it was given */
	else if (m->fd >= 0)
		close(m->fd);
	free(m->pages[0].text);
	free(m->pages[1].text);
	free(m);
}
