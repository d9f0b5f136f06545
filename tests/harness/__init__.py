# SPDX-License-Identifier: BSD-2-Clause
"""What the end-to-end tests and the lab share: processes that never outlive us, and a rootle binary to drive."""
