/* A YAML file with a structure of its own is declared as a table: each key's name, type, range,
 * default and meaning, records within records. The table reads the file into structs, says what is
 * wrong with file, line, column and what is allowed, and prints the reference page (`PROGRAM
 * --help-files`). What must hold between keys is a record's check. */
#ifndef DAEMON_YAML_FIELDS_H
#define DAEMON_YAML_FIELDS_H

#include "base/arena.h"
#include "base/buf.h"
#include "daemon/yaml.h"

#include <stdint.h>

enum field_type {
	FIELD_LINE,   /* const char *: printable text without line ends; one at the end is cut */
	FIELD_STRING, /* const char *: any text */
	FIELD_BOOL,   /* bool: true, false */
	FIELD_UINT,   /* uint64_t */
	FIELD_SIZE,   /* uint64_t, bytes: "512M" */
	FIELD_CHOICE, /* int: index into choices */
	FIELD_OWN,    /* what parse makes of one value; size bytes */
	FIELD_LIST,  /* {T *items; size_t n}: one value each, as `of` says; items end with a zero */
	FIELD_PAIRS, /* {struct yaml_pair *items; size_t n}: a map of names and text */
	FIELD_RECORD,  /* the record's struct itself */
	FIELD_RECORDS, /* {T *items; size_t n}: a list of maps */
	FIELD_NAMED,   /* the same from a map of names and maps; a name is the record's key */
	FIELD_IGNORED, /* accepted and ignored: another program reads it */
};

struct yaml_pair {
	const char *name, *value;
};

struct yaml_field {
	const char *name; /* the key; of a list's `of` and of a record's key only for messages */
	enum field_type type;
	size_t offset; /* of the member in the record's struct */
	uint64_t min,
	    max; /* of a number: its range; of text: its bytes; else: entries. max 0: no limit */
	bool required;
	const char *value;           /* default of one value as text, or NULL: the member stays */
	const char *same_as;         /* an earlier key of this record whose value is the default */
	const char *const *choices;  /* NULL-ended, of FIELD_CHOICE */
	const struct yaml_field *of; /* the type of each value of a list; its offset is not used */
	const struct yaml_record *record; /* of FIELD_RECORD, FIELD_RECORDS, FIELD_NAMED */
	bool unique;                      /* in a list of records: no two have the same text here */
	size_t size;                      /* of FIELD_OWN: bytes of the member */
	/* Of FIELD_OWN: writes *member; text is terminated and outlives what is read only as a copy
	 * in the arena. A failure's message uses `takes`. */
	int (*parse)(struct cyg_str text, struct cyg_arena *arena, void *member);
	const char *takes; /* of FIELD_OWN: "a number of cores such as 2 or 0.5" */
	const char *doc;   /* one or two sentences */
};

/* Where a record stands, for the messages of its check. */
struct yaml_place {
	const struct yaml_doc *doc;
	const struct yaml_node *map;
	struct cyg_arena *arena;
};

struct yaml_record {
	const char *what; /* "stack": for messages */
	size_t size;
	const struct yaml_field *fields; /* ended by a NULL name */
	const struct yaml_field *key;    /* of FIELD_NAMED: one value that takes the name */
	/* What must hold between the keys, and what follows from them; or NULL. */
	int (*check)(const struct yaml_place *at, void *record, struct cyg_err *err);
};

/* A kind of file that a program reads, for the reference page. */
struct yaml_file {
	const char *name; /* "profiles.yaml" */
	const char *doc;
	const struct yaml_record *record;
};

/* Offset of a pointer that its count must follow at once. */
#define FIELD_ARRAY(type, items, n)                                                                \
	(offsetof(type, items) +                                                                   \
	    0 * sizeof(                                                                            \
		    char[offsetof(type, n) == offsetof(type, items) + sizeof(void *) ? 1 : -1]))

/* Reads the document into *ret (zeroed by the caller, or holding what absent keys leave as it is).
 * Texts and arrays are in the arena. On failure *ret is not to be used. */
int yaml_fields_read(const struct yaml_doc *doc, const struct yaml_record *record,
    struct cyg_arena *arena, void *ret, struct cyg_err *err);
/* The value of the map's key, else the map: where to point. */
const struct yaml_node *yaml_fields_at(const struct yaml_place *at, const char *key);
/* "a list of 1 to 16 entries, each a number from 1 to 4096". */
void yaml_field_describe(const struct yaml_field *f, char *out, size_t size);
/* The file's section of the reference page, in Markdown. */
int yaml_file_describe(const struct yaml_file *file, struct cyg_buf *out, struct cyg_err *err);

#endif
