// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   what Wireshark asks of an extcap: its interfaces, link types, controls; a capture.
 * Out:  sentences of extcap's grammar on standard output; pcapng into Wireshark's pipe.
 * Owns: a second descriptor of that pipe.
 * Runs on: the tool's only thread.
 *
 * Wireshark takes whatever stands on standard error for a failure: nothing else does.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "capture.h"
#include "cmd.h"

#define PREFIX "xcap-"		/* of what -i of tshark takes: "xcap-eth0" */
#define SYSCALLS "syscalls"	/* PREFIX SYSCALLS: no packets */
#define MAX_VIEWERS 8		/* as many as without= takes */
#define PID_NS_INITIAL 0xEFFFFFFCu
#define READER_WAIT_MS 30000	/* what Wireshark itself gives an extcap to end */

struct extcap {
	struct capture c;	/* first: the callbacks get it */
	bool interfaces, dlts, config, capture;
	const char *interface, *fifo, *version, *reload;
	char *only;
	uint64_t data;
	bool switches;
	bool with_packets;
	int pipe_fd;
};

/* ---- options ---- */

#define ROW(name, kind, field, value, help) \
	{ 0, name, kind, offsetof(struct extcap, field), value, help, 0, 0 }

static const struct option_row asked[] = {
	ROW("extcap-interfaces", OPTION_FLAG, interfaces, NULL, "list what can be captured"),
	ROW("extcap-dlts", OPTION_FLAG, dlts, NULL, "list the link types of an interface"),
	ROW("extcap-config", OPTION_FLAG, config, NULL, "list the controls of an interface"),
	ROW("capture", OPTION_FLAG, capture, NULL, "capture an interface into the pipe"),
	ROW("extcap-interface", OPTION_TEXT, interface, "NAME",
	    "the interface: xcap-syscalls, or xcap-IF for the packets of IF and system calls"),
	ROW("fifo", OPTION_TEXT, fifo, "PATH", "the pipe to write to, in pcapng"),
	ROW("extcap-capture-filter", OPTION_TEXT, c.filter, "FILTER",
	    "keep only packets that match this pcap filter; without --capture: say what is wrong "
	    "with it, or nothing"),
	ROW("extcap-version", OPTION_TEXT, version, "VERSION", "who asks; makes no difference"),
	ROW("extcap-reload-option", OPTION_TEXT, reload, "NAME",
	    "which control is to be listed anew; all of them are"),
};
#define NR_ASKED (sizeof(asked) / sizeof(asked[0]))

/* An option that Wireshark's dialog shows. A new one is one row. */
struct control {
	struct option_row option;	/* its help is the dialog's tooltip */
	const char *display;
	const char *type;
	const char *preset;		/* NULL none */
	const char *more;		/* of its sentence; NULL nothing */
	const char *values;		/* of a selector, with blanks between them */
	const char *key;		/* which option of syscalls it is; NULL none */
	bool of_packets;		/* nothing to choose where there are none */
};

static const struct control controls[] = {
	{ ROW("only", OPTION_LIST, only, "CALLS",
	      "only these calls, with commas between them; all if empty"),
	  .display = "System calls", .type = "string", .key = "only",
	  .more = "{placeholder=connect,accept4,sendto,recvfrom}"
		  "{validation=^ *([a-z0-9_]+ *(, *[a-z0-9_]+ *)*)?$}" },
	{ ROW("switches", OPTION_FLAG, switches, NULL, "context switches too"),
	  .display = "Context switches", .type = "boolflag", .preset = "false",
	  .key = "switches" },
	{ { 0, "data", OPTION_SIZE, offsetof(struct extcap, data), "BYTES",
	    "keep so many bytes of what a call reads, writes, sends or receives (80)", 0, 65536 },
	  .display = "Data of a system call", .type = "unsigned", .preset = "80",
	  .key = "data" },
	{ { 0, "snaplen", OPTION_SIZE, offsetof(struct extcap, c.snaplen), "BYTES",
	    "keep so many bytes of a packet (262144)", 1, 262144 },
	  .display = "Bytes of a packet", .type = "unsigned", .preset = "262144",
	  .of_packets = true },
	{ { 0, "slack", OPTION_TIME, offsetof(struct extcap, c.slack_ns), "TIME",
	    "longest wait for a slow source before later records go on (2ms)", 1000,
	    60000000000 },
	  .display = "Slack", .type = "string", .preset = "2ms",
	  .more = "{validation=^[0-9]+([.][0-9]+)?(us|ms|s)$}" },
	{ { 0, "ring", OPTION_SIZE, offsetof(struct extcap, c.ring_bytes), "BYTES",
	    "BPF ring buffer of each CPU, a power of two (8M)", 4096, 1u << 30 },
	  .display = "Ring buffer of each CPU", .type = "selector", .preset = "8M",
	  .values = "1M 2M 4M 8M 16M 32M 64M 128M 256M" },
};
#define NR_CONTROLS (sizeof(controls) / sizeof(controls[0]))

static struct option_row rows[NR_ASKED + NR_CONTROLS + 1];

static void fill_rows(void)
{
	memcpy(rows, asked, sizeof(asked));
	for (size_t i = 0; i < NR_CONTROLS; i++)
		rows[NR_ASKED + i] = controls[i].option;
}

/* ---- what there is ---- */

/*
 * The name of an interface may hold nearly every byte; one that a sentence or a spec could
 * take for its own is not offered.
 */
static bool offered(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-+@~";

	return *name && strcmp(name, SYSCALLS) && !name[strspn(name, plain)];
}

static int print_interface(void *user, const struct xcap_iface *iface)
{
	(void)user;
	if (!iface->ifindex || !(iface->flags & XCAP_IFACE_UP) || !offered(iface->name))
		return 0;
	printf("interface {value=" PREFIX "%s}{display=%s and system calls}\n", iface->name,
	       iface->name);
	return 0;
}

static int print_interfaces(const struct command *cmd)
{
	printf("extcap {version=%s}\n", xcap_version());
	puts("interface {value=" PREFIX SYSCALLS "}{display=System calls}");
	if (!xcap_list(print_interface, NULL))
		return EXIT_DONE;
	fprintf(stderr, "%s: %s\n", cmd->called, xcap_errmsg(NULL));
	return EXIT_FAILED;
}

/* What stands in the pipe has one link type, with packets or without. */
static int print_dlts(void)
{
	puts("dlt {number=1}{name=EN10MB}{display=Ethernet}");
	return EXIT_DONE;
}

static void print_values(const struct control *c, int number)
{
	int len;

	for (const char *at = c->values; *at; at += len + strspn(at + len, " ")) {
		len = strcspn(at, " ");
		printf("value {arg=%d}{value=%.*s}{display=%.*s}{default=%s}\n", number, len, at,
		       len, at, !strncmp(at, c->preset, len) ? "true" : "false");
	}
}

static int print_config(const struct extcap *e)
{
	int number = 0;

	for (size_t i = 0; i < NR_CONTROLS; i++) {
		const struct control *c = &controls[i];

		if (c->of_packets && !e->with_packets)
			continue;
		printf("arg {number=%d}{call=--%s}{display=%s}{tooltip=%s}{type=%s}", number,
		       c->option.name, c->display, c->option.help, c->type);
		if (!strcmp(c->type, "unsigned"))
			printf("{range=%llu,%llu}", (unsigned long long)c->option.min,
			       (unsigned long long)c->option.max);
		if (c->preset && !c->values)
			printf("{default=%s}", c->preset);
		printf("%s\n", c->more ? c->more : "");
		if (c->values)
			print_values(c, number);
		number++;
	}
	return EXIT_DONE;
}

/* ---- the filter before it is used ---- */

/* A capture file without packets, for the library to compile the filter for. -1: errno. */
static int empty_capture(void)
{
	static const struct { uint32_t magic; uint16_t major, minor; uint32_t rest[4]; } header = {
		0xa1b2c3d4, 2, 4, { 0, 0, 262144, XCAP_LINK_ETHERNET },
	};
	int fd = memfd_create("empty", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, &header, sizeof(header)) != sizeof(header)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* By the interface, standard output is empty if the filter is good, and the exit code is 0. */
static int check_filter(const struct command *cmd, const char *filter)
{
	struct xcap_opts opts = { .sz = sizeof(opts), .filter = filter };
	struct xcap *x = NULL;
	int fd = empty_capture();
	char spec[64];

	if (fd < 0) {
		fprintf(stderr, "%s: cannot look at the filter: %s\n", cmd->called,
			strerror(errno));
		return EXIT_FAILED;
	}
	snprintf(spec, sizeof(spec), "file:/proc/self/fd/%d", fd);
	if (xcap_open(&x, spec, &opts))
		puts(xcap_errmsg(NULL));
	xcap_close(x);
	close(fd);
	return EXIT_DONE;
}

/* ---- what is to be captured ---- */

/* Takes the blanks out. A name that is none could be a source of its own behind the comma. */
static int check_only(struct extcap *e, const struct command *cmd)
{
	char *to = e->only, *copy, *name, *save;
	int code = OPTIONS_RUN;

	if (!e->only)
		return OPTIONS_RUN;
	for (const char *from = e->only; *from; from++)
		if (*from != ' ')
			*to++ = *from;
	*to = '\0';
	if (!*e->only) {
		free(e->only);
		e->only = NULL;
		return OPTIONS_RUN;
	}
	copy = strdup(e->only);
	if (!copy)
		return options_wrong(cmd, "--only: no memory");
	for (name = strtok_r(copy, ",", &save); name && code == OPTIONS_RUN;
	     name = strtok_r(NULL, ",", &save))
		if (strcmp(name, "switch") && xcap_syscall_nr(name, 0) < 0 &&
		    xcap_syscall_nr(name, 1) < 0)
			code = options_wrong(cmd, "--only: '%s' is no system call", name);
	free(copy);
	if (code == OPTIONS_RUN && (strspn(e->only, ",") || strstr(e->only, ",,") ||
				    e->only[strlen(e->only) - 1] == ','))
		code = options_wrong(cmd, "--only %s: a comma stands between two names", e->only);
	return code;
}

/* The dumpcap that reads the pipe is a child of who started us. Return: how many were found. */
static int find_dumpcaps(pid_t parent, pid_t *pids, int max)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	while (proc && n < max && (entry = readdir(proc))) {
		char path[300], comm[32];
		int pid, ppid;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		f = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "re") : NULL;
		if (!f)
			continue;
		if (fscanf(f, "%d (%31[^)]) %*c %d", &pid, comm, &ppid) == 3 && ppid == parent &&
		    !strcmp(comm, "dumpcap"))
			pids[n++] = pid;
		fclose(f);
	}
	if (proc)
		closedir(proc);
	return n;
}

/*
 * Who looks on: the process that started us, and its dumpcap. Their calls would be shown by
 * further calls of theirs, without end. The programs know processes by their numbers in the
 * initial namespace: in another one we cannot name them.
 */
static int find_viewers(pid_t *pids, int max)
{
	struct stat ns;
	int n = 0;

	if (stat("/proc/self/ns/pid", &ns) || ns.st_ino != PID_NS_INITIAL || getppid() <= 1)
		return 0;
	pids[n++] = getppid();
	return n + find_dumpcaps(pids[0], pids + n, max - n);
}

/* "?" before the first option of a source, "&" before the others. */
struct specs {
	FILE *out;
	char before;
};

static void put_key(struct specs *s, const char *key)
{
	fprintf(s->out, "%c%s=", s->before, key);
	s->before = '&';
}

/* A control that is an option of the syscalls source, if it was set. */
static void put_control(struct specs *s, const struct extcap *e, const struct control *c)
{
	const void *field = (const char *)e + c->option.offset;

	switch (c->option.kind) {
	case OPTION_FLAG:
		if (!*(const bool *)field)
			return;
		put_key(s, c->key);
		fputs("on", s->out);
		return;
	case OPTION_LIST:
		if (!*(char *const *)field)
			return;
		put_key(s, c->key);
		fputs(*(char *const *)field, s->out);
		return;
	default:
		if (*(const uint64_t *)field == strtoull(c->preset, NULL, 10))
			return;
		put_key(s, c->key);
		fprintf(s->out, "%llu", (unsigned long long)*(const uint64_t *)field);
	}
}

/* "tap:eth0,syscalls?without=12,13": a copy always; the host's traffic is never touched. */
static int make_specs(struct extcap *e)
{
	pid_t viewers[MAX_VIEWERS];
	int nr = find_viewers(viewers, MAX_VIEWERS);
	struct specs s = { .before = '?' };
	size_t size;

	s.out = open_memstream(&e->c.specs, &size);
	if (!s.out)
		return -errno;
	if (e->with_packets)
		fprintf(s.out, "tap:%s,", e->interface + strlen(PREFIX));
	fputs(SYSCALLS, s.out);
	for (size_t i = 0; i < NR_CONTROLS; i++)
		if (controls[i].key)
			put_control(&s, e, &controls[i]);
	if (!e->switches && !e->only) {
		put_key(&s, "switches");
		fputs("off", s.out);
	}
	for (int i = 0; i < nr; i++) {
		if (i)
			putc(',', s.out);
		else
			put_key(&s, "without");
		fprintf(s.out, "%d", viewers[i]);
	}
	return fclose(s.out) ? -errno : 0;
}

/* ---- the capture ---- */

/*
 * Before anything is attached: a writer that opens the pipe in the usual way would hang
 * there for as long as nobody reads. Return: 0; -errno.
 */
static int await_reader(struct extcap *e)
{
	struct timespec nap = { .tv_nsec = 10000000 };

	for (int ms = 0; ms < READER_WAIT_MS; ms += 10) {
		e->pipe_fd = open(e->fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (e->pipe_fd >= 0)
			return 0;
		if (errno != ENXIO)
			return -errno;
		nanosleep(&nap, NULL);
	}
	return -ETIMEDOUT;
}

/* A stream that says nothing would not notice otherwise that nobody listens. */
static void look_for_reader(struct capture *c)
{
	struct pollfd p = { .fd = ((struct extcap *)c)->pipe_fd };

	if (poll(&p, 1, 0) == 1 && p.revents & POLLERR)
		c->over = true;
}

static int capture(struct extcap *e, const struct command *cmd)
{
	struct capture *c = &e->c;
	int err, code;

	c->write_to = e->fifo;
	c->process_as = XCAP_PROCESS_COMMENTS;	/* to Wireshark 4 blocks are frames */
	code = check_only(e, cmd);
	if (code == OPTIONS_RUN)
		code = capture_check(c, cmd, false);
	if (code != OPTIONS_RUN)
		return code;
	err = await_reader(e);
	if (err) {
		fprintf(stderr, "%s: cannot write to %s: %s\n", c->called, e->fifo,
			err == -ETIMEDOUT ? "nobody reads it" : strerror(-err));
		return EXIT_FAILED;
	}
	err = make_specs(e);
	if (err) {
		fprintf(stderr, "%s: cannot name the sources: %s\n", c->called, strerror(-err));
		return EXIT_FAILED;
	}
	code = capture_open(c);
	if (code != OPTIONS_RUN)
		return code;
	capture_run(c);
	return capture_exit_code(c);
}

/* ---- what is asked ---- */

static int check_interface(struct extcap *e, const struct command *cmd)
{
	const char *name = e->interface ? e->interface : "";

	if (!e->interface)
		return options_wrong(cmd, "--extcap-interface is missing: it says which");
	if (!strcmp(name, PREFIX SYSCALLS))
		return OPTIONS_RUN;
	e->with_packets = true;
	if (strncmp(name, PREFIX, strlen(PREFIX)) || !offered(name + strlen(PREFIX)))
		return options_wrong(cmd, "'%s' is no interface here; --extcap-interfaces lists "
				     "them", name);
	return OPTIONS_RUN;
}

static int answer(struct extcap *e, const struct command *cmd)
{
	int code;

	if (e->interfaces)
		return print_interfaces(cmd);
	if (!e->dlts && !e->config && !e->capture && !e->c.filter)
		return options_wrong(cmd, "nothing is asked: Wireshark runs this program, and "
				     "--extcap-interfaces lists what it offers");
	code = check_interface(e, cmd);
	if (code != OPTIONS_RUN)
		return code;
	if (e->dlts)
		return print_dlts();
	if (e->config)
		return print_config(e);
	if (!e->capture)
		return check_filter(cmd, e->c.filter);
	if (!e->fifo)
		return options_wrong(cmd, "--fifo is missing: it says where to write");
	return capture(e, cmd);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct extcap e = {
		.c = { .called = cmd->called, .silent = true, .managed = true,
		       .tick = look_for_reader,
		       .denied = "; xcap-extcap(1) says how a group is given them" },
		.data = 80, .pipe_fd = -1,
	};
	int words, code;

	fill_rows();
	code = options_parse(cmd, argc, argv, &e, &words);
	if (code == OPTIONS_RUN && words < argc)
		code = options_wrong(cmd, "'%s' is no option", argv[words]);
	if (code == OPTIONS_RUN)
		code = answer(&e, cmd);
	capture_close(&e.c);
	if (e.pipe_fd >= 0)
		close(e.pipe_fd);
	free(e.only);
	if (fflush(stdout) && code == EXIT_DONE)
		code = EXIT_FAILED;
	return code;
}

const struct command extcap_command = {
	.name = "extcap",
	.summary = "offer packets and system calls to Wireshark, which runs this",
	.usage = "--extcap-interfaces | --extcap-interface NAME [OPTION]...",
	.prose = "The options from --only on are the controls of Wireshark's dialog.\n",
	.rows = rows,
	.run = run,
};
