/* Files as answers: conditions, ranges, types. Also for what pages serve. */
#ifndef CONTENTS_FILES_H
#define CONTENTS_FILES_H

#include "kernels/base/job.h"

#include <sys/stat.h>

/* Sets ETag and Last-Modified; true when the client has this very version (304). */
bool files_is_unchanged(struct job *job, const struct stat *st);
/* Makes the file the answer, whole or the range asked for; takes fd. */
void files_send(struct job *job, int fd, const struct stat *st);
/* Work of GET files/PATH. */
void files_work(struct job *job);

#endif
