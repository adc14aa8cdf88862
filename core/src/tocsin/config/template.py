"""The commented tocsin.toml that `tocsin init` writes.

A line that begins with `#` and a blank is prose; one that begins with `#` and a key is an option at its default or an
example of one, and every one of them can be switched on by taking the `#` away.
"""

from __future__ import annotations

TEMPLATE = """\
# tocsin.toml: which SMS accounts there are, who is called, and by which account.
#
# Lines such as this one explain. A line such as "#signature = …" is an option that is switched off:
# take the "#" away to use it. After a change, `tocsin check` says whether all is well.
#
# Passwords do not stand in this file. Each is named in one of three ways:
#     { env = "NAME" }              an environment variable
#     { file = "path" }             a file that only you can read (chmod 600)
#     { keyring = "service/user" }  an entry of the system's keyring (needs: pip install keyring)


# Where messages are kept, so that none is lost when the machine stops. Three slashes: a file beside
# this one. Four: an absolute path, as in sqlite:////var/lib/tocsin/tocsin.db

[store]
url = "sqlite:///tocsin.db"


# Accounts: one table for each contract with a vendor. The name after the dot is yours to choose;
# routes (below) and the command line use it. `tocsin vendors` lists the vendors that are installed.

[accounts.main]
vendor    = "winnerlook"
user_code = "demo"                            # the user code that the vendor gave you
password  = { env = "WINNERLOOK_PASSWORD" }
channel   = "37"                              # the channel number that the vendor gave you

# This vendor's address is plain http: whoever can listen on the way reads password, numbers and texts.
# tocsin uses it only after you have said that you know.
insecure_http = "acknowledged"

# Another address, for example of a proxy or of `tocsin sandbox winnerlook`.
#base_url = "http://yes.itissm.com"

# Appended to every text that does not end in a signature. Both vendors want one.
#signature = "【Example】"

# What one segment of a text costs. In quotes, so that it stays exact.
#price = "0.10"

# How much the account may be used: numbers in one submit, submits in a window, messages to one number, whether
# per_recipient counts by "number" or for the "account" as a whole, and (with a price) money in 24 hours, by
# spend_per_day = "50". What you leave out is the vendor's own.
#limits = { submits = ["50/s"], per_recipient = ["10/d"], max_recipients = 500, limit_scope = "number" }

# How often delivery reports, replies and the balance are asked for.
#poll = { reports = "5s", inbound = "5s", balance = "60s" }

# Below this balance the account is not used.
#balance_floor = "20"

# When the account may be used.
#hours = "08:00-22:00 Asia/Shanghai"

# true where other software sends through the same account.
#shared = false

# A fire drill: one real message to a number of your own, through this account alone, by the worker.
#drill = { to = "+8613900000000", every = "24h" }

[accounts.backup]
vendor   = "ipyy"
user_id  = "12"
account  = "demo"
password = { env = "IPYY_PASSWORD" }
#signature = "【Example】"


# Groups: numbers under one name, for `tocsin send --group oncall`. Mainland numbers may stand bare.

[groups]
#oncall = ["+8613900000000", "13900000001"]


# What holds for all accounts together: messages to one number (critical ones count by themselves; an empty list is
# no limit), and money in 24 hours.

[limits]
#per_recipient = ["60/h", "200/d"]
#critical_per_recipient = ["120/h"]
#spend_per_day = "500"


# Who answers with one of these words gets no more, through any account; but for the classes that are exempt.

[opt_out]
#words = ["TD", "T", "退订", "STOP"]
#exempt = ["otp"]


# Alerts: what Alertmanager posts to /v1/alerts/alertmanager. Who is told is said by ?group=… in that address, else by
# the label sms_to of an alert, else by the receiver that Alertmanager chose, else by the groups given here.

[sources.alertmanager]
#groups = ["oncall"]
#receivers = { dba = "oncall" }

# The class of an alert, by the values of its label "severity".
#classes = { critical = "critical", info = "notice" }

# Of which alerts the end is told: "always", "told" (of those that were told), "never".
#resolved = "always"

# What becomes of an alert that still fires when Alertmanager repeats it: "send" or "drop". The same again within the
# window is another peer's copy.
#repeats = "send"
#window = "10m"

# More messages than that to one audience are summed up in one; by night, notices wait for the morning.
#storm = { messages = 10, window = "5m" }
#quiet = { hours = "22:00-07:00 Asia/Shanghai", class = ["notice", "bulk"] }


# Routes: the first one whose `match` fits takes the message. One without `match` takes all, and stands last.
# "failover" tries the accounts in the order given, and goes on to the next when that is right: when the
# first could not be reached, or refused for a reason that another might not have. Others: "round-robin" (in turn),
# "cheapest" (by price and length), "best" (by delivery reports), "broadcast" (a copy by every account), and
# "weighted": accounts = [{ account = "main", weight = 70 }, { account = "backup", weight = 30 }]

[[routes]]
name     = "all"
strategy = "failover"
accounts = ["main", "backup"]

# What a route takes: class, tags, prefix, country, source, hours, size = { min = 1, max = 70 }.
# All that is asked must hold; a list means any of.
# Classes are otp, critical, alert (where nobody says), notice and bulk.
#match = { class = ["otp", "critical"], prefix = "+86", tags = { team = "db" }, hours = "08:00-22:00 Asia/Shanghai" }

# Each class has its own rules. A route may change them:
# what to do when nobody knows whether a message was taken: "hold" it (never a second copy),
# or send it again by the "resend-same" or the "resend-other" account (perhaps a second copy);
#when_in_doubt = "resend-other"
# how long to wait first for a report that settles it;
#evidence_wait = "60s"
# how long to wait for the report of a message that was taken, before the next account is tried;
#report_timeout = "5m"
# what a report "not delivered" leads to: the "next" account, or "stop";
#on_undelivered = "next"
# when it is too late to begin another try;
#expires_after = "4h"
# and how many copies may reach one phone at most.
#max_copies = 2
"""
