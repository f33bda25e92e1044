/* Table stage_times: how long each stage of a start took, per stack, for "usually 1.2 s". */
#include "store/stmt.h"

void store_stage_add(struct store *st, const char *stack, const char *stage, uint32_t ms)
{
	stmt_write(st, "INSERT INTO stage_times (stack, stage, ms) VALUES (?,?,?)", "tti", stack,
	    stage, (int64_t)ms);
	stmt_write(st,
	    "DELETE FROM stage_times WHERE stack=?1 AND stage=?2 AND seq NOT IN"
	    " (SELECT seq FROM stage_times WHERE stack=?1 AND stage=?2 ORDER BY seq DESC LIMIT ?3)",
	    "tti", stack, stage, (int64_t)STORE_USUAL_OF);
}

bool store_stage_usual(struct store *st, const char *stack, const char *stage, uint32_t *ms)
{
	int64_t times[STORE_USUAL_OF];
	size_t n = 0;
	int code = 0;
	struct cyg_err err;
	sqlite3_stmt *stmt = stmt_bind(st, &err,
	    "SELECT ms FROM stage_times WHERE stack=? AND stage=? ORDER BY ms LIMIT ?", "tti",
	    stack, stage, (int64_t)STORE_USUAL_OF);
	if (stmt == NULL)
		return false;
	while (stmt_row(st, stmt, &code, &err)) {
		if (n < STORE_USUAL_OF)
			times[n++] = sqlite3_column_int64(stmt, 0);
	}
	if (code < 0 || n == 0)
		return false;
	*ms = (uint32_t)times[n / 2];
	return true;
}
