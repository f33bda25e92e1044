/* API paths ("dir/name", relative to the root, no slashes at the ends) and what they are on disk.
 */
#ifndef CONTENTS_PATH_H
#define CONTENTS_PATH_H

#include "kernels/base/job.h"
#include "kernels/contents/contents.h"

#include <sys/stat.h>

enum { CONTENTS_NAME_MAX = 255 };

/* The path on disk, in the request's arena; NULL (the job has failed with 404) when a segment is
 * "." or "..", or a byte is NUL: jupyter_server's _get_os_path. Links are followed as stock does.
 */
const char *path_to_disk(struct job *job, const char *path);
/* A path from a body: slashes cut off its ends, in the arena. */
const char *path_of_text(struct job *job, const char *text);
/* jupyter_core's is_hidden: a segment begins with a dot, or a folder may not be entered. */
bool path_is_hidden(const struct contents_ctx *ctx, const char *path);
/* Part after the last slash, and the part before it ("" at the top), in the arena. */
const char *path_name(const char *path);
const char *path_parent(struct job *job, const char *path);
const char *path_join(struct job *job, const char *dir, const char *name);
/* True when a path exists, also as a broken link. */
bool path_exists(struct job *job, const char *path);
bool path_is_dir(struct job *job, const char *path);
bool path_is_file(struct job *job, const char *path);
/* The first name in dir that is free: "a.txt", then "a" insert "1" ".txt" and so on; the number
 * goes before the first dot, in notebooks before the last (manager.py increment_filename). */
const char *path_increment(
    struct job *job, const char *dir, const char *filename, const char *insert);
/* A name without its "-CopyN" parts. */
const char *path_without_copy(struct job *job, const char *name);

#endif
