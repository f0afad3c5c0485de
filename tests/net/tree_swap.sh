#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# In:   streams whose filter follows one process, then another.
# Out:  exit 0 when each has the calls of those that it follows.
# Owns: nothing.
# Runs on: root.
set -euo pipefail
exec tree_swap
