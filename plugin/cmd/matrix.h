/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* N hosts by N: the verdict of each move, and its outputs. Reasons are judged anew when
 * they are shown: a million of them need not be kept. */
#ifndef VW_MATRIX_H
#define VW_MATRIX_H

#include "plugin/cmd/cmd.h"
#include "virt/hostfacts/host.h"

struct matrix {
	struct host *hosts;
	size_t n;
	struct host_domain dom; /* doc is NULL: any host-model guest */
	struct vw_features table;
	unsigned char *verdicts; /* enum vw_verdict, row by row: from * n + to */
	size_t count[4];         /* of each verdict, over all pairs */
};

/* One pair, with its reasons. An unknown host gives the verdict unknown and no reason. */
int matrix_judge(struct matrix *m, size_t from, size_t to, struct vw_judgement *ret,
		 struct vw_err *err);
const char *matrix_name(const struct matrix *m, size_t i);

void matrix_print_text(const struct out *o, struct matrix *m);
int matrix_print_json(struct cmd *cmd, struct matrix *m, struct vw_err *err);
/* One page that needs nothing from the network. */
int matrix_write_html(struct matrix *m, const char *path, struct vw_err *err);
/* The <cpu> that runs on all hosts. Return: 0; -ENOENT if there is none. */
int matrix_baseline(struct matrix *m, char **ret_cpu, struct vw_featset *ret_set,
		    const char **ret_type, struct vw_err *err);
json_t *matrix_losses(const struct matrix *m, const struct vw_featset *set, const char *type);

#endif
