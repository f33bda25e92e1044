/* The link to init and its states: waiting for HELLO, waiting for the end of LIST, serving. Replies
 * are matched to requests by number. */
#include "kernels/base/init_link.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "daemon/log.h"
#include "ipc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

struct init_link {
	struct ipc_channel *channel;
	struct init_link_events events;
	void *arg;
	struct hello_env env;
	bool greeted;
	uint32_t next_id;
	struct cyg_list pending;
};

struct pending {
	struct cyg_link link;
	uint32_t id;
	init_started_fn done;
	void *arg;
};

static void msg_init(struct init_head *head, enum init_type type, size_t len, uint32_t id)
{
	*head = (struct init_head){ INIT_MAGIC, INIT_VERSION, (uint16_t)type, (uint32_t)len, id };
}

/* ---- requests ---- */

struct block {
	char *data;
	size_t len, cap;
	uint32_t n;
};

static void block_add(struct block *b, const char *s)
{
	size_t len = strlen(s) + 1;

	if (b->len + len > b->cap) {
		b->cap = (b->len + len) * 2;
		b->data = cyg_xrealloc(b->data, b->cap);
	}
	memcpy(b->data + b->len, s, len);
	b->len += len;
	b->n++;
}

/* argv and environment may be larger than a packet, so they are sent in a sealed memfd, which
 * nobody can change. */
static int seal_block(const struct block *b, struct cyg_err *err)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	cyg_autoclose int fd = memfd_create("start", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;

	if (fd < 0)
		return cyg_fail_sys(err, errno, "make room for a command");
	while (done < b->len) {
		ssize_t n = write(fd, b->data + done, b->len - done);

		if (n < 0 && errno != EINTR)
			return cyg_fail_sys(err, errno, "write a command");
		done += n > 0 ? (size_t)n : 0;
	}
	if (fcntl(fd, F_ADD_SEALS, seals) < 0)
		return cyg_fail_sys(err, errno, "seal a command");
	return CYG_TAKE_FD(fd);
}

static int fill_start(struct init_start *m, const struct init_start_spec *spec, struct cyg_err *err)
{
	if (!cyg_str_copy(m->tag, sizeof(m->tag), cyg_str_of(spec->tag)) ||
	    !cyg_str_copy(m->cwd, sizeof(m->cwd), cyg_str_of(spec->cwd)) ||
	    !cyg_str_copy(m->log, sizeof(m->log), cyg_str_of(spec->log)))
		return cyg_fail(
		    err, CYG_ELIMIT, "a path is longer than %d bytes", CYG_PATH_MAX - 1);
	m->pty = spec->pty;
	m->rows = (uint16_t)spec->rows;
	m->cols = (uint16_t)spec->cols;
	return 0;
}

int init_link_start(struct init_link *l, const struct init_start_spec *spec, init_started_fn done,
    void *arg, struct cyg_err *err)
{
	struct init_start *m = cyg_xcalloc(1, sizeof(*m));
	struct block b = { 0 };
	struct pending *p;
	int rc, fd = -1;

	for (size_t i = 0; spec->argv[i] != NULL; i++)
		block_add(&b, spec->argv[i]);
	m->argc = b.n;
	for (size_t i = 0; spec->env[i] != NULL; i++)
		block_add(&b, spec->env[i]);
	m->envc = b.n - m->argc;
	m->bytes = (uint32_t)b.len;
	rc = fill_start(m, spec, err);
	if (rc == 0)
		rc = fd = seal_block(&b, err);
	if (rc >= 0) {
		msg_init(&m->head, INIT_START, sizeof(*m), ++l->next_id);
		rc = ipc_channel_send(l->channel, m, sizeof(*m), &fd, 1, err);
	}
	if (rc >= 0) {
		p = cyg_xcalloc(1, sizeof(*p));
		*p = (struct pending){ .id = l->next_id, .done = done, .arg = arg };
		cyg_list_add(&l->pending, &p->link);
	}
	cyg_close(fd);
	free(b.data);
	free(m);
	return rc < 0 ? rc : 0;
}

void init_link_forget(struct init_link *l, const void *arg)
{
	cyg_list_each (it, &l->pending) {
		struct pending *p = CYG_CONTAINER_OF(it, struct pending, link);

		if (p->arg == arg)
			p->done = NULL;
	}
}

int init_link_signal(struct init_link *l, int pid, int signal, bool group, struct cyg_err *err)
{
	struct init_signal m = { .pid = pid, .signal = signal, .group = group };

	msg_init(&m.head, INIT_SIGNAL, sizeof(m), ++l->next_id);
	return ipc_channel_send(l->channel, &m, sizeof(m), NULL, 0, err);
}

int init_link_resize(
    struct init_link *l, int pid, unsigned rows, unsigned cols, struct cyg_err *err)
{
	struct init_resize m = { .pid = pid, .rows = (uint16_t)rows, .cols = (uint16_t)cols };

	msg_init(&m.head, INIT_RESIZE, sizeof(m), ++l->next_id);
	return ipc_channel_send(l->channel, &m, sizeof(m), NULL, 0, err);
}

/* ---- messages of init ---- */

static struct pending *find_pending(struct init_link *l, uint32_t id)
{
	cyg_list_each (it, &l->pending) {
		struct pending *p = CYG_CONTAINER_OF(it, struct pending, link);

		if (p->id == id)
			return p;
	}
	return NULL;
}

static void answer(struct init_link *l, uint32_t id, const struct init_child *child, int pty_fd,
    const struct cyg_err *err)
{
	struct pending *p = find_pending(l, id);
	struct pending copy;

	if (p == NULL) {
		cyg_close(pty_fd);
		if (err != NULL)
			cyg_log_warn("init", "%s", err->msg);
		return;
	}
	copy = *p;
	cyg_list_remove(&l->pending, &p->link);
	free(p);
	if (copy.done != NULL)
		copy.done(copy.arg, child, pty_fd, err);
	else
		cyg_close(pty_fd);
}

static int greet(struct init_link *l, const void *data, size_t len, int fd, struct cyg_err *err)
{
	struct init_head list;
	int rc = hello_read(data, len, fd, &l->env, err);

	if (rc < 0)
		return rc;
	l->greeted = true;
	l->events.on_hello(l->arg);
	msg_init(&list, INIT_LIST, sizeof(list), ++l->next_id);
	return ipc_channel_send(l->channel, &list, sizeof(list), NULL, 0, err);
}

static const size_t sizes[INIT_TYPES] = {
	[INIT_HELLO] = sizeof(struct init_hello),
	[INIT_STARTED] = sizeof(struct init_child),
	[INIT_CHILD] = sizeof(struct init_child),
	[INIT_LISTED] = sizeof(struct init_head),
	[INIT_EXITED] = sizeof(struct init_exited),
	[INIT_FAILED] = sizeof(struct init_failed),
};

union any_msg {
	struct init_head head;
	struct init_hello hello;
	struct init_child child;
	struct init_exited exited;
	struct init_failed failed;
};

static int check(const union any_msg *m, size_t len, struct cyg_err *err)
{
	if (len < sizeof(m->head) || m->head.magic != INIT_MAGIC ||
	    m->head.version != INIT_VERSION || m->head.type >= INIT_TYPES ||
	    sizes[m->head.type] != len || m->head.length != len)
		return cyg_fail(err, CYG_EPROTO, "init sent a message that is not of the protocol");
	return 0;
}

/* Calls the callback for the message; takes the descriptor. */
static int dispatch(struct init_link *l, union any_msg *m, size_t len, int fd, struct cyg_err *err)
{
	struct cyg_err failed = { 0 };
	int rc = 0;

	switch ((enum init_type)m->head.type) {
	case INIT_HELLO:
		rc = greet(l, m, len, fd, err);
		cyg_close(fd);
		return rc;
	case INIT_STARTED:
		m->child.tag[INIT_TAG_MAX - 1] = '\0';
		answer(l, m->head.request_id, &m->child, fd, NULL);
		return 0;
	case INIT_CHILD:
		m->child.tag[INIT_TAG_MAX - 1] = '\0';
		l->events.on_child(l->arg, &m->child, fd);
		return 0;
	case INIT_FAILED:
		m->failed.message[sizeof(m->failed.message) - 1] = '\0';
		(void)cyg_fail(&failed, CYG_ESYS, "%s", m->failed.message);
		failed.sys = m->failed.errnum;
		answer(l, m->head.request_id, NULL, -1, &failed);
		break;
	case INIT_EXITED:
		m->exited.tag[INIT_TAG_MAX - 1] = '\0';
		l->events.on_exited(l->arg, &m->exited);
		break;
	case INIT_LISTED:
		l->events.on_ready(l->arg);
		break;
	case INIT_START:
	case INIT_LIST:
	case INIT_SIGNAL:
	case INIT_RESIZE:
	case INIT_TYPES:
		break;
	}
	cyg_close(fd);
	return 0;
}

static void on_message(void *arg, const void *data, size_t len, int *fds, size_t n_fds)
{
	struct init_link *l = arg;
	union any_msg m = { 0 };
	struct cyg_err err = { 0 };
	int fd = n_fds > 0 ? fds[0] : -1;
	int rc;

	for (size_t i = 1; i < n_fds; i++)
		cyg_close(fds[i]);
	memcpy(&m, data, len < sizeof(m) ? len : sizeof(m));
	rc = check(&m, len, &err);
	if (rc == 0 && l->greeted == (m.head.type == INIT_HELLO))
		rc = cyg_fail(&err, CYG_EPROTO, "init's messages come in a wrong order");
	if (rc < 0)
		cyg_close(fd);
	else
		rc = dispatch(l, &m, len, fd, &err);
	if (rc < 0)
		l->events.on_end(l->arg, &err);
}

static void on_end(void *arg, const struct cyg_err *why)
{
	struct init_link *l = arg;

	l->events.on_end(l->arg, why);
}

int init_link_new(uv_loop_t *loop, int fd, const struct init_link_events *events, void *arg,
    struct init_link **ret, struct cyg_err *err)
{
	static const struct ipc_events ipc = { on_message, on_end };
	struct init_link *l = cyg_xcalloc(1, sizeof(*l));
	int rc;

	l->events = *events;
	l->arg = arg;
	cyg_list_init(&l->pending);
	rc = ipc_channel_new(loop, fd, &ipc, l, &l->channel, err);
	if (rc < 0) {
		free(l);
		return cyg_wrap(err, "link to init");
	}
	*ret = l;
	return 0;
}

void init_link_close(struct init_link *l)
{
	if (l == NULL)
		return;
	ipc_channel_close(l->channel);
	cyg_list_each_safe (it, &l->pending) {
		free(CYG_CONTAINER_OF(it, struct pending, link));
	}
	hello_free(&l->env);
	free(l);
}

const struct hello_env *init_link_env(const struct init_link *l)
{
	return &l->env;
}
