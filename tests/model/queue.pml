/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In:   the ring of user/queue.h, as queue_out.c, sink_queue.c, source_queue.c and umem.c use it.
 * Out:  every order of steps of a master, a reader that may be killed anywhere, and one that comes
 *       after it; an assertion fails, or nobody can go on, where the protocol is wrong.
 * Owns: nothing.
 * Runs on: spin; queue.sh runs it as it is, and with each of the -D that break it.
 *
 * Stores of each side wait in a buffer, in order, while its loads overtake them: that is what x86
 * does, and of what others do the part that no release or acquire forbids. A SEQ_CST fence waits
 * until the buffer is empty; so does a system call that wakes somebody, as the kernel's locks do.
 * So what a side does until it next loads what the other writes is one step: others see its stores
 * come out of the buffer, one by one.
 *
 * Not in it: names, filters and losses told (slots as any other), EXTRA, the verdict of a reader
 * that lies, and time: nobody looks again after 200 ms, as wait.c would, so a lost wake-up stays.
 */
#define SLOTS	2
#define FRAMES	3
#ifndef RECORDS
#define RECORDS	4
#endif
#ifdef DYING
#define LIVES	2
#else
#define LIVES	1
#endif
#ifdef HANDING
#define HANDS_ON true
#else
#define HANDS_ON false
#endif

/* ---- memory that both map: struct queue_head, the slots, struct queue_tail, the verdicts ---- */

#define HEAD		0
#define WATERMARK	1
#define VERSION		2
#define ENDED		3
#define SEEN		4
#define DROPPED		5
#define MASTER_SLEEPS	6
#define TAIL		7
#define READER_SLEEPS	8
#define SLOT(at)	(9 + (at) % SLOTS)
#define VERDICT(at)	(9 + SLOTS + (at) % SLOTS)
#define CELLS		(9 + 2 * SLOTS)

#define HAND_ON		1
#define NO_FRAME	15
#define WHOLE(rec, frame) ((rec) * 16 + (frame))

byte m[CELLS];
chan to_memory[2] = [10] of { byte, byte };	/* store buffers: of the master, of the reader */
#define M to_memory[0]
#define R to_memory[1]

#define store(who, cell, value)	who!cell,value
#define fence(who)		empty(who)
#ifdef NO_FENCE_WAKE
#define fence_wake	true
#else
#define fence_wake	fence(M)
#endif
#ifdef NO_FENCE_SLEEP
#define fence_sleep	true
#else
#define fence_sleep	fence(R)
#endif
#ifdef NO_FENCE_MASTER
#define fence_master	true
#else
#define fence_master	fence(M)
#endif
#ifdef NO_FENCE_KICK
#define fence_kick	true
#else
#define fence_kick	fence(R)
#endif

proctype Drain(byte who)
{
	byte cell, value;

end:	do
	:: atomic { to_memory[who]?cell,value -> m[cell] = value; cell = 0; value = 0 }
	od
}

/* ---- what wakes ---- */

bool bell;		/* the edge in the reader's epoll set: ring() */
bool kicked;		/* CLUSTER_KICK in the master's socket: kick() */
bool hung_up;		/* the reader's end of it is closed, by whatever end */
bool kill;		/* the reader is killed; once, at any time */
byte attached;		/* the life that has a queue; 0: nobody */
bool asleep;		/* the reader, as it sees itself */
bool quiet;		/* nobody could go on, and that was right */

/* ---- the pool, umem.c and frames.c ---- */

#define KEPT	1
#define ALONE	2	/* UMEM_KEPT_ALONE */

bool free[FRAMES];	/* the NIC may write there */
bool lent[FRAMES];	/* by the stream to who feeds the sink; it goes back at any time after */
byte kept[FRAMES], refs[FRAMES], written[FRAMES];

inline set_free(f)
{
	assert(!free[f] && !refs[f]);		/* a frame comes back once */
	free[f] = true;
	written[f] = 0
}

/* frames_put() and umem_unkeep() */
inline put(f)
{
	assert(refs[f]);
	refs[f]--;
	if
	:: refs[f] == 0 ->
		if
		:: kept[f] == ALONE -> set_free(f)
#ifdef FREE_TWICE
		:: kept[f] == KEPT -> set_free(f)
#else
		:: else
#endif
		fi;
		kept[f] = 0
	:: else
	fi
}

/* the stream's record of it goes back: fill_some() */
inline release(f)
{
	lent[f] = false;
	if
	:: kept[f] -> kept[f] = ALONE
	:: else -> set_free(f)
	fi
}

/* ---- what nobody in the program knows, and assertions ask ---- */

byte wanted;		/* bit of a record: its reader has handed it on, and given it back */
byte handed;		/* and the master has seen that */
byte head, published, tail;	/* struct queue_writer; the quiet look at it, too */
byte their_next;	/* struct queue_reader.next */
byte their_claim;	/* the watermark that the reader relies on */

/* ---- the master ---- */

byte note[SLOTS];	/* queue_note.frame */
byte next_record = 1;

/*
 * queue_out.c: reap(); hand_on() gives the frame to another queue, and has it back here at once.
 * Verdicts behind the tail stay until their slots are written anew: they are read in one step.
 */
inline reap(gone)
{
	atomic {
		seen_tail = m[TAIL];
		assert(seen_tail - tail <= published - tail);	/* queue_writer_look() */
		do
		:: tail != seen_tail ->
			rec = m[SLOT(tail)] / 16;
			if
			:: !gone ->
				/* what was said of this record, and not of the one before it there */
				assert((m[VERDICT(tail)] == HAND_ON) == ((wanted >> rec) & 1));
				if
				:: m[VERDICT(tail)] == HAND_ON -> handed = handed | (1 << rec)
				:: else
				fi
			:: else
			fi;
			put(note[tail % SLOTS]);
			note[tail % SLOTS] = NO_FRAME;
			tail++
		:: else -> break
		od;
		rec = 0; seen_tail = 0
	}
}

/* queue_out_attach(): memory of its own for each reader, so all of it is zero */
inline attach()
{
	atomic {
		lives++;
		cell = 0;
		do
#ifdef STALE_TAIL
		:: cell < CELLS && cell != TAIL -> m[cell] = 0; cell++
		:: cell == TAIL -> cell++
#else
		:: cell < CELLS -> m[cell] = 0; cell++
#endif
		:: else -> break
		od;
		cell = 0;
		head = 0; published = 0; tail = 0;
		seen = 0; dropped = 0; version = 0; told_dropped = 0; told_mark = 0;
		their_next = 0; their_claim = 0;
		bell = false; kicked = false; hung_up = false;
		attached = lives
	}
}

/* queue_out_detach(): what it gave back is delivered, what it did not is unread; all comes back */
inline detach()
{
	assert(empty(R));
	reap(true);
	atomic {
		do
		:: tail != head ->
#ifndef KEEP_UNREAD
			put(note[tail % SLOTS]);
#endif
			note[tail % SLOTS] = NO_FRAME;
			tail++
		:: else -> break
		od;
		attached = 0; wanted = 0; handed = 0
	}
}

/* has_room(): looks again before it drops */
#ifdef ROOM_ONE_MORE
#define room	(SLOTS + 1 - (head - tail))
#else
#define room	(SLOTS - (head - tail))
#endif

/* put_one(), queue_out_offer(), put_record(): slots that nobody is shown yet */
inline offer(f)
{
	atomic {
		if
		:: attached && room == 0 -> reap(false)
		:: else
		fi;
		if
		:: attached ->
			seen++;
			if
			:: room > 0 ->
				kept[f] = KEPT;		/* frames_keep() */
				refs[f] = 2;		/* the item's, and the slot's */
#ifdef NO_GET
				refs[f] = 1;
#endif
				note[head % SLOTS] = f;
#ifndef HEAD_FIRST
				store(M, SLOT(head), WHOLE(next_record, f));
#endif
				head++;
				put(f)			/* queue_out_item_done() */
			:: else -> dropped++
			fi
		:: else				/* no_reader */
		fi;
#ifndef LENDING
		release(f)
#endif
	}
}

/*
 * queue_writer_publish(): each of these stores is seen by itself. Then queue_out_publish(): it
 * rings when something was added, and ring() clears the flag before it writes to the eventfd.
 */
inline publish(mark)
{
	atomic {
		news = head != published || dropped != told_dropped;
#ifdef BOOKS
		version++;
		store(M, VERSION, version);
		store(M, SEEN, seen);
		store(M, DROPPED, dropped);
#endif
#ifdef MARK_FIRST
		store(M, WATERMARK, mark);
#endif
		store(M, HEAD, head);
#ifdef HEAD_FIRST
		do
		:: published != head ->
			store(M, SLOT(published), WHOLE(written[note[published % SLOTS]],
							note[published % SLOTS]));
			published++
		:: else -> break
		od;
#endif
#if defined(MARKS) && !defined(MARK_FIRST)
		store(M, WATERMARK, mark);
#endif
#ifdef BOOKS
		version++;
		store(M, VERSION, version);
#endif
		published = head; told_dropped = dropped; told_mark = mark
	};
	if
	:: atomic { news -> news = false };
		fence_wake;			/* queue_writer_must_wake() */
		if
		:: m[READER_SLEEPS] -> ring()
		:: else
		fi
	:: else
	fi
}

inline ring()
{
#ifdef CLEAR_LATE
	bell = true;
	store(M, READER_SLEEPS, 0)
#else
	store(M, READER_SLEEPS, 0);
	atomic { fence(M) -> bell = true }	/* write(): the kernel wakes behind a full barrier */
#endif
}

/* cluster_serve(): who hangs up is let go, and the next may come */
inline serve()
{
	if
	:: attached && hung_up ->
		fence(M);
		detach();
		if
		:: lives < LIVES -> attach()
		:: else
		fi
	:: else -> kicked = false
	fi;
	if
	:: attached -> reap(false)
	:: else
	fi
}

proctype Master()
{
	byte seen, dropped, told_dropped, told_mark, version, lives, cell, seen_tail, rec, f;
	bool news;

	attach();
	do
	:: next_record <= RECORDS ->
		/* the source has a frame: written where nobody may be reading. There may be none. */
		atomic {
			if
			:: free[0] -> f = 0
			:: !free[0] && free[1] -> f = 1
			:: !free[0] && !free[1] && free[2] -> f = 2
			:: else -> goto sleep
			fi;
			free[f] = false;
			lent[f] = true;
			written[f] = next_record;
			offer(f);
			next_record++; f = 0
		}
		if
		:: attached -> publish(next_record - 1)	/* sink_queue_put() */
		:: attached && next_record <= RECORDS	/* one batch with the next */
		:: !attached
		fi
	:: atomic { lent[0] -> release(0) }
	:: atomic { lent[1] -> release(1) }
	:: atomic { lent[2] -> release(2) }
	:: true ->
sleep:		/* stream.c, wait.c: set_sleeping(), the epoll set, set_sleeping() */
		if
		/* fan_serve(), before it waits; what is published already is left out here */
		:: attached && (head != published || dropped != told_dropped ||
				told_mark != next_record - 1) -> publish(next_record - 1)
		:: else
		fi;
		if
		:: attached ->			/* queue_out_sleep() */
#ifdef HANDING
			store(M, MASTER_SLEEPS, 1);
			fence_master;
#endif
			if
			:: HANDS_ON && m[TAIL] != tail
			:: else ->
waits:				if
				:: kicked || hung_up || quiet
				:: next_record <= RECORDS && (free[0] || free[1] || free[2])
				fi
			fi;
#ifdef HANDING
			store(M, MASTER_SLEEPS, 0);
			fence_master
#endif
		:: else ->
idle:			next_record <= RECORDS || quiet
		fi;
		serve();
		if
		:: quiet -> break
		:: else
		fi
	od;
	/* sink_queue_close(): queue_out_end() */
	if
	:: attached ->
		publish(next_record - 1);
		store(M, ENDED, 1);
		ring();
		hung_up;
		detach()
	:: else
	fi;
	atomic {
		do
		:: lent[f] -> release(f)
		:: !lent[f] && f < FRAMES - 1 -> f++
		:: else -> break
		od
	};
	assert(free[0] && free[1] && free[2])
}

/* ---- a reader ---- */

/* What is lent is what was lent, as long as it is lent. */
#define is_intact(at, rec) (m[SLOT(at)] / 16 == rec && written[m[SLOT(at)] % 16] == rec)

/* queue_reader_sleep(), source_queue_sleep(); the wait is epoll_pwait2() */
inline reader_sleep()
{
	store(R, READER_SLEEPS, 1);
	fence_sleep;
	if
	:: m[HEAD] != next || m[ENDED]
	:: else ->
		asleep = true;
		bell;
		asleep = false
	fi;
	bell = false;			/* epoll_wait(): takes the edge */
	store(R, READER_SLEEPS, 0)
}

/* queue_reader_books(), one attempt */
inline books()
{
	seen_version = m[VERSION];
	if
	:: seen_version % 2 == 0 ->
		a = m[SEEN];
		b = m[DROPPED];
		c = m[HEAD];
		if
#ifdef NO_VERSION
		:: true -> assert(a - b == c)
#else
		:: m[VERSION] == seen_version -> assert(a - b == c)
		:: else
#endif
		fi
	:: else
	fi;
	a = 0; b = 0; c = 0; seen_version = 0
}

proctype Reader(byte life)
{
	byte seen_head, next, given, last, rec, oldest, a, b, c, seen_version;
	bool want, looked;

end_before:
	attached == life;
	{
		do
		/* source_queue_peek(): queue_reader_look(), read_slot() */
		:: atomic { next - given < SLOTS && seen_head == next && m[HEAD] != next ->
			seen_head = m[HEAD] }
		:: atomic { next - given < SLOTS && seen_head != next ->
#if defined(HANDING) && !defined(NO_RESET)
			store(R, VERDICT(next), 0);
#endif
			rec = m[SLOT(next)] / 16;
			assert(is_intact(next, rec));
			assert(rec > last);		/* once, and in order */
			assert(rec > their_claim);	/* nothing older came */
			last = rec;
			oldest = (next == given -> rec : oldest);
			next++;
			their_next = next;
#ifdef GIVE_EARLY
			store(R, TAIL, next);
#endif
			rec = 0 }
		/* xcap_release(): give_back(), kick() */
		:: atomic { next != given ->
			assert(is_intact(given, oldest));
			if
#ifdef HANDING
			:: store(R, VERDICT(given), HAND_ON);	/* source_queue_hand_on() */
			   want = true;
			   wanted = wanted | (1 << oldest)
#endif
			:: skip
			fi;
			given++;
			oldest = (next != given -> last : 0);
			store(R, TAIL, given) };		/* queue_reader_give() */
#ifdef HANDING
			if
			:: atomic { want -> want = false };
				fence_kick;
				if
				:: atomic { m[MASTER_SLEEPS] -> kicked = true }
				:: else
				fi
			:: else
			fi
#else
			skip
#endif
#ifdef MARKS
		/* queue_reader_watermark() */
		:: seen_head == next ->
#ifdef MARK_LATE
			seen_head = m[HEAD];
			a = m[WATERMARK];
#else
			a = m[WATERMARK];
			seen_head = m[HEAD];
#endif
			if
			:: seen_head == next && a > their_claim -> their_claim = a
			:: else
			fi;
			a = 0
#endif
#ifdef BOOKS
		/* source_queue_stats() */
		:: !looked -> looked = true; books()
#endif
		:: seen_head == next -> reader_sleep()
		/* source_queue_close() by itself, or look_around(): is_over() */
#ifdef DYING
		:: life == 1 -> break
#endif
		:: m[ENDED] && m[HEAD] == next -> break
		od
	} unless { kill }
	/* the kernel closes the socket, long after the last store */
	atomic { empty(R) -> asleep = false; kill = false; hung_up = true }
}

/* ---- and the world ---- */

proctype Killer()
{
	attached;
	if
	:: kill = true
	:: skip
	fi
}

/* Nobody can go on. That is right only if nobody waits for what is there. */
proctype Quiet()
{
	timeout;
	assert(next_record > RECORDS || (!free[0] && !free[1] && !free[2]));
	assert(!attached || !asleep || their_next == m[HEAD]);	/* the wake-up */
	assert(wanted == handed);				/* the kick */
	quiet = true
}

init
{
	byte i;

	atomic {
		do
		:: i < FRAMES -> free[i] = true; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < SLOTS -> note[i] = NO_FRAME; i++
		:: else -> break
		od;
		run Drain(0);
		run Drain(1);
		run Master();
		run Reader(1);
#ifdef DYING
		run Reader(2);
		run Killer();
#endif
		run Quiet()
	}
}
