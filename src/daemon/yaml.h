/* A YAML document as a tree that remembers lines, read through libyaml's events. Strict: one
 * document, no anchors, aliases, tags or duplicate keys; depth, size and node limits. Every message
 * names the file, the line and the column. */
#ifndef DAEMON_YAML_H
#define DAEMON_YAML_H

#include "base/str.h"
#include "cygnet/err.h"

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_SEQ };

struct yaml_node {
	enum yaml_kind kind;
	unsigned line, column; /* from 1 */
	struct cyg_str text;   /* of a scalar; terminated */
	bool quoted;           /* a scalar in quotes: never null, true or a number */
	struct cyg_str key;    /* when it is the value of a map entry; terminated */
	unsigned key_line, key_column;
	struct yaml_node *first; /* of a map or sequence, in file order */
	struct yaml_node *next;  /* sibling */
};

struct yaml_doc;

/* path is read whole (at most 1 MiB) and named in messages. */
int yaml_load(const char *path, struct yaml_doc **ret, struct cyg_err *err);
/* The same from memory; name stands for the file in messages. */
int yaml_parse(const char *name, struct cyg_str text, struct yaml_doc **ret, struct cyg_err *err);
/* (libyaml itself exports a yaml_free.) */
void yaml_doc_free(struct yaml_doc *doc);
const struct yaml_node *yaml_root(const struct yaml_doc *doc);
const char *yaml_name(const struct yaml_doc *doc);
/* The value of a key, or NULL. */
const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key);
/* "FILE:LINE:COLUMN: text": the form of every configuration error. */
int yaml_fail(const struct yaml_doc *doc, const struct yaml_node *at, struct cyg_err *err,
    const char *fmt, ...) CYG_PRINTF(4, 5);
/* The same, pointing at the key of a map entry. */
int yaml_fail_key(const struct yaml_doc *doc, const struct yaml_node *entry, struct cyg_err *err,
    const char *fmt, ...) CYG_PRINTF(4, 5);

#endif
