"""The embedded queue for tests with a fake clock: it tells how far the clock may be moved."""

from __future__ import annotations

from option_a.local.queue import SqliteQueue


class InspectableSqliteQueue(SqliteQueue):
    """The real queue, plus the time at which the next task becomes visible."""

    def next_visible(self) -> float | None:
        """The epoch second at which the first live task is or becomes visible; None if there is none."""
        with self._transaction() as db:
            found: tuple[float | None] = db.execute("SELECT min(visible_at) FROM tasks").fetchone()
        return found[0]
