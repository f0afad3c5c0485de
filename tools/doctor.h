/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands in the way of a capture: checks are rows, settings are changed and given back. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "drops.h"

/* ---- a check is a row ---- */

enum level { LEVEL_OK, LEVEL_NOTE, LEVEL_WARN, LEVEL_BAD, NR_LEVELS };

/* What may change a setting: nothing but the user, --fix, or --port alone. */
enum fixed_by { BY_HAND, BY_FIX, BY_PORT };

struct doctor;

struct check {
	const char *name;		/* "rings" */
	void (*look)(struct doctor *d, const struct check *c);
	const char *cost;		/* of what is not as it should be; NULL: said */
	enum fixed_by by;
	const char *key;		/* for a look that several rows share: what it looks at */
	uint64_t least, want;		/* below the one is a warning, below the other a note */
};

/* Tables of rows, each ended by one without a name. */
extern const struct check nic_checks[], bus_checks[], other_checks[];	/* of an interface */
extern const struct check host_checks[], kernel_checks[];		/* of the host */

/* ---- what can be set: "feature rx-gro" of eth0, "sysctl net/core/rmem_max" ---- */

#define SETTING_VALUE 64

struct setting {
	char iface[IF_NAMESIZE];	/* "": the host's */
	const char *kind;
	char *key;			/* owned */
	char value[SETTING_VALUE];	/* wanted, or as it was */
};

struct finding {
	const struct check *check;
	enum level level;
	char iface[IF_NAMESIZE];	/* "": the host's */
	char is[320], command[200];
	bool would;			/* --fix or --port would change it */
};

struct doctor {
	/* what is asked for */
	bool fix, undo, port, drops, json, quiet;
	struct drops_opts watch;	/* of drops */
	const char *name;
	const char *called;

	/* where it looks */
	bool fixture;		/* files of a test, and nothing but files */
	int sys, proc;		/* directories; sys is -1 where it is another namespace's */
	int sys_always;
	int sock;		/* for ioctls; -1 in a fixture */

	/* the interface that is looked at; name "": the host */
	struct {
		char name[IF_NAMESIZE];
		unsigned int index;
		unsigned int flags;
		uint64_t mbps;		/* 0 not known */
		char driver[32];
		bool carries_host;	/* the default route, or the user's ssh */
		char carries[80];	/* which */
	} on;

	struct finding *findings;
	int nr_findings, room_findings;
	struct setting *settings;
	int nr_settings, room_settings;
	int changed, failed;
};

/* Adds a finding. Return: it, until the next is added. */
__attribute__((format(printf, 4, 5)))
struct finding *doctor_say(struct doctor *d, const struct check *c, enum level level,
			   const char *fmt, ...);

/*
 * The command that changes it, as a user would type it: none, where a shell or the command would
 * take the name of the interface for more than that.
 */
__attribute__((format(printf, 2, 3)))
void doctor_remedy(struct finding *f, const char *fmt, ...);

/* What --fix or --port would set for the last finding, if its row lets it. */
__attribute__((format(printf, 4, 5)))
void doctor_want(struct doctor *d, const char *kind, const char *value, const char *key, ...);

/* What is to be set. */
void doctor_set(struct doctor *d, const char *kind, const char *value, const char *key);

/* Looks at all that a table has. */
void doctor_look(struct doctor *d, const struct check *table);

/* ---- files below /sys and /proc, or below what stands in their place ---- */

int doctor_files_open(struct doctor *d);
void doctor_files_close(struct doctor *d);

/* The first line, without its end. Return: its length; -errno. */
__attribute__((format(printf, 4, 5)))
int doctor_line(int dir, char *out, size_t size, const char *fmt, ...);

/* All of a file, a string; the caller frees it. Return: NULL it cannot be read. */
char *doctor_text(int dir, const char *path);

/* Return: whether the file begins with a number. */
__attribute__((format(printf, 3, 4)))
bool doctor_number(int dir, uint64_t *out, const char *fmt, ...);

/* Return: 0; -errno. */
int doctor_write(int dir, const char *path, const char *value);

/* Each name in a directory that is no dot, in no order. Return: how many; -errno. */
int doctor_names(int dir, const char *path, void (*name)(void *user, const char *name), void *user);

/* "0-3,8". Return: how many CPUs. */
int doctor_cpus(const char *text, cpu_set_t *out);

/* Those that are online. */
int doctor_online(struct doctor *d, cpu_set_t *out);

/* Of the bus device of the interface: one of its files, as doctor_line() has it. */
int doctor_bus_line(struct doctor *d, const char *file, char *out, size_t size);

/* ---- ethtool ---- */

struct feature {
	char name[33];
	bool wanted, active, fixed;
};

/* All of them; the caller frees *out. Return: how many; -errno. */
int ethtool_features(struct doctor *d, const char *iface, struct feature **out);

/* Return: what the command answers, nearly always 0; -errno. */
int ethtool_ioctl(struct doctor *d, const char *iface, void *data);

/* ---- netlink ---- */

struct nlmsghdr;

typedef int (*netlink_answer)(const struct nlmsghdr *nlh, void *user);	/* as libmnl has it */

/* Asks, and waits at most five seconds for each part of the answer. Return: 0; -errno. */
int netlink_talk(int protocol, struct nlmsghdr *nlh, netlink_answer fn, void *user);

/* What the driver says of XDP, bits of NETDEV_XDP_ACT_*. Return: 0; -ENOENT no such kernel. */
struct netdev_xdp { uint64_t features, metadata; uint32_t zc_segs; };
int netlink_xdp(struct doctor *d, struct netdev_xdp *out);

/*
 * Each address, route or permanent neighbour of an interface, in hexadecimal. late: it can only
 * be made when the others are there.
 */
int netlink_objects(unsigned int ifindex, const char *kind,
		    void (*object)(void *user, const char *hex, int family, bool late), void *user);

/* "10.0.0.1/24". */
void netlink_object_text(const char *kind, const char *hex, char *out, size_t size);

/* Makes such an object, or removes it. Return: 0, also when it was so already; -errno. */
int netlink_object(const char *kind, const char *hex, bool there);

/* Looks what the interface carries: fills on.carries_host and on.carries. */
void doctor_carries(struct doctor *d);

/* ---- changing, and giving back ---- */

/* Return: 0; -errno: it cannot be asked, -EOPNOTSUPP such a thing is not there. */
int setting_get(struct doctor *d, const struct setting *s, char value[SETTING_VALUE]);
int setting_set(struct doctor *d, const struct setting *s, const char *value);

/* The name of a kind as the table has it; NULL: no such kind, or no such key of it. */
const char *setting_kind(const char *kind, const char *key);

/* Each an exit code. */
int doctor_fix(struct doctor *d);
int doctor_undo(struct doctor *d);
int doctor_port(struct doctor *d);

/* One line: what was changed, or why not. */
enum change { CHANGE_DONE, CHANGE_FAILED, CHANGE_NONE };
void doctor_changed(struct doctor *d, const struct setting *s, const char *from, const char *to,
		    enum change what, const char *why);

/* ---- what was before, in a file that outlives us ---- */

struct remembered {
	char boot[40], netns[40];
	unsigned int ifindex;
	struct setting s;		/* value: as it was; kind is the table's */
};

struct state {
	struct remembered *list;	/* in the order in which they were changed */
	int nr, room;
	int dir, lock;
	char boot[40], netns[40];	/* now */
	bool changed;
	char why[256];			/* the sentence, when a call fails */
};

/* Locks and reads it. Return: 0; -errno, and why says why. */
int state_open(struct doctor *d, struct state *st);

/* Adds it unless it is remembered already. Return: 0; -errno. */
int state_add(struct state *st, const struct setting *s, unsigned int ifindex, const char *old);
void state_forget(struct state *st, int i);

/* On disk when it returns. Return: 0; -errno, and why says why. */
int state_save(struct state *st);
void state_close(struct state *st);

#endif
