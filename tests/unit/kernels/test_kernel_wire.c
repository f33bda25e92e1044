/* Signatures, message parts, header scan, both WebSocket framings, connection files, environments.
 */
#include "base/file.h"
#include "base/mem.h"
#include "kernels/base/env.h"
#include "kernels/kernel/connfile.h"
#include "kernels/kernel/kmsg.h"
#include "kernels/kernel/specs.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct cyg_str four[WIRE_JSON_PARTS] = { { "{\"msg_id\":\"1\",\"msg_type\":\"t\"}",
							  29 },
	{ "{}", 2 }, { "{\"a\":1}", 7 }, { "{\"b\": [1.50]}", 13 } };

/* Values from Python: hmac.new(b"key", b"".join(parts), "sha256").hexdigest() */
START_TEST(test_signature_is_python_hmac)
{
	struct wire_signer *s = wire_signer_new(CYG_STR("key"));
	const struct cyg_str parts[] = { CYG_STR("a"), CYG_STR("b"), CYG_STR("c"), CYG_STR("d") };
	char sig[WIRE_SIG_LEN + 1];

	for (int i = 0; i < 2; i++) { /* the second use must not depend on the first */
		wire_sign(s, parts, sig);
		ck_assert_str_eq(
		    sig, "2a31ec0ee8d878c9eece9fb0df79b3b90b2256240163aa5ee50d176d3d1121f8");
	}
	wire_signer_free(s);
}
END_TEST

START_TEST(test_empty_key_signs_nothing)
{
	struct wire_signer *s = wire_signer_new(CYG_STR(""));
	const struct cyg_str parts[] = { CYG_STR("<IDS|MSG>"), CYG_STR(""), four[0], four[1],
		four[2], four[3] };
	struct wire_msg msg;

	ck_assert_int_eq(wire_read(s, WIRE_SHELL, parts, CYG_N(parts), &msg, NULL), 0);
	ck_assert_uint_eq(msg.n_buffers, 0);
	wire_signer_free(s);
}
END_TEST

START_TEST(test_message_with_identities_and_buffers_is_read)
{
	struct wire_signer *s = wire_signer_new(CYG_STR("key"));
	char sig[WIRE_SIG_LEN + 1];
	struct cyg_str parts[] = { CYG_STR("topic"), CYG_STR("<IDS|MSG>"), CYG_STR(""), four[0],
		four[1], four[2], four[3], CYG_STR("buf") };
	struct wire_msg msg;

	wire_sign(s, four, sig);
	parts[2] = cyg_str_of(sig);
	ck_assert_int_eq(wire_read(s, WIRE_IOPUB, parts, CYG_N(parts), &msg, NULL), 0);
	ck_assert(cyg_str_eq(msg.json[WIRE_CONTENT], "{\"b\": [1.50]}"));
	ck_assert_uint_eq(msg.n_buffers, 1);
	ck_assert(cyg_str_eq(msg.buffers[0], "buf"));
	parts[6] = CYG_STR("{\"b\": [1.51]}");
	ck_assert_int_eq(wire_read(s, WIRE_IOPUB, parts, CYG_N(parts), &msg, NULL), -CYG_EPROTO);
	for (size_t n = 0; n < 7; n++)
		ck_assert_int_eq(wire_read(s, WIRE_IOPUB, parts, n, &msg, NULL), -CYG_EPROTO);
	wire_signer_free(s);
}
END_TEST

START_TEST(test_scan_finds_outermost_keys_only)
{
	const struct cyg_str json =
	    CYG_STR(" { \"x\" : {\"session\":\"inner\"} , \"y\":[\"session\",\"}\"],"
		    "\"session\" : \"a\\\"b\", \"n\": 12 , \"t\":true}");
	struct cyg_str v;

	ck_assert(wire_scan(json, "session", &v) && cyg_str_eq(v, "a\\\"b"));
	ck_assert(wire_scan(json, "n", &v) && cyg_str_eq(v, "12"));
	ck_assert(wire_scan(json, "t", &v) && cyg_str_eq(v, "true"));
	ck_assert(wire_scan(json, "x", &v) && cyg_str_eq(v, "{\"session\":\"inner\"}"));
	ck_assert(!wire_scan(json, "inner", &v));
}
END_TEST

START_TEST(test_scan_of_cut_text_never_reads_past_it)
{
	const char *json = "{\"a\":\"b\\\"\",\"c\":[{\"d\":1}],\"e\":\"f\"}";
	size_t len = strlen(json);

	for (size_t n = 0; n <= len; n++) {
		char *copy = malloc(n + 1); /* exact size: the sanitizer sees one byte too many */
		struct cyg_str v;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, json, n);
		ck_assert(n == len || !wire_scan((struct cyg_str){ copy, n }, "zz", &v));
		(void)wire_scan((struct cyg_str){ copy, n }, "e", &v);
		free(copy);
	}
}
END_TEST

static struct kmsg *sample(const struct cyg_str *buffers, size_t n)
{
	struct wire_msg msg = { .channel = WIRE_IOPUB, .buffers = buffers, .n_buffers = n };
	struct kmsg *m;

	memcpy(msg.json, four, sizeof(four));
	m = kmsg_new(&msg);
	ck_assert_ptr_nonnull(m);
	return m;
}

static struct cyg_str payload_of(struct wsbuf *b)
{
	unsigned char *p = wsbuf_payload(b);

	return (struct cyg_str){ (const char *)p, b->len - (size_t)(p - (b->data + b->start)) };
}

START_TEST(test_v1_frame_reads_back_as_the_same_slices)
{
	const struct cyg_str buffers[] = { { "\0\1\377", 3 }, { "", 0 }, { "tail", 4 } };
	struct kmsg *m = sample(buffers, 3);
	struct kmsg_in in;

	ck_assert_int_eq(kmsg_parse_v1(payload_of(kmsg_frame(m, KMSG_V1)), &in, NULL), 0);
	ck_assert_int_eq(in.msg.channel, WIRE_IOPUB);
	for (int i = 0; i < WIRE_JSON_PARTS; i++)
		ck_assert(cyg_str_same(in.msg.json[i], four[i]));
	ck_assert_uint_eq(in.msg.n_buffers, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert(cyg_str_same(in.msg.buffers[i], buffers[i]));
	kmsg_unref(m);
}
END_TEST

START_TEST(test_json_frames_read_back_as_the_same_slices)
{
	const struct cyg_str buffers[] = { { "\0\1\377", 3 }, { "tail", 4 } };

	for (size_t n = 0; n <= 2; n++) {
		struct kmsg *m = sample(buffers, n);
		struct wsbuf *frame = kmsg_frame(m, KMSG_JSON);
		struct kmsg_in in;
		bool binary = (frame->data[frame->start] & 0x0f) == WSBUF_BINARY;

		ck_assert(binary == (n > 0));
		ck_assert_int_eq(kmsg_parse_json(payload_of(frame), binary, &in, NULL), 0);
		for (int i = 0; i < WIRE_JSON_PARTS; i++)
			ck_assert(cyg_str_same(in.msg.json[i], four[i]));
		ck_assert_uint_eq(in.msg.n_buffers, n);
		for (size_t i = 0; i < n; i++)
			ck_assert(cyg_str_same(in.msg.buffers[i], buffers[i]));
		kmsg_in_free(&in);
		kmsg_unref(m);
	}
}
END_TEST

START_TEST(test_bytes_that_are_no_utf8_are_escaped_in_text_alone)
{
	struct wire_msg msg = { .channel = WIRE_IOPUB,
		.json = {
		    four[0], four[1], four[2], CYG_STR("{\"t\":\"\xe9\xc3\xa9\xed\xa0\x80\"}") } };
	struct kmsg *m = kmsg_new(&msg);
	struct wsbuf *b;
	char text[512];

	ck_assert_ptr_nonnull(m);
	b = kmsg_frame(m, KMSG_JSON);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_lt(b->len, sizeof(text));
	memcpy(text, b->data + b->start, b->len);
	text[b->len] = '\0';
	ck_assert_ptr_nonnull(strstr(text + 4, "{\"t\":\"\\udce9\xc3\xa9\\udced\\udca0\\udc80\"}"));
	ck_assert_mem_eq(
	    m->json[WIRE_CONTENT].p, msg.json[WIRE_CONTENT].p, msg.json[WIRE_CONTENT].len);
	kmsg_unref(m);
}
END_TEST

START_TEST(test_cut_frames_are_refused)
{
	const struct cyg_str buffers[] = { { "tail", 4 } };
	struct kmsg *m = sample(buffers, 1);

	for (int framing = KMSG_JSON; framing <= KMSG_V1; framing++) {
		struct cyg_str whole = payload_of(kmsg_frame(m, (enum kmsg_framing)framing));

		/* The end of the last buffer of the JSON framing is the end of the frame. */
		for (size_t n = 0; n + 4 < whole.len; n++) {
			char *copy = malloc(n + 1);
			struct kmsg_in in;

			ck_assert_ptr_nonnull(copy);
			memcpy(copy, whole.p, n);
			ck_assert_int_lt(
			    framing == KMSG_V1
				? kmsg_parse_v1((struct cyg_str){ copy, n }, &in, NULL)
				: kmsg_parse_json((struct cyg_str){ copy, n }, true, &in, NULL),
			    0);
			free(copy);
		}
	}
	kmsg_unref(m);
}
END_TEST

START_TEST(test_channel_of_a_browser_is_checked)
{
	struct kmsg_in in;

	ck_assert_int_eq(
	    kmsg_parse_json(CYG_STR("{\"channel\":\"heart\",\"header\":{}}"), false, &in, NULL),
	    -CYG_EINVAL);
	ck_assert_int_eq(
	    kmsg_parse_json(CYG_STR("{\"channel\":\"shell\"}"), false, &in, NULL), -CYG_EPROTO);
	ck_assert_int_eq(kmsg_parse_json(CYG_STR("{\"header\":{}}"), false, &in, NULL), 0);
	ck_assert_int_eq(in.msg.channel, WIRE_SHELL);
	kmsg_in_free(&in);
}
END_TEST

START_TEST(test_connection_file_reads_back_and_is_private)
{
	char folder[] = "/tmp/cyg-conn-XXXXXX";
	char endpoint[CONNFILE_ENDPOINT_MAX];
	struct connfile c, again;
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	cyg_autofree char *path = cyg_xasprintf("%s/kernel-x.json", folder);
	cyg_autofree char *want = cyg_xasprintf("ipc://%s/", folder);

	for (int ipc = 0; ipc < 2; ipc++) {
		ck_assert_int_eq(connfile_choose(&c, folder, ipc == 1, "python3", NULL), 0);
		ck_assert(c.ipc == (ipc == 1));
		ck_assert_int_eq(connfile_write(&c, path, NULL), 0);
		ck_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
		ck_assert_int_eq(connfile_read(path, &again, NULL), 0);
		ck_assert_mem_eq(&c, &again, sizeof(c));
	}
	connfile_endpoint(&c, CONNFILE_SHELL, endpoint);
	ck_assert(cyg_str_starts(cyg_str_of(endpoint), want));
	ck_assert(cyg_str_ends(cyg_str_of(endpoint), "-1"));
	ck_assert_int_eq(connfile_choose(&again, folder, true, "python3", NULL), 0);
	ck_assert_str_ne(c.ip, again.ip);
	connfile_remove(&c, path);
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(test_ipc_path_that_is_too_long_becomes_tcp)
{
	char folder[104];
	struct connfile c;

	memset(folder, 'x', sizeof(folder) - 1);
	folder[0] = '/';
	folder[sizeof(folder) - 1] = '\0';
	ck_assert_int_eq(connfile_choose(&c, folder, true, "k", NULL), 0);
	ck_assert(!c.ipc);
	for (int i = 0; i < CONNFILE_SOCKETS; i++)
		for (int j = 0; j < i; j++)
			ck_assert_int_ne(c.port[i], c.port[j]);
}
END_TEST

START_TEST(test_environment_is_replaced_and_expanded)
{
	char *from[] = { (char[]){ "A=1" }, (char[]){ "AB=2" }, NULL };
	struct env e;

	env_init(&e, from);
	env_set(&e, "A", "3");
	env_set_expanded(&e, "PATH=${A}/bin:${NONE}:${AB}$x${");
	ck_assert_str_eq(env_get(&e, "A"), "3");
	ck_assert_str_eq(env_get(&e, "AB"), "2");
	ck_assert_str_eq(env_get(&e, "PATH"), "3/bin::2$x${");
	ck_assert_ptr_null(env_get(&e, "B"));
	ck_assert_uint_eq(e.n, 3);
	env_free(&e);
}
END_TEST

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

START_TEST(test_python_of_a_specification_is_the_one_beside_it)
{
	char prefix[] = "/tmp/cyg-spec-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(prefix));
	cyg_autofree char *bin = cyg_xasprintf("%s/bin", prefix);
	cyg_autofree char *one = cyg_xasprintf("%s/share/jupyter/kernels/MyKernel", prefix);
	cyg_autofree char *two = cyg_xasprintf("%s/share/jupyter/kernels/broken", prefix);
	cyg_autofree char *python = cyg_xasprintf("%s/bin/python3", prefix);
	cyg_autofree char *json =
	    cyg_xasprintf("%s/share/jupyter/kernels/MyKernel/kernel.json", prefix);
	cyg_autofree char *broken =
	    cyg_xasprintf("%s/share/jupyter/kernels/broken/kernel.json", prefix);
	const char *stacks[] = { prefix, NULL };
	struct specs_path path = specs_path_new(stacks, NULL, NULL, NULL);
	struct spec *s = NULL;

	ck_assert_int_eq(cyg_file_mkdirs(bin, 0755, NULL), 0);
	ck_assert_int_eq(cyg_file_mkdirs(one, 0755, NULL), 0);
	ck_assert_int_eq(cyg_file_mkdirs(two, 0755, NULL), 0);
	write_file(python, "#!/bin/sh\n", 0755);
	write_file(json,
	    "{\"argv\":[\"python\",\"-m\",\"ipykernel_launcher\"],\"language\":\"python\"}", 0644);
	write_file(broken, "{\"argv\":[]}", 0644);
	ck_assert_int_eq(specs_find(&path, "mykernel", &s, NULL), 0);
	ck_assert_str_eq(s->name, "mykernel");
	ck_assert(spec_has_ipc(s));
	cyg_autofree char *program = spec_program(s, "/usr/bin");
	ck_assert_str_eq(program, python);
	spec_free(s);
	ck_assert_int_eq(specs_find(&path, "broken", &s, NULL), -CYG_ENOENT);
	specs_path_free(&path);
	ck_assert_int_eq(cyg_file_remove_tree(AT_FDCWD, prefix, NULL), 0);
}
END_TEST

START_TEST(test_names_of_specifications)
{
	ck_assert(specs_name_is_ok(CYG_STR("python3.11_x-y")));
	ck_assert(!specs_name_is_ok(CYG_STR("Python3")));
	ck_assert(!specs_name_is_ok(CYG_STR("..")));
	ck_assert(!specs_name_is_ok(CYG_STR("a/b")));
	ck_assert(!specs_name_is_ok(CYG_STR("")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kernel_wire");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_signature_is_python_hmac);
	tcase_add_test(t, test_empty_key_signs_nothing);
	tcase_add_test(t, test_message_with_identities_and_buffers_is_read);
	tcase_add_test(t, test_scan_finds_outermost_keys_only);
	tcase_add_test(t, test_scan_of_cut_text_never_reads_past_it);
	tcase_add_test(t, test_v1_frame_reads_back_as_the_same_slices);
	tcase_add_test(t, test_json_frames_read_back_as_the_same_slices);
	tcase_add_test(t, test_bytes_that_are_no_utf8_are_escaped_in_text_alone);
	tcase_add_test(t, test_cut_frames_are_refused);
	tcase_add_test(t, test_channel_of_a_browser_is_checked);
	tcase_add_test(t, test_connection_file_reads_back_and_is_private);
	tcase_add_test(t, test_ipc_path_that_is_too_long_becomes_tcp);
	tcase_add_test(t, test_environment_is_replaced_and_expanded);
	tcase_add_test(t, test_python_of_a_specification_is_the_one_beside_it);
	tcase_add_test(t, test_names_of_specifications);
	suite_add_tcase(suite, t);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
