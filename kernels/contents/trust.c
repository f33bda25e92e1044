/* Which notebooks are trusted: the user's key and database of signatures, in the files and the form
 * of nbformat's sign.py, so that stock tools accept the trust given here and the other way round. A
 * failure of either never fails a save: the notebook is only not trusted. */
#include "kernels/contents/nbformat.h"
#include "kernels/contents/state_priv.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

enum {
	SECRET_BYTES = 1024,
	SECRET_LINE = 57,
	SIGNED_MAX = 1 << 30,
	CACHE_SIZE = 65535, /* sign.py: then the oldest quarter goes */
	BUSY_MS = 2000
};

/* encodebytes: lines of 76 characters. */
static int make_secret(const char *path, struct cyg_buf *out, struct cyg_err *err)
{
	unsigned char raw[SECRET_BYTES];
	int r = 0;
	cyg_random(raw, sizeof(raw));
	for (size_t at = 0; r == 0 && at < sizeof(raw); at += SECRET_LINE) {
		size_t n = sizeof(raw) - at < SECRET_LINE ? sizeof(raw) - at : SECRET_LINE;
		r = cyg_base64_write(out, raw + at, n, err);
		if (r == 0)
			r = cyg_buf_add(out, "\n", 1, err);
	}
	cyg_cleanse(raw, sizeof(raw));
	return r < 0 ? r : cyg_file_write(AT_FDCWD, path, cyg_buf_str(out), 0600, err);
}

static int load_secret(struct contents_state *s, const char *data_dir, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf out;
	cyg_autofree char *path = cyg_xasprintf("%s/notebook_secret", data_dir);
	cyg_buf_init(&out, 64 * 1024);
	int r = cyg_file_read(AT_FDCWD, path, true, &out, err);
	if (r == -CYG_ENOENT)
		r = make_secret(path, &out, err);
	if (r == 0)
		s->secret = cyg_buf_take(&out, &s->secret_len);
	return r;
}

/* An SQLite result code; s->db is open when it is SQLITE_OK. */
static int open_database(struct contents_state *s, const char *data_dir)
{
	static const char schema[] =
	    "CREATE TABLE IF NOT EXISTS nbsignatures (id integer PRIMARY KEY AUTOINCREMENT,"
	    " algorithm text, signature text, path text, last_seen timestamp);"
	    "CREATE INDEX IF NOT EXISTS algosig ON nbsignatures(algorithm, signature)";
	cyg_autofree char *path = cyg_xasprintf("%s/nbsignatures.db", data_dir);
	sqlite3 *db = NULL;
	int r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_busy_timeout(db, BUSY_MS);
	if (r == SQLITE_OK)
		r = sqlite3_exec(db, schema, NULL, NULL, NULL);
	if (r == SQLITE_OK)
		s->db = db;
	else
		(void)sqlite3_close(db);
	return r;
}

/* A file that is not a database is renamed, as sign.py does. One that is only locked, or on a full
 * disk, stays: it holds the user's signatures. */
static bool open_or_replace(struct contents_state *s, const char *data_dir)
{
	int r = open_database(s, data_dir);
	if (r != SQLITE_NOTADB && r != SQLITE_CORRUPT)
		return r == SQLITE_OK;
	cyg_autofree char *path = cyg_xasprintf("%s/nbsignatures.db", data_dir);
	cyg_autofree char *aside = cyg_xasprintf("%s.bak", path);
	return rename(path, aside) == 0 && open_database(s, data_dir) == SQLITE_OK;
}

static bool trust_open(struct contents_ctx *ctx)
{
	struct contents_state *s = ctx->state;
	struct cyg_err err;
	if (ctx->data_dir == NULL || s->trust_off)
		return false;
	if (s->db != NULL)
		return true;
	s->trust_off = cyg_file_mkdirs(ctx->data_dir, 0700, &err) < 0 ||
		       load_secret(s, ctx->data_dir, &err) < 0 ||
		       !open_or_replace(s, ctx->data_dir);
	return !s->trust_off;
}

void trust_close(struct contents_state *s)
{
	(void)sqlite3_close(s->db);
	s->db = NULL;
	if (s->secret != NULL)
		cyg_cleanse(s->secret, s->secret_len);
	free(s->secret);
	s->secret = NULL;
}

static bool compute(struct contents_state *s, const struct tape *t, tape_node root, bool keep_orig,
    char hex[DIGEST_HEX])
{
	struct nb_opts opts = { .form = NB_SIGNED, .keep_orig = keep_orig };
	cyg_autobuf struct cyg_buf bytes;
	cyg_buf_init(&bytes, SIGNED_MAX);
	if (nb_write(t, root, &opts, &bytes, NULL) < 0)
		return false;
	digest_hmac((struct cyg_str){ s->secret, s->secret_len }, cyg_buf_str(&bytes), hex);
	return true;
}

/* Runs a statement with (signature, now) bound; rows says whether it gave or changed any. */
static bool run_with(sqlite3 *db, const char *sql, const char *hex, bool *rows)
{
	char now[CYG_ISO8601_SIZE];
	sqlite3_stmt *st = NULL;
	cyg_clock_format(cyg_clock_wall_us(), now);
	now[10] = ' '; /* Python's adapter writes "2026-01-31 12:00:00.123456+00:00" */
	cyg_autofree char *stamp = cyg_xasprintf("%.26s+00:00", now);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return false;
	(void)sqlite3_bind_text(st, 1, hex, -1, SQLITE_STATIC);
	if (sqlite3_bind_parameter_count(st) > 1)
		(void)sqlite3_bind_text(st, 2, stamp, -1, SQLITE_STATIC);
	int r = sqlite3_step(st);
	*rows = r == SQLITE_ROW || (r == SQLITE_DONE && sqlite3_changes(db) > 0);
	(void)sqlite3_finalize(st);
	return r == SQLITE_ROW || r == SQLITE_DONE;
}

static bool touch(struct contents_state *s, const char *hex)
{
	bool rows = false;
	return run_with(s->db,
		   "UPDATE nbsignatures SET last_seen = ?2 WHERE algorithm = 'sha256' AND "
		   "signature = ?1",
		   hex, &rows) &&
	       rows;
}

bool trust_check(struct contents_ctx *ctx, const struct tape *t, tape_node root, bool keep_orig)
{
	struct contents_state *s = ctx->state;
	char hex[DIGEST_HEX];
	uv_mutex_lock(&s->trust_lock);
	bool trusted = trust_open(ctx) && compute(s, t, root, keep_orig, hex) && touch(s, hex);
	uv_mutex_unlock(&s->trust_lock);
	return trusted;
}

static void store(struct contents_state *s, const char *hex)
{
	bool rows;
	if (touch(s, hex))
		return;
	(void)run_with(s->db,
	    "INSERT INTO nbsignatures (algorithm, signature, last_seen) VALUES ('sha256', ?1, ?2)",
	    hex, &rows);
	char *cull = cyg_xasprintf(
	    "DELETE FROM nbsignatures WHERE (SELECT count(*) FROM nbsignatures) > %d AND id IN "
	    "(SELECT id FROM nbsignatures ORDER BY last_seen DESC LIMIT -1 OFFSET %d)",
	    CACHE_SIZE, CACHE_SIZE / 4 * 3);
	(void)sqlite3_exec(s->db, cull, NULL, NULL, NULL);
	free(cull);
}

void trust_sign(struct contents_ctx *ctx, const struct tape *t, tape_node root, bool keep_orig)
{
	struct contents_state *s = ctx->state;
	char hex[DIGEST_HEX];
	uv_mutex_lock(&s->trust_lock);
	if (trust_open(ctx) && compute(s, t, root, keep_orig, hex))
		store(s, hex);
	uv_mutex_unlock(&s->trust_lock);
}
