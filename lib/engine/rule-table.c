/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of rules. A rule describes itself in its own file; here it has its line. */
#include "lib/engine/rules.h"

/* In the order in which they are applied: what later rules depend on comes first
 * (machine before buses, buses before what hangs on a bus). */
static const struct vw_rule *const rules[] = {
	&vw_rule_os_metadata,  &vw_rule_disk_format,   &vw_rule_shared_memory,
	&vw_rule_machine,      &vw_rule_firmware,      &vw_rule_acpi,
	&vw_rule_pm,           &vw_rule_cpu_mode,      &vw_rule_clock,
	&vw_rule_hyperv,       &vw_rule_pcie_ports,    &vw_rule_disk_bus,
	&vw_rule_cdrom_bus,    &vw_rule_disk_cache,    &vw_rule_disk_io,
	&vw_rule_disk_discard, &vw_rule_disk_iothread, &vw_rule_nic_model,
	&vw_rule_nic_queues,   &vw_rule_usb,           &vw_rule_tablet,
	&vw_rule_video,        &vw_rule_rng,           &vw_rule_agent_channel,
	&vw_rule_balloon,      &vw_rule_panic_device,  &vw_rule_tpm,
};

size_t vw_rule_count(void)
{
	return VW_N_ELEMENTS(rules);
}

const struct vw_rule *vw_rule_at(size_t i)
{
	return rules[i];
}

const char *vw_rule_id(size_t i)
{
	return i < VW_N_ELEMENTS(rules) ? rules[i]->id : NULL;
}

long vw_rule_number(const char *id)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(rules); i++)
		if (!strcmp(rules[i]->id, id))
			return (long)i;
	return -1;
}
