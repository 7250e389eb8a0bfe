"""The tables of the embedded queue, and the statements over them."""

from __future__ import annotations

from option_a.ingest.ports import MAX_RECEIVES

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS tasks (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL, date TEXT NOT NULL, run TEXT NOT NULL, hop INTEGER NOT NULL,
    body BLOB NOT NULL,
    sent_at REAL NOT NULL, visible_at REAL NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0, receipt TEXT,
    UNIQUE (run, source, date, hop)
);
CREATE INDEX IF NOT EXISTS next_of_source ON tasks (source, visible_at, id);
DROP INDEX IF EXISTS next_task;
CREATE INDEX IF NOT EXISTS received ON tasks (receipt) WHERE receipt IS NOT NULL;
CREATE INDEX IF NOT EXISTS exhausted ON tasks (visible_at) WHERE receives >= {MAX_RECEIVES};
CREATE TABLE IF NOT EXISTS dead (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL, date TEXT NOT NULL, run TEXT NOT NULL,
    body BLOB NOT NULL, died_at REAL NOT NULL, receives INTEGER NOT NULL, cause BLOB NOT NULL,
    UNIQUE (run, source, date)
);
"""
SEND = """
INSERT OR IGNORE INTO tasks (source, date, run, hop, body, sent_at, visible_at)
SELECT :source, :date, :run, :hop, :body, coalesce(
    (SELECT min(sent_at) FROM tasks WHERE run = :run AND source = :source AND date = :date), :now), :visible
WHERE :hop > 0 OR NOT EXISTS (SELECT 1 FROM tasks WHERE run = :run AND source = :source AND date = :date)
"""
# the first of each source, then the first of those: a million tasks of other sources in front cost nothing
RECEIVE = """
WITH wanted (name) AS (VALUES (NULL){sources})
UPDATE tasks SET receipt = ?, visible_at = ?, receives = receives + 1
WHERE id = (
    SELECT id FROM (
        SELECT (SELECT id FROM tasks WHERE source = name AND visible_at <= ? ORDER BY visible_at, id LIMIT 1) AS first
        FROM wanted
    ) CROSS JOIN tasks ON id = first ORDER BY visible_at, id LIMIT 1
)
RETURNING source, body, receives, receipt
"""
HELD = """
SELECT source, visible_at FROM tasks INDEXED BY received
WHERE source IN ({sources}) AND receipt IS NOT NULL AND visible_at > ? ORDER BY visible_at LIMIT 1
"""
EXHAUSTED = f"""
INSERT OR REPLACE INTO dead (source, date, run, body, died_at, receives, cause)
SELECT source, date, run, body, :now, receives, :cause
FROM tasks WHERE visible_at <= :now AND receives >= {MAX_RECEIVES}
"""
FORGET_EXHAUSTED = f"DELETE FROM tasks WHERE visible_at <= :now AND receives >= {MAX_RECEIVES}"
DEPTH = """
SELECT source, sum(visible_at <= :now),
       sum(receipt IS NULL AND visible_at > :now), sum(receipt IS NOT NULL AND visible_at > :now), min(sent_at)
FROM tasks GROUP BY source
"""
