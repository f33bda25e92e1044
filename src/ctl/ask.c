/* Asks a control socket, on a loop of its own. */
#include "ctl/ask.h"

#include "base/mem.h"
#include "daemon/loop.h"

struct asking {
	struct cyg_loop *loop;
	struct http_call *call; /* NULL: it has ended */
	struct ctl_reply *reply;
	struct cyg_err *err;
	int rc;
};

static void on_end(void *arg, const char *why)
{
	struct asking *a = arg;

	a->rc = cyg_fail(a->err, CYG_EBUSY, "not waited for: %s", why);
	cyg_loop_stop(a->loop);
}

static void on_result(void *arg, const struct http_result *result)
{
	struct asking *a = arg;

	a->call = NULL;
	a->rc = 0;
	if (result->status == 0) {
		*a->err = result->err;
		a->rc = -(int)result->err.code;
	} else {
		*a->reply = (struct ctl_reply){ result->status, cyg_str_dup(result->body),
			result->body.len };
	}
	cyg_loop_stop(a->loop);
}

int ctl_ask(const struct http_call_spec *spec, struct ctl_reply *ret, struct cyg_err *err)
{
	struct asking a = { .reply = ret, .err = err };

	if (cyg_loop_new(on_end, &a, -1, &a.loop, err) < 0)
		return -(int)err->code;
	a.call = http_call_start(cyg_loop_uv(a.loop), spec, on_result, &a);
	cyg_loop_run(a.loop);
	http_call_cancel(a.call); /* interrupted */
	cyg_loop_free(a.loop);
	return a.rc;
}
