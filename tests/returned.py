"""Letters that came back, as several mail servers write them."""

from __future__ import annotations

POSTFIX = """\
Return-Path: <>
From: MAILER-DAEMON@mx.police.example (Mail Delivery System)
To: liaison@police.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B/1"
Message-Id: <20261123120101.1234@mx.police.example>

--B/1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<{address}>: host mx.meridian.example[192.0.2.7] said: 550 5.1.1 No such user

--B/1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.police.example
X-Postfix-Queue-ID: 4F1
Arrival-Date: Mon, 23 Nov 2026 12:01:00 +0000 (UTC)

Final-Recipient: rfc822; {address}
Original-Recipient: rfc822;{address}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.meridian.example
Diagnostic-Code: smtp; 550 5.1.1 <{address}>: No such
    user here

--B/1
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: Liaison <liaison@police.example>
To: {address}
Subject: Emergency order
Message-ID: <{number}@police.example>
X-Liaison-Key: a key

Look in the portal.
--B/1--
"""

EXCHANGE = """\
From: <postmaster@meridian.example>
To: <liaison@police.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="9B095B5ADSN=_01"
Subject: Delivery Status Notification (Failure)

--9B095B5ADSN=_01
Content-Type: text/plain; charset=unicode-1-1-utf-7

This is an automatically generated Delivery Status Notification.

--9B095B5ADSN=_01
Content-Type: message/delivery-status

Reporting-MTA: dns;mail.meridian.example

Final-Recipient: RFC822;{address}
Action: {action}
Status: {status}

--9B095B5ADSN=_01
Content-Type: text/rfc822-headers

Received: from mx.police.example
Message-Id: <{number}@police.example>
Subject: Emergency order

--9B095B5ADSN=_01--
"""

EXIM = """\
Return-path: <>
X-Failed-Recipients: {address}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.police.example>
To: liaison@police.example
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

  {address}
    host mx.meridian.example [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:
    550 5.1.1 unknown user

------ This is a copy of the message, including all the headers. ------

Message-ID: <{number}@police.example>
Subject: Emergency order
"""

QMAIL = """\
Return-Path: <>
From: MAILER-DAEMON@mx.police.example
To: liaison@police.example
Subject: failure notice

Hi. This is the qmail-send program at mx.police.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{address}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Message-ID: <{number}@police.example>
Subject: Emergency order
"""

AWAY = """\
From: Nune <{address}>
To: liaison@police.example
Subject: Away until Monday
In-Reply-To: <{number}@police.example>
Auto-Submitted: auto-replied

I am away. Call the desk.
"""


def letter(
    shape: str, number: object, address: str, *, action: str = "failed", status: str = "5.1.1"
) -> bytes:
    """A server's letter about one of ours."""
    text = shape.format(number=number, address=address, action=action, status=status)
    return text.replace("\n", "\r\n").encode()
