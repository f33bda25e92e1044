/* Maps the fields of each row's struct to columns. The type of a column follows from the field. */
#include "base/mem.h"
#include "store/table.h"

#define COLUMN(row, field, column, flag)                                                             \
	{                                                                                            \
		.name = (column), .offset = offsetof(struct row, field),                           \
		.type = _Generic(((struct row *)NULL)->field, const char *                         \
			: COLUMN_TEXT, int64_t                                                     \
			: COLUMN_INT, bool                                                         \
			: COLUMN_BOOL),                                                            \
		.flags = (flag) \
	}
#define TABLE(row, table, list)                                                                    \
	const struct store_table table = {                                                         \
		.name = (list##_name),                                                             \
		.columns = (list),                                                                 \
		.n_columns = CYG_N(list),                                                          \
		.row_size = sizeof(struct row),                                                    \
	};                                                                                         \
	_Static_assert(sizeof(struct row) <= TABLE_ROW_MAX, "TABLE_ROW_MAX");                      \
	_Static_assert(CYG_N(list) <= TABLE_COLUMNS_MAX, "TABLE_COLUMNS_MAX")

static const char users_name[] = "users";
static const struct store_column users[] = {
	COLUMN(store_user, id, "id", COLUMN_KEY | COLUMN_AUTO),
	COLUMN(store_user, name, "name", COLUMN_KEEP),
	COLUMN(store_user, name_before, "name_before", COLUMN_KEEP),
	COLUMN(store_user, provider, "provider", COLUMN_KEEP),
	COLUMN(store_user, subject, "subject", COLUMN_KEEP),
	COLUMN(store_user, groups, "groups", 0),
	COLUMN(store_user, admin, "admin", 0),
	COLUMN(store_user, admin_by_hand, "admin_by_hand", 0),
	COLUMN(store_user, created_us, "created", COLUMN_KEEP),
	COLUMN(store_user, last_activity_us, "last_activity", 0),
};
TABLE(store_user, store_users, users);

static const char formers_name[] = "formers";
static const struct store_column formers[] = {
	COLUMN(store_former, id, "id", COLUMN_KEY),
	COLUMN(store_former, name, "name", COLUMN_KEEP),
	COLUMN(store_former, created_us, "created", COLUMN_KEEP),
	COLUMN(store_former, deleted_us, "deleted", COLUMN_KEEP),
	COLUMN(store_former, handed_to, "handed_to", 0),
	COLUMN(store_former, handed_us, "handed", 0),
};
TABLE(store_former, store_formers, formers);

static const char sessions_name[] = "sessions";
static const struct store_column sessions[] = {
	COLUMN(store_session, sha256, "sha256", COLUMN_KEY),
	COLUMN(store_session, user, "user", 0),
	COLUMN(store_session, provider, "provider", 0),
	COLUMN(store_session, created_us, "created", 0),
	COLUMN(store_session, expires_us, "expires", 0),
};
TABLE(store_session, store_sessions, sessions);

static const char attempts_name[] = "attempts";
static const struct store_column attempts[] = {
	COLUMN(store_attempt, state, "state", COLUMN_KEY),
	COLUMN(store_attempt, cookie, "cookie", 0),
	COLUMN(store_attempt, provider, "provider", 0),
	COLUMN(store_attempt, next, "next", 0),
	COLUMN(store_attempt, expires_us, "expires", 0),
};
TABLE(store_attempt, store_attempts, attempts);

static const char servers_name[] = "servers";
static const struct store_column servers[] = {
	COLUMN(store_server, user, "user", COLUMN_KEY),
	COLUMN(store_server, server, "server", COLUMN_KEY),
	COLUMN(store_server, id, "id", 0),
	COLUMN(store_server, state, "state", 0),
	COLUMN(store_server, credential, "credential", 0),
	COLUMN(store_server, options, "options", 0),
	COLUMN(store_server, isolation, "isolation", 0),
	COLUMN(store_server, since_us, "since", 0),
	COLUMN(store_server, started_us, "started", 0),
	COLUMN(store_server, last_activity_us, "last_activity", 0),
};
TABLE(store_server, store_servers, servers);

static const char intents_name[] = "intents";
static const struct store_column intents[] = {
	COLUMN(store_intent, seq, "seq", COLUMN_KEY | COLUMN_AUTO),
	COLUMN(store_intent, server_id, "server_id", 0),
	COLUMN(store_intent, kind, "kind", 0),
	COLUMN(store_intent, begun_us, "begun", 0),
};
TABLE(store_intent, store_intents, intents);

static const char stages_name[] = "stage_times";
static const struct store_column stages[] = {
	COLUMN(store_stage, seq, "seq", COLUMN_KEY | COLUMN_AUTO),
	COLUMN(store_stage, stack, "stack", 0),
	COLUMN(store_stage, stage, "stage", 0),
	COLUMN(store_stage, ms, "ms", 0),
};
TABLE(store_stage, store_stages, stages);

static const char choices_name[] = "choices";
static const struct store_column choices[] = {
	COLUMN(store_choice, user, "user", COLUMN_KEY),
	COLUMN(store_choice, options, "options", 0),
};
TABLE(store_choice, store_choices, choices);

static const char ends_name[] = "ends";
static const struct store_column ends[] = {
	COLUMN(store_end, user, "user", COLUMN_KEY),
	COLUMN(store_end, server, "server", COLUMN_KEY),
	COLUMN(store_end, at_us, "at", 0),
	COLUMN(store_end, cause, "cause", 0),
	COLUMN(store_end, message, "message", 0),
	COLUMN(store_end, lines, "lines", 0),
	COLUMN(store_end, dismissed, "dismissed", 0),
};
TABLE(store_end, store_ends, ends);

static const char audits_name[] = "audit";
static const struct store_column audits[] = {
	COLUMN(store_audit, id, "id", COLUMN_KEY | COLUMN_AUTO),
	COLUMN(store_audit, at_us, "at", 0),
	COLUMN(store_audit, actor, "actor", 0),
	COLUMN(store_audit, action, "action", 0),
	COLUMN(store_audit, object, "object", 0),
	COLUMN(store_audit, detail, "detail", 0),
};
TABLE(store_audit, store_audits, audits);

static const char tokens_name[] = "tokens";
static const struct store_column tokens[] = {
	COLUMN(store_token, id, "id", COLUMN_KEY | COLUMN_AUTO),
	COLUMN(store_token, sha256, "sha256", COLUMN_KEEP),
	COLUMN(store_token, kind, "kind", COLUMN_KEEP),
	COLUMN(store_token, owner, "owner", COLUMN_KEEP),
	COLUMN(store_token, scopes, "scopes", 0),
	COLUMN(store_token, note, "note", 0),
	COLUMN(store_token, created_us, "created", COLUMN_KEEP),
	COLUMN(store_token, expires_us, "expires", 0),
	COLUMN(store_token, last_activity_us, "last_activity", 0),
};
TABLE(store_token, store_tokens, tokens);

static const char groups_name[] = "groups";
static const struct store_column groups[] = {
	COLUMN(store_group, name, "name", COLUMN_KEY),
	COLUMN(store_group, properties, "properties", 0),
	COLUMN(store_group, created_us, "created", COLUMN_KEEP),
};
TABLE(store_group, store_groups, groups);

static const char members_name[] = "members";
static const struct store_column members[] = {
	COLUMN(store_member, of_group, "of_group", COLUMN_KEY),
	COLUMN(store_member, user, "user", COLUMN_KEY),
	COLUMN(store_member, created_us, "created", COLUMN_KEEP),
};
TABLE(store_member, store_members, members);

static const char services_name[] = "services";
static const struct store_column services[] = {
	COLUMN(store_service, name, "name", COLUMN_KEY),
	COLUMN(store_service, admin, "admin", 0),
	COLUMN(store_service, created_us, "created", COLUMN_KEEP),
};
TABLE(store_service, store_services, services);

static const char roles_name[] = "roles";
static const struct store_column roles[] = {
	COLUMN(store_role, name, "name", COLUMN_KEY),
	COLUMN(store_role, description, "description", 0),
	COLUMN(store_role, scopes, "scopes", 0),
};
TABLE(store_role, store_roles, roles);

static const char holders_name[] = "holders";
static const struct store_column holders[] = {
	COLUMN(store_holder, role, "role", COLUMN_KEY),
	COLUMN(store_holder, kind, "kind", COLUMN_KEY),
	COLUMN(store_holder, name, "name", COLUMN_KEY),
	COLUMN(store_holder, created_us, "created", COLUMN_KEEP),
};
TABLE(store_holder, store_holders, holders);

const struct store_table *const store_tables[] = { &store_users, &store_sessions, &store_attempts,
	&store_servers, &store_intents, &store_stages, &store_choices, &store_ends, &store_audits,
	&store_tokens, &store_groups, &store_members, &store_services, &store_roles, &store_holders,
	&store_formers };
const size_t store_n_tables = CYG_N(store_tables);
