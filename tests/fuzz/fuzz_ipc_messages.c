/* Fuzz target: messages between hub and spawner, and init's lines. What the check lets through has
 * every text ended inside its array; a stage that parses is one of the closed list. */
#include "base/mem.h"
#include "ipc/spawn_codec.h"
#include "spawner/local/local.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_texts(const struct spawn_head *head)
{
	const struct spawn_spawn *m = (const struct spawn_spawn *)(const void *)head;
	const struct spawn_tail *tail = (const struct spawn_tail *)(const void *)head;
	const struct spawn_reply *reply = (const struct spawn_reply *)(const void *)head;
	const struct spawn_hand_over *over = (const struct spawn_hand_over *)(const void *)head;
	const struct spawn_counts *counts = (const struct spawn_counts *)(const void *)head;

	if (head->type == SPAWN_SPAWN) {
		assert(strlen(m->server_id) < sizeof(m->server_id));
		assert(strlen(m->user) < sizeof(m->user));
		assert(strlen(m->template_) < sizeof(m->template_));
		assert(strlen(m->base_url) < sizeof(m->base_url));
		assert(strlen(m->credential) < sizeof(m->credential));
		assert(strlen(m->user_script) < sizeof(m->user_script));
		assert(m->head.request_id != 0 && m->user_id != 0);
	}
	if (head->type == SPAWN_REPLY)
		assert(strlen(reply->address.where) < sizeof(reply->address.where));
	if (head->type == SPAWN_HAND_OVER)
		assert(over->to_id != 0 && strlen(over->to_name) < sizeof(over->to_name));
	if (head->type == SPAWN_COUNTS)
		assert(counts->starts <= SPAWN_COUNT_MAX &&
		       counts->stages_ms[SPAWN_STAGES_MAX - 1] <= SPAWN_COUNT_MAX);
	if (head->type == SPAWN_TAIL)
		assert(tail->length <= sizeof(tail->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t aligned[CYG_IPC_MAX / sizeof(uint64_t)];
	const struct spawn_head *head;
	struct spawn_stage stage;

	if (size > sizeof(aligned))
		return 0;
	memcpy(aligned, data, size);
	if (spawn_msg_check(aligned, size, &head, NULL) == 0) {
		assert(head->length == size && head->type < SPAWN_TYPES);
		check_texts(head);
	}
	if (output_parse((const char *)data, size, &stage) == 2)
		assert(stage.name[0] != '\0' && stage.state != SPAWN_STAGE_BEGUN);
	return 0;
}
