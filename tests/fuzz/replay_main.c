/*
 * The main() of fuzz targets that are built without libFuzzer: gives the target the files named on
 * the command line, and every regular file of folders named there, once each, and says how many
 * there were.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* As libFuzzer declares it; 0 is the only result that we use. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4 << 20 };

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data, *exact;
	size_t size;

	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	data = malloc(INPUT_MAX);
	size = data == NULL ? 0 : fread(data, 1, INPUT_MAX, file);
	(void)fclose(file);
	/* An allocation of the very size, so that a read past the end is seen. */
	exact = data == NULL ? NULL : malloc(size == 0 ? 1 : size);
	if (exact == NULL) {
		free(data);
		fprintf(stderr, "%s: out of memory\n", path);
		return -1;
	}
	memcpy(exact, data, size);
	free(data);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 1;
}

static int replay_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	char name[4096];
	struct stat info;
	int count = 0;

	if (folder == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	while (count >= 0 && (entry = readdir(folder)) != NULL) {
		int len = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);

		if (len < 0 || (size_t)len >= sizeof(name) || stat(name, &info) != 0 ||
		    !S_ISREG(info.st_mode))
			continue;
		count = replay_file(name) < 0 ? -1 : count + 1;
	}
	(void)closedir(folder);
	return count;
}

int main(int argc, char **argv)
{
	struct stat info;
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int count;

		if (stat(argv[i], &info) != 0) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
			return 1;
		}
		count = S_ISDIR(info.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
		if (count < 0)
			return 1;
		total += count;
	}
	printf("%d inputs replayed\n", total);
	return total > 0 ? 0 : 1;
}
