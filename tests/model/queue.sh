#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# In:   queue.pml, the protocol of a queue between two processes.
# Out:  every order of steps is right, in each of its views; and with any one rule of the protocol
#       left out, an order is found that is wrong: the model can see what it is there to see.
# Owns: nothing beside the directory it runs in.
# Runs on: anything with spin and a C compiler.
# timeout: 300
set -uo pipefail

model=$TOP/tests/model/queue.pml
failed=0

command -v spin >/dev/null || { echo "spin is missing: apt-get install spin"; exit 77; }

# search LEVEL WORD...: spin, with each of them defined; -O2 pays where there is much to search.
# Sets $found, what was wrong, "" nothing.
search() {
	local dir=m level=$1

	shift
	rm -rf $dir && mkdir $dir
	(cd $dir && spin -a "${@/#/-D}" "$model" && ${CC:-cc} -w "$level" -DSAFETY -o pan pan.c &&
		./pan -m100000 -w23) >$dir/out 2>&1
	if ! grep -q '^State-vector .* errors: [01]$' $dir/out ||
	   grep -Eq 'max search depth too small|Search not completed$|memory limit' $dir/out &&
	   ! grep -q 'errors: 1$' $dir/out; then
		cat $dir/out
		exit 1
	fi
	found=$(sed -n 's/^pan:1: \(.*\) (at depth .*/\1/p' $dir/out)
	states=$(sed -n 's/^ *\([0-9]*\) states, stored$/\1/p' $dir/out)
	took=$(sed -n 's/^pan: elapsed time \(.*\) seconds/\1/p' $dir/out)
}

right() {
	search -O2 "$@"
	printf '%-34s %8s states, %s s: %s\n' "$*" "$states" "${took:-0}" "${found:-right}"
	[ -z "$found" ] || failed=1
}

wrong() {
	search -O0 "$@"
	printf '%-34s %8s states, %s s: %s\n' "$*" "$states" "${took:-0}" \
		"${found:-NOT SEEN}"
	[ "$found" ] || failed=1
}

echo 'as it is:'
right RECORDS=4
right RECORDS=3 HANDING
right RECORDS=3 DYING
right RECORDS=3 BOOKS
right RECORDS=3 MARKS
right RECORDS=3 LENDING

echo 'and with one rule left out:'
wrong NO_FENCE_WAKE		# queue_writer_must_wake()
wrong NO_FENCE_SLEEP		# queue_reader_sleep()
wrong CLEAR_LATE		# ring() clears the flag behind the word
wrong HEAD_FIRST		# queue_writer_publish(): head before the slots
wrong GIVE_EARLY		# queue_reader_give() of what is still read
wrong ROOM_ONE_MORE		# queue_writer_room()
wrong LENDING FREE_TWICE	# umem_unkeep() of what is still lent
wrong NO_GET			# next_slot() without a reference
wrong HANDING NO_FENCE_MASTER	# queue_out_sleep()
wrong HANDING NO_FENCE_KICK	# kick()
wrong HANDING NO_RESET		# source_queue_peek(): the verdict before
wrong DYING STALE_TAIL		# queue_out_attach() with memory of the reader before
wrong DYING KEEP_UNREAD		# queue_out_detach()
wrong BOOKS NO_VERSION		# queue_reader_books()
wrong MARKS MARK_FIRST		# queue_writer_publish(): the watermark before head
wrong MARKS MARK_LATE		# queue_reader_watermark(): head before the watermark
exit $failed
