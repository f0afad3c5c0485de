// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   paths of cgroups as runtimes make them.
 * Out:  that container, pod and unit are found in them, the innermost of each.
 * Owns: nothing.
 * Runs on: no root, no kernel state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "container.h"

#define ID "4c01db0b339ca9d0d2e3b8f7e2f1a0c1b2a39485766758493a2b1c0d9e8f7061"
#define ID2 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UID "8dbc5577-d0e2-4706-8787-57d52c03ddf2"
#define UID_ "8dbc5577_d0e2_4706_8787_57d52c03ddf2"
#define HASH "0123456789abcdef0123456789abcdef"

static const struct { const char *path, *runtime, *container, *name, *pod, *unit; } rows[] = {
	{ "/", "", "", "", "", "" },
	{ "", "", "", "", "", "" },
	{ "/user.slice", "", "", "", "", "" },

	/* systemd */
	{ "/init.scope", "systemd", "", "", "", "init.scope" },
	{ "/system.slice/ssh.service", "systemd", "", "", "", "ssh.service" },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "systemd", "", "", "",
	  "getty@tty1.service" },
	{ "/user.slice/user-1000.slice/session-3.scope", "systemd", "", "", "", "session-3.scope" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "systemd",
	  "", "", "", "foo.service" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-a\\x2db-7.scope/sub",
	  "systemd", "", "", "", "app-a\\x2db-7.scope" },
	{ "/system.slice/_cpu.service", "systemd", "", "", "", "cpu.service" },

	/* docker */
	{ "/docker/" ID, "docker", ID, "", "", "" },
	{ "/system.slice/docker-" ID ".scope", "docker", ID, "", "", "docker-" ID ".scope" },
	{ "/system.slice/docker.service", "systemd", "", "", "", "docker.service" },
	{ "/docker/" ID "/system.slice/nginx.service", "docker", ID, "", "", "nginx.service" },
	{ "/docker/short", "", "", "", "", "" },
	{ "/system.slice/docker-proxy.service", "systemd", "", "", "", "docker-proxy.service" },

	/* containerd and others, by Kubernetes and alone */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/"
	  "cri-containerd-" ID ".scope",
	  "containerd", ID, "", UID, "cri-containerd-" ID ".scope" },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope",
	  "cri-o", ID, "", UID, "crio-" ID ".scope" },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/docker-"
	  ID ".scope", "docker", ID, "", UID, "docker-" ID ".scope" },
	{ "/kubepods/burstable/pod" UID "/" ID, "kubernetes", ID, "", UID, "" },
	{ "/kubepods/pod" HASH "/" ID, "kubernetes", ID, "", HASH, "" },
	{ "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
	  "kubelet-kubepods-besteffort-pod" UID_ ".slice/cri-containerd-" ID ".scope",
	  "containerd", ID, "", UID, "cri-containerd-" ID ".scope" },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" UID_ ".slice:cri-containerd:"
	  ID, "containerd", ID, "", UID, "containerd.service" },
	{ "/k8s.io/" ID, "containerd", ID, "", "", "" },
	{ "/ecs/0123456789abcdef/" ID, "", ID, "", "", "" },
	{ "/kubepods/burstable/pod" UID, "", "", "", UID, "" },
	{ "/pod" UID, "", "", "", "", "" },
	{ "/kubepods/podium", "", "", "", "", "" },
	{ "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" ID ".scope",
	  "systemd", "", "", UID, "crio-conmon-" ID ".scope" },

	/* podman */
	{ "/machine.slice/libpod-" ID ".scope/container", "podman", ID, "", "",
	  "libpod-" ID ".scope" },
	{ "/machine.slice/libpod-conmon-" ID ".scope", "systemd", "", "", "",
	  "libpod-conmon-" ID ".scope" },
	{ "/libpod_parent/libpod-" ID, "podman", ID, "", "", "" },
	{ "/libpod_parent/conmon", "", "", "", "", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
	  ".scope/container", "podman", ID, "", "", "libpod-" ID ".scope" },
	{ "/system.slice/web.service/libpod-payload-" ID, "podman", ID, "", "", "web.service" },

	/* machines */
	{ "/machine.slice/machine-my\\x2dbox.scope/payload", "nspawn", "my-box", "my-box", "",
	  "machine-my\\x2dbox.scope" },
	{ "/machine.slice/systemd-nspawn@web.service/payload/system.slice/ssh.service",
	  "nspawn", "web", "web", "", "ssh.service" },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dwin.scope/libvirt/emulator", "systemd", "", "", "",
	  "machine-qemu\\x2d1\\x2dwin.scope" },
	{ "/lxc.payload.db/init.scope", "lxc", "db", "db", "", "init.scope" },
	{ "/lxc.payload/db", "lxc", "db", "db", "", "" },
	{ "/lxc/db/system.slice/cron.service", "lxc", "db", "db", "", "cron.service" },
	{ "/lxc.monitor.db", "", "", "", "", "" },

	/* one within another: the innermost */
	{ "/docker/" ID "/docker/" ID2, "docker", ID2, "", "", "" },
	{ "/lxc.payload.node/system.slice/docker-" ID ".scope", "docker", ID, "", "",
	  "docker-" ID ".scope" },
	{ "/docker/" ID "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_ ".slice/"
	  "cri-containerd-" ID2 ".scope",
	  "containerd", ID2, "", UID, "cri-containerd-" ID2 ".scope" },
	{ "/docker/" ID "/lxc/db", "lxc", "db", "db", "", "" },

	/* what is no escape stays as it is */
	{ "/machine.slice/machine-a\\x2.scope", "nspawn", "a\\x2", "a\\x2", "",
	  "machine-a\\x2.scope" },
	{ "/machine.slice/machine-a\\x00b.scope", "nspawn", "a\\x00b", "a\\x00b", "",
	  "machine-a\\x00b.scope" },
	{ "//docker//" ID "//", "docker", ID, "", "", "" },
	{ "/.scope/.service/docker-.scope", "systemd", "", "", "", "docker-.scope" },
	{ "/:/::/a:b:c/:cri-containerd:/_", "", "", "", "", "" },
};

static void expect(const char *path, const char *what, const char *got, const char *want)
{
	if (strcmp(got, want))
		fail_msg("%s: %s is '%s' and not '%s'", path, what, got, want);
}

static void each_runtime_is_known_by_its_names(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t size = CONTAINER_ROOM(strlen(rows[i].path));
		char *buf = malloc(size);
		struct xcap_cgroup g = { 0 };

		container_parse(rows[i].path, &g, buf, size);
		expect(rows[i].path, "runtime", g.runtime, rows[i].runtime);
		expect(rows[i].path, "container", g.container, rows[i].container);
		expect(rows[i].path, "name", g.container_name, rows[i].name);
		expect(rows[i].path, "pod", g.pod, rows[i].pod);
		expect(rows[i].path, "unit", g.unit, rows[i].unit);
		free(buf);
	}
}

/* Any size of buffer: strings are whole or empty, and nothing is written behind it. */
static void what_has_no_room_is_left_out(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t size = 0; size < CONTAINER_ROOM(strlen(rows[i].path)); size++) {
			char *buf = malloc(size + 1);
			struct xcap_cgroup g = { 0 };

			buf[size] = '#';
			container_parse(rows[i].path, &g, buf, size);
			assert_int_equal(buf[size], '#');
			if (*g.container)
				expect(rows[i].path, "container", g.container, rows[i].container);
			if (*g.pod)
				expect(rows[i].path, "pod", g.pod, rows[i].pod);
			if (*g.unit)
				expect(rows[i].path, "unit", g.unit, rows[i].unit);
			free(buf);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_runtime_is_known_by_its_names),
		cmocka_unit_test(what_has_no_room_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
