#!/usr/bin/env bash
# LocalStack runs this once it is ready. It refuses mail from whom nobody verified:
# this is the quickstart's sender, for a configuration without one of its own.
set -euo pipefail
awslocal sesv2 create-email-identity --email-identity styx@example.org
