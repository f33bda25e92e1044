/* A folder of a unit test's own below /tmp. */
#ifndef TESTS_TMP_FOLDER_H
#define TESTS_TMP_FOLDER_H

struct tmp_folder {
	char path[32];
	int fd; /* of the folder, for the …at() calls */
};

/* Makes an empty one, mode 0700; fails the test when it cannot. */
void tmp_folder_make(struct tmp_folder *f);
/* Removes it with all that is in it. */
void tmp_folder_remove(struct tmp_folder *f);
/* Writes a file below it, mode 0600. */
void tmp_folder_put(const struct tmp_folder *f, const char *name, const char *text);

#endif
