/* Spark in the software of this server: found in the setup environment. */
#ifndef SPARK_STACK_H
#define SPARK_STACK_H

#include "cygnet/err.h"

struct spark_stack {
	char *home;         /* SPARK_HOME */
	char *java;         /* the program */
	char *scala;        /* "2.13", as Spark's core jar is named */
	char *version;      /* "4.2.0", from the same name */
	char *class_path;   /* every jar of HOME/jars in the order of names, with colons between */
	char *const *setup; /* borrowed: "NAME=value", ended by NULL */
};

/* Finds all of it; setup may be NULL and must outlive *ret. Java is JAVA_HOME's, or /usr/bin/java
 * without one. A failure is a sentence that names what is missing, and leaves nothing to free. */
int spark_stack_find(char *const *setup, struct spark_stack *ret, struct cyg_err *err);
/* One that is all zero is accepted. */
void spark_stack_free(struct spark_stack *s);
/* The value of a variable of the setup environment, or otherwise (which may be NULL). Borrowed. */
const char *spark_stack_setup(const struct spark_stack *s, const char *name, const char *otherwise);

#endif
