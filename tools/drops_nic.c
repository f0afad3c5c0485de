// SPDX-License-Identifier: BSD-2-Clause
/*
 * In:   names of drivers' counters, as ethtool -S has them.
 * Out:  what each of them means, and what to do.
 * Owns: nothing.
 * Runs on: any thread.
 *
 * Every driver has its own names. The first pattern that fits is taken: what is particular stands
 * before what is general, and names of causes before those of losses.
 */
#include <fnmatch.h>
#include <string.h>
#include "drops_rows.h"

static const struct drops_means no_buffer = {
	"no receive buffer was free: the host came too late",
	"ethtool -G IFACE rx MAX; more queues; IRQs on their own CPUs", 0
};
static const struct drops_means fifo = {
	"the NIC's own memory was full: bus or memory too slow, or no buffers",
	"ethtool -G IFACE rx MAX; no C-states, no ASPM; flow control", 0
};
static const struct drops_means damaged = {
	"a damaged frame", "change cable, optics or port; look at the other end", 0
};
static const struct drops_means size = {
	"a frame that is too long or too short", "make the MTU the same on all of the wire", 0
};
static const struct drops_means unwanted = {
	"not for this host, or of no known VLAN; the NIC's filter", NULL, 0
};
static const struct drops_means xdp_drop = {
	"an XDP program dropped it", "bpftool net shows the program: ask who runs it", 0
};
static const struct drops_means xdp_error = {
	"an XDP program failed, or what it sent on found no taker",
	"trace: xdp:xdp_exception, xdp:xdp_redirect_err", 0
};
static const struct drops_means driver_rx = {
	"the driver had no memory or no room for it",
	"ethtool -G IFACE rx MAX; look for low memory", 0
};
static const struct drops_means veth_rx = {
	"no memory for it, or an XDP program left no packet of it", "look for low memory", 0
};
static const struct drops_means virtio_rx = {
	"an XDP program dropped it, or the driver had no memory for it",
	"rx_xdp_drops says which", 0
};
static const struct drops_means virtio_xdp = {
	"an XDP program dropped it", "bpftool net shows the program: ask who runs it", DROPS_WITHIN
};
static const struct drops_means driver_tx = {
	"not sent: the queue was full or stopped, or the link was down",
	"ethtool -G IFACE tx MAX; look at the link", 0
};
static const struct drops_means collision = {
	"a collision or lost carrier: half duplex", "ethtool IFACE: both ends full duplex?", 0
};
static const struct drops_means memory = {
	"no memory for a receive buffer", "vm.min_free_kbytes; less memory in use", DROPS_SIGN
};
static const struct drops_means pause = {
	"flow control: somebody had to wait", "who is slow? ethtool -A IFACE rx off tx off",
	DROPS_SIGN
};
static const struct drops_means checksum = {
	"a wrong checksum, left to the stack to refuse", NULL, DROPS_SIGN
};
static const struct drops_means unknown = {
	"the driver's own name: its documentation says what it counts", NULL, 0
};

/* No drops, though they sound so; NULL what they mean. */
static const struct pattern {
	const char *glob;
	const struct drops_means *means;
	const char *same;	/* counted in this one of the interface, too */
} patterns[] = {
	/* no losses of their own */
	{ "*_bytes", NULL, NULL },
	{ "*errors_per_*", NULL, NULL },
	{ "*xdp_packets", NULL, NULL },
	{ "*dropless*", NULL, NULL },
	{ "*alloc_fail*", &memory, NULL },
	{ "*alloc_rx_*failed", &memory, NULL },
	{ "*buff_alloc_err", &memory, NULL },
	{ "*alloc_err*", &memory, NULL },
	{ "*csum*err*", &checksum, NULL },
	{ "*checksum*err*", &checksum, NULL },
	{ "*csum_bad", &checksum, NULL },
	{ "*pause*", &pause, NULL },
	{ "*flow_control*", &pause, NULL },
	{ "*_xon_*", &pause, NULL },
	{ "*_xoff_*", &pause, NULL },
	/* XDP */
	{ "*xdp_redirect_err*", &xdp_error, NULL },
	{ "*xdp_tx_err*", &xdp_error, NULL },
	{ "*xdp_xmit_err*", &xdp_error, NULL },
	{ "*xdp*full", &xdp_error, NULL },
	{ "*xdp*abort*", &xdp_error, NULL },
	{ "*xdp*exception*", &xdp_error, NULL },
	{ "*xdp*invalid*", &xdp_error, NULL },
	{ "*xdp_unknown*", &xdp_error, NULL },
	{ "*xdp*drop*", &xdp_drop, NULL },
	{ "*xsk*full*", &no_buffer, NULL },
	{ "*xsk*err*", &xdp_error, NULL },
	{ "*xsk*drop*", &xdp_drop, NULL },
	/* nobody fetched it */
	{ "rx_missed_errors", &no_buffer, "rx_missed_errors" },
	{ "*rx_missed*", &no_buffer, NULL },
	{ "rx_no_buffer_count", &no_buffer, NULL },
	{ "*rx_no_dma_resources", &no_buffer, NULL },
	{ "*no_buffer*", &no_buffer, NULL },
	{ "*nobuf*", &no_buffer, NULL },
	{ "*out_of_buffer*", &no_buffer, NULL },
	{ "*no_descriptor*", &no_buffer, NULL },
	{ "*no_desc*", &no_buffer, NULL },
	{ "*steer_missed*", &unwanted, NULL },
	{ "*rx*wqe_err", &no_buffer, NULL },
	{ "*buff_exhausted*", &no_buffer, NULL },
	{ "*imissed*", &no_buffer, NULL },
	{ "rx_fifo_errors", &fifo, "rx_fifo_errors" },
	{ "rx_over_errors", &fifo, "rx_over_errors" },
	{ "*rx*fifo*", &fifo, NULL },
	{ "*rx*overrun*", &fifo, NULL },
	{ "*rx*overflow*", &fifo, NULL },
	{ "*rx_discards_phy", &fifo, NULL },
	{ "*rx*discard*", &fifo, NULL },
	{ "port.rx_dropped", &fifo, NULL },
	/* the wire */
	{ "rx_crc_errors", &damaged, "rx_crc_errors" },
	{ "rx_frame_errors", &damaged, "rx_frame_errors" },
	{ "*crc*", &damaged, NULL },
	{ "*fcs*", &damaged, NULL },
	{ "*symbol*err*", &damaged, NULL },
	{ "*align*err*", &damaged, NULL },
	{ "*illegal*", &damaged, NULL },
	{ "*rx*fragments*", &damaged, NULL },
	{ "*rx*jabber*", &damaged, NULL },
	{ "rx_length_errors", &size, "rx_length_errors" },
	{ "*length_err*", &size, NULL },
	{ "*rx*undersize*", &size, NULL },
	{ "*rx*oversize*", &size, NULL },
	{ "*oversize*drop*", &size, NULL },
	{ "*too_long*", &size, NULL },
	{ "*collision*", &collision, NULL },
	{ "*carrier*err*", &collision, NULL },
	/* the driver, receiving */
	{ "rx_queue_*_drops", &driver_rx, NULL },
	{ "rx_dropped", &driver_rx, "rx_dropped" },
	{ "*rx*drop*", &driver_rx, NULL },
	/* sending */
	{ "tx_dropped", &driver_tx, "tx_dropped" },
	{ "tx_aborted_errors", &collision, "tx_aborted_errors" },
	{ "tx_fifo_errors", &driver_tx, "tx_fifo_errors" },
	{ "*tx*drop*", &driver_tx, NULL },
	{ "*tx*discard*", &driver_tx, NULL },
	{ "*tx*timeout*", &driver_tx, NULL },
	{ "*tx_errors", NULL, NULL },	/* sums of others */
	{ "*rx_errors", NULL, NULL },
	{ "*tx*err*", &driver_tx, NULL },
	/* and the rest */
	{ "*drop*", &unknown, NULL },
	{ "*discard*", &unknown, NULL },
	{ "*miss*", &unknown, NULL },
	{ "*overrun*", &unknown, NULL },
	{ "*err*", &unknown, NULL },
};

/* What a name means in one driver only. */
static const struct { const char *driver; struct pattern p; } particular[] = {
	{ "veth", { "*_xdp_drops", &xdp_drop, NULL } },
	{ "veth", { "rx_queue_*_drops", &veth_rx, "rx_dropped" } },
	{ "virtio_net", { "tx*_drops", &xdp_error, NULL } },
	{ "virtio_net", { "rx*_xdp_drops", &virtio_xdp, NULL } },
	{ "virtio_net", { "rx*_drops", &virtio_rx, "rx_dropped" } },
};

static const struct pattern *find(const char *driver, const char *name)
{
	for (size_t i = 0; driver && i < sizeof(particular) / sizeof(particular[0]); i++)
		if (!strcmp(particular[i].driver, driver) &&
		    !fnmatch(particular[i].p.glob, name, 0))
			return &particular[i].p;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (!fnmatch(patterns[i].glob, name, 0))
			return &patterns[i];
	return NULL;
}

const struct drops_means *drops_nic_means(const char *driver, const char *name)
{
	const struct pattern *p = find(driver, name);

	return p ? p->means : NULL;
}

const char *drops_nic_same(const char *driver, const char *name)
{
	const struct pattern *p = find(driver, name);

	return p && p->means ? p->same : NULL;
}
