/* How bytes are read from and written to one connection: a table of functions. Plain sockets have
 * one (stream_raw.c); TLS would be a second one. A stream that cannot continue says which direction
 * of the socket it waits for: a handshake, or a read of TLS, may have to write first. */
#ifndef PROXY_STREAM_H
#define PROXY_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stream_ops;

enum { STREAM_READABLE = 1, STREAM_WRITABLE = 2 };

struct stream {
	const struct stream_ops *ops;
	void *state; /* the session's; NULL for raw */
	int fd;      /* non-blocking */
	bool begun;  /* the handshake is done: bytes may come and go */
	/* What to wait for after -EAGAIN; a stream sets them when they differ from these:
	 * reads and handshakes wait for STREAM_READABLE, writes for STREAM_WRITABLE. */
	unsigned char read_wants, write_wants;
};

struct stream_ops {
	/* 0 when it is done, -EAGAIN, or another -errno when it failed. NULL: there is none. */
	int (*handshake)(struct stream *s);
	/* Bytes read (> 0), 0 at the end, -EAGAIN when there are none now, another -errno when the
	 * connection is broken. */
	ssize_t (*read)(struct stream *s, void *data, size_t len);
	/* Bytes written (may be fewer), -EAGAIN, or another -errno. */
	ssize_t (*write)(struct stream *s, const void *data, size_t len);
	/* Ends our direction (FIN, close_notify); the other one stays open. 0 or -errno. */
	int (*shut)(struct stream *s);
	/* Closes the descriptor; abrupt: the peer gets a reset and cannot take it for an end. */
	void (*close)(struct stream *s, int abrupt);
	/* Bytes that were taken off the socket and wait inside: epoll cannot see them. */
	size_t (*pending)(const struct stream *s);
};

/* Takes fd. */
void stream_init(struct stream *s, const struct stream_ops *ops, int fd, void *state);

extern const struct stream_ops stream_raw;

#endif
