/* Sends files: conditions, ranges, types. Also used for the files of pages. */
#ifndef CONTENTS_FILES_H
#define CONTENTS_FILES_H

#include "kernels/base/job.h"

#include <sys/stat.h>

/* Sets ETag and Last-Modified; true when the client has this very version (304). */
bool files_is_unchanged(struct job *job, const struct stat *st);
/* Makes the file the response's body, whole or the requested range; takes fd. */
void files_send(struct job *job, int fd, const struct stat *st);
/* Work of GET files/PATH. */
void files_work(struct job *job);

#endif
