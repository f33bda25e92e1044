/* The rules every hub ↔ spawner message must keep: one table of types with their sizes and text
 * fields, one pure check. */
#include "ipc/spawn_codec.h"

#include "base/str.h"

#include <stdbool.h>
#include <string.h>

enum { TEXTS_MAX = 11 };

struct text_field {
	size_t offset, size;
};

struct msg_rule {
	size_t size; /* 0: no such type */
	bool request;
	struct text_field texts[TEXTS_MAX];
};

#define TEXT(type, member)                                                                         \
	{                                                                                          \
		offsetof(struct type, member), sizeof(((struct type *)0)->member)                  \
	}

static const struct msg_rule rules[SPAWN_TYPES] = {
	[SPAWN_HELLO] = { sizeof(struct spawn_hello), false,
	    { TEXT(spawn_hello, engine), TEXT(spawn_hello, statement) } },
	[SPAWN_SPAWN] = { sizeof(struct spawn_spawn), true,
	    { TEXT(spawn_spawn, server_id), TEXT(spawn_spawn, user), TEXT(spawn_spawn, name_before),
		TEXT(spawn_spawn, server), TEXT(spawn_spawn, template_), TEXT(spawn_spawn, stack),
		TEXT(spawn_spawn, base_url), TEXT(spawn_spawn, credential),
		TEXT(spawn_spawn, user_script), TEXT(spawn_spawn, cluster) } },
	[SPAWN_STOP] = { sizeof(struct spawn_stop), true, { TEXT(spawn_stop, server_id) } },
	[SPAWN_LIST] = { sizeof(struct spawn_head), true, { { 0, 0 } } },
	[SPAWN_STAT] = { sizeof(struct spawn_stop), true, { TEXT(spawn_stop, server_id) } },
	[SPAWN_PING] = { sizeof(struct spawn_head), true, { { 0, 0 } } },
	[SPAWN_REPLY] = { sizeof(struct spawn_reply), false,
	    { TEXT(spawn_reply, message), TEXT(spawn_reply, address.where) } },
	[SPAWN_ITEM] = { sizeof(struct spawn_item), false,
	    { TEXT(spawn_item, server_id), TEXT(spawn_item, user), TEXT(spawn_item, server),
		TEXT(spawn_item, address.where) } },
	[SPAWN_STAGE] = { sizeof(struct spawn_stage), false,
	    { TEXT(spawn_stage, server_id), TEXT(spawn_stage, name) } },
	[SPAWN_TAIL] = { sizeof(struct spawn_tail), false, { TEXT(spawn_tail, server_id) } },
	[SPAWN_GONE] = { sizeof(struct spawn_gone), false,
	    { TEXT(spawn_gone, server_id), TEXT(spawn_gone, message) } },
	[SPAWN_TEMPLATE] = { sizeof(struct spawn_template), false, { TEXT(spawn_template, name) } },
	[SPAWN_HAND_OVER] = { sizeof(struct spawn_hand_over), true,
	    { TEXT(spawn_hand_over, from_name), TEXT(spawn_hand_over, to_name) } },
	[SPAWN_METRICS] = { sizeof(struct spawn_head), true, { { 0, 0 } } },
	[SPAWN_COUNTS] = { sizeof(struct spawn_counts), false, { { 0, 0 } } },
};

static bool address_holds(const struct spawn_address *a)
{
	switch (a->kind) {
	case SPAWN_ADDRESS_NONE:
		return a->port == 0 && a->where[0] == '\0';
	case SPAWN_ADDRESS_UNIX:
		return a->port == 0 && a->where[0] == '/';
	case SPAWN_ADDRESS_TCP:
		return a->port > 0 && a->port <= UINT16_MAX && a->where[0] != '\0';
	default:
		return false;
	}
}

static bool is_id(uint64_t id)
{
	return id > 0 && id <= INT64_MAX;
}

static bool hand_over_holds(const struct spawn_hand_over *m)
{
	return is_id(m->to_id) && m->from_id <= INT64_MAX &&
	       (m->from_id == 0) == (m->from_name[0] != '\0');
}

/* Behind the head there is nothing but counts. */
static bool counts_hold(const struct spawn_counts *m)
{
	const uint64_t *first = &m->starts;
	const size_t n = (sizeof(*m) - offsetof(struct spawn_counts, starts)) / sizeof(*first);

	for (size_t i = 0; i < n; i++)
		if (first[i] > SPAWN_COUNT_MAX)
			return false;
	return true;
}

/* Checks that size and termination do not cover. */
static bool values_hold(const struct spawn_head *head, const void *data)
{
	const struct spawn_spawn *spawn = data;
	const struct spawn_tail *tail = data;

	if (rules[head->type].request && head->request_id == 0)
		return false;
	if (head->type == SPAWN_SPAWN)
		return spawn->home_packages <= 1 && is_id(spawn->user_id);
	if (head->type == SPAWN_HAND_OVER)
		return hand_over_holds(data);
	if (head->type == SPAWN_COUNTS)
		return counts_hold(data);
	if (head->type == SPAWN_TAIL)
		return tail->length <= sizeof(tail->text);
	if (head->type == SPAWN_REPLY)
		return address_holds(&((const struct spawn_reply *)data)->address);
	if (head->type == SPAWN_ITEM)
		return address_holds(&((const struct spawn_item *)data)->address);
	return true;
}

int spawn_msg_check(
    const void *data, size_t len, const struct spawn_head **ret, struct cyg_err *err)
{
	const struct spawn_head *head = data;
	const struct msg_rule *rule;

	if (len < sizeof(*head) || head->magic != SPAWN_MAGIC)
		return cyg_fail(err, CYG_EPROTO, "not a spawner message");
	if (head->version != SPAWN_VERSION)
		return cyg_fail(err, CYG_EPROTO, "spawner protocol %u, this side speaks %d",
		    head->version, SPAWN_VERSION);
	if (head->type >= SPAWN_TYPES || rules[head->type].size == 0)
		return cyg_fail(err, CYG_EPROTO, "unknown message type %u", head->type);
	rule = &rules[head->type];
	if (head->length != len || len != rule->size)
		return cyg_fail(err, CYG_EPROTO, "message type %u has %zu bytes, not %zu",
		    head->type, len, rule->size);
	for (size_t i = 0; i < TEXTS_MAX && rule->texts[i].size > 0; i++) {
		const char *text = (const char *)data + rule->texts[i].offset;

		if (memchr(text, '\0', rule->texts[i].size) == NULL)
			return cyg_fail(err, CYG_EPROTO,
			    "message type %u: a text is not terminated", head->type);
	}
	if (!values_hold(head, data))
		return cyg_fail(
		    err, CYG_EPROTO, "message type %u: a value is out of range", head->type);
	*ret = head;
	return 0;
}

void spawn_msg_init(struct spawn_head *head, enum spawn_type type, size_t len, uint32_t request_id)
{
	head->magic = SPAWN_MAGIC;
	head->version = SPAWN_VERSION;
	head->type = (uint16_t)type;
	head->length = (uint32_t)len;
	head->request_id = request_id;
}

static const struct {
	const char *what, *allowed, *allowed_text;
} name_rules[SPAWN_NAMES] = {
#define NAME_SIGNS "abcdefghijklmnopqrstuvwxyz0123456789._-"
#define NAME_TEXT  "lower-case letters, digits and . _ -"
	[SPAWN_NAME_USER] = { "user", NAME_SIGNS, NAME_TEXT },
	[SPAWN_NAME_SERVER] = { "server", NAME_SIGNS, NAME_TEXT },
	[SPAWN_NAME_TEMPLATE] = { "template", NAME_SIGNS, NAME_TEXT },
	[SPAWN_NAME_STACK] = { "stack", NAME_SIGNS, NAME_TEXT },
	[SPAWN_NAME_CLUSTER] = { "cluster", NAME_SIGNS, NAME_TEXT },
};

int spawn_name_check(enum spawn_name kind, const char *name, struct cyg_err *err)
{
	const char *what = name_rules[kind].what;
	size_t len = strnlen(name, CYG_NAME_MAX);

	if (len == 0 || len >= CYG_NAME_MAX)
		return cyg_fail(
		    err, CYG_EINVAL, "a %s name has 1 to %d characters", what, CYG_NAME_MAX - 1);
	if (name[0] == '.' || name[0] == '-' || strspn(name, name_rules[kind].allowed) != len)
		return cyg_fail(err, CYG_EINVAL,
		    "a %s name is made of %s and does not start with . or -", what,
		    name_rules[kind].allowed_text);
	return 0;
}
