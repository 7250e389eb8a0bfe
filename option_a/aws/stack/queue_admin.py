"""What a person asks of the queues: how much they hold, what is dead, what is to be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from option_a.aws.dead_letter import decode_dead_letter
from option_a.aws.queue import SqsQueue, errors
from option_a.ingest.ports import DeadLetter, Depth
from option_a.ingest.task import Task, read_task

R = TypeVar("R")
_AT_ONCE = 16
_LOOK, _CANCELLING = 120, 900
"""Seconds for which messages are hidden while they are looked at; each is given back as soon as all are seen."""
_NEARLY_DEAD = 3
"""Receives from which a message that is only looked at is sent anew: looking must not bring it to the dead letters."""
_COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible"]


class SqsQueueAdmin(SqsQueue):
    """The queues of a deployed stack, for the command line."""

    def depth(self) -> list[Depth]:
        """What each queue holds, by name; SQS counts approximately, and tells no age."""
        return self._of_each(self._depth)

    def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter, the oldest first. They stay where they are."""
        letters = [letter for mine in self._of_each(self._letters) for letter in mine]
        newest = {(letter.queue, letter.body): letter for letter in sorted(letters, key=lambda letter: letter.died_at)}
        return sorted(newest.values(), key=lambda letter: letter.died_at)

    def delete_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Delete dead letters."""
        for letter in letters:
            self.delete(self.dead_url(letter.queue), letter.receipt)

    def cancel(self, source: str, first: str, last: str) -> tuple[int, int]:
        """Take back the tasks of a source's dates (inclusive): how many, and how many are delayed or in flight.

        What is delayed cannot be seen, so it is counted whatever its date. What is seen and not wanted is given back.
        """
        taken, kept, url = 0, [], self.url(source)
        for message in self._drained(url, visibility=_CANCELLING):
            task = read_task(message["Body"].encode())
            if task is not None and first <= task.day <= last:
                self.delete(url, message["ReceiptHandle"])
                taken += 1
            else:
                kept.append(message)
        for message in kept:
            self._give_back(url, message, read_task(message["Body"].encode()))
        depth = self._depth(source)
        return taken, depth.delayed + depth.in_flight

    def move_dead(self, source: str) -> None:
        """Have SQS move every letter of a source back to its queue: the only way for what nobody can read."""
        with errors("move the dead letters of", self.url(source)):
            self.client.start_message_move_task(
                SourceArn=self._arn(self.dead_url(source)), DestinationArn=self._arn(self.url(source))
            )

    def _of_each(self, ask: Callable[[str], R]) -> list[R]:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(threads.map(ask, sorted(self.sources)))

    def _depth(self, source: str) -> Depth:
        visible, delayed, in_flight = self._counts(self.url(source))
        dead = sum(self._counts(self.dead_url(source)))
        return Depth(source, visible, delayed, in_flight, dead)

    def _counts(self, url: str) -> list[int]:
        attributes = self._attributes(url, _COUNTS)
        return [int(attributes[name]) for name in _COUNTS]

    def _arn(self, url: str) -> str:
        return self._attributes(url, ["QueueArn"])["QueueArn"]

    def _attributes(self, url: str, names: list[str]) -> dict[str, str]:
        with errors("look at", url):
            answer = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        attributes: dict[str, str] = answer["Attributes"]
        return attributes

    def _letters(self, source: str) -> list[DeadLetter]:
        url = self.dead_url(source)
        messages = list(self._drained(url, visibility=_LOOK)) if sum(self._counts(url)) else []
        for message in messages:
            self.change_visibility(url, message["ReceiptHandle"], 0)
        return [decode_dead_letter(source, message) for message in messages]

    def _drained(self, url: str, *, visibility: int) -> Iterator[dict[str, Any]]:
        """Every message that can be received now, each hidden for so many seconds: until none comes any more."""
        while batch := self.messages(url, visibility=visibility, wait=1):
            yield from batch

    def _give_back(self, url: str, message: dict[str, Any], task: Task | None) -> None:
        if task is not None and int(message["Attributes"]["ApproximateReceiveCount"]) >= _NEARLY_DEAD:
            self.send([task.requeued(waiting_since=task.waiting_since)])
            self.delete(url, message["ReceiptHandle"])
        else:
            self.change_visibility(url, message["ReceiptHandle"], 0)
