#!/usr/bin/env bash
# Ends a deployment: brings the settings that are secret, and says what styx
# doctor finds.
#
#   infra/after.sh outputs.json styx.yml
#
# The outputs are those that the CDK wrote. Exits as the doctor does: DNS records
# that are not there yet are a problem, and the deployment stands all the same.
set -euo pipefail

read -r stack region settings < <(node -p '
	const [stack, outputs] = Object.entries(JSON.parse(require("fs").readFileSync(process.argv[1])))[0];
	[stack, outputs.Region, outputs.SecretSettingsArn].join(" ");' "$1")
if [[ -n $settings ]]; then
	bin/styx settings put --secret "$settings" --region "$region" dist/secret-settings.json
fi
command=(bin/styx doctor --stack "$stack" --region "$region" -c "$2")
printf '\n%s is deployed. What the doctor says, now and later by\n  %s\n\n' "$stack" "${command[*]}"
"${command[@]}"
