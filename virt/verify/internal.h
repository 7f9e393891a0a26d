/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside a verification: what its threads share. Each thread asks one kind of thing that may
 * hang, and notes the answer under the lock; nothing is asked while the lock is held. */
#ifndef VW_VERIFY_INTERNAL_H
#define VW_VERIFY_INTERNAL_H

#include "lib/health/address.h"

#include "lib/engine/metadata.h"
#include "virt/verify/verify.h"
#include "virt/sample.h"

#include <pthread.h>
#include <stdatomic.h>

#define VERIFY_SAMPLES 128
#define VERIFY_NICS 8
#define VERIFY_FILES 4
#define VERIFY_TICK_MS 400
#define VERIFY_RECORD_MS 2000 /* between the samples of a baseline */

/* What the domain's live XML says. Filled in once, before the threads that use it start. */
struct verify_domain {
	struct {
		unsigned char mac[6];
		char bridge[16]; /* "" = none that can be asked */
	} nics[VERIFY_NICS];
	size_t n_nics;
	struct {
		char path[256];
		bool append;
	} files[VERIFY_FILES]; /* that serial ports write */
	size_t n_files;
	char ptys[VERIFY_FILES]
		 [32]; /* aliases of consoles that are ptys, and no file has their text */
	size_t n_ptys;
	bool agent, agent_connected;
	unsigned tcp[VW_HEALTH_MAX];
	char check[VW_HEALTH_MAX][33];
	size_t n_tcp, n_check;
	char address[VW_HEALTH_MAX][46];
	size_t n_address;
	bool agent_required;
	char bad[33]; /* what <w:health> says and we don't understand */
};

/* A host that it may have come from. */
struct verify_source {
	struct verify *v;
	const char *uri;
	struct vw_other_host told;
	bool here; /* it is this very host: that says nothing */
};

struct verify {
	const struct verify_options *o;
	virConnectPtr conn; /* these six: set before the threads that use them start */
	virDomainPtr dom;
	bool local; /* the daemon lives where we do */
	struct verify_domain d;
	struct vw_subnet subnets[VW_SUBNETS_MAX]; /* of its bridges here */
	size_t n_subnets;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	atomic_bool stop; /* may be read without it */
	struct vw_signals s;
	struct verify_source sources[VW_SOURCES_MAX];
	struct vw_baseline before;
	struct vw_addresses addresses; /* that are known by now */
	struct vw_sample samples[VERIFY_SAMPLES];
	struct vw_watch watch;
	uint64_t console; /* bytes, in files */
	uint64_t pty;     /* bytes, by streams */
	bool has_console;
	bool agent_limited; /* its time limit in libvirtd is ours: see virt/verify/agent.c */
	char name[512];     /* as a shell takes it back */
	char domain[256], uuid[VIR_UUID_STRING_BUFLEN], host[256];
	struct vw_err err;      /* no such domain, no libvirt */
	struct vw_baseline now; /* to be recorded */
	bool written;
	struct vw_err write_err;
};

/* All: detached, ends with the process. Return: 0 or negative errno. */
int verify_thread(void *arg, void *(*run)(void *));
/* Wait until that time (vw_clock_ms), or until anybody has news. The lock is held. */
void verify_wait_until(struct verify *v, int64_t ms);
/* Sleep; Return: false when the verification is over. */
bool verify_sleep(struct verify *v, unsigned ms);
void verify_lock(struct verify *v);
void verify_unlock(struct verify *v); /* and wake the judge */

/* The threads' functions; the argument is the struct verify, of verify_source the source. */
void *verify_open(void *arg);    /* connects, starts those below, then watches the state */
void *verify_loop(void *arg);    /* libvirt's event loop */
void *verify_figures(void *arg); /* stats and disk errors: monitor calls */
void *verify_agent(void *arg);
void *verify_console(void *arg);
void *verify_pty(void *arg);
void *verify_reach(void *arg);
void *verify_declared(void *arg);
void *verify_source(void *arg);
void *verify_write(void *arg); /* v->now into the live metadata */

/* virt/verify/domain.c. Return: 0 or negative errno. */
int verify_read_domain(const char *xml, struct verify_domain *ret, struct vw_err *err);
/* virt/verify/console.c */
struct verify_reader {
	int fd;
	struct vw_console_reader c;
};
/* Look at what was written. */
void verify_console_take(struct verify *v, struct verify_reader *r, const char *data, size_t n);
/* Ends what its consoles that are files of this host hold with a panic? */
bool verify_console_died(const struct verify_domain *d);
/* virt/verify/state.c: state and reason of a domain; VW_DOM_GONE if there is none. */
void verify_state(virDomainPtr dom, enum vw_dom_state *ret, enum vw_dom_reason *ret_reason,
		  char *text, size_t size);
/* virt/verify/events.c */
void verify_events_start(struct verify *v);
/* virt/verify/bridge.c: does one of its bridges lead nowhere? */
void verify_look_at_bridges(struct verify *v);
/* … and which subnets has this host on them? Before the threads start. */
void verify_find_subnets(struct verify *v);
/* Note a sample (the lock is not held). */
void verify_sample(struct verify *v, struct vw_sample *s);

#endif
