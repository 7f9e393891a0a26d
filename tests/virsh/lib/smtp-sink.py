#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# An SMTP server for tests: smtp-sink.py PORT DIR writes each message as DIR/N.eml, and as
# DIR/N.json what stands in it: {"from","to":[…],"headers":[[k,v]…],"subject","body"}.
import asyncio
import email
import email.policy
import itertools
import json
import os
import sys

from aiosmtpd.smtp import SMTP

numbers = itertools.count(1)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        path = f"{sys.argv[2]}/{next(numbers)}"
        with open(path + ".eml", "wb") as f:
            f.write(envelope.content)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with open(path + ".new", "w", encoding="utf-8") as f:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos,
                       "headers": [[k, str(v)] for k, v in message.items()],
                       "subject": str(message["Subject"]), "body": message.get_content()}, f)
        os.rename(path + ".new", path + ".json")
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), enable_SMTPUTF8=True), "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
