/* The environment that the setup scripts leave and that kernels start with. Stacks set hundreds of
 * names that cannot be listed, so a name passes unless it controls the loader or a shell, is a
 * shell's own, belongs to us, or looks like a secret. */
#include "spawner/init/init.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Exact names: a value here would run code in, or change the parsing of, every program started. */
static const char *const refused_names[] = { "LD_PRELOAD", "LD_AUDIT", "LD_DEBUG", "LD_PROFILE",
	"BASH_ENV", "ENV", "IFS", "PS4", "PROMPT_COMMAND", "SHELLOPTS", "BASHOPTS", "_", "SHLVL",
	"PWD", "OLDPWD", "GCONV_PATH", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES" };
static const char *const refused_starts[] = { "BASH_FUNC_", "CYGNET_", "JPY_", "JUPYTERHUB_" };
static const char *const refused_parts[] = { "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL",
	"PRIVATE_KEY", "API_KEY", "APIKEY", "ACCESS_KEY" };

static bool name_passes(const char *name, size_t len)
{
	char text[128];

	if (len == 0 || len >= sizeof(text) || (name[0] >= '0' && name[0] <= '9'))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	if (strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != len)
		return false;
	for (size_t i = 0; i < sizeof(refused_names) / sizeof(*refused_names); i++)
		if (strcmp(text, refused_names[i]) == 0)
			return false;
	for (size_t i = 0; i < sizeof(refused_starts) / sizeof(*refused_starts); i++)
		if (strncmp(text, refused_starts[i], strlen(refused_starts[i])) == 0)
			return false;
	for (size_t i = 0; i < sizeof(refused_parts) / sizeof(*refused_parts); i++)
		if (strcasestr(text, refused_parts[i]) != NULL)
			return false;
	return true;
}

bool env_take(struct init *in, int fd)
{
	struct stat st;
	char *block;
	size_t len = 0, size;

	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > CYG_ENV_MAX)
		return false;
	size = (size_t)st.st_size;
	block = malloc(size + 1);
	if (block == NULL || pread(fd, block, size, 0) != (ssize_t)size) {
		free(block);
		return false;
	}
	block[size] = '\0';
	for (char *at = block, *next; at < block + size; at = next) {
		size_t entry_len = strlen(at);

		next = at + entry_len + 1;
		if (!name_passes(at, strcspn(at, "=")) || at[strcspn(at, "=")] != '=')
			continue;
		memmove(block + len, at, entry_len + 1);
		len += entry_len + 1;
	}
	free(in->env);
	in->env = block;
	in->env_len = len;
	return true;
}

bool env_join(struct init *in, char *const *list)
{
	for (size_t i = 0; list[i] != NULL; i++) {
		size_t len = strlen(list[i]) + 1;
		char *block = realloc(in->env, in->env_len + len);

		if (block == NULL)
			return false;
		memcpy(block + in->env_len, list[i], len);
		in->env = block;
		in->env_len += len;
	}
	return true;
}

char **env_list(char *block, size_t len, size_t n)
{
	char **list = calloc(n + 1, sizeof(*list));
	size_t i = 0;

	for (size_t at = 0; list != NULL && at < len && i < n; at += strlen(block + at) + 1)
		list[i++] = block + at;
	return list;
}

int env_memfd(const struct init *in)
{
	int fd = memfd_create("environment", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (write(fd, in->env, in->env_len) != (ssize_t)in->env_len ||
			   fcntl(fd, F_ADD_SEALS,
			       F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}
