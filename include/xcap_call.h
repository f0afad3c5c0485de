/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls: their names, and what their arguments are. Part of xcap.h, which includes it.
 */
#ifndef XCAP_CALL_H
#define XCAP_CALL_H

#include "xcap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- syscalls by name ---- */

/**
 * xcap_syscall_name - name of a syscall number
 * @nr:     number
 * @compat: not 0: a 32-bit number (XCAP_REC_COMPAT)
 *
 * Return: a constant string such as "write"; NULL if the number has no name.
 * Owns:   the library.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API const char *xcap_syscall_name(__u32 nr, int compat);

/**
 * xcap_syscall_nr - number of a syscall name
 * @name:   "write"
 * @compat: not 0: the 32-bit number
 *
 * Return: the number; -ENOENT no such call in that ABI.
 * Owns:   nothing.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_syscall_nr(const char *name, int compat);

/**
 * xcap_syscall_arg - name and kind of one argument
 * @name: syscall name
 * @arg:  0 to 5
 * @kind: out, may be NULL: 'd' int, 'l' signed and as wide as a register, 'u'
 *        unsigned, 'x' hexadecimal, 'o' octal, 'p' pointer, 'f' file descriptor
 *
 * Return: the argument's name, as in the call's man page; NULL if the call has
 *         no such argument or is not in the table.
 * Owns:   the library.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API const char *xcap_syscall_arg(const char *name, int arg, char *kind);

/* ---- arguments of a record ---- */

#define XCAP_ARG_RESULT	6	/* the result, where it is a descriptor or an address */
#define XCAP_ARG_ADDRESS 7	/* as text only: the socket address in a message (sendmsg) */

/* xcap_arg.memory: what an argument refers to was read, and how much of it */
#define XCAP_MEMORY_NONE	0	/* nothing was read */
#define XCAP_MEMORY_BYTES	1	/* data; a string without its NUL */
#define XCAP_MEMORY_STRINGS	2	/* strings of an array of pointers, a NUL behind each */
#define XCAP_MEMORY_DATA	3	/* bytes of several buffers, one behind the other */
#define XCAP_MEMORY_STRUCT	4	/* structures, an address: the text says what is in them */

/* One argument of a system call. */
struct xcap_arg {
	const char *name;	/* "fd"; "arg0" on where the call has no name */
	__u64 value;		/* as it stood in the register; exit: 0 but for the result */
	__s64 number;		/* kinds d, l and f: with the sign that the call sees */
	char  kind;		/* as xcap_syscall_arg(); 'p' where the call has no name */
	__u8  memory;		/* XCAP_MEMORY_ */
	__u8  cut;		/* 1: there was more than is at bytes */
	__u8  fault;		/* 1: what follows could not be read when the call began */
	__u32 len;		/* bytes at bytes */
	const __u8 *bytes;	/* lent as the record is; NULL if none */
	__u64 whole;		/* bytes that there were, as far as it is known */
};

/**
 * xcap_record_arg - one argument of a call, by its name and with its sign
 * @rec: an XCAP_SYS_ENTER or XCAP_SYS_EXIT record
 * @i:   0 to 5; XCAP_ARG_RESULT
 * @arg: out
 *
 * An exit has only what the call wrote to memory, what could not be read when it began,
 * and its result where that is more than a number.
 *
 * Return: 1; 0 the call has no such argument, or the exit nothing of it. A call without
 *         name has six.
 * Owns:   the library owns the name and the bytes.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_record_arg(const struct xcap_record *rec, int i, struct xcap_arg *arg);

/**
 * xcap_record_arg_text - one argument for people: "O_RDONLY|O_CLOEXEC", "3(/etc/passwd)"
 * @rec: as xcap_record_arg()
 * @i:   as xcap_record_arg(); XCAP_ARG_ADDRESS
 * @buf: out, always ended by a NUL if there is room for one; NULL if @size is 0
 * @size: bytes at @buf
 *
 * Return: bytes of the whole text without its NUL, as snprintf(); -EINVAL there is no such
 *         argument.
 * Owns:   nothing.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_record_arg_text(const struct xcap_record *rec, int i, char *buf, size_t size);

/* xcap_file.kind */
#define XCAP_FILE_OTHER		0	/* pipe, eventfd, ...: path is "pipe:[4711]" */
#define XCAP_FILE_PATH		1
#define XCAP_FILE_SOCKET	2	/* any kind of socket */

/* An open file, as it was when a system call met it. */
struct xcap_file {
	__u64 ino;		/* inode number */
	__u64 cookie;		/* socket cookie (SO_COOKIE); 0 no socket, or it has none */
	const char *path;	/* no NUL at its end; that of a socket in the file system, too */
	__u32 path_len;		/* bytes at path */
	__u8 kind;		/* XCAP_FILE_ */
	__u8 family;		/* sockets: AF_; addresses are those of AF_INET and AF_INET6 */
	__u8 protocol;		/* sockets: IPPROTO_ */
	__u8 type;		/* sockets: SOCK_ */
	__u16 local_port;	/* host order */
	__u16 remote_port;
	__u8 local[16];		/* network order; an IPv4 address is the first four bytes */
	__u8 remote[16];
	__u32 reserved;
};

/**
 * xcap_record_file - what a descriptor of a call is
 * @rec:  an XCAP_SYS_ENTER or XCAP_SYS_EXIT record
 * @i:    argument 0 to 5; XCAP_ARG_RESULT; -1 the first that is known, AT_FDCWD left out
 * @file: out
 *
 * Return: 1; 0 it is not known.
 * Owns:   the path is lent as the record is.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API int xcap_record_file(const struct xcap_record *rec, int i, struct xcap_file *file);

/**
 * xcap_errno_name - name of the error that a call returned
 * @ret: result
 *
 * Return: a constant string such as "ENOENT", those of the kernel's own (ERESTARTSYS)
 *         too; NULL if it is no error, or has no name.
 * Owns:   the library.
 * Threads: any.
 * Since:  0.1
 */
XCAP_API const char *xcap_errno_name(__s64 ret);

#ifdef __cplusplus
}
#endif

#endif
