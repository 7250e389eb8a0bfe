"""The embedded queue as trials have it whose clock is their own."""

from __future__ import annotations

from option_a.local.queue import SqliteQueue


class SeenQueue(SqliteQueue):
    """It tells, besides, when there is something to do: until then such a clock can be moved."""

    def next_visible(self) -> float | None:
        """The epoch second at which the first live task is or becomes visible; None if there is none."""
        with self._transaction() as db:
            found: tuple[float | None] = db.execute("SELECT min(visible_at) FROM tasks").fetchone()
        return found[0]
