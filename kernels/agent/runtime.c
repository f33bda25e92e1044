/* Writes and reads the record of kernels and documents for the next agent, as JSON:
 * {"kernels":[{id,name,cwd,session_name}],"nbsessions":[{id,kernel,path,name,type}]} */
#include "kernels/agent/runtime.h"

#include "base/file.h"
#include "base/mem.h"
#include "kernels/base/tape.h"
#include "kernels/kernel/kernels.h"
#include "kernels/kernel/nbsessions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { FILE_MAX = 4 * 1024 * 1024 };

static void write_all(
    struct jsonw *w, const struct kernels *kernels, const struct nbsessions *nbsessions)
{
	jsonw_object(w);
	jsonw_key(w, "kernels");
	jsonw_array(w);
	cyg_list_each (it, kernels_list(kernels)) {
		kernel_write_record(kernel_of(it), w);
	}
	jsonw_array_end(w);
	jsonw_key(w, "nbsessions");
	jsonw_array(w);
	cyg_list_each (it, &nbsessions->list) {
		const struct nbsession *one = CYG_CONTAINER_OF(it, struct nbsession, link);

		jsonw_object(w);
		jsonw_key_cstr(w, "id", one->id);
		jsonw_key_cstr(w, "kernel", one->kernel_id);
		jsonw_key_cstr(w, "path", one->path);
		jsonw_key_cstr(w, "name", one->name);
		jsonw_key_cstr(w, "type", one->type);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_object_end(w);
}

static int replace(const char *path, struct cyg_str text, struct cyg_err *err)
{
	cyg_autofree char *next = cyg_xasprintf("%s.new", path);
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
	cyg_autoclose int fd = open(next, flags, 0600);
	int rc;

	if (fd < 0)
		return cyg_fail_sys(err, errno, "write '%s'", next);
	rc = cyg_file_write_all(fd, text.p, text.len, err);
	if (rc == 0 && rename(next, path) < 0)
		rc = cyg_fail_sys(err, errno, "replace '%s'", path);
	return rc;
}

int runtime_write(const char *path, const struct kernels *kernels,
    const struct nbsessions *nbsessions, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf b;
	struct jsonw w;
	int rc;

	cyg_buf_init(&b, FILE_MAX);
	jsonw_init(&w, &b);
	write_all(&w, kernels, nbsessions);
	rc = jsonw_finish(&w, err);
	return rc < 0 ? rc : replace(path, cyg_buf_str(&b), err);
}

static void read_kernel(const struct tape *t, tape_node n, struct kernels *kernels)
{
	cyg_autofree char *id = tape_get_str(t, n, "id");
	cyg_autofree char *name = tape_get_str(t, n, "name");
	cyg_autofree char *cwd = tape_get_str(t, n, "cwd");
	cyg_autofree char *session_name = tape_get_str(t, n, "session_name");

	if (id != NULL && name != NULL && cwd != NULL)
		kernels_expect(kernels, id, name, cwd, session_name);
}

static void read_nbsession(const struct tape *t, tape_node n, struct nbsessions *nbsessions)
{
	cyg_autofree char *id = tape_get_str(t, n, "id");
	cyg_autofree char *kernel = tape_get_str(t, n, "kernel");
	cyg_autofree char *path = tape_get_str(t, n, "path");
	cyg_autofree char *name = tape_get_str(t, n, "name");
	cyg_autofree char *type = tape_get_str(t, n, "type");

	if (id != NULL && kernel != NULL && path != NULL && type != NULL)
		(void)nbsessions_add(nbsessions, id, kernel, path, name, type);
}

int runtime_read(
    const char *path, struct kernels *kernels, struct nbsessions *nbsessions, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf b;
	struct tape *t = NULL;
	tape_node list;
	int rc;

	cyg_buf_init(&b, FILE_MAX);
	rc = cyg_file_read(AT_FDCWD, path, false, &b, err);
	if (rc == -CYG_ENOENT)
		return 0;
	if (rc == 0)
		rc = tape_parse(cyg_buf_str(&b), &t, NULL, err);
	if (rc < 0)
		return cyg_wrap(err, "read '%s'", path);
	list = tape_find(t, tape_root(t), "kernels");
	for (tape_node n = list != TAPE_NONE ? tape_first(t, list) : TAPE_NONE; n != TAPE_NONE;
	     n = tape_next(t, n))
		read_kernel(t, n, kernels);
	list = tape_find(t, tape_root(t), "nbsessions");
	for (tape_node n = list != TAPE_NONE ? tape_first(t, list) : TAPE_NONE; n != TAPE_NONE;
	     n = tape_next(t, n))
		read_nbsession(t, n, nbsessions);
	tape_free(t);
	return 0;
}
