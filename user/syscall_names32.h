/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 32-bit calls whose arguments are not those of the 64-bit call of the same name, by the letters
 * of syscall_names.h:
 *
 *	C(name, arguments ...)
 *
 * Numbers of 64 bits come in two registers there, six arguments in a pointer to all of them,
 * and some in another order. These are i386's; the table has no 32-bit numbers of arm.
 */
C(clone, X(flags, clone_flags), P(stack), P(parent_tid), X(tls), P(child_tid))
C(fadvise64, F(fd), U(offset_low), U(offset_high), U(len), D(advice, fadvise))
C(fallocate, F(fd), X(mode, fallocate_mode), U(offset_low), U(offset_high), U(len_low),
	  U(len_high))
C(fanotify_mark, F(fanotify_fd), X(flags, fanotify_mark), X(mask_low, fanotify_mask),
	  X(mask_high), F(dirfd), S(pathname))
C(mmap, P(args), RP(addr))
C(pread64, F(fd), BO(buf), U(count), U(offset_low), U(offset_high))
C(pwrite64, F(fd), B(buf, 2), U(count), U(offset_low), U(offset_high))
C(readahead, F(fd), U(offset_low), U(offset_high), U(count))
C(select, P(args))
C(sync_file_range, F(fd), U(offset_low), U(offset_high), U(nbytes_low), U(nbytes_high),
	  X(flags, sync_range))
