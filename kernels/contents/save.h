/* Writes the user's files, whole or not at all. */
#ifndef CONTENTS_SAVE_H
#define CONTENTS_SAVE_H

#include "kernels/contents/path.h"

/* The beginning of the names of incomplete files. */
#define SAVE_TEMPORARY ".~cygnet-"

/* Replaces (or makes) a file: written beside it, synced, renamed over it, keeping its mode and
 * group; a link is followed. Where a rename would lose something (another owner, a group that we
 * may not give, more names, extended attributes, a folder that may not be written to) the file
 * itself is written, with a copy beside it until that has worked. On failure the job has failed and
 * the old content is there, or in the copy that the error names. */
int save_bytes(struct job *job, const char *disk, const char *path, struct cyg_str data);
/* Makes a file that must not be there yet. 0, -1 (the job has failed), or 1: it is there. */
int save_new(struct job *job, const char *disk, const char *path, struct cyg_str data);
/* The same as save_bytes with the content of the file staged in the same folder, which is removed
 * or renamed. On failure it stays. */
int save_upload(struct job *job, const char *staged, const char *disk, const char *path);
enum save_copy_kind {
	SAVE_DUPLICATE,  /* a new file with the same mode, but writable */
	SAVE_MOVE,       /* a new file that is the same (shutil.copy2) */
	SAVE_CHECKPOINT, /* over the old one, with mode and times */
	SAVE_RESTORE     /* over the old one, with times */
};
/* Copies a file's bytes atomically as save_bytes does, whatever their number. A new file's name may
 * be taken: 1. path is the API's, for errors. */
int save_copy(
    struct job *job, const char *from, const char *to, const char *path, enum save_copy_kind kind);

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
/* Makes the first checkpoint of a notebook; a failure does not fail the save. */
void checkpoint_ensure(struct job *job, const char *path);
void checkpoint_rename(struct job *job, const char *from, const char *to);
void checkpoint_remove(struct job *job, const char *path);

/* ---- trees ---- */
/* Copies a folder and all below it to a new place; links are copied as links. 0, -1 (the job has
 * failed), or 1: that name is taken. */
int tree_copy(struct job *job, const char *from, const char *to, const char *path);
/* Bytes below a folder; stops counting above limit. */
uint64_t tree_size(const char *disk, uint64_t limit);
/* Moves something to the trash of its file system (freedesktop.org trash specification 1.0). */
int trash_move(struct job *job, const char *disk, const char *path);

#endif
