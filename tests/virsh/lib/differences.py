# SPDX-License-Identifier: LGPL-2.1-or-later
# The table in docs/differences-virt-install.md: one row is one documented difference. Columns:
#   rule | where | ours | virt-install's | why
# where: templates of which one must fit (globs), id:GLOB for the short id of an OS, then after a
# semicolon conditions that must all hold (kvm tcg file block vnc spice). Values are globs, "-" = nothing.
from fnmatch import fnmatchcase


def value_fits(pattern, value):
    return value == '' if pattern == '-' else fnmatchcase(value, pattern)


class Row:
    def __init__(self, line, cells):
        self.line = line
        self.used = False
        self.rule, where, self.ours, self.theirs, self.why = cells
        who, _, conditions = where.partition(';')
        self.who, self.conditions = who.split(), set(conditions.split())

    def fits(self, rule, case, ours, theirs):
        who = any(fnmatchcase(case['os'], word[3:]) if word.startswith('id:')
                  else fnmatchcase(case['template'], word) for word in self.who)
        return (rule == self.rule and who and self.conditions <= case['conditions'] and
                value_fits(self.ours, ours) and value_fits(self.theirs, theirs))

    def __str__(self):
        return f'line {self.line}: {self.rule} | {" ".join(self.who)} | {self.ours} | {self.theirs}'


def read(path):
    rows = []
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            cells = [cell.strip().replace('`', '') for cell in line.strip().strip('|').split('|')]
            if not line.startswith('|') or len(cells) != 5 or cells[0] == 'rule' or set(cells[0]) <= set('-: '):
                continue
            rows.append(Row(number, cells))
    return rows
