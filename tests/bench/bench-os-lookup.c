/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many times faster than libosinfo's load of its database is our way: map the index,
 * check it, find one OS, unmap? In one process, medians.
 *
 * usage: bench-os-lookup INDEX */
#include "lib/osindex/osindex.h"

#include <osinfo/osinfo.h>
#include <time.h>

#define LOADS 7
#define LOOKUPS 201

static const char id[] = "http://debian.org/debian/11";

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *times, size_t n)
{
	qsort(times, n, sizeof(*times), compare);
	return times[n / 2];
}

static bool load(void)
{
	g_autoptr(OsinfoLoader) loader = osinfo_loader_new();

	osinfo_loader_process_default_path(loader, NULL);
	return osinfo_db_get_os(osinfo_loader_get_db(loader), id) != NULL;
}

static bool look_up(const char *path)
{
	struct vw_osindex *x = NULL;
	struct vw_os *os = NULL;
	struct vw_err err = { 0 };
	bool found;

	if (vw_osindex_open(path, &x, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return false;
	}
	found = vw_osindex_find(x, id, &os, &err) == 0 && !os->like &&
		vw_os_has(os, "virtio1.0-block");
	vw_os_free(os);
	vw_osindex_close(x);
	return found;
}

int main(int argc, char **argv)
{
	double loads[LOADS];
	double lookups[LOOKUPS];
	double ratio;

	if (argc != 2)
		return 2;
	for (size_t i = 0; i < LOADS; i++) {
		double start = now();

		if (!load())
			return 1;
		loads[i] = now() - start;
	}
	for (size_t i = 0; i < LOOKUPS; i++) {
		double start = now();

		if (!look_up(argv[1]))
			return 1;
		lookups[i] = now() - start;
	}
	ratio = median(loads, LOADS) / median(lookups, LOOKUPS);
	fprintf(stderr, "load %.1f ms, look-up %.1f us\n", loads[LOADS / 2] * 1e3,
		lookups[LOOKUPS / 2] * 1e6);
	printf("os-lookup %.0f ratio >=500\n", ratio);
	return 0;
}
