/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* only-syscalls LIST refuse|kill COMMAND…: run it with the system calls of which LIST holds the names, a
 * word each. Any other one fails with EPERM, or kills it: as SystemCallFilter= in a systemd unit does with
 * or without SystemCallErrorNumber=EPERM. */
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	bool kill = argc > 2 && !strcmp(argv[2], "kill");
	scmp_filter_ctx filter = seccomp_init(kill ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
	FILE *f = argc > 3 ? fopen(argv[1], "re") : NULL;
	char name[64];
	int n = 0;

	if (!filter || !f)
		return 2;
	while (fscanf(f, "%63s", name) == 1) {
		int nr = seccomp_syscall_resolve_name(name);

		/* not all are there on each architecture */
		if (nr != __NR_SCMP_ERROR && seccomp_rule_add(filter, SCMP_ACT_ALLOW, nr, 0) == 0)
			n++;
	}
	fclose(f);
	if (n < 100 || seccomp_load(filter) < 0) {
		fprintf(stderr, "only-syscalls: no filter from %s\n", argv[1]);
		return 2;
	}
	seccomp_release(filter);
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 2;
}
