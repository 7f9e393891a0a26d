/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The domains of one libvirtd: a hash table by UUID that holds no XML, only what became of it. */
#ifndef VW_AGENT_TABLE_H
#define VW_AGENT_TABLE_H

#include "lib/base/util.h"

#include <stdint.h>

enum {
	AGENT_NEW = 1 << 0,       /* never dealt with while it was off: new here */
	AGENT_EXISTING = 1 << 1,  /* was there before the agent: audit only until it is changed */
	AGENT_PENDING = 1 << 2,   /* fixed while it ran: takes effect at its next cold boot */
	AGENT_UNSETTLED = 1 << 3, /* to be looked at once more when it has been quiet */
	AGENT_WORD = 1 << 4, /* the admin changed our metadata: skips that are gone are meant */
	AGENT_RUNNING = 1 << 5,
	AGENT_SAFE = 1 << 8,     /* the config with that hash is in the history, and on the disk */
	AGENT_REVERTED = 1 << 7, /* to a snapshot: nobody took anything back by hand */
	AGENT_HOST = 1 << 9,     /* what it needs of the host came or went: look */
	AGENT_CANNOT_START = 1 << 10, /* … and is not there: an alert is out */
	AGENT_REFUSED = 1 << 11,      /* libvirtd refused its fixed config: an alert is out */
	AGENT_TROUBLE = 1 << 12,      /* a disk failed, its watchdog fired: an alert is out */
	AGENT_GONE = 1 << 6,          /* undefined while we were at it: did we bring it back? */
	AGENT_NEWS = 1 << 13,         /* an event said that somebody changed it */
};
#define AGENT_GONE_MS \
	500 /* so long the events that tell may take; and a client that defines anew */
#define AGENT_TOLD (AGENT_CANNOT_START | AGENT_REFUSED | AGENT_TROUBLE)
#define AGENT_KEPT_FLAGS (AGENT_NEW | AGENT_EXISTING | AGENT_PENDING | AGENT_UNSETTLED | AGENT_TOLD)

struct agent_entry {
	struct agent_entry *next;
	unsigned char uuid[16];
	uint64_t hash;     /* of the config that was dealt with last, 0 = none */
	int64_t due;       /* when to deal with it, ms; 0 = not */
	int64_t quiet;     /* when more than the host class may be fixed, ms; 0 = at once */
	uint32_t findings; /* rules that it still breaks: bit i = vw_rule_id(i) */
	uint32_t hand;     /* rules that were taken back by hand */
	uint64_t untold;   /* hash of a config that was waited with for an event … */
	uint64_t suspect;  /* … and of one that takes rules back, if the domain is the same */
	unsigned flags;
	uint32_t needs_of; /* the low half of the hash of the config that needs is of */
	uint32_t *needs;   /* how many, then so many agent_need_hash; NULL = none */
	unsigned mark;     /* the walk that saw it last */
	uint8_t tries;     /* starts over because another client was faster */
	uint8_t applied;   /* our own changes since the last one of somebody else */
	uint8_t failures;  /* in a row: history, libvirtd */
	bool expect;       /* the event of our own define is still to come */
	bool ran;          /* when we changed it last */
	uint8_t defined;   /* events since AGENT_GONE */
};

struct agent_table {
	struct agent_entry **buckets;
	size_t n_buckets, n;
	unsigned mark; /* of the walk that goes on, or was last */
};

/* "4dea22b3-…", canonical. */
void agent_uuid_text(const unsigned char uuid[16], char text[37]);

/* Return: the entry or NULL. */
struct agent_entry *agent_table_find(const struct agent_table *t, const unsigned char uuid[16]);
/* The entry, made if it is not there (*ret_made, may be NULL). NULL: no memory. */
struct agent_entry *agent_table_get(struct agent_table *t, const unsigned char uuid[16],
				    bool *ret_made);
void agent_table_remove(struct agent_table *t, struct agent_entry *e);
void agent_table_clear(struct agent_table *t);

/* Every entry: for (e = agent_table_next(t, NULL); e; e = agent_table_next(t, e)). */
struct agent_entry *agent_table_next(const struct agent_table *t, const struct agent_entry *e);
/* When the next entry is due, ms; 0 = none is. */
int64_t agent_table_due(const struct agent_table *t);
/* An entry that is due at that time: the one that waits longest. NULL = none. */
struct agent_entry *agent_table_take(const struct agent_table *t, int64_t now);

/* Due at that time, or earlier if it was already. */
void agent_entry_due(struct agent_entry *e, int64_t when);

/* 64-bit FNV-1a, as the history store has it (history.h). */
uint64_t agent_hash(const char *text, size_t len);

#endif
