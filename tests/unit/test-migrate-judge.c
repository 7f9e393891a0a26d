/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The judgement of a move as a pure function: facts by hand, one change at a time. */
#include "lib/migrate/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WORDS(...)                                                    \
	{                                                             \
		.v = (const char *[]){ __VA_ARGS__ },                 \
		.n = VW_N_ELEMENTS(((const char *[]){ __VA_ARGS__ })) \
	}

struct world {
	struct vw_host_virt virts[2];
	struct vw_host_net nets[1];
	struct vw_host_facts hosts[2];
	struct vw_live live;
	struct vw_features table;
	struct vw_move move;
	const char *type, *mode; /* of the domain and its CPU; NULL = qemu, host-model */
	const char *cpu, *extra; /* inside <cpu>; more elements; NULL = none */
};

static void make(struct world *w)
{
	static const char *features[] = { "aes", "sse2" }, *machines[] = { "q35" },
			  *security[] = { "none" }, *local[] = { "/a.img" };

	memset(w, 0, sizeof(*w));
	for (size_t i = 0; i < 2; i++) {
		w->virts[i] = (struct vw_host_virt){ .type = "qemu",
						     .emulator = "/usr/bin/qemu",
						     .model = "M",
						     .vendor = "",
						     .features = { features, 2, false },
						     .machines = { machines, 1, false } };
		for (size_t k = 0; k < 2; k++)
			vw_featset_add(&w->virts[i].set,
				       (unsigned)vw_features_intern(&w->table, features[k]));
		w->nets[0] = (struct vw_host_net){ .name = "net", .active = true };
		w->hosts[i] = (struct vw_host_facts){ .name = i ? "b" : "a",
						      .uri = "",
						      .hostname = "h",
						      .uuid = i ? "2" : "1",
						      .arch = "x86_64",
						      .security = { security, 1, false },
						      .virts = &w->virts[i],
						      .n_virts = 1,
						      .nets = w->nets,
						      .n_nets = 1 };
	}
	w->live = (struct vw_live){
		.active = true, .state = "running", .agent = true, .local = { local, 1, false }
	};
	w->move = (struct vw_move){
		.live = &w->live, .src = &w->hosts[0], .dst = &w->hosts[1], .table = &w->table
	};
}

#define NOTHING "" /* no reason at all */

/* Judge a domain with these devices; is the verdict so, and the worst reason this one? */
static void check(struct world *w, const char *devices, enum vw_verdict verdict, const char *id)
{
	struct vw_judgement j = { 0 };
	struct vw_xml *x = NULL;
	char *text = NULL;

	assert_true(asprintf(&text,
			     "<domain type='%s'><name>g</name><uuid>u</uuid>"
			     "<os><type machine='q35'>hvm</type></os>"
			     "<cpu mode='%s'>%s</cpu>%s<devices>%s</devices></domain>",
			     w->type ? w->type : "qemu", w->mode ? w->mode : "host-model",
			     w->cpu ? w->cpu : "", w->extra ? w->extra : "", devices) > 0);
	assert_int_equal(vw_xml_parse(text, strlen(text), "test", "domain", &x, NULL), 0);
	w->move.doc = x;
	assert_int_equal(vw_move_judge(&w->move, &j, NULL), 0);
	assert_string_equal(vw_verdict_name(j.verdict), vw_verdict_name(verdict));
	if (id && !strcmp(id, NOTHING))
		assert_int_equal(j.n, 0);
	else if (id)
		assert_true(j.n > 0 && !strcmp(j.reasons[0].id, id));
	for (size_t i = 0; i < j.n; i++) {
		const char *const *known = vw_reason_ids();

		while (*known && strcmp(*known, j.reasons[i].id) != 0)
			known++;
		assert_non_null(*known); /* each id that is said is in the list */
	}
	vw_judgement_clear(&j);
	vw_xml_free(x);
	free(text);
	vw_features_clear(&w->table);
}

#define DISK \
	"<disk type='file'><driver cache='none'/><source file='/a.img'/><target dev='vda'/></disk>"

static void test_network(void **state)
{
	struct world w;

	(void)state;
	make(&w);
	check(&w, "<interface type='network'><source network='net'/></interface>", VW_VERDICT_OK,
	      NULL);
	make(&w);
	check(&w, "<interface type='network'><source network='other'/></interface>",
	      VW_VERDICT_BLOCKED, "network-missing");
	make(&w);
	w.nets[0].active = false;
	check(&w, "<interface type='network'><source network='net'/></interface>",
	      VW_VERDICT_BLOCKED, "network-inactive");
	make(&w);
	w.hosts[1].unasked = (struct vw_words)WORDS("networks: access denied");
	check(&w, "<interface type='network'><source network='other'/></interface>",
	      VW_VERDICT_UNKNOWN, "unasked");
	make(&w);
	w.move.flags = VW_MOVE_OFFLINE;
	check(&w, "<interface type='network'><source network='other'/></interface>", VW_VERDICT_OK,
	      NULL);
}

static void test_storage(void **state)
{
	struct vw_host_file file = { "/a.img", true };
	struct world w;

	(void)state;
	make(&w);
	check(&w, DISK, VW_VERDICT_BLOCKED, "disk-not-shared");
	make(&w);
	w.live.shared = w.live.local;
	w.live.local.n = 0;
	check(&w, DISK, VW_VERDICT_UNKNOWN, "unasked"); /* is it there, too? */
	make(&w);
	w.live.shared = w.live.local;
	w.live.local.n = 0;
	w.hosts[1].files = &file;
	w.hosts[1].n_files = 1;
	check(&w, DISK, VW_VERDICT_OK, NOTHING);
	make(&w);
	w.live.local.n = 0;
	check(&w, DISK, VW_VERDICT_UNKNOWN, NULL);
	make(&w);
	w.move.flags = VW_MOVE_COPY_STORAGE;
	w.hosts[1].files = &file;
	w.hosts[1].n_files = 1;
	check(&w, DISK, VW_VERDICT_OK, NULL);
	make(&w);
	w.move.flags = VW_MOVE_COPY_STORAGE;
	file.there = false;
	w.hosts[1].files = &file;
	w.hosts[1].n_files = 1;
	check(&w, DISK, VW_VERDICT_BLOCKED, "disk-target-missing");
	make(&w);
	w.move.flags = VW_MOVE_COPY_STORAGE;
	w.move.copied = (struct vw_words)WORDS("vdb");
	check(&w, DISK, VW_VERDICT_BLOCKED, "disk-not-shared");
}

/* From afar statfs can't be asked: pools say what is mounted. */
static void test_pools(void **state)
{
	static const struct {
		const char *type, *format, *source,
			*there; /* there: NULL = no pool; "-dir" = a directory */
		enum vw_verdict verdict;
		const char *id;
	} rows[] = {
		{ "netfs", "nfs", "filer:/a", "filer:/a", VW_VERDICT_OK, NULL },
		{ "netfs", "nfs", "filer:/a", "filer.example:/a", VW_VERDICT_OK, NULL },
		{ "netfs", "nfs", "filer:/a", "filer:/b", VW_VERDICT_RISK, "disk-other-lun" },
		{ "netfs", "nfs", "filer:/a", NULL, VW_VERDICT_OK, NULL },
		{ "netfs", "nfs", "filer:/a", "-fs", VW_VERDICT_RISK, "disk-other-lun" },
		{ "netfs", "nfs", "filer:/a", "-dir", VW_VERDICT_OK, NULL },
		{ "fs", "ocfs2", "/dev/sdb", NULL, VW_VERDICT_OK, NULL },
		{ "fs", "xfs", "/dev/sdb", NULL, VW_VERDICT_BLOCKED, "disk-not-shared" },
		{ "dir", "", "", NULL, VW_VERDICT_UNKNOWN, "unasked" },
	};
	struct vw_host_file file = { "/srv/vm/a.img", true };
	struct world w;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		bool dir = rows[i].there && *rows[i].there == '-';
		struct vw_host_pool pools[] = {
			{ "outer", "dir", "/srv", "", "", true, { .v = NULL }, false },
			{ "inner",
			  rows[i].type,
			  "/srv/vm",
			  rows[i].format,
			  rows[i].source,
			  true,
			  { .v = NULL },
			  false },
			{ "there",
			  dir ? rows[i].there + 1 : "netfs",
			  "/srv/vm",
			  "nfs",
			  dir ? "" : rows[i].there,
			  true,
			  { .v = NULL },
			  false },
		};

		make(&w);
		w.live.local.n = 0;
		w.hosts[0].pools = pools;
		w.hosts[0].n_pools = 2;
		w.hosts[1].pools = &pools[2];
		w.hosts[1].n_pools = rows[i].there != NULL;
		w.hosts[1].files = &file;
		w.hosts[1].n_files = 1;
		check(&w,
		      "<disk type='file'><driver cache='none'/><source file='/srv/vm/a.img'/>"
		      "<target dev='vda'/></disk>",
		      rows[i].verdict, rows[i].id);
	}
	/* what statfs said on the host itself weighs more, and an inactive pool nothing */
	make(&w);
	w.live.local = (struct vw_words)WORDS("/srv/vm/a.img");
	w.hosts[0].pools = &(struct vw_host_pool){ "p",    "netfs", "/srv/vm",     "nfs",
						   "f:/a", true,    { .v = NULL }, false };
	w.hosts[0].n_pools = 1;
	check(&w,
	      "<disk type='file'><driver cache='none'/><source file='/srv/vm/a.img'/><target dev='vda'/></disk>",
	      VW_VERDICT_BLOCKED, "disk-not-shared");
	make(&w);
	w.live.local.n = 0;
	w.hosts[0].pools = &(struct vw_host_pool){ "p",    "netfs", "/srv/vm",     "nfs",
						   "f:/a", false,   { .v = NULL }, false };
	w.hosts[0].n_pools = 1;
	check(&w,
	      "<disk type='file'><driver cache='none'/><source file='/srv/vm/a.img'/><target dev='vda'/></disk>",
	      VW_VERDICT_UNKNOWN, NULL);
}

static void test_luns(void **state)
{
	static const struct {
		const char *path, *wwn[2], *serial[2];
		long long bytes[2];
		enum vw_verdict verdict;
		const char *id; /* NULL: nothing is said */
	} rows[] = {
		{ "/dev/sda", { "w1", "w1" }, { "", "" }, { 1, 1 }, VW_VERDICT_OK, NULL },
		{ "/dev/sda",
		  { "w1", "w2" },
		  { "", "" },
		  { 1, 1 },
		  VW_VERDICT_RISK,
		  "disk-other-lun" },
		{ "/dev/sda", { "", "" }, { "s", "s" }, { 1, 1 }, VW_VERDICT_OK, NULL },
		{ "/dev/sda",
		  { "", "" },
		  { "s", "t" },
		  { 1, 1 },
		  VW_VERDICT_RISK,
		  "disk-other-lun" },
		{ "/dev/sda", { "", "" }, { "", "" }, { 1, 2 }, VW_VERDICT_RISK, "disk-other-lun" },
		{ "/dev/sda", { "w1", "" }, { "", "s" }, { 1, 1 }, VW_VERDICT_OK, "disk-unproved" },
		{ "/dev/sdb",
		  { "w1", "w1" },
		  { "", "" },
		  { 1, 1 },
		  VW_VERDICT_OK,
		  "disk-unproved" },
		{ "/dev/disk/by-id/wwn-0x5",
		  { "", "" },
		  { "", "" },
		  { 0, 0 },
		  VW_VERDICT_OK,
		  NULL },
	};
	char device[256];
	struct world w;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		struct vw_host_lun luns[2];
		struct vw_host_file file = { rows[i].path, true };

		make(&w);
		for (size_t k = 0; k < 2; k++) {
			luns[k] = (struct vw_host_lun){ "/dev/sda", rows[i].wwn[k],
							rows[i].serial[k], rows[i].bytes[k] };
			w.hosts[k].luns = &luns[k];
			w.hosts[k].n_luns = 1;
		}
		w.hosts[1].files = &file;
		w.hosts[1].n_files = 1;
		snprintf(device, sizeof(device),
			 "<disk type='block' device='disk'><driver cache='none'/><source dev='%s'/>"
			 "<target dev='vda'/></disk>",
			 rows[i].path);
		check(&w, device, rows[i].verdict, rows[i].id ? rows[i].id : NOTHING);
	}
}

static void test_state(void **state)
{
	struct world w;

	(void)state;
	make(&w);
	w.live.snapshots = 1;
	check(&w, "", VW_VERDICT_BLOCKED, "snapshot");
	make(&w);
	w.live.checkpoints = 1;
	check(&w, "", VW_VERDICT_OK, "checkpoint");
	make(&w);
	w.live.block_job = true;
	check(&w, "", VW_VERDICT_BLOCKED, "block-job");
	make(&w);
	w.live.job = true;
	check(&w, "", VW_VERDICT_BLOCKED, "job-active");
	make(&w);
	w.live.io_error = true;
	check(&w, "", VW_VERDICT_RISK, "io-error");
	make(&w);
	w.live.agent = false;
	check(&w, "", VW_VERDICT_OK, "no-agent");
}

static void test_cpu(void **state)
{
	struct world w;

	(void)state;
	make(&w);
	memset(&w.virts[1].set, 0, sizeof(w.virts[1].set));
	check(&w, "", VW_VERDICT_BLOCKED, "cpu-features");
	/* back: what it has is what the destination gave it */
	make(&w);
	memset(&w.virts[1].set, 0, sizeof(w.virts[1].set));
	w.move.flags = VW_MOVE_BACK;
	check(&w, "", VW_VERDICT_OK, NULL);
	make(&w);
	w.virts[1].features.n = 0;
	check(&w, "", VW_VERDICT_UNKNOWN, "unasked");
}

/* host-passthrough under KVM reads the host's TSC. */
static void test_tsc(void **state)
{
	static const struct {
		const char *type, *mode;
		long long khz[2];
		bool scaling;
		unsigned flags;
		enum vw_verdict verdict;
	} rows[] = {
		{ "kvm", "host-passthrough", { 2600000, 3100000 }, false, 0, VW_VERDICT_RISK },
		{ "kvm", "host-passthrough", { 2600000, 2600100 }, false, 0, VW_VERDICT_OK },
		{ "kvm", "host-passthrough", { 2600000, 3100000 }, true, 0, VW_VERDICT_OK },
		{ "kvm", "host-passthrough", { 0, 3100000 }, false, 0, VW_VERDICT_OK },
		{ "kvm",
		  "host-passthrough",
		  { 2600000, 3100000 },
		  false,
		  VW_MOVE_BACK,
		  VW_VERDICT_OK },
		{ "kvm", "host-model", { 2600000, 3100000 }, false, 0, VW_VERDICT_OK },
		{ "qemu", "maximum", { 2600000, 3100000 }, false, 0, VW_VERDICT_OK },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		make(&w);
		for (size_t k = 0; k < 2; k++) {
			w.virts[k].type = rows[i].type;
			w.hosts[k].tsc_khz = rows[i].khz[k];
		}
		w.hosts[1].tsc_scaling = rows[i].scaling;
		w.move.flags = rows[i].flags;
		w.type = rows[i].type;
		w.mode = rows[i].mode;
		check(&w, "", rows[i].verdict,
		      rows[i].verdict == VW_VERDICT_RISK ? "tsc-frequency" : NULL);
	}
}

/* A label that travels needs its security model there; one that libvirt made on its own does not travel. */
static void test_security(void **state)
{
	static const struct {
		const char *label; /* in what would be sent */
		enum vw_verdict verdict;
	} rows[] = {
		{ "", VW_VERDICT_OK },
		{ "<seclabel type='dynamic' model='apparmor'/>", VW_VERDICT_BLOCKED },
		{ "<seclabel type='none' model='none'/>", VW_VERDICT_OK },
		{ "<seclabel type='dynamic' model='dac'/><seclabel model='selinux'/>",
		  VW_VERDICT_BLOCKED },
		{ "<seclabel type='dynamic' model='dac'/>", VW_VERDICT_OK },
		{ "<seclabel type='dynamic'/>", VW_VERDICT_OK },
	};
	struct world w;
	char text[256];

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		struct vw_xml *sent = NULL;

		make(&w);
		w.hosts[1].security = (struct vw_words)WORDS("none", "dac");
		snprintf(text, sizeof(text), "<domain>%s</domain>", rows[i].label);
		assert_int_equal(vw_xml_parse(text, strlen(text), "test", "domain", &sent, NULL),
				 0);
		w.move.sent = sent;
		check(&w, "", rows[i].verdict,
		      rows[i].verdict == VW_VERDICT_BLOCKED ? "security-model" : NULL);
		vw_xml_free(sent);
	}
}

/* Older software; a libvirt that is too old to be asked is unknown, not a risk. */
static void test_versions(void **state)
{
	struct world w;

	(void)state;
	make(&w);
	w.hosts[0].libvirt = 9000000;
	w.hosts[1].libvirt = 8000000;
	check(&w, "", VW_VERDICT_OK, "libvirt-older");
	make(&w);
	w.hosts[0].libvirt = 9000000;
	w.hosts[0].qemu = 7002000;
	w.hosts[1].libvirt = 4000000;
	w.hosts[1].qemu = 2011000;
	w.virts[1].features.n = 0;
	check(&w, "", VW_VERDICT_UNKNOWN, NULL);
}

static void test_host(void **state)
{
	struct vw_host_domain taken = { .name = "g", .uuid = "other" };
	struct world w;

	(void)state;
	make(&w);
	w.hosts[1].uuid = "1";
	check(&w, "", VW_VERDICT_BLOCKED, "host-same");
	make(&w);
	w.hosts[1].domains = &taken;
	w.hosts[1].n_domains = 1;
	check(&w, "", VW_VERDICT_BLOCKED, "name-taken");
	make(&w);
	taken = (struct vw_host_domain){ .name = "g", .uuid = "u" };
	w.hosts[1].domains = &taken;
	w.hosts[1].n_domains = 1;
	check(&w, "", VW_VERDICT_OK, NULL);
	taken.active = true;
	make(&w);
	w.hosts[1].domains = &taken;
	w.hosts[1].n_domains = 1;
	check(&w, "", VW_VERDICT_BLOCKED, "already-active");
	make(&w);
	w.hosts[1].hostname = "localhost";
	check(&w, "", VW_VERDICT_RISK, "host-localhost");
	make(&w);
	w.hosts[0].qemu = 8000000;
	w.hosts[1].qemu = 7002000;
	check(&w, "", VW_VERDICT_RISK, "qemu-older");
	make(&w);
	w.hosts[1].n_virts = 0;
	check(&w, "", VW_VERDICT_BLOCKED, "virt-type");
}

static void test_hugepages(void **state)
{
#define HUGE(page)                                                           \
	"<memory unit='KiB'>2097152</memory><memoryBacking><hugepages>" page \
	"</hugepages></memoryBacking>"
	static const struct {
		const char *extra;
		struct vw_host_pages pages;
		enum vw_verdict verdict;
	} rows[] = {
		{ HUGE(""), { 2048, 1024, 1024 }, VW_VERDICT_OK },
		{ HUGE(""), { 2048, 1024, 1023 }, VW_VERDICT_BLOCKED },
		{ HUGE(""), { 2048, 1024, -1 }, VW_VERDICT_OK }, /* free is not said */
		{ HUGE(""), { 2048, 1023, -1 }, VW_VERDICT_BLOCKED },
		{ HUGE("<page size='1' unit='G'/>"), { 1048576, 2, 2 }, VW_VERDICT_OK },
		{ HUGE("<page size='1048576' unit='KiB'/>"),
		  { 1048576, 2, 1 },
		  VW_VERDICT_BLOCKED },
		{ HUGE("<page size='1' unit='G'/>"), { 2048, 9999, 9999 }, VW_VERDICT_BLOCKED },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		struct vw_host_pages pages = rows[i].pages;

		make(&w);
		w.extra = rows[i].extra;
		w.hosts[1].pages = &pages;
		w.hosts[1].n_pages = 1;
		check(&w, "", rows[i].verdict,
		      rows[i].verdict == VW_VERDICT_BLOCKED ? "hugepages" : NOTHING);
	}
	make(&w); /* half of them on each of two NUMA nodes */
	w.extra = HUGE("");
	w.hosts[1].pages = (struct vw_host_pages[]){ { 2048, 512, 512 }, { 2048, 512, 512 } };
	w.hosts[1].n_pages = 2;
	check(&w, "", VW_VERDICT_OK, NOTHING);
	make(&w);
	w.extra = HUGE("");
	w.hosts[1].unasked = (struct vw_words)WORDS("pages: no");
	check(&w, "", VW_VERDICT_UNKNOWN, "unasked");
	make(&w);
	w.extra = "<memory unit='KiB'>2097152</memory>";
	w.hosts[1].memory_kib = 1048576;
	check(&w, "", VW_VERDICT_RISK, "memory-short");
}

/* Numbers that no host and no domain has must not overflow into the opposite verdict. */
static void test_huge_numbers(void **state)
{
	struct vw_host_pages pages[] = { { 2048, INT64_MAX, INT64_MAX },
					 { 2048, INT64_MAX, INT64_MAX } };
	struct world w;

	(void)state;
	make(&w);
	w.extra = "<memory>9223372036854775807</memory><memoryBacking><hugepages/></memoryBacking>";
	w.hosts[1].pages = (struct vw_host_pages[]){ { 2048, 1024, 1024 } };
	w.hosts[1].n_pages = 1;
	check(&w, "", VW_VERDICT_BLOCKED, "hugepages");
	make(&w);
	w.extra = "<memory>2097152</memory><memoryBacking><hugepages/></memoryBacking>";
	w.hosts[1].pages = pages;
	w.hosts[1].n_pages = 2;
	check(&w, "", VW_VERDICT_OK, NOTHING);
	make(&w);
	w.type = "kvm";
	w.mode = "maximum";
	for (size_t i = 0; i < 2; i++)
		w.virts[i].type = "kvm";
	w.hosts[0].tsc_khz = INT64_MAX;
	w.hosts[1].tsc_khz = INT64_MIN; /* not said */
	check(&w, "", VW_VERDICT_OK, NULL);
	w.hosts[1].tsc_khz = 1;
	check(&w, "", VW_VERDICT_RISK, "tsc-frequency");
}

/* invtsc moves with a fixed frequency only, to a host that runs at it, or scales. */
static void test_invtsc(void **state)
{
#define INVTSC "<model>M</model><feature policy='require' name='invtsc'/>"
#define TIMER "<clock><timer name='tsc' frequency='2600000000'/></clock>"
	static const struct {
		const char *cpu, *extra;
		long long khz;
		bool scaling;
		enum vw_verdict verdict;
	} rows[] = {
		{ INVTSC, "", 2600000, false, VW_VERDICT_BLOCKED },
		{ INVTSC, TIMER, 2600000, false, VW_VERDICT_OK },
		{ INVTSC, TIMER, 2600600, false, VW_VERDICT_OK }, /* 250 ppm = 650 kHz */
		{ INVTSC, TIMER, 2600700, false, VW_VERDICT_BLOCKED },
		{ INVTSC, TIMER, 3100000, false, VW_VERDICT_BLOCKED },
		{ INVTSC, TIMER, 3100000, true, VW_VERDICT_OK },
		{ "<model>M</model>", TIMER, 3100000, false, VW_VERDICT_BLOCKED },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		make(&w);
		for (size_t k = 0; k < 2; k++) {
			w.virts[k].type = "kvm";
			vw_featset_add(&w.virts[k].set,
				       (unsigned)vw_features_intern(&w.table, "invtsc"));
		}
		w.type = "kvm";
		w.mode = "custom";
		w.cpu = rows[i].cpu;
		w.extra = rows[i].extra;
		w.hosts[1].tsc_khz = rows[i].khz;
		w.hosts[1].tsc_scaling = rows[i].scaling;
		check(&w, "", rows[i].verdict,
		      rows[i].verdict == VW_VERDICT_BLOCKED ? "tsc-frequency" : NULL);
	}
}

/* AMD and Intel. A CPU of a model without <vendor> is one for both, if they give its features. */
static void test_vendor(void **state)
{
	static const struct {
		const char *type, *mode, *cpu;
		enum vw_verdict verdict;
	} rows[] = {
		{ "kvm", "host-model", "", VW_VERDICT_BLOCKED },
		{ "kvm", "host-passthrough", "", VW_VERDICT_RISK },
		{ "kvm", "maximum", "", VW_VERDICT_RISK },
		{ "kvm", "custom", "<model>M</model><vendor>Intel</vendor>", VW_VERDICT_BLOCKED },
		{ "kvm", "custom", "<model>M</model>", VW_VERDICT_OK },
		{ "qemu", "host-model", "", VW_VERDICT_OK },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		make(&w);
		w.virts[0].type = w.virts[1].type = w.type = rows[i].type;
		w.virts[0].vendor = "Intel";
		w.virts[1].vendor = "AMD";
		w.mode = rows[i].mode;
		w.cpu = rows[i].cpu;
		check(&w, "", rows[i].verdict,
		      rows[i].verdict == VW_VERDICT_OK ? NULL : "cpu-vendor");
	}
	/* a guest of KVM where there is only emulation */
	make(&w);
	w.type = "kvm";
	w.virts[0].type = "kvm";
	check(&w, "", VW_VERDICT_BLOCKED, "virt-type");
}

/* Devices of the host. */
static void test_devices(void **state)
{
	static const struct {
		const char *devices;
		enum vw_verdict verdict;
		const char *id;
	} rows[] = {
		{ "<hostdev type='pci'/>", VW_VERDICT_BLOCKED, "hostdev" },
		{ "<hostdev type='mdev'/>", VW_VERDICT_BLOCKED, "hostdev" },
		{ "<hostdev type='scsi'/>", VW_VERDICT_BLOCKED, "hostdev" },
		{ "<hostdev type='scsi_host'/>", VW_VERDICT_BLOCKED, "hostdev" },
		{ "<hostdev type='usb'/>", VW_VERDICT_RISK, "host-device" },
		{ "<hostdev type='pci'><teaming type='transient'/></hostdev>", VW_VERDICT_OK,
		  NOTHING },
		{ "<interface type='hostdev'/>", VW_VERDICT_BLOCKED, "hostdev" },
		{ "<interface type='hostdev'><teaming type='transient'/></interface>",
		  VW_VERDICT_OK, NOTHING },
		{ "<interface type='vdpa'/>", VW_VERDICT_RISK, "vhost-user" },
		{ "<interface type='user'/>", VW_VERDICT_OK, NOTHING },
		{ "<filesystem><driver type='virtiofs'/></filesystem>", VW_VERDICT_BLOCKED,
		  "virtiofs" },
		{ "<filesystem><driver type='path'/></filesystem>", VW_VERDICT_RISK,
		  "shared-directory" },
		{ "<shmem role='master'><model type='ivshmem-plain'/></shmem>", VW_VERDICT_RISK,
		  "shmem" },
		{ "<shmem><model type='ivshmem-doorbell'/></shmem>", VW_VERDICT_BLOCKED, "shmem" },
		{ "<shmem role='master'><model type='ivshmem'/></shmem>", VW_VERDICT_BLOCKED,
		  "shmem" },
		{ "<tpm><backend type='passthrough'/></tpm>", VW_VERDICT_RISK, "host-device" },
		{ "<tpm><backend type='emulator'/></tpm>", VW_VERDICT_OK, NOTHING },
		{ "<input type='evdev'/>", VW_VERDICT_RISK, "host-device" },
		{ "<input type='tablet' bus='usb'/>", VW_VERDICT_OK, NOTHING },
		{ "<disk type='nvme'><source/><target dev='vda'/></disk>", VW_VERDICT_BLOCKED,
		  "disk-nvme" },
		{ "<disk type='network'><source protocol='rbd'/><target dev='vda'/></disk>",
		  VW_VERDICT_OK, NOTHING },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		make(&w);
		check(&w, rows[i].devices, rows[i].verdict, rows[i].id);
	}
	/* Newer software asks the device's driver. */
	static const struct {
		const char *type;
		long long libvirt, qemu;
		enum vw_verdict verdict;
	} newer[] = {
		{ "pci", 9000000, 7002000, VW_VERDICT_BLOCKED },
		{ "pci", 9000000, 8001000, VW_VERDICT_UNKNOWN },
		{ "mdev", 8005000, 8001000, VW_VERDICT_BLOCKED },
		{ "mdev", 8006000, 8001000, VW_VERDICT_UNKNOWN },
		{ "scsi", 9000000, 7002000, VW_VERDICT_UNKNOWN },
		{ "scsi_host", 9000000, 8001000, VW_VERDICT_BLOCKED },
	};
	for (size_t i = 0; i < VW_N_ELEMENTS(newer); i++) {
		char device[64];

		make(&w);
		w.hosts[0].libvirt = w.hosts[1].libvirt = newer[i].libvirt;
		w.hosts[0].qemu = w.hosts[1].qemu = newer[i].qemu;
		snprintf(device, sizeof(device), "<hostdev type='%s'/>", newer[i].type);
		check(&w, device, newer[i].verdict, "hostdev");
	}
	make(&w);
	w.hosts[0].libvirt = w.hosts[1].libvirt = 10000000;
	w.hosts[0].qemu = w.hosts[1].qemu = 8002000;
	check(&w, "<filesystem><driver type='virtiofs'/></filesystem>", VW_VERDICT_UNKNOWN,
	      "virtiofs");
	make(&w);
	w.hosts[0].libvirt = w.hosts[1].libvirt = 8000000;
	check(&w, "<interface type='vdpa'/>", VW_VERDICT_BLOCKED, "hostdev");
	make(&w);
	w.virts[1].caps = (struct vw_words)WORDS("devices=known");
	check(&w, "<tpm><backend type='emulator'/></tpm>", VW_VERDICT_BLOCKED, "tpm");
	make(&w);
	w.hosts[1].arch = "aarch64";
	check(&w, "", VW_VERDICT_BLOCKED, "host-arch");
}

/* A hostile domain: no names, no targets, a name full of quotes. */
static void test_hostile(void **state)
{
	struct world w;

	(void)state;
	make(&w);
	check(&w,
	      "<disk/><disk type='block'/><interface/><interface type='network'><source/></interface>"
	      "<hostdev/><shmem/><tpm/><filesystem/><graphics/><input/>",
	      VW_VERDICT_BLOCKED, NULL);
}

static void test_features(void **state)
{
	struct vw_features t = { 0 };
	char name[VW_FEATURES_MAX][8];

	(void)state;
	for (unsigned i = 0; i < VW_FEATURES_MAX; i++) {
		snprintf(name[i], sizeof(name[i]), "f%u", i);
		assert_int_equal(vw_features_intern(&t, name[i]), (int)i);
	}
	assert_int_equal(vw_features_intern(&t, "f7"), 7);
	assert_true(vw_features_intern(&t, "one more") < 0);
	vw_features_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network),      cmocka_unit_test(test_storage),
		cmocka_unit_test(test_pools),        cmocka_unit_test(test_luns),
		cmocka_unit_test(test_state),        cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_tsc),          cmocka_unit_test(test_host),
		cmocka_unit_test(test_security),     cmocka_unit_test(test_versions),
		cmocka_unit_test(test_hugepages),    cmocka_unit_test(test_invtsc),
		cmocka_unit_test(test_vendor),       cmocka_unit_test(test_devices),
		cmocka_unit_test(test_hostile),      cmocka_unit_test(test_features),
		cmocka_unit_test(test_huge_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
