"""Runs MiniStack, an AWS emulator, with what Styx's stack needs put right.

Each correction below is something that AWS does and MiniStack 1.5.33 does not.
"""

import inspect
import json
import os
import socketserver
import string

from email.utils import parseaddr

from ministack import app
from ministack.core.responses import get_account_id, get_region, now_iso
from ministack.services import apigateway, dynamodb, eventbridge, ses, ses_v2
from ministack.services.cloudformation import provisioners

# LOG_LEVEL is the emulator's own by now. Functions get its environment, and
# they would read it as Kratos' log.level.
os.environ.pop("LOG_LEVEL", None)


# The Runtime API that functions talk to sends headers and body on their own,
# which costs each event a delayed acknowledgement: 40 ms.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def correct(kind, create):
    """Lets create(original, ...) stand for how a type of resource is made."""
    handlers = provisioners._RESOURCE_HANDLERS[kind]
    original = handlers["create"]
    handlers["create"] = lambda *args, **kwargs: create(original, *args, **kwargs)


def identity_with_records(original, logical_id, properties, *args, **kwargs):
    """A mail identity signs unless told not to, and has its DKIM records."""
    properties = {"DkimAttributes": {"SigningEnabled": True}, **properties}
    identity, attributes = original(logical_id, properties, *args, **kwargs)
    for n in "123":
        attributes[f"DkimDNSTokenName{n}"] = f"token{n}._domainkey.{identity}"
        attributes[f"DkimDNSTokenValue{n}"] = f"token{n}.dkim.amazonses.com"
    return identity, attributes


def table_as_described(original, logical_id, properties, *args, **kwargs):
    """A table of a template has the options that calls set on other tables."""
    name, attributes = original(logical_id, properties, *args, **kwargs)
    if expiry := properties.get("TimeToLiveSpecification"):
        dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": told(expiry)})
    if recovery := properties.get("PointInTimeRecoverySpecification"):
        dynamodb._update_continuous_backups({"TableName": name, "PointInTimeRecoverySpecification": told(recovery)})
    for index in dynamodb._tables[name]["GlobalSecondaryIndexes"]:
        index["IndexStatus"] = "ACTIVE"
    return name, attributes


def told(options):
    """Options of a template, which may say "true" for true."""
    return {key: value == "true" if value in ("true", "false") else value for key, value in options.items()}


def secrets_by_their_arns():
    """What a template calls a secret is its ARN, which permissions go by."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    made, changed, deleted = handlers["create"], handlers["update"], handlers["delete"]

    def by_arn(made):
        name, attributes = made
        return attributes["Arn"], attributes

    def name_of(arn):
        return arn.rpartition(":")[2].rpartition("-")[0]

    handlers["create"] = lambda *args: by_arn(made(*args))
    handlers["update"] = lambda arn, *args, **kwargs: by_arn(changed(name_of(arn), *args, **kwargs))
    handlers["delete"] = lambda arn, *args: deleted(name_of(arn), *args)


def secret_without_punctuation(properties, original=provisioners._sm_secret_string):
    """A generated secret has no punctuation when it was asked for without."""
    asked = properties.get("GenerateSecretString") or {}
    if asked.get("ExcludePunctuation") in (True, "true"):
        asked = {**asked, "ExcludeCharacters": string.punctuation}
        properties = {**properties, "GenerateSecretString": asked}
    return original(properties)


def mail_by_sender(method, path, headers, body, query, request_id, original=app._enforce_ses_v2):
    """Whether mail may be sent is a matter of the sender's identity and address."""
    if (method, path) != ("POST", "/v2/email/outbound-emails"):
        return original(method, path, headers, body, query, request_id)
    address = parseaddr(json.loads(body).get("FromEmailAddress", ""))[1]
    identity = address.partition("@")[2]
    return app._enforce_data_plane(
        "sesv2", "ses:SendEmail", headers, query, request_id,
        resource_arn=f"arn:aws:ses:{get_region()}:{get_account_id()}:identity/{identity}",
        service_context={"ses:FromAddress": address},
    )


async def mail_with_outcome(method, path, headers, body, query, original=ses_v2.handle_request):
    """A mail to SES' mailbox simulator comes back on the account's event bus, if
    the sender's configuration set says so."""
    answer = await original(method, path, headers, body, query)
    if (method, path) != ("POST", "/v2/email/outbound-emails") or answer[0] != 200:
        return answer
    mail = json.loads(body)
    tags = {tag["Name"]: [tag["Value"]] for tag in mail.get("EmailTags", [])}
    sender = parseaddr(mail["FromEmailAddress"])[1].partition("@")[2]
    of_sender = ses_v2._config_sets.get(ses_v2._identities.get(sender, {}).get("ConfigurationSetName"), {})
    for recipient in mail["Destination"]["ToAddresses"]:
        local, _, domain = recipient.partition("@")
        if domain != "simulator.amazonses.com":
            continue
        for kind, detail_type in (("Bounce", "Email Bounced"), ("Complaint", "Email Complaint Received")):
            wanted = any(
                to["Enabled"] and "EventBridgeDestination" in to and kind.upper() in to["MatchingEventTypes"]
                for to in of_sender.get("EventDestinations", {}).values())
            if not wanted or local.partition("+")[0] != kind.lower():
                continue
            detail = ses._notification_detail(kind, recipient, now_iso(), "General")
            eventbridge._put_events({"Entries": [{
                "Source": "aws.ses", "DetailType": detail_type,
                "Detail": json.dumps({"eventType": kind, "mail": {"tags": tags}, **detail}),
            }]}, allow_aws_source=True)
    return answer


def path_as_it_came(host, path, original=app._parse_execute_api_url):
    """An API's functions see each slash of a path. Every stage here is $default."""
    found = original(host, path)
    return found and (found[0], "$default", path)


def rewrite(module, function, old, new):
    """Changes a line of a function that can not be changed from outside."""
    source = inspect.getsource(getattr(module, function))
    assert source.count(old) == 1, f"{function} is another one by now"
    exec(source.replace(old, new), vars(module))


# An HTTP API without CORS of its own has its routes answer OPTIONS.
rewrite(apigateway, "_handle_execute_in_scope", 'if method == "OPTIONS":', 'if method == "OPTIONS" and cors_cfg:')

# What a function answers without a type has none.
rewrite(apigateway, "_invoke_lambda_proxy", 'resp_headers = {"Content-Type": "application/json"}', "resp_headers = {}")

app._parse_execute_api_url = path_as_it_came
correct("AWS::SES::EmailIdentity", identity_with_records)
correct("AWS::DynamoDB::Table", table_as_described)
secrets_by_their_arns()
provisioners._sm_secret_string = secret_without_punctuation
app._enforce_ses_v2 = mail_by_sender
ses_v2.handle_request = mail_with_outcome

app.main()
