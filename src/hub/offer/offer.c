/* Starts and ends the parts of what is offered: profiles, software tree, catalogue. */
#include "hub/offer/offer.h"

#include "base/mem.h"
#include "hub/offer/clusters.h"
#include "hub/offer/profiles.h"
#include "hub/offer/software.h"

int offer_open(const struct offer_opts *opts, struct offer **ret, struct cyg_err *err)
{
	struct profiles *profiles = NULL;

	if (profiles_load(opts->profiles, &profiles, err) < 0)
		return -(int)err->code;
	struct offer *offer = cyg_xcalloc(1, sizeof(*offer));
	offer->opts = *opts;
	offer->profiles = profiles;
	software_start(&offer->opts, profiles, &offer->software);
	if (opts->catalogue != NULL)
		offer->clusters = clusters_new(opts->uv, opts->catalogue, opts->software_tree);
	*ret = offer;
	return 0;
}

void offer_close(struct offer *offer)
{
	if (offer == NULL)
		return;
	software_close(CYG_TAKE(offer->software));
	clusters_close(CYG_TAKE(offer->clusters));
}

void offer_free(struct offer *offer)
{
	if (offer == NULL)
		return;
	profiles_free(offer->profiles);
	free(offer);
}
