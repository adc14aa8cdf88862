-- A store of version 2, as the last release of that version made it: its tables, then groups that left in the minute
-- before it was closed. Not to be brought up to date: stores like it are in use.

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
    report_overdue INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX delivery_by_message ON delivery (message, position);
CREATE INDEX delivery_by_state ON delivery (state, urgency, due_at);
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
    report_at INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX attempt_by_delivery ON attempt (delivery, number);
CREATE INDEX attempt_by_report ON attempt (account, vendor_id, recipient) WHERE vendor_id IS NOT NULL;
CREATE INDEX attempt_by_recipient ON attempt (account, recipient);

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
CREATE INDEX report_orphans ON report (account, vendor_id) WHERE delivery IS NULL;
CREATE INDEX report_orphans_to ON report (account, recipient) WHERE delivery IS NULL;

CREATE TABLE inbound (
    seq INTEGER PRIMARY KEY,
    raw INTEGER NOT NULL REFERENCES raw (id),
    account TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER,
    extension TEXT NOT NULL,
    vendor_id TEXT
);

CREATE TABLE quarantine (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    raw INTEGER NOT NULL REFERENCES raw (id),
    piece TEXT NOT NULL
);

PRAGMA application_id = 1953457011;
PRAGMA user_version = 2;

INSERT INTO message VALUES
    ('06dmcq4000000000000a', 1767225600000000, 'alert', '+8613900000001 +8613900000002', 'one', '{}', 'cli', '', '', NULL),
    ('06dmcq4000000000000b', 1767225600000000, 'alert', '+8613900000001', 'two', '{}', 'cli', '', '', NULL),
    ('06dmcq4000000000000c', 1767225600000000, 'critical', '+8613900000001', 'three', '{}', 'cli', '', '', NULL),
    ('06dmcq4000000000000d', 1767225600000000, 'otp', '+8613900000001', 'four', '{}', 'cli', '', '', NULL),
    ('06dmcq4000000000000e', 1767225600000000, 'bulk', '+8613900000001 +8613900000002', 'five', '{}', 'cli', '', '', NULL),
    ('06dmcq4000000000000f', 1767225600000000, 'alert', '+8613900000001', 'six', '{}', 'cli', '', '', NULL);
INSERT INTO idempotency VALUES
    ('a key', '06dmcq4000000000000a', 'f', 2);
INSERT INTO delivery VALUES
    ('06dmcq4000000000000a.1', '06dmcq4000000000000a', 1, '+8613900000001', 'submitted', 'all', 1767225600000000, 1767240000000000, 1767225601000000, 1, NULL, 'main', 3, 1, 0),
    ('06dmcq4000000000000a.2', '06dmcq4000000000000a', 2, '+8613900000002', 'failed', 'all', 1767225600000000, 1767240000000000, 1767225601000000, 1, NULL, 'main', 3, 1, 0),
    ('06dmcq4000000000000b.1', '06dmcq4000000000000b', 1, '+8613900000001', 'in_doubt', 'all', 1767225600000000, 1767240000000000, 1767225621000000, 1, NULL, 'main', 3, 1, 0),
    ('06dmcq4000000000000c.1', '06dmcq4000000000000c', 1, '+8613900000001', 'sending', 'all', 1767225600000000, 1767240000000000, 1767225640000000, 1, 'a-holder', 'main', 3, 0, 0),
    ('06dmcq4000000000000d.1', '06dmcq4000000000000d', 1, '+8613900000001', 'submitted', 'all', 1767225600000000, 1767225900000000, 1767225652000000, 1, NULL, 'backup', 3, 0, 0),
    ('06dmcq4000000000000e.1', '06dmcq4000000000000e', 1, '+8613900000001', 'queued', 'all', 1767225600000000, 1767312000000000, 1767225600000000, 0, NULL, NULL, 3, 3, 0),
    ('06dmcq4000000000000e.2', '06dmcq4000000000000e', 2, '+8613900000002', 'queued', 'all', 1767225600000000, 1767312000000000, 1767225600000000, 0, NULL, NULL, 3, 3, 0),
    ('06dmcq4000000000000f.1', '06dmcq4000000000000f', 1, '+8613900000001', 'queued', 'all', 1767225600000000, 1767240000000000, 1767225600000000, 0, NULL, NULL, 3, 1, 0);
INSERT INTO holder VALUES
    ('a-holder', 1767225700000000);
INSERT INTO attempt VALUES
    ('06dmcq4000000000000a.1.1', '06dmcq4000000000000a.1', 1, '06dmcq4000000000000a.1.1', 2, 'main', '+8613900000001', 'accepted', 1767225600000000, 1767225601000000, '77', 0, NULL, '', '', '', NULL, '', NULL),
    ('06dmcq4000000000000a.2.1', '06dmcq4000000000000a.2', 1, '06dmcq4000000000000a.1.1', 2, 'main', '+8613900000002', 'refused', 1767225600000000, 1767225601000000, NULL, 0, 'invalid_number', '', '', '', NULL, '', NULL),
    ('06dmcq4000000000000b.1.1', '06dmcq4000000000000b.1', 1, '06dmcq4000000000000b.1.1', 1, 'main', '+8613900000001', 'unknown', 1767225620000000, 1767225621000000, NULL, 0, NULL, '', '', 'read-timeout', NULL, '', NULL),
    ('06dmcq4000000000000c.1.1', '06dmcq4000000000000c.1', 1, '06dmcq4000000000000c.1.1', 1, 'main', '+8613900000001', 'intent', 1767225640000000, NULL, NULL, 0, NULL, '', '', '', NULL, '', NULL),
    ('06dmcq4000000000000d.1.1', '06dmcq4000000000000d.1', 1, '06dmcq4000000000000d.1.1', 1, 'main', '+8613900000001', 'not_sent', 1767225650000000, 1767225651000000, NULL, 0, NULL, '', '', 'connect-refused', NULL, '', NULL),
    ('06dmcq4000000000000d.1.2', '06dmcq4000000000000d.1', 2, '06dmcq4000000000000d.1.2', 1, 'backup', '+8613900000001', 'accepted', 1767225651000000, 1767225652000000, '78', 0, NULL, '', '', '', NULL, '', NULL);
INSERT INTO audit (at, delivery, event, before, after) VALUES
    (1767225600000000, '06dmcq4000000000000a.1', 'claim', 'queued', 'claimed'),
    (1767225600000000, '06dmcq4000000000000a.1', 'intent', 'claimed', 'sending'),
    (1767225601000000, '06dmcq4000000000000a.1', 'accepted', 'sending', 'submitted'),
    (1767225600000000, '06dmcq4000000000000a.2', 'claim', 'queued', 'claimed'),
    (1767225600000000, '06dmcq4000000000000a.2', 'intent', 'claimed', 'sending'),
    (1767225601000000, '06dmcq4000000000000a.2', 'try_again', 'sending', 'queued'),
    (1767225601000000, '06dmcq4000000000000a.2', 'claim', 'queued', 'claimed'),
    (1767225601000000, '06dmcq4000000000000a.2', 'give_up', 'claimed', 'failed'),
    (1767225620000000, '06dmcq4000000000000b.1', 'claim', 'queued', 'claimed'),
    (1767225620000000, '06dmcq4000000000000b.1', 'intent', 'claimed', 'sending'),
    (1767225621000000, '06dmcq4000000000000b.1', 'lost', 'sending', 'in_doubt'),
    (1767225640000000, '06dmcq4000000000000c.1', 'claim', 'queued', 'claimed'),
    (1767225640000000, '06dmcq4000000000000c.1', 'intent', 'claimed', 'sending'),
    (1767225650000000, '06dmcq4000000000000d.1', 'claim', 'queued', 'claimed'),
    (1767225650000000, '06dmcq4000000000000d.1', 'intent', 'claimed', 'sending'),
    (1767225651000000, '06dmcq4000000000000d.1', 'try_again', 'sending', 'queued'),
    (1767225651000000, '06dmcq4000000000000d.1', 'claim', 'queued', 'claimed'),
    (1767225651000000, '06dmcq4000000000000d.1', 'intent', 'claimed', 'sending'),
    (1767225652000000, '06dmcq4000000000000d.1', 'accepted', 'sending', 'submitted');
INSERT INTO decision VALUES
    (1, 1767225600000000, '{"decision": "submit", "account": "main", "why": "first"}');
INSERT INTO chapter (delivery, decision) VALUES
    ('06dmcq4000000000000a.1', 1),
    ('06dmcq4000000000000a.2', 1),
    ('06dmcq4000000000000b.1', 1),
    ('06dmcq4000000000000c.1', 1),
    ('06dmcq4000000000000d.1', 1),
    ('06dmcq4000000000000d.1', 1);
