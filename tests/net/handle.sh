#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Waiting, waking, breaking, filtering and accounts of one handle, on lo.
exec "$B/tests/handle"
