/* Putting bytes into the user's files: whole or not at all. */
#ifndef CONTENTS_SAVE_H
#define CONTENTS_SAVE_H

#include "kernels/contents/path.h"

/* Replaces (or makes) a file: written beside it, synced, renamed over it, keeping its mode; a link
 * is followed. Where a rename would lose something (another owner, more names, extended
 * attributes, a folder that may not be written to) the file itself is written, with a copy beside
 * it until that has worked. On failure the job has failed and the old content is there. */
int save_bytes(struct job *job, const char *disk, const char *path, struct cyg_str data);
/* Makes a file that must not be there yet. 0, -1 (the job has failed), or 1: it is there. */
int save_new(struct job *job, const char *disk, const char *path, struct cyg_str data);
/* Copies a file's bytes (and times, as shutil.copy2) over another, atomically as save_bytes. */
int save_copy(struct job *job, const char *from, const char *to, const char *path, bool keep_times);
/* Hash of what was just written becomes known. */
void save_remember(struct job *job, const char *disk, struct cyg_str data);

/* Works of the endpoints. */
void put_work(struct job *job);
void post_work(struct job *job);
void patch_work(struct job *job);
void delete_work(struct job *job);
void checkpoints_get_work(struct job *job);
void checkpoints_post_work(struct job *job);
void checkpoint_restore_work(struct job *job);
void checkpoint_delete_work(struct job *job);
void trust_work(struct job *job);

/* ---- checkpoints of a path, for save, rename and delete ---- */
/* Makes the first checkpoint of a notebook; failure is not one of the save. */
void checkpoint_ensure(struct job *job, const char *path);
void checkpoint_rename(struct job *job, const char *from, const char *to);
void checkpoint_remove(struct job *job, const char *path);

/* ---- trees ---- */
/* Copies a folder and all below it; links are copied as links. */
int tree_copy(struct job *job, const char *from, const char *to, const char *path);
/* Bytes below a folder; stops counting above limit. */
uint64_t tree_size(const char *disk, uint64_t limit);
/* Moves something to the trash of its file system (freedesktop.org trash specification 1.0). */
int trash_move(struct job *job, const char *disk, const char *path);

#endif
