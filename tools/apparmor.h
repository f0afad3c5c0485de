/* SPDX-License-Identifier: BSD-2-Clause */
/* AppArmor, which confines programs that capture: not those that xcap run starts. */
#ifndef APPARMOR_H
#define APPARMOR_H

/*
 * This process leaves its profile, and gets none by its next exec. Where that is refused, a
 * sentence on standard error says so, with the names of this command and of the program.
 */
void apparmor_leave(const char *called, const char *program);

#endif
