# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# A document of ./dev bench as a table. $old: an earlier one, or none.
def fix($n): . * pow(10; $n) | round / pow(10; $n) | tostring;
def pad($n): . + (" " * ([$n - length, 0] | max));
def left($n): (" " * ([$n - length, 0] | max)) + .;
def line($w): [.[0] | pad(16)] + [.[1] | pad(20)] + [.[2] | pad(11)] + [.[3:][] | left(9)] | join(" ");
def figure: [.[0] | pad(16)] + [.[1] | pad(34)] + [.[2] | pad(11)] + [.[3:][] | left(9)] | join(" ");
(["work", "metric", "against", "allot", "other", "min", "median", "max", "to reach", ""]
    + (if ($old | length) > 0 then ["before"] else [] end) | line(0)),
(.table[] | . as $l |
    ([.work, .metric, .against, (.allot | fix(1)), (.other | fix(1)),
      (.min | fix(3)), (.median | fix(3)), (.max | fix(3)),
      (if .mark then (.mark | tostring) else "-" end),
      (if .mark then (if .median >= .mark then "reached" else "missed" end) else "" end)]
     + (if ($old | length) > 0 then
          [[$old[0].table[] | select(.work == $l.work and .metric == $l.metric and
             .against == $l.against) | .median | fix(3)] | .[0] // "-"] else [] end)) | line(0)),
(select(.figures | length > 0) | "",
    (["work", "figure", "of", "min", "median", "max"] | figure),
    (.figures[] | [.work, .metric, .variant, (.min, .median, .max | fix(3))] | figure))
