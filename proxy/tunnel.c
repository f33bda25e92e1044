/* WebSockets after their opening: bytes are copied in both directions without looking at them. */
#include "proxy/proxy.h"
#include "proxy/upstream.h"

static bool pass(struct peer *from, struct peer *to)
{
	bool moved = peer_flush(to);

	if (from->in.len > 0 && to->out.len == 0 && !to->failed) {
		peer_put(to, cyg_buf_str(&from->in));
		cyg_buf_reset(&from->in);
		moved = true;
	}
	/* One direction may end before the other. */
	if (from->eof && from->in.len == 0 && to->out.len == 0 && !to->shut) {
		peer_shut(to);
		moved = true;
	}
	return moved;
}

bool tunnel_step(struct client *c)
{
	struct peer *up = &c->up->peer;
	bool from_client = c->peer.in.len > 0;
	bool moved = pass(&c->peer, up);

	if (from_client && moved)
		access_touch(c);
	moved = pass(up, &c->peer) || moved;
	if (up->failed || (up->shut && c->peer.shut)) {
		client_close(c, "websocket ended");
		return false;
	}
	return moved;
}
