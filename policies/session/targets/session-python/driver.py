# SPDX-License-Identifier: Apache-2.0
"""Drives session-python (MIT) through one journey: account, message, attachment, reply.

    driver.py client    the audited side, inside the sandbox
    driver.py peer      whom the client writes to, outside of it

Speaks the driver protocol of docs/targets.md: JSON lines on both sides, standard library and the
client itself. The library is used as published; nothing in it is changed.
"""

import hashlib
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

WAIT_S = 40
"""Longest time for one step."""
PEER_WAIT_S = 100
"""Longest time that the peer waits for the client to have an account."""
POLL_S = 0.4


class TooLate(BaseException):
    """A step took too long. No Exception: the library swallows those and tries again."""


def say(action, *, ok=True, note="", facts=None, identifiers=None):
    line = {"action": action, "ok": ok, "note": note, "facts": facts or {}}
    if identifiers:
        line["identifiers"] = [{"kind": kind, "value": value} for kind, value in identifiers]
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def limit(seconds, what):
    """From now on the program has so many seconds for what it does."""

    def late(_number, _frame):
        raise TooLate(f"{what} was not done in {seconds} s")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def digest(data):
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def read_json(variable):
    return json.loads(Path(os.environ[variable]).read_text(encoding="utf-8"))


def hear(role, seconds):
    """Return the account that the recorder names for the other side."""
    limit(seconds, f"waiting for the account of the {role}")
    for line in sys.stdin:
        account = json.loads(line).get(role, {}).get("account")
        if account:
            return account
    raise SystemExit(f"the recorder ended before it named the account of the {role}")


def open_account():
    """Return a client with a new account.

    The library strips a leading 05 twice from the key it encrypts for, so an account whose key
    itself starts with 05 (1 in 256) cannot be written to: such a one is drawn again.
    """
    from session_python import Session

    while True:
        client = Session()
        client.set_mnemonic(Session.generate_mnemonic())
        if not client.get_session_id().startswith("0505"):
            return client
        client.close()


def messages(poller, sender):
    """Yield the messages of one sender as they come; copies of one's own are not for reading."""
    while True:
        for message in poller.poll():
            theirs = message["type"] == "data" and message["from"] == sender
            if theirs and not message["syncTarget"]:
                yield message
        time.sleep(POLL_S)


def run_client(step):
    from session_python.polling import Poller

    persona = read_json("AUDIT_PERSONA")
    step("account.create")
    limit(WAIT_S, "creating the account")
    client = open_account()
    client.set_display_name(persona["display_name"])
    account = client.get_session_id()
    say(
        "account.create",
        facts={"account": account},
        identifiers=[("account_id", account), ("recovery_phrase", client.get_mnemonic())],
    )
    step("app.message.send")
    peer = hear("peer", WAIT_S)
    limit(WAIT_S, "sending the message")
    client.send_message(peer, text=persona["message"])
    say("app.message.send", facts={"text_sha256": digest(persona["message"])})
    step("app.attachment.send")
    limit(WAIT_S, "sending the attachment")
    data = persona["attachment"].encode()
    part = {"data": data, "name": persona["attachment_name"], "content_type": "text/plain"}
    client.send_message(peer, attachments=[part])
    say("app.attachment.send", facts={"file_sha256": digest(data)})
    step("app.message.receive")
    limit(WAIT_S, "receiving the reply")
    for message in messages(Poller(client), peer):
        if message["body"]:
            say("app.message.receive", facts={"text_sha256": digest(message["body"])})
            break
    client.close()


def run_peer(step):
    from session_python.polling import Poller

    persona = read_json("AUDIT_PERSONA")
    step("account.create")
    peer = open_account()
    say("account.create", facts={"account": peer.get_session_id()})
    step("app.message.receive")
    client = hear("client", PEER_WAIT_S)
    limit(PEER_WAIT_S, "receiving the client's message and attachment")
    text = file = False
    for message in messages(Poller(peer), client):
        if message["body"]:
            facts = {"account": client, "text_sha256": digest(message["body"])}
            say("app.message.receive", facts=facts)
            text = True
        for part in message["attachments"]:
            step("app.attachment.receive")
            facts = {"account": client, "file_sha256": digest(peer.get_file(part))}
            say("app.attachment.receive", facts=facts)
            file = True
        if text and file:
            break
    step("app.message.send")
    limit(WAIT_S, "sending the reply")
    peer.send_message(client, text=persona["reply"])
    facts = {"account": client, "text_sha256": digest(persona["reply"])}
    say("app.message.send", facts=facts)
    peer.close()


def main():
    roles = {"client": run_client, "peer": run_peer}
    if len(sys.argv) != 2 or sys.argv[1] not in roles:
        sys.exit("usage: driver.py client|peer")
    steps = ["account.create"]
    try:
        roles[sys.argv[1]](steps.append)
    except (Exception, TooLate, SystemExit) as error:
        text = " ".join(str(error).split())[:300] or type(error).__name__
        text = re.sub(r"[0-9a-fA-F]{40,}", "…", text)  # no account or key goes into a journal
        say(steps[-1], ok=False, note=text)
        sys.exit(f"{sys.argv[1]}: {steps[-1]}: {text}")


if __name__ == "__main__":
    main()
