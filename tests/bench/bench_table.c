/* For `make bench`: what one change of the table costs the hub at many credentials, beside the
 * whole table. Prints "CHANGE_MS WHOLE_MS" of CPU. Use: bench_table CREDENTIALS CHANGES */
#include "base/num.h"
#include "hub/link/table.h"

#include <stdio.h>
#include <time.h>

static void set_one(struct hub_table *t, uint64_t number, int64_t expires_s)
{
	char sum[65];
	char user[32];

	(void)snprintf(sum, sizeof(sum), "%064llx", (unsigned long long)number);
	(void)snprintf(user, sizeof(user), "user%llu", (unsigned long long)number);
	(void)hub_table_set_credential(
	    t, &(struct hub_credential){ .sha256 = sum, .user = user, .expires_s = expires_s });
}

static double cpu_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct hub_table *t = hub_table_new(1);
	struct cyg_buf text;
	uint64_t n = 0;
	uint64_t changes = 0;
	double begun;
	double change_ms;

	if (argc != 3 || cyg_num_parse_u64(cyg_str_of(argv[1]), 1, 1000000, &n, NULL) < 0 ||
	    cyg_num_parse_u64(cyg_str_of(argv[2]), 1, 10000000, &changes, NULL) < 0 || n == 0 ||
	    changes == 0)
		return 2;
	cyg_buf_init(&text, CYG_TABLE_MAX);
	for (uint64_t i = 0; i < n; i++)
		set_one(t, i, 0);
	begun = cpu_ms();
	for (uint64_t i = 0; i < changes; i++) {
		uint64_t before = hub_table_generation(t);

		set_one(t, i * 7919 % n, (int64_t)i + 1);
		cyg_buf_reset(&text);
		if (hub_table_write_since(t, before, &text, NULL) < 0)
			return 1;
		hub_table_forget(t, hub_table_generation(t));
	}
	change_ms = (cpu_ms() - begun) / (double)changes;
	begun = cpu_ms();
	cyg_buf_reset(&text);
	if (hub_table_write(t, &text, NULL) < 0)
		return 1;
	(void)printf("%.6f %.3f\n", change_ms, cpu_ms() - begun);
	cyg_buf_free(&text);
	hub_table_free(t);
	return 0;
}
