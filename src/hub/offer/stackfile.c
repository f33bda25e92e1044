/* stack.yaml of a software tree as a table of fields. Others write the tree, so every text is
 * bounded. */
#include "hub/offer/stackfile.h"

enum { STACK_TEXT_MAX = 400, STACK_KERNELS_MAX = 16 };

#define OF(member) .offset = offsetof(struct profile_stack, member)
#define TEXT       .type = FIELD_LINE, .min = 1, .max = STACK_TEXT_MAX

static const struct yaml_field kernel = { .name = "kernel", TEXT };
static const struct yaml_field fields[] = {
	{ .name = "label", TEXT, OF(label), .doc = "Shown to users." },
	{ .name = "description", TEXT, OF(description), .doc = "One sentence more." },
	{ .name = "kernels",
	    .type = FIELD_LIST,
	    .offset = FIELD_ARRAY(struct profile_stack, kernels.items, kernels.n),
	    .of = &kernel,
	    .max = STACK_KERNELS_MAX,
	    .doc = "Names of its kernels, as shown." },
	{ .name = "spark", TEXT, OF(spark), .doc = "Version of Spark in it." },
	{ .name = "platform", TEXT, OF(platform), .doc = "What it was built for." },
	{ .name = "recommended",
	    .type = FIELD_BOOL,
	    OF(recommended),
	    .doc = "Whether it is the form's first choice." },
	{ .name = NULL },
};
const struct yaml_record stackfile_record = {
	.what = "stack", .size = sizeof(struct profile_stack), .fields = fields
};

int stackfile_read(const char *file, struct cyg_str text, struct cyg_arena *arena,
    struct profile_stack *ret, struct cyg_err *err)
{
	struct profile_stack s = *ret;
	struct yaml_doc *doc = NULL;
	int rc = yaml_parse(file, text, &doc, err);

	if (rc == 0)
		rc = yaml_fields_read(doc, &stackfile_record, arena, &s, err);
	yaml_doc_free(doc);
	if (rc == 0)
		*ret = s;
	return rc;
}
