"""The tables of a SQLite store. Times are integer microseconds since 1970, UTC; ids and numbers are text."""

from __future__ import annotations

APPLICATION_ID = 0x746F6373
"""`tocs`: marks the file as ours."""

VERSION = 4

ALERTS = """
CREATE TABLE alert (
    source TEXT NOT NULL,
    receiver TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status TEXT NOT NULL,
    level TEXT NOT NULL,
    starts_at INTEGER,
    ends_at INTEGER,
    seen_at INTEGER NOT NULL,
    told_at INTEGER,
    message TEXT,
    PRIMARY KEY (source, receiver, fingerprint)
) WITHOUT ROWID;
CREATE INDEX alert_seen ON alert (seen_at);

CREATE TABLE stream (
    source TEXT NOT NULL,
    audience TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    told INTEGER NOT NULL,
    pending TEXT,
    held TEXT NOT NULL,
    PRIMARY KEY (source, audience)
) WITHOUT ROWID;
"""

BOOKS = """
CREATE INDEX attempt_to ON attempt (recipient, intended_at);
CREATE INDEX delivery_expiring ON delivery (expires_at) WHERE state = 'queued';
CREATE INDEX attempt_settled ON attempt (settled_at) WHERE vendor_id IS NOT NULL;

CREATE TABLE spending (
    submit TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    class TEXT NOT NULL,
    retries INTEGER NOT NULL,
    resends INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    cost INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX spending_at ON spending (at);
CREATE INDEX spending_of ON spending (account, at, messages, cost);
CREATE INDEX spending_of_class ON spending (class, at);

CREATE TABLE health (
    account TEXT PRIMARY KEY,
    body TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE weight (
    account TEXT NOT NULL,
    prefix TEXT NOT NULL,
    points INTEGER NOT NULL,
    moved_at INTEGER NOT NULL,
    PRIMARY KEY (account, prefix)
) WITHOUT ROWID;
CREATE TABLE weight_change (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    account TEXT NOT NULL,
    prefix TEXT NOT NULL,
    before INTEGER NOT NULL,
    after INTEGER NOT NULL,
    reason TEXT NOT NULL
);

CREATE TABLE opt_out (
    number TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    account TEXT,
    word TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE turn (
    route TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""What accounts have used up, how they fare, and who wants no more."""

PUSHES = """
CREATE INDEX report_orphans ON report (account, vendor_id) WHERE delivery IS NULL AND trust > 1;
CREATE INDEX report_orphans_to ON report (account, recipient) WHERE delivery IS NULL AND trust > 1;
CREATE INDEX report_pushed ON report (account, recipient, vendor_id) WHERE trust < 3;
CREATE INDEX inbound_by_sender ON inbound (account, sender);

CREATE TABLE poll_wanted (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, kind)
) WITHOUT ROWID;
"""
"""What is asked of what vendors push: what may be matched (1 is a token alone, 3 a poll), what came before."""

TALLIES = """
CREATE TABLE tally (
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    state TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (kind, account, state)
) WITHOUT ROWID;

CREATE TABLE canary (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
);
"""
"""What has ended, counted as it ends; an account of no name is none."""

SCHEMA = (
    """
CREATE TABLE message (
    id TEXT PRIMARY KEY,
    accepted_at INTEGER NOT NULL,
    class TEXT NOT NULL,
    recipients TEXT NOT NULL,
    text TEXT NOT NULL,
    tags TEXT NOT NULL,
    source TEXT NOT NULL,
    extension TEXT NOT NULL,
    subject TEXT NOT NULL,
    send_at INTEGER
) WITHOUT ROWID;

CREATE TABLE attachment (
    message TEXT NOT NULL REFERENCES message (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (message, position)
) WITHOUT ROWID;

CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    message TEXT NOT NULL REFERENCES message (id),
    fingerprint TEXT NOT NULL,
    repeats INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE delivery (
    id TEXT PRIMARY KEY,
    message TEXT NOT NULL REFERENCES message (id),
    position INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL,
    route TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    holder TEXT,
    account TEXT,
    revision INTEGER NOT NULL DEFAULT 0,
    urgency INTEGER NOT NULL DEFAULT 0,
    report_overdue INTEGER NOT NULL DEFAULT 0,
    only TEXT,
    turn INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX delivery_by_message ON delivery (message, position);
CREATE INDEX delivery_by_state ON delivery (state, urgency, due_at, route, only, account);
CREATE INDEX delivery_by_recipient ON delivery (recipient);
CREATE INDEX delivery_by_holder ON delivery (holder) WHERE holder IS NOT NULL;

CREATE TABLE holder (
    id TEXT PRIMARY KEY,
    lease_until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE poller (
    account TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    lease_until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE listening (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    heard_at INTEGER,
    trouble TEXT NOT NULL,
    gaps INTEGER NOT NULL,
    PRIMARY KEY (account, kind)
) WITHOUT ROWID;

CREATE TABLE keyword_list (
    account TEXT PRIMARY KEY,
    fetched_at INTEGER NOT NULL,
    words TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE balance_asked (
    account TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE attempt (
    id TEXT PRIMARY KEY,
    delivery TEXT NOT NULL REFERENCES delivery (id),
    number INTEGER NOT NULL,
    submit TEXT NOT NULL,
    group_size INTEGER NOT NULL,
    account TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL,
    intended_at INTEGER NOT NULL,
    settled_at INTEGER,
    vendor_id TEXT,
    partial INTEGER NOT NULL,
    reason TEXT,
    code TEXT NOT NULL,
    vendor_text TEXT NOT NULL,
    cause TEXT NOT NULL,
    report INTEGER,
    report_code TEXT NOT NULL,
    report_at INTEGER,
    trigger TEXT NOT NULL DEFAULT 'first',
    segments INTEGER NOT NULL DEFAULT 0,
    cost INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE UNIQUE INDEX attempt_by_delivery ON attempt (delivery, number);
CREATE INDEX attempt_by_report ON attempt (account, vendor_id, recipient) WHERE vendor_id IS NOT NULL;
CREATE INDEX attempt_by_recipient ON attempt (account, recipient);
"""
    + BOOKS
    + ALERTS
    + """
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    delivery TEXT NOT NULL,
    event TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
);
CREATE INDEX audit_by_delivery ON audit (delivery);

CREATE TABLE decision (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE chapter (
    seq INTEGER PRIMARY KEY,
    delivery TEXT NOT NULL,
    decision INTEGER NOT NULL REFERENCES decision (id)
);
CREATE INDEX chapter_by_delivery ON chapter (delivery);

CREATE TABLE raw (
    id INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    trust INTEGER NOT NULL,
    fault TEXT,
    status INTEGER,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    read INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX raw_unread ON raw (account, kind) WHERE read = 0;

CREATE TABLE report (
    seq INTEGER PRIMARY KEY,
    raw INTEGER NOT NULL REFERENCES raw (id),
    account TEXT NOT NULL,
    trust INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    vendor_id TEXT,
    recipient TEXT NOT NULL,
    state INTEGER NOT NULL,
    code TEXT NOT NULL,
    at INTEGER,
    delivery TEXT,
    by_number INTEGER NOT NULL,
    shared INTEGER NOT NULL
);

CREATE TABLE inbound (
    seq INTEGER PRIMARY KEY,
    raw INTEGER NOT NULL REFERENCES raw (id),
    account TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER,
    extension TEXT NOT NULL,
    vendor_id TEXT,
    trust INTEGER NOT NULL DEFAULT 3
);

CREATE TABLE quarantine (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    raw INTEGER NOT NULL REFERENCES raw (id),
    piece TEXT NOT NULL
);
"""
    + PUSHES
    + TALLIES
)

_TO_3_COLUMNS = """
ALTER TABLE delivery ADD COLUMN only TEXT;
ALTER TABLE delivery ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN trigger TEXT NOT NULL DEFAULT 'first';
ALTER TABLE attempt ADD COLUMN segments INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;
DROP INDEX delivery_by_state;
CREATE INDEX delivery_by_state ON delivery (state, urgency, due_at, route, only);
"""
_TO_3_ROWS = """
INSERT INTO spending SELECT a.submit, a.account, min(a.intended_at), m.class, 0, 0, count(*), 0
    FROM attempt a JOIN delivery d ON d.id = a.delivery JOIN message m ON m.id = d.message
    WHERE a.state IN ('intent', 'accepted', 'unknown') GROUP BY a.submit;
"""
_TO_4_COLUMNS = """
ALTER TABLE inbound ADD COLUMN trust INTEGER NOT NULL DEFAULT 3;
DROP INDEX report_orphans;
DROP INDEX report_orphans_to;
"""
_TO_4_INDEXES = """
DROP INDEX delivery_by_state;
CREATE INDEX delivery_by_state ON delivery (state, urgency, due_at, route, only, account);
DROP INDEX spending_of;
CREATE INDEX spending_of ON spending (account, at, messages, cost);
"""
_TO_4_ROWS = """
INSERT INTO tally SELECT 'delivery', coalesce(account, ''), state, count(*) FROM delivery
    WHERE state IN ('delivered', 'undelivered', 'report_timeout', 'failed', 'expired', 'cancelled')
    GROUP BY account, state;
INSERT INTO tally SELECT 'attempt', account, state, count(*) FROM attempt WHERE state <> 'intent'
    GROUP BY account, state;
"""

MIGRATIONS: dict[int, str] = {
    1: """
ALTER TABLE delivery ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN urgency INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN report_overdue INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET urgency = (
    SELECT CASE class WHEN 'alert' THEN 1 WHEN 'notice' THEN 2 WHEN 'bulk' THEN 3 ELSE 0 END
    FROM message WHERE message.id = delivery.message
);
ALTER TABLE idempotency ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;
DROP INDEX attempt_in_doubt;
CREATE INDEX attempt_by_recipient ON attempt (account, recipient);
DROP INDEX delivery_by_state;
CREATE INDEX delivery_by_state ON delivery (state, urgency, due_at);
CREATE TABLE listening (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    heard_at INTEGER,
    trouble TEXT NOT NULL,
    gaps INTEGER NOT NULL,
    PRIMARY KEY (account, kind)
) WITHOUT ROWID;
""",
    2: _TO_3_COLUMNS + BOOKS + _TO_3_ROWS,
    3: ALERTS + _TO_4_COLUMNS + PUSHES + _TO_4_INDEXES + TALLIES + _TO_4_ROWS,
}
"""What makes a store of that version one of the next."""
