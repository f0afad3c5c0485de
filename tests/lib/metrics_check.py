#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
In:   metrics_check.py OPENMETRICS TEXT DASHBOARD [CONDITION]..., pages of xcap top in both formats.
Out:  exit 0 when python3-prometheus-client reads both, they have the same series, every metric of
      the dashboard and every label that it names is on the page, and the conditions hold: v("NAME",
      label="value") is the sum of the samples that have these.
"""
import json
import re
import sys
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics


def samples(families):
    found = {}
    for family in families:
        for s in family.samples:
            key = (s.name, tuple(sorted(s.labels.items())))
            assert key not in found, f"twice: {key}"
            found[key] = s.value
    return found


new = samples(openmetrics.text_string_to_metric_families(open(sys.argv[1]).read()))
old = samples(parser.text_string_to_metric_families(open(sys.argv[2]).read()))
names = {name for name, _ in new}
assert names == {name for name, _ in old}, names ^ {name for name, _ in old}
on_page = set(re.findall(r"^# TYPE (\S+)", open(sys.argv[2]).read(), re.M)) | names


def v(metric, **labels):
    return sum(value for (name, have), value in new.items()
               if name == metric and labels.items() <= dict(have).items())


for panel in json.load(open(sys.argv[3]))["panels"]:
    for target in panel["targets"]:
        used = set(re.findall(r"xcap_\w+", target["expr"]))
        assert used, target
        missing = {m for m in used if m not in on_page and re.sub("_(sum|count)$", "", m) not in on_page}
        assert not missing, f"not on the page: {missing}"
        for metric in used & names:
            have = {label for name, labels in new if name == metric for label, _ in labels}
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                optional = label in ("name", "container", "unit", "cgroup")
                assert optional or label in have, f"{metric} has no label {label}, but {have}"
for condition in sys.argv[4:]:
    assert eval(condition), condition
