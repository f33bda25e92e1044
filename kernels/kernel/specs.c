/* Finds and reads kernel specifications (jupyter_client's kernelspec.py and jupyter_core's paths
 * are the rules followed). Starting one is start.c. */
#include "kernels/kernel/specs.h"

#include "base/file.h"
#include "base/mem.h"
#include "kernels/base/tape.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDERS_MAX = 64, NAME_MAX_LEN = 63 };

/* ---- the search path ---- */

struct folders {
	char *list[FOLDERS_MAX + 1];
	size_t n;
};

static void add_folder(struct folders *f, const char *base, const char *below)
{
	if (f->n < FOLDERS_MAX && base != NULL && *base != '\0')
		f->list[f->n++] = cyg_xasprintf("%s%s", base, below);
}

struct specs_path specs_path_new(
    const char *const *stacks, const char *jupyter_path, const char *home, const char *jupyter)
{
	struct cyg_str rest = cyg_str_of(jupyter_path != NULL ? jupyter_path : "");
	struct folders f = { 0 };
	struct specs_path path;
	struct cyg_str part;

	for (size_t i = 0; stacks != NULL && stacks[i] != NULL; i++)
		add_folder(&f, stacks[i], "/share/jupyter/kernels");
	while (cyg_str_next(&rest, ':', &part)) {
		cyg_autofree char *one = cyg_str_dup(part);

		add_folder(&f, one, "/kernels");
	}
	add_folder(&f, home, "/.local/share/jupyter/kernels");
	add_folder(&f, jupyter, "/share/jupyter/kernels");
	add_folder(&f, "/usr/local", "/share/jupyter/kernels");
	add_folder(&f, "/usr", "/share/jupyter/kernels");
	path.folders = cyg_xcalloc(f.n + 1, sizeof(char *));
	memcpy(path.folders, f.list, f.n * sizeof(char *));
	return path;
}

static void free_words(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

void specs_path_free(struct specs_path *path)
{
	free_words(path->folders);
	path->folders = NULL;
}

/* ---- one specification ---- */

bool specs_name_is_ok(struct cyg_str name)
{
	if (name.len == 0 || name.len > NAME_MAX_LEN || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' &&
		    c != '-')
			return false;
	}
	return true;
}

static char *lower(const char *s)
{
	char *copy = cyg_xstrdup(s);

	for (char *p = copy; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return copy;
}

void spec_free(struct spec *s)
{
	if (s == NULL)
		return;
	free(s->name);
	free(s->folder);
	free(s->json);
	free(s->display_name);
	free(s->language);
	for (size_t i = 0; s->argv[i] != NULL; i++)
		free(s->argv[i]);
	free_words(s->env);
	free_words(s->resources);
	free(s);
}

static char *string_of(const struct tape *t, tape_node n)
{
	cyg_autobuf struct cyg_buf b;
	size_t len;

	cyg_buf_init(&b, SPEC_FILE_MAX);
	if (n == TAPE_NONE || tape_string(t, n, &b, NULL) < 0)
		return NULL;
	return b.len == 0 ? cyg_xstrdup("") : cyg_buf_take(&b, &len);
}

static int read_argv(struct spec *s, const struct tape *t, tape_node argv, struct cyg_err *err)
{
	size_t n = 0;

	if (argv == TAPE_NONE || tape_type_of(t, argv) != TAPE_ARRAY)
		return cyg_fail(err, CYG_EINVAL, "%s/kernel.json has no argv", s->folder);
	for (tape_node w = tape_first(t, argv); w != TAPE_NONE; w = tape_next(t, w)) {
		char *word = n < SPEC_WORDS_MAX ? string_of(t, w) : NULL;

		if (word == NULL)
			return cyg_fail(
			    err, CYG_EINVAL, "%s/kernel.json has a bad argv", s->folder);
		s->argv[n++] = word;
	}
	return n > 0 ? 0 : cyg_fail(err, CYG_EINVAL, "%s/kernel.json has no argv", s->folder);
}

static void read_env(struct spec *s, const struct tape *t, tape_node env)
{
	bool is_map = env != TAPE_NONE && tape_type_of(t, env) == TAPE_OBJECT;
	size_t n = 0;

	s->env = cyg_xcalloc((is_map ? tape_count(t, env) : 0) + 1, sizeof(char *));
	for (tape_node v = is_map ? tape_first(t, env) : TAPE_NONE; v != TAPE_NONE;
	     v = tape_next(t, v)) {
		cyg_autofree char *value = string_of(t, v);
		struct cyg_str key = tape_key_text(t, v);

		if (value != NULL && key.len > 2)
			s->env[n++] = cyg_xasprintf("%.*s=%s", (int)key.len - 2, key.p + 1, value);
	}
}

/* What the front end shows: logos and scripts beside kernel.json. */
static void read_resources(struct spec *s)
{
	enum { RESOURCES_MAX = 16 };
	DIR *d = opendir(s->folder);
	struct dirent *e;
	size_t n = 0;

	s->resources = cyg_xcalloc(RESOURCES_MAX + 1, sizeof(char *));
	while (d != NULL && n < RESOURCES_MAX && (e = readdir(d)) != NULL) {
		struct cyg_str name = cyg_str_of(e->d_name);

		if (cyg_str_starts(name, "logo-") || cyg_str_eq(name, "kernel.js") ||
		    cyg_str_eq(name, "kernel.css"))
			s->resources[n++] = cyg_xstrdup(e->d_name);
	}
	if (d != NULL)
		(void)closedir(d);
}

static int parse_spec(struct spec *s, struct cyg_err *err)
{
	struct tape *t = NULL;
	int rc = tape_parse(cyg_str_of(s->json), &t, NULL, err);
	cyg_autofree char *mode = NULL;
	tape_node root;

	if (rc < 0)
		return cyg_wrap(err, "%s/kernel.json", s->folder);
	root = tape_root(t);
	rc = read_argv(s, t, tape_find(t, root, "argv"), err);
	if (rc == 0) {
		read_env(s, t, tape_find(t, root, "env"));
		s->display_name = tape_get_str(t, root, "display_name");
		s->language = tape_get_str(t, root, "language");
		mode = tape_get_str(t, root, "interrupt_mode");
		s->by_message = mode != NULL && strcmp(mode, "message") == 0;
	}
	tape_free(t);
	return rc;
}

/* entry: the folder's name as it stands below base. */
static int read_spec(const char *base, const char *entry, struct spec **ret, struct cyg_err *err)
{
	struct spec *s = cyg_xcalloc(1, sizeof(*s));
	cyg_autofree char *path = cyg_xasprintf("%s/%s/kernel.json", base, entry);
	cyg_autobuf struct cyg_buf b;
	struct stat st;
	size_t len;
	int rc;

	s->name = lower(entry);
	s->folder = cyg_xasprintf("%s/%s", base, entry);
	cyg_buf_init(&b, SPEC_FILE_MAX);
	/* Reading a FIFO of that name would block. */
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		rc = cyg_fail(err, CYG_ENOENT, "%s is no file", path);
	else
		rc = cyg_file_read(AT_FDCWD, path, true, &b, err);
	if (rc == 0 && b.len == 0)
		rc = cyg_fail(err, CYG_EINVAL, "%s is empty", path);
	if (rc == 0) {
		s->json = cyg_buf_take(&b, &len);
		rc = parse_spec(s, err);
	}
	if (rc < 0) {
		spec_free(s);
		return rc;
	}
	read_resources(s);
	*ret = s;
	return 0;
}

/* ---- all of them ---- */

static bool is_known(const struct specs *specs, const char *entry)
{
	for (size_t i = 0; i < specs->n; i++)
		if (strcasecmp(specs->list[i]->name, entry) == 0)
			return true;
	return false;
}

static bool entry_is_ok(const char *entry)
{
	cyg_autofree char *name = lower(entry);

	return specs_name_is_ok(cyg_str_of(name));
}

static void read_folder(const char *base, struct specs *specs)
{
	DIR *d = opendir(base);
	struct dirent *e;

	while (d != NULL && specs->n < SPECS_MAX && (e = readdir(d)) != NULL) {
		if (entry_is_ok(e->d_name) && !is_known(specs, e->d_name) &&
		    read_spec(base, e->d_name, &specs->list[specs->n], NULL) == 0)
			specs->n++;
	}
	if (d != NULL)
		(void)closedir(d);
}

static int by_name(const void *a, const void *b)
{
	const struct spec *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

void specs_read(const struct specs_path *path, struct specs *ret)
{
	ret->n = 0;
	for (size_t i = 0; path->folders[i] != NULL; i++)
		read_folder(path->folders[i], ret);
	if (ret->n > 1)
		qsort(ret->list, ret->n, sizeof(struct spec *), by_name);
}

void specs_free(struct specs *specs)
{
	for (size_t i = 0; i < specs->n; i++)
		spec_free(specs->list[i]);
	specs->n = 0;
}

int specs_find(
    const struct specs_path *path, const char *name, struct spec **ret, struct cyg_err *err)
{
	struct specs *all = cyg_xcalloc(1, sizeof(*all));
	int rc = -CYG_ENOENT;

	specs_read(path, all);
	for (size_t i = 0; i < all->n && rc < 0; i++) {
		if (strcasecmp(all->list[i]->name, name) != 0)
			continue;
		*ret = all->list[i];
		all->list[i] = all->list[--all->n];
		rc = 0;
	}
	specs_free(all);
	free(all);
	return rc == 0 ? 0 : cyg_fail(err, CYG_ENOENT, "No such kernel named %.100s", name);
}

const char *specs_default(const struct specs *specs)
{
	for (size_t i = 0; i < specs->n; i++)
		if (strcmp(specs->list[i]->name, "python3") == 0)
			return "python3";
	return specs->n > 0 ? specs->list[0]->name : NULL;
}

/* ---- its program ---- */

static bool is_python(const char *word)
{
	struct cyg_str rest = cyg_str_of(word);

	if (!cyg_str_starts(rest, "python"))
		return false;
	for (size_t i = 6; i < rest.len; i++)
		if ((rest.p[i] < '0' || rest.p[i] > '9') && rest.p[i] != '.')
			return false;
	return true;
}

static char *executable(struct cyg_str folder, const char *name)
{
	char *path = cyg_xasprintf("%.*s/%s", CYG_STR_ARGS(folder), name);
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* …/share/jupyter/kernels/NAME → …/bin/python3, the interpreter that this kernel was installed
 * with. */
static char *python_beside(const struct spec *s, const char *word)
{
	static const char below[] = "/share/jupyter/kernels/";
	const char *at = strstr(s->folder, below);
	cyg_autofree char *bin = NULL;
	char *found;

	if (at == NULL)
		return NULL;
	bin = cyg_xasprintf("%.*s/bin", (int)(at - s->folder), s->folder);
	found = executable(cyg_str_of(bin), word);
	return found != NULL ? found : executable(cyg_str_of(bin), "python3");
}

char *spec_program(const struct spec *s, const char *search_path)
{
	const char *word = s->argv[0];
	struct cyg_str rest = cyg_str_of(search_path != NULL ? search_path : "/usr/bin:/bin");
	struct cyg_str part;
	char *found = NULL;

	if (strchr(word, '/') != NULL)
		return cyg_xstrdup(word);
	if (is_python(word))
		found = python_beside(s, word);
	while (found == NULL && cyg_str_next(&rest, ':', &part))
		if (part.len > 0 && part.p[0] == '/')
			found = executable(part, word);
	return found != NULL ? found : cyg_xstrdup(word);
}

bool spec_has_ipc(const struct spec *s)
{
	/* Modules that use ipykernel's application. IRkernel and xeus build addresses themselves,
	 * for TCP only. */
	static const char *const modules[] = { "ipykernel_launcher", "ipykernel", "bash_kernel",
		"octave_kernel", "metakernel_python", "ROOT._jupyroot.kernel.rootkernel" };

	for (size_t i = 0; s->argv[i] != NULL && s->argv[i + 1] != NULL; i++) {
		if (strcmp(s->argv[i], "-m") != 0)
			continue;
		for (size_t m = 0; m < CYG_N(modules); m++)
			if (strcmp(s->argv[i + 1], modules[m]) == 0)
				return true;
	}
	return false;
}
