/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of domains (see agent-table.h): chains, doubled when they get long. */
#include "agent/agent-table.h"

#define MIN_BUCKETS 64

/* UUIDs are random, or ought to be: mix, in case they count up. */
static size_t bucket_of(const struct agent_table *t, const unsigned char uuid[16])
{
	return (size_t)agent_hash((const char *)uuid, 16) & (t->n_buckets - 1);
}

void agent_uuid_text(const unsigned char u[16], char text[37])
{
	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		 u[13], u[14], u[15]);
}

uint64_t agent_hash(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
	return h;
}

struct agent_entry *agent_table_find(const struct agent_table *t, const unsigned char uuid[16])
{
	struct agent_entry *e = t->n_buckets ? t->buckets[bucket_of(t, uuid)] : NULL;

	while (e && memcmp(e->uuid, uuid, 16) != 0)
		e = e->next;
	return e;
}

/* Return: false = no memory; then it stays as it is. */
static bool grow(struct agent_table *t)
{
	struct agent_table bigger = { .n_buckets = t->n_buckets ? t->n_buckets * 2 : MIN_BUCKETS };
	struct agent_entry *e = agent_table_next(t, NULL), *next;

	bigger.buckets = calloc(bigger.n_buckets, sizeof(struct agent_entry *));
	if (!bigger.buckets)
		return false;
	for (; e; e = next) {
		size_t i = bucket_of(&bigger, e->uuid);

		next = agent_table_next(t, e);
		e->next = bigger.buckets[i];
		bigger.buckets[i] = e;
	}
	free(t->buckets);
	t->buckets = bigger.buckets;
	t->n_buckets = bigger.n_buckets;
	return true;
}

struct agent_entry *agent_table_get(struct agent_table *t, const unsigned char uuid[16],
				    bool *ret_made)
{
	struct agent_entry *e = agent_table_find(t, uuid);
	size_t i;

	if (ret_made)
		*ret_made = !e;
	if (e)
		return e;
	if (t->n >= t->n_buckets && !grow(t) && !t->n_buckets)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	memcpy(e->uuid, uuid, 16);
	e->mark = t->mark;
	i = bucket_of(t, uuid);
	e->next = t->buckets[i];
	t->buckets[i] = e;
	t->n++;
	return e;
}

void agent_table_remove(struct agent_table *t, struct agent_entry *e)
{
	struct agent_entry **p = &t->buckets[bucket_of(t, e->uuid)];

	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	t->n--;
	free(e->needs);
	free(e);
}

void agent_table_clear(struct agent_table *t)
{
	for (size_t i = 0; i < t->n_buckets; i++)
		while (t->buckets[i])
			agent_table_remove(t, t->buckets[i]);
	free(t->buckets);
	*t = (struct agent_table){ 0 };
}

struct agent_entry *agent_table_next(const struct agent_table *t, const struct agent_entry *e)
{
	if (e && e->next)
		return e->next;
	for (size_t i = e ? bucket_of(t, e->uuid) + 1 : 0; i < t->n_buckets; i++)
		if (t->buckets[i])
			return t->buckets[i];
	return NULL;
}

struct agent_entry *agent_table_take(const struct agent_table *t, int64_t now)
{
	struct agent_entry *first = NULL;

	for (struct agent_entry *e = agent_table_next(t, NULL); e; e = agent_table_next(t, e))
		if (e->due && e->due <= now && (!first || e->due < first->due))
			first = e;
	return first;
}

int64_t agent_table_due(const struct agent_table *t)
{
	const struct agent_entry *e = agent_table_take(t, INT64_MAX);

	return e ? e->due : 0;
}

void agent_entry_due(struct agent_entry *e, int64_t when)
{
	if (!e->due || when < e->due)
		e->due = when;
}
