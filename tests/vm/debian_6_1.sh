#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 600
# network: host
# In:   build/xcap, virtio_net, Debian 12's own kernel (6.1): no TCX, no zero copy.
# Out:  exit 0 every BPF program loads there and the accounts close; 1; 77 no guest to be had.
# Owns: the guest, while it runs.
# Runs on: any user; QEMU in plain emulation.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
build=${B:-$here/../../build}
# two CPUs: what ends on both at once is told once
export VM_CPUS=2 VM_TIMEOUT=450 VM_MODULES="tun sch_ingress cls_bpf"
VM_FILES="$build/xcap $build/tests/guest $build/tests/static_sniffer"
export VM_FILES="$VM_FILES $build/tests/paths $here/guest_lib.sh $build/tests/test_cbpf"
export VM_FILES="$VM_FILES $here/../data/filters.txt"
bash "$here/run-guest.sh" 6.1 virtio "$here/guest_sources.sh" \
	"$(realpath -s "$build/xcap")" "$(realpath -s "$build/tests/guest")" \
	'tap packet' 'xsk copy' none
