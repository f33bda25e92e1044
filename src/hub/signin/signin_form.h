/* The sign-in by name and password, the same for every provider that checks them. */
#ifndef HUB_SIGNIN_FORM_H
#define HUB_SIGNIN_FORM_H

struct signin_form;

/* Counts of failures. */
struct signin_form *signin_form_new(void);
/* NULL is accepted. */
void signin_form_free(struct signin_form *form);

#endif
