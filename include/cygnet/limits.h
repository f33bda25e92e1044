/* Every maximum that more than one component relies on, each with its reason. */
#ifndef CYGNET_LIMITS_H
#define CYGNET_LIMITS_H

enum {
	CYG_HTTP_HEAD_MAX =
	    16 * 1024, /* one request or response head; Node's and nginx's order of size */
	CYG_HTTP_TARGET_MAX = 8 * 1024, /* a request target: half a head; nginx's and Apache's */
	CYG_HTTP_FIELDS_MAX = 100,      /* fields of a head */
	/* Elements of Connection, empty ones too: browsers send two, and every field of a forwarded
	 * head is compared with each. */
	CYG_HTTP_CONNECTION_MAX = 16,
	CYG_HTTP_CHUNK_EXT_MAX = 1024, /* bytes of extensions over one body: hardly used */
	CYG_NAME_MAX = 64,             /* user, server, template, stack, profile, cluster names */
	CYG_SERVER_ID_LEN = 16,        /* hexadecimal digits of a server id */
	CYG_CREDENTIAL_LEN = 64,       /* hexadecimal digits of a credential: 256 bits */
	CYG_PATH_MAX = 1024,           /* a path in a message */
	CYG_ADDRESS_MAX = 108, /* a Unix socket's path, as the system holds it; a host name */
	CYG_IPC_MAX =
	    64 * 1024, /* one SEQPACKET message; an LCG environment goes by memfd instead */
	CYG_STAGE_LINE_MAX = 80,   /* one line of init on its standard output */
	CYG_TAIL_MAX = 8 * 1024,   /* last lines of a failed script, kept and shown */
	CYG_ENV_MAX = 1024 * 1024, /* the environment a setup script leaves behind */
	CYG_AUDIT_TEXT_MAX =
	    160, /* who, and about what: "server:USER/SERVER" of the longest names */
	/* What else a row of the audit tells, as JSON: three names, an address, one sentence. */
	CYG_AUDIT_DETAIL_MAX = 1024,
	CYG_AUDIT_PAGE_ROWS =
	    500, /* of the audit in one response: read within one turn of the loop */
	CYG_AUDIT_PAGE_MAX = 1024 * 1024, /* and their bytes, all of the largest and their keys */
};

#endif
