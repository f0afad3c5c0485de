#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 600
# network: host
# In:   build/xcap, Debian 12's own kernel (6.1) and Debian's newest.
# Out:  exit 0 packets name their process there as here; 1; 77 no guest to be had.
# Owns: the guests, while they run.
# Runs on: any user; QEMU in plain emulation.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
build=$(realpath -s "${B:-$here/../../build}")
export VM_TIMEOUT=250 VM_MODULES="sch_ingress cls_bpf"
VM_FILES="$build/xcap $build/tests/guest $build/tests/owner_talk $here/guest_lib.sh"
export VM_FILES
bad=0

# guest KERNEL SKIPS OPTION...: conversations there, their owners judged here
guest() {
	local kernel=$1 skips=$2 name code=0

	shift 2
	bash "$here/run-guest.sh" "$kernel" virtio "$here/guest_owner.sh" \
		"$build/xcap" "$build/tests/guest" "$skips" >"$kernel.log" || code=$?
	((code == 0)) || { tail -n 20 "$kernel.log"; exit $code; }
	awk -v to="$kernel" '/^=== / { file = to "." $2; next } file { print >file }' "$kernel.log"
	for name in tap xdp; do
		python3 "$here/../lib/owner_talk.py" "$@" "$kernel, $name" 10.9.0.1 \
			"$kernel.$name.out" "$kernel.$name.truth" || bad=1
	done
}

guest 6.1 none
# That kernel preempts programs and skips those of other tasks meanwhile, on a guest's slow CPU a
# hundred times as often as elsewhere: who took a socket over may be missed then, and nobody is named.
guest newest some --least 95
exit $bad
