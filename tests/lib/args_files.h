/* SPDX-License-Identifier: BSD-2-Clause */
/* A part of args_calls.c: calls about files, and about descriptors of everything but sockets. */
#ifndef ARGS_FILES_H
#define ARGS_FILES_H

/* ---- files ---- */

#define DIR_FD 3
#define FILE_FD 4

static void file_names(void)
{
	static char odd[] = "odd \"name\"\t\\ \x01 \xc3\xa9";

	CALL(mkdir, P("sub"), 0751);
	CALL(mkdirat, AT_FDCWD, P("sub/below"), 0700);
	CALL(open, P("sub"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);		/* 3 */
	CALL(openat, DIR_FD, P("file"), O_RDWR | O_CREAT | O_EXCL, 0640);	/* 4 */
	CALL(openat, AT_FDCWD, P(odd), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
	CALL(close, 5);
	CALL(creat, P("sub/created"), 0604);
	CALL(close, 5);
	CALL(open, P(""), O_RDONLY);
	CALL(openat2, DIR_FD, P("file"), P((&(struct open_how){
		.flags = O_RDWR | O_NOATIME, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS })), 24);
	CALL(close, 5);
	CALL(access, P("sub/file"), R_OK | W_OK);
	CALL(access, P("absent"), F_OK);
	CALL(faccessat, DIR_FD, P("file"), X_OK);
	CALL(faccessat2, DIR_FD, P("file"), R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW);
	CALL(symlink, P("target of link"), P("sub/link"));
	CALL(symlinkat, P("../x"), DIR_FD, P("link2"));
	CALL(readlink, P("sub/link"), P(out[0]), 100);
	CALL(readlinkat, DIR_FD, P("link2"), P(out[1]), 3);
	CALL(link, P("sub/file"), P("hard"));
	CALL(linkat, DIR_FD, P("file"), AT_FDCWD, P("hard2"), AT_SYMLINK_FOLLOW);
	CALL(rename, P("hard"), P("harder"));
	CALL(renameat, AT_FDCWD, P("harder"), DIR_FD, P("hardest"));
	CALL(renameat2, DIR_FD, P("hardest"), AT_FDCWD, P("hard2"), RENAME_NOREPLACE);
	CALL(unlink, P("hard2"));
	CALL(unlinkat, DIR_FD, P("below"), AT_REMOVEDIR);
	CALL(rmdir, P("absent"));
	CALL(mknod, P("sub/fifo"), S_IFIFO | 0622, 0);
	CALL(mknodat, DIR_FD, P("plain"), S_IFREG | 0600, 0);
	CALL(chdir, P("sub"));
	CALL(getcwd, P(out[2]), PAGE);
	CALL(chdir, P(".."));
	CALL(fchdir, DIR_FD);
	CALL(chdir, P(".."));
	CALL(umask, 027);
	CALL(umask, 022);
}

static void file_data(void)
{
	static char text[] = "Hello\tworld\n\"quoted\" \\ \x7f\x80\xff\0 end";
	static char many[200], big[3 * PAGE];
	struct iovec two[2] = { { text, 5 }, { text + 6, 9 } };
	struct iovec three[3] = { { many, 60 }, { NULL, 0 }, { many + 60, 60 } };
	struct iovec in[2] = { { out[0], 4 }, { out[1], 100 } };

	memset(many, 'm', sizeof(many));
	CALL(write, FILE_FD, P(text), sizeof(text) - 1);
	CALL(write, FILE_FD, P(many), sizeof(many));
	CALL(write, FILE_FD, P(text), 0);
	CALL(write, -1, P("x"), 1);
	CALL(write, FILE_FD, 8, 16);
	CALL(pwrite64, FILE_FD, P("at ten"), 6, WIDE(10));
	CALL(writev, FILE_FD, P(two), 2);
	CALL(writev, FILE_FD, P(three), 3);
	CALL(pwritev, FILE_FD, P(two), 2, 3, 0);
	CALL(pwritev2, FILE_FD, P(two), 2, 5, 0, RWF_DSYNC);
	CALL(lseek, FILE_FD, 0, SEEK_SET);
	CALL(read, FILE_FD, P(out[0]), 20);
	CALL(read, FILE_FD, P(out[0]), PAGE);
	CALL(read, FILE_FD, P(out[0]), 5);
	CALL(pread64, FILE_FD, P(out[1]), 6, WIDE(10));
	CALL(pread64, FILE_FD, P(out[1]), 6, WIDE(0x100000002));
	CALL(lseek, FILE_FD, -3, SEEK_END);
	CALL(readv, FILE_FD, P(in), 2);
	CALL(preadv, FILE_FD, P(in), 2, 3, 0);
	CALL(preadv2, FILE_FD, P(in), 1, 1, 0, RWF_NOWAIT | RWF_HIPRI);
	CALL(lseek, FILE_FD, 0, 9);
	CALL(write, FILE_FD, P(big), sizeof(big));
	CALL(fsync, FILE_FD);
	CALL(fdatasync, FILE_FD);
	CALL(syncfs, FILE_FD);
	CALL(flock, FILE_FD, LOCK_EX | LOCK_NB);
	CALL(truncate, P("sub/file"), 5000);
	CALL(ftruncate, FILE_FD, 6000);
	CALL(fallocate, FILE_FD, FALLOC_FL_KEEP_SIZE, WIDE(0), WIDE(8192));
	CALL(readahead, FILE_FD, WIDE(0), 4096);
#ifdef __x86_64__
	CALL(fadvise64, FILE_FD, 0, 4096, POSIX_FADV_SEQUENTIAL);
	CALL(sync_file_range, FILE_FD, 0, 4096, SYNC_FILE_RANGE_WRITE);
#else
	CALL(fadvise64_64, FILE_FD, WIDE(0), WIDE(4096), POSIX_FADV_SEQUENTIAL);
	CALL(fadvise64, FILE_FD, WIDE(1), 4096, POSIX_FADV_RANDOM);
	CALL(sync_file_range, FILE_FD, WIDE(0), WIDE(4096), SYNC_FILE_RANGE_WRITE);
	CALL(_llseek, FILE_FD, 0, 7, P(out[0]), SEEK_SET);
	CALL(truncate64, P("sub/file"), WIDE(5000));
	CALL(ftruncate64, FILE_FD, WIDE(6000));
#endif
}

static void file_state(void)
{
	CALL(stat, P("sub/file"), P(out[0]));
	CALL(lstat, P("sub/link"), P(out[0]));
	CALL(fstat, FILE_FD, P(out[0]));
	CALL(stat, P("absent"), P(out[0]));
#ifdef __x86_64__
	CALL(newfstatat, DIR_FD, P("fifo"), P(out[0]), AT_SYMLINK_NOFOLLOW);
#else
	CALL(stat64, P("sub/file"), P(out[0]));
	CALL(lstat64, P("sub/link"), P(out[0]));
	CALL(fstat64, FILE_FD, P(out[0]));
	CALL(fstatat64, DIR_FD, P("fifo"), P(out[0]), AT_SYMLINK_NOFOLLOW);
#endif
	CALL(statx, DIR_FD, P("file"), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
	     STATX_MODE | STATX_SIZE, P(out[0]));
	CALL(statfs, P("sub"), P(out[0]));
	CALL(fstatfs, FILE_FD, P(out[0]));
	CALL(chmod, P("sub/file"), 04755);
	CALL(fchmod, FILE_FD, 0600);
	CALL(fchmodat, DIR_FD, P("file"), 0644);
	CALL(fchmodat2, DIR_FD, P("link"), 0644, AT_SYMLINK_NOFOLLOW);
	CALL(chown, P("sub/file"), 12, 34);
	CALL(fchown, FILE_FD, -1, 35);
	CALL(lchown, P("sub/link"), 13, -1);
	CALL(fchownat, DIR_FD, P("file"), 0, 0, AT_SYMLINK_NOFOLLOW);
	CALL(utime, P("sub/file"), P((long[]){ 1000000, 2000000 }));
	CALL(utimes, P("sub/file"), P((long[]){ 1000000, 5, 2000000, 6 }));
	CALL(futimesat, DIR_FD, P("file"), P((long[]){ 1000001, 7, 2000002, 8 }));
	CALL(utimensat, DIR_FD, P("file"), P((long[]){ 1, 2, 3, UTIME_OMIT }), AT_SYMLINK_NOFOLLOW);
	CALL(utimensat, DIR_FD, P("file"), 0, 0);
	CALL(setxattr, P("sub/file"), P("trusted.one"), P("value\0two"), 9, XATTR_CREATE);
	CALL(lsetxattr, P("sub/file"), P("trusted.two"), P("v"), 1, XATTR_REPLACE);
	CALL(fsetxattr, FILE_FD, P("trusted.three"), P("3"), 1, 0);
	CALL(getxattr, P("sub/file"), P("trusted.one"), P(out[0]), 100);
	CALL(lgetxattr, P("sub/file"), P("trusted.none"), P(out[0]), 100);
	CALL(fgetxattr, FILE_FD, P("trusted.three"), P(out[0]), 100);
	CALL(listxattr, P("sub/file"), P(out[0]), 3);
	CALL(llistxattr, P("sub/link"), P(out[0]), 100);
	CALL(flistxattr, FILE_FD, P(out[0]), 2);
	CALL(removexattr, P("sub/file"), P("trusted.one"));
	CALL(lremovexattr, P("sub/file"), P("trusted.one"));
	CALL(fremovexattr, FILE_FD, P("trusted.three"));
	CALL(setxattrat, DIR_FD, P("file"), AT_SYMLINK_NOFOLLOW, P("trusted.at"), 0, 16);
	CALL(getxattrat, DIR_FD, P("file"), AT_EMPTY_PATH, P("trusted.at"), 0, 16);
	CALL(listxattrat, DIR_FD, P("file"), 0, 0, 0);
	CALL(removexattrat, DIR_FD, P("file"), AT_SYMLINK_NOFOLLOW, P("trusted.at"));
	CALL(cachestat, FILE_FD, P((&(long long[]){ 0, 4096 })), P(out[0]), 1);
	CALL(file_getattr, DIR_FD, P("file"), 0, 1, AT_EMPTY_PATH);
	CALL(file_setattr, DIR_FD, P("file"), 0, 1, 0);
}

/* ---- descriptors ---- */

static void descriptors(void)
{
	struct flock lock = { .l_type = F_WRLCK };

	CALL(dup, FILE_FD);
	CALL(dup2, 5, 9);
	CALL(dup3, 5, 10, O_CLOEXEC);
	CALL(close, 9);
	CALL(close_range, 9, 20, 0);
	CALL(close_range, 30, 40, CLOSE_RANGE_CLOEXEC);
	CALL(fcntl, 5, F_SETFD, FD_CLOEXEC);
	CALL(fcntl, 5, F_GETFD);
	CALL(fcntl, 5, F_SETFL, O_APPEND | O_NONBLOCK);
	CALL(fcntl, 5, F_DUPFD_CLOEXEC, 8);
	CALL(fcntl, 8, F_SETSIG, SIGUSR1);
	CALL(fcntl, 8, F_SETLK, P(&lock));
	CALL(close, 8);
	CALL(close, 5);
	CALL(close, 5);
	CALL(pipe, P(out[0]));					/* 5, 6 */
	CALL(pipe2, P(out[0]), O_CLOEXEC | O_NONBLOCK);		/* 7, 8 */
	CALL(write, 6, P("through the pipe"), 16);
	CALL(fcntl, 6, F_SETPIPE_SZ, 8192);
	CALL(tee, 5, 8, 7, SPLICE_F_NONBLOCK);
	CALL(splice, 5, 0, FILE_FD, P((&(long long){ 100 })), 7, SPLICE_F_MOVE | SPLICE_F_MORE);
	CALL(vmsplice, 6, P((&(struct iovec){ (char[]){ "spliced" }, 7 })), 1, SPLICE_F_GIFT);
	CALL(read, 5, P(out[0]), 100);
	CALL(sendfile, 6, FILE_FD, P((&(long[]){ 102, 0 })), 4);
	CALL(copy_file_range, FILE_FD, P((&(long long){ 100 })), FILE_FD, P((&(long long){ 200 })),
	     5, 0);
	CALL(close, 8);
	CALL(close, 7);
	CALL(eventfd, 3);					/* 7 */
	CALL(eventfd2, 4, EFD_NONBLOCK | EFD_SEMAPHORE);	/* 8 */
	CALL(read, 8, P(out[0]), 8);
	CALL(write, 7, P("\1\0\0\0\0\0\0\0"), 8);
	CALL(close, 8);
	CALL(memfd_create, P("a memory"), MFD_CLOEXEC | MFD_ALLOW_SEALING);	/* 8 */
	CALL(fcntl, 8, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK);
	CALL(close, 8);
	CALL(getdents64, DIR_FD, P(out[0]), 1);
	CALL(getdents, DIR_FD, P(out[0]), 1);
	CALL(ioctl, 5, 0x541b /* FIONREAD */, P(out[0]));
	CALL(ioctl, FILE_FD, 0x5401 /* TCGETS */, P(out[0]));
}

/* What is waited for: pipe 5 has bytes, descriptor 7 counts. */
static void waiting(void)
{
	struct pollfd fds[2] = { { .fd = 5, .events = POLLIN | POLLPRI }, { .fd = 99, .events = POLLOUT } };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.u64 = 0x1122334455 };
	sigset_t set;
	fd_set in, way;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	CALL(epoll_create, 1);					/* 8 */
	CALL(epoll_create1, EPOLL_CLOEXEC);			/* 9 */
	CALL(epoll_ctl, 8, EPOLL_CTL_ADD, 5, P(&ev));
	ev.events = EPOLLIN | EPOLLONESHOT;
	CALL(epoll_ctl, 8, EPOLL_CTL_MOD, 5, P(&ev));
	CALL(epoll_wait, 8, P(out[0]), 4, 1000);
	CALL(epoll_ctl, 8, EPOLL_CTL_ADD, 7, P(&ev));
	CALL(epoll_pwait, 8, P(out[0]), 4, 0, P(&set), 8);
	CALL(epoll_pwait2, 8, P(out[0]), 4, P(&no_sleep64), 0, 8);
	CALL(epoll_ctl, 8, EPOLL_CTL_DEL, 5, 0);
	CALL(poll, P(fds), 2, -1);
	CALL(poll, P(fds), 0, 0);
	CALL(ppoll, P(fds), 1, P(no_sleep), P(&set), 8);
	FD_ZERO(&in);
	FD_SET(5, &in);
	FD_ZERO(&way);
	FD_SET(6, &way);
	FD_SET(7, &way);
#ifdef __x86_64__
	CALL(select, 8, P(&in), P(&way), 0, P(no_sleep));
#else
	CALL(select, P((long[]){ 8, P(&in), 0, 0, P(no_sleep) }));
	CALL(_newselect, 8, P(&in), P(&way), 0, P(no_sleep));
	CALL(ppoll_time64, P(fds), 1, P(&no_sleep64), P(&set), 8);
	CALL(pselect6_time64, 8, P(&in), 0, 0, P(&no_sleep64), 0);
#endif
	CALL(pselect6, 8, P(&in), 0, P(&way), P(no_sleep), 0);
	CALL(close, 9);
	CALL(close, 8);
	CALL(inotify_init);					/* 8 */
	CALL(inotify_init1, IN_CLOEXEC | IN_NONBLOCK);		/* 9 */
	CALL(inotify_add_watch, 8, P("sub"), IN_CREATE | IN_DELETE | IN_ONLYDIR);
	CALL(inotify_rm_watch, 8, 1);
	CALL(close, 9);
	CALL(close, 8);
	CALL(fanotify_init, FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY | O_LARGEFILE);
	CALL(fanotify_mark, 8, FAN_MARK_ADD | FAN_MARK_ONLYDIR,
	     WIDE(FAN_OPEN | FAN_EVENT_ON_CHILD), DIR_FD, P("."));
	CALL(close, 8);
	CALL(signalfd, -1, P(&set), 8);				/* 8 */
	CALL(signalfd4, -1, P(&set), 8, SFD_CLOEXEC | SFD_NONBLOCK);
	CALL(close, 9);
	CALL(close, 8);
	CALL(close, 7);
	CALL(close, 6);
	CALL(close, 5);
}

#endif
