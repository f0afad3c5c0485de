#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Filters about system calls: exactly those come that are wanted, the others are refused where they
# happen, and counted; also while the filter changes.
exec "$B/tests/wanted"
