# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# A document of ./dev bench as the table of docs/performance.md.
def fix($n): . * pow(10; $n) | round / pow(10; $n) | tostring;
"| work | metric | against | allot | other | ratio: min | median | max | to reach |",
"|---|---|---|---|---|---|---|---|---|",
(.table[] | "| \(.work) | \(.metric) | \(.against) | \(.allot | fix(1)) | \(.other | fix(1)) | \(.min | fix(3)) | **\(.median | fix(3))** | \(.max | fix(3)) | \(if .mark then "\(.mark)\(if .median >= .mark then "" else " missed" end)" else "-" end) |"),
(select(.figures | length > 0) | "",
    "| work | figure | of | min | median | max |",
    "|---|---|---|---|---|---|",
    (.figures[] | "| \(.work) | \(.metric) | \(.variant) | \(.min | fix(3)) | **\(.median | fix(3))** | \(.max | fix(3)) |")),
"",
"\(.machine.cores) cores (\(.machine.cpu)), \(.machine.memory_mib) MiB, Linux \(.machine.kernel), GlusterFS \(.machine.glusterfs), \([.table[].rounds] | max) rounds, \(.date)."
