#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   the #include lines of the sources.
# Out:  whether they point one way: frame -> source -> merge -> stream -> sink.
# Owns: nothing.
# Runs on: anything.
set -u
cd "$TOP" || exit 1
bad=0

# forbid WHO FILES... -- HEADER...: none of the files may include one of these
forbid() {
	local why=$1 files=() header

	shift
	while [ "$1" != -- ]; do
		[ -f "$1" ] && files+=("$1")
		shift
	done
	shift
	[ ${#files[@]} -gt 0 ] || return
	for header; do
		if grep -nE "^#[[:space:]]*include[[:space:]]*[\"<]($header)[\">]" "${files[@]}" /dev/null; then
			echo "  ^ $why"
			bad=1
		fi
	done
}

forbid "sources know neither merge nor stream nor sinks" user/source*.c user/source*.h -- \
	'merge\.h' 'stream\.h' 'sink.*\.h'
forbid "sinks know records, and neither merge nor stream nor sources" user/sink*.c user/sink*.h -- \
	'merge\.h' 'stream\.h' 'source.*\.h'
forbid "merge knows source.h, and nothing above" user/merge.[ch] -- \
	'stream\.h' 'sink.*\.h' 'source_.*\.h'
forbid "BPF skeletons stay in the source that loads them" user/merge.[ch] user/stream.[ch] \
	user/sink*.[ch] user/accounts.[ch] user/opts.[ch] -- '.*\.skel\.h'

# tools and examples: of ours only what is installed, and their own headers
for dir in tools examples; do
	for file in "$dir"/*.[ch]; do
		[ -f "$file" ] || continue
		while read -r header; do
			if [ -e "user/$header" ] || { [ -e "include/$header" ] && [[ $header != xcap?(_pcap|_call).h ]]; } ||
			   [[ $header = *.skel.h ]]; then
				echo "$file: includes $header; tools know xcap.h only"
				bad=1
			fi
		done < <(sed -nE 's/^#[[:space:]]*include[[:space:]]*["<]([^">]*)[">].*/\1/p' "$file")
	done
done

# the kernel half: vmlinux.h, libbpf's headers, xcap_event.h, *.bpf.h
for file in bpf/*.[ch]; do
	[ -f "$file" ] || continue
	while read -r header; do
		case $header in
		vmlinux.h | bpf/bpf_*.h | xcap_event.h | *.bpf.h) ;;
		*) echo "$file: includes $header"; bad=1 ;;
		esac
	done < <(sed -nE 's/^#[[:space:]]*include[[:space:]]*["<]([^">]*)[">].*/\1/p' "$file")
done

# a name is one place: file names are unique in the tree
twice=$(find bpf include user tools tests examples -name '*.[ch]' -printf '%f\n' | sort | uniq -d)
[ -z "$twice" ] || { echo "more than one file is called: $twice"; bad=1; }
exit $bad
