#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# In:   a kernel, a NIC and a program or sh script of this machine.
# Out:  its output and exit status.
# Owns: the cache of downloads; the guest, which dies with this script.
# Runs on: any user. The program is root in a QEMU guest (plain emulation, no KVM) with two NICs,
#       eth0 and eth1, on one hub inside QEMU. Nothing is installed, nothing outside sees a packet.
set -euo pipefail

usage() {
	cat >&2 <<-'END'
	usage: bash run-guest.sh KERNEL NIC PROGRAM [ARG...]
	  KERNEL   6.1 | backports | newest
	  NIC      virtio | igb | e1000e, with more QEMU properties if wanted: virtio,iommu_platform=off
	  PROGRAM  a file of this machine; it and its shared libraries get the same paths in the guest;
	           a file that is not executable is a script for busybox sh
	environment
	  VM_CACHE    downloads, unpacked packages (0.8 GB), console.log of the last run
	              [$XDG_CACHE_HOME/xcap-vm or ~/.cache/xcap-vm]
	  VM_FILES    more files to copy, shared libraries included; separated by spaces
	  VM_MODULES  more kernel modules to load, separated by spaces
	  VM_PACKAGES Debian 12 packages that are unpacked in the guest, and not here
	  VM_TIMEOUT  seconds until the guest is ended                            [120]
	  VM_CPUS, VM_MEM                                                         [1, 1024]
	exit status: the program's; 77 packages cannot be fetched; 124 time ran out;
	125 no guest or no answer from it; 2 wrong use
	END
	exit 2
}

cache=${VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/xcap-vm}
tools=$cache/tools
export PATH=$tools/usr/bin:$tools/bin:$PATH:/usr/sbin:/sbin
lib=usr/lib/x86_64-linux-gnu

die() { echo "run-guest: $*" >&2; exit 125; }
skip() { echo "skip: $*" >&2; exit 77; }

# ours COMMAND...: with the private libraries of the unpacked tools
ours() { LD_LIBRARY_PATH=$tools/$lib:$tools/${lib#usr/} "$@"; }

# repo_uri RELEASE: where this machine's own apt gets RELEASE from
repo_uri() {
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v r="$1" '$1 == r && !uri { uri = $2 } END { print uri; exit !uri }'
}

# apt_for SET COMMAND...: apt with lists and cache of its own; "new" has the suites after bookworm
apt_for() {
	local dir=$cache/apt-$1 suite uri suites='bookworm bookworm-updates bookworm-backports'
	[[ $1 == new ]] && suites='trixie-backports sid'
	local opts=(-qq -o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root
		-o Acquire::Retries=2
		-o Acquire::http::Timeout=20 -o Acquire::Languages=none -o Debug::NoLocking=true)
	if [[ ! $(find "$dir/updated" -mtime -1 2>/dev/null) ]]; then
		mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
		uri=$(repo_uri bookworm) || skip "apt's sources name no Debian 12 repository"
		for suite in $suites; do
			echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main"
		done >"$dir/sources.list"
		if [[ $1 != new ]] && uri=$(repo_uri bookworm-security); then
			echo "deb $uri bookworm-security main" >>"$dir/sources.list"
		fi
		apt-get "${opts[@]}" update >&2 -o APT::Update::Error-Mode=any ||
			skip "no Debian mirror can be reached for $suites (apt-get update failed)"
		touch "$dir/updated"
	fi
	shift
	"$1" "${opts[@]}" "${@:2}"
}

# QEMU (Debian 12's 7.2 has no igb, its backport has) and what else may be missing here
fetch_tools() {
	local deb
	[[ -e $tools/done ]] && return
	apt_for old apt-get install --download-only -y --no-install-recommends -t bookworm-backports \
		qemu-system-x86 busybox-static kmod cpio >&2 || skip "QEMU cannot be fetched"
	mkdir -p "$tools/bin"
	for deb in "$cache"/apt-old/cache/archives/*.deb; do
		[[ -e $deb ]] || break	# all installed already
		dpkg-deb -x "$deb" "$tools"
		rm "$deb"
	done
	# the package's own link is absolute
	[[ ! -e $tools/bin/kmod ]] || ln -sf kmod "$tools/bin/depmod"
	touch "$tools/done"
}

# fetch_package NAME: unpacked in $cache/package-NAME
fetch_package() {
	local dir=$cache/package-$1
	[[ -e $dir ]] && return
	rm -rf "$dir.new" && mkdir -p "$dir.new"
	(cd "$cache" && apt_for old apt-get download "$1") >&2 || skip "$1 cannot be fetched"
	dpkg-deb -x "$cache/$1"_*.deb "$dir.new"
	rm "$cache/$1"_*.deb
	mv "$dir.new" "$dir"
}

# fetch_kernel KERNEL: its packages unpacked in $kernel, with $kernel/release and $kernel/vmlinuz
fetch_kernel() {
	local set=old version image pkg
	kernel=$cache/kernel-$1
	[[ -e $kernel/release ]] && return
	[[ $1 == newest ]] && set=new
	version=$(apt_for "$set" apt-cache madison linux-image-amd64 | awk -F' *[|] *' -v k="$1" '
		(k == "6.1") == /bookworm(-security|-updates)?\// { print $2 }' | sort -V | tail -n 1)
	[[ $version ]] || skip "the mirror has no kernel package for $1"
	image=$(apt_for "$set" apt-cache show "linux-image-amd64=$version" |
		grep -o 'linux-image-[0-9][^ ,]*' | sort -u)
	rm -rf "$kernel" && mkdir -p "$kernel"
	# From 7.x on linux-image-* itself is nearly empty, and vmlinuz lies beside the modules.
	for pkg in "$image" "${image/image/base}" "${image/image/binary}" "${image/image/modules}"; do
		apt_for "$set" apt-cache show "$pkg=$version" &>/dev/null || continue
		(cd "$kernel" && apt_for "$set" apt-get download "$pkg=$version") >&2 ||
			skip "$pkg cannot be fetched"
		dpkg-deb -x "$kernel/$pkg"_*.deb "$kernel"
		rm "$kernel/$pkg"_*.deb
	done
	[[ -e $kernel/lib ]] || ln -s usr/lib "$kernel/lib"
	ours depmod -b "$kernel" "${image#linux-image-}"
	find "$kernel/" -name 'vmlinuz*' -type f -exec ln {} "$kernel/vmlinuz" \;
	[[ -e $kernel/vmlinuz ]] || die "no vmlinuz in the packages of $1"
	echo "${image#linux-image-}" >"$kernel/release"
}

# put FILE...: into the initramfs, at the path it has here, with its shared libraries
put() {
	local file
	for file; do
		file=$(realpath -es "$file")
		cp -L --parents "$file" "$root"
		{ ldd "$file" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } |
			xargs -r cp -L --parents -t "$root"
	done
}

# put_package NAME: into the initramfs, with the shared libraries that its programs find here
put_package() {
	cp -a "$cache/package-$1/." "$root"
	{ find "$cache/package-$1" -type f -executable -exec ldd {} + 2>/dev/null || true; } |
		{ grep -o '[[:space:]]/[^ ]*[^: ]' || true; } | sort -u | xargs -r cp -L --parents -t "$root"
}

# put_module NAME: and what it depends on, uncompressed; /modules lists them in load order
put_module() {
	local dir=$kernel/lib/modules/$release path name
	awk -v m="$1" '{ f = $1; sub(/.*\//, "", f); sub(/\.ko.*/, "", f); gsub(/-/, "_", f)
		if (f == m) for (i = NF; i; i--) { sub(/:$/, "", $i); print $i } }' "$dir/modules.dep" |
	while read -r path; do
		name=${path##*/} name=/${name%.ko*}.ko
		[[ -e $root$name ]] && continue
		case $path in
		*.xz) xz -dc "$dir/$path" ;;
		*.zst) zstd -dcq "$dir/$path" ;;
		*) cat "$dir/$path" ;;
		esac >"$root$name"
		echo "$name" >>"$root/modules"
	done
}

# build_initramfs MODULE PROGRAM ARG...: three serial ports are console, output and result
build_initramfs() {
	local module=$1 files package command modules
	shift
	command=("$(realpath -s "$1")" "${@:2}")
	[[ -x $1 ]] || command=(sh "${command[@]}")
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,etc,root}
	cp "$(command -v busybox)" "$root/bin/busybox"
	read -ra files <<<"${VM_FILES:-}"
	for package in "${packages[@]}"; do
		put_package "$package"
	done
	put "$1" "${files[@]}"
	touch "$root/modules"
	put_module virtio_pci
	put_module "$module"
	read -ra modules <<<"${VM_MODULES:-}"
	for module in "${modules[@]}"; do put_module "$module"; done
	cat >"$root/init" <<-END
	#!/bin/busybox sh
	/bin/busybox --install -s /bin
	export PATH=/bin HOME=/root
	mount -t devtmpfs dev /dev
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	while read -r module; do insmod "\$module"; done </modules
	ip link set lo up
	stty -F /dev/ttyS1 raw
	stty -F /dev/ttyS2 raw
	read -r begin rest </proc/uptime
	( exec ${command[*]@Q} ) </dev/null >/dev/ttyS1 2>&1
	status=\$?
	read -r end rest </proc/uptime
	echo "\$status \$begin \$end" >/dev/ttyS2
	reboot -f
	END
	chmod +x "$root/init"
	(cd "$root" && find . | ours cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$run/initramfs"
}

# boot NIC: QEMU's own status; results in $run/{console,output,result,qemu}
boot() {
	local device=$1 n props=romfile=
	local nics=()
	case $device in
	virtio*) device=${device/virtio/virtio-net-pci}
		props+=,disable-legacy=on,iommu_platform=on ;;	# zero copy needs the DMA API
	esac
	[[ $device == *,* ]] && props+=,${device#*,}	# the last of two equal properties wins
	for n in 0 1; do
		nics+=(-netdev "hubport,id=net$n,hubid=0" -device "pcie-root-port,id=port$n,chassis=$n"
			-device "${device%%,*},netdev=net$n,bus=port$n,$props")
	done
	ours setpriv --pdeathsig TERM timeout -k 5 "${VM_TIMEOUT:-120}" \
		qemu-system-x86_64 -nodefaults -no-user-config \
		-L "$tools/usr/share/qemu" -L "$tools/usr/share/seabios" -display none -no-reboot \
		-machine q35 -accel tcg -cpu max -smp "${VM_CPUS:-1}" -m "${VM_MEM:-1024}" \
		-kernel "$kernel/vmlinuz" -initrd "$run/initramfs" \
		-append 'console=ttyS0 quiet loglevel=4 panic=-1' -serial "file:$run/console" \
		-serial "file:$run/output" -serial "file:$run/result" "${nics[@]}" </dev/null &>"$run/qemu"
}

main() {
	local run root kernel release program packages package module begin status start end code=0
	(($# >= 3)) || usage
	[[ $1 =~ ^(6\.1|backports|newest)$ && $2 =~ ^(virtio|igb|e1000e)(,.+)?$ ]] || usage
	program=$(realpath -es "$3") || usage
	mkdir -p "$cache"
	exec 9>"$cache/lock" && flock 9
	fetch_tools
	fetch_kernel "$1"
	read -ra packages <<<"${VM_PACKAGES:-}"
	for package in "${packages[@]}"; do
		fetch_package "$package"
	done
	exec 9>&-
	release=$(<"$kernel/release")
	run=$(mktemp -d)
	root=$run/root
	# shellcheck disable=SC2064 # expand now
	trap "rm -rf '$run'" EXIT
	module=${2%%,*}
	build_initramfs "${module/%virtio/virtio_net}" "$program" "${@:4}"

	begin=$EPOCHREALTIME
	boot "$2" || code=$?
	cp "$run/console" "$cache/console.log" || true
	[[ -e $run/output ]] && cat "$run/output"
	((code == 124 || code == 137)) && { echo "run-guest: time ran out" >&2; exit 124; }
	if ! read -r status start end <"$run/result"; then
		tail -n 20 "$run/console" "$run/qemu" >&2
		die "the guest gave no result (QEMU: $code)"
	fi
	awk -v a="$begin" -v b="$EPOCHREALTIME" -v p="$start" -v q="$end" -v what="$release $2" 'BEGIN {
		printf "run-guest: %s: boot %.1f s, program %.1f s\n", what, b - a - (q - p), q - p }' >&2
	exit "$status"
}

main "$@"
