/* The software tree, as far as the start form needs it: TREE/stacks/NAME/stack.yaml of every stack
 * of the profiles, read by reader children at the start and again and again. When the tree hangs,
 * its stacks are shown as not available and nothing else is affected. */
#ifndef HUB_SOFTWARE_H
#define HUB_SOFTWARE_H

#include "hub/offer/offer.h"

struct software;

/* Begins to read; opts and profiles outlive it. From the first reading on, the stacks of profiles
 * hold what the tree says (profiles.yaml stands for what it does not say) or the reason why they
 * cannot be had. *ret is NULL when no tree is configured. */
void software_start(
    const struct offer_opts *opts, struct profiles *profiles, struct software **ret);
/* Ends the children; before profiles_free, while the loop still runs once more. NULL is accepted.
 */
void software_close(struct software *s);

#endif
