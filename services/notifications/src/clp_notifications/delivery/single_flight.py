"""Questions that several ask at the same time, asked as one."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(slots=True)
class _Together(Generic[Q, A]):
    """Who asks together, and what they were told."""

    questions: list[Q] = field(default_factory=list)
    answers: list[A] = field(default_factory=list)
    error: Exception | None = None

    @property
    def is_over(self) -> bool:
        return bool(self.answers) or self.error is not None


class Shared(Generic[Q, A]):
    """Asks one question after the other; what comes meanwhile is the next question.

    So an answer is never older than the question it is given for, and however many
    ask, at most two questions are paid for by the one who waits.
    """

    def __init__(self, ask: Callable[[Sequence[Q]], A]) -> None:
        self._ask = ask
        self._next: _Together[Q, A] = _Together()
        self._turn = threading.Lock()

    def ask(self, question: Q) -> A:
        """The answer to a question and to those that others asked with it.

        Raises:
            Exception: whatever the asking raised; it is raised to all of them.
        """
        mine = self._next
        mine.questions.append(question)
        with self._turn:
            if not mine.is_over:
                self._next = _Together()
                try:
                    mine.answers.append(self._ask(mine.questions))
                except Exception as error:  # noqa: BLE001 - it is raised to each of them
                    mine.error = error
        if mine.error is not None:
            raise mine.error
        return mine.answers[0]
