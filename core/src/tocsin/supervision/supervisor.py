"""Keeps the gateway and the worker alive, replaces both when the configuration has changed, and ends both.

One thread decides, over a queue of what happened: signals, ends of processes, time. It reads no configuration itself
and knows nothing of what the processes do.
"""

from __future__ import annotations

import enum
import queue
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import attrs

from tocsin import observe
from tocsin.errors import TocsinError
from tocsin.supervision.child import Child, Ended, Program, Ready
from tocsin.supervision.listening import Listener
from tocsin.supervision.post import Post

START_S = 30.0
"""How long a new gateway may take until it answers, before the old one stays."""


class Order(enum.Enum):
    """What a signal asks for."""

    STOP = "stop"
    RELOAD = "reload"


_ORDERS = {signal.SIGTERM: Order.STOP, signal.SIGINT: Order.STOP, signal.SIGHUP: Order.RELOAD}

Happening = Order | Ended | Ready | None
"""None: it is time for something."""


@attrs.define
class _Succession:
    """A gateway that is about to take the place of the one that works."""

    child: Child
    listener: Listener
    until: float


class Supervisor:
    """Two posts, and what happens to them.

    Args:
        gateway, worker: what the processes run.
        listener: what the gateway listens on.
        renew: reads the configuration anew and returns its listener: the same, or one for a new address. Raises
            `TocsinError` where nothing shall change.
    """

    def __init__(
        self, gateway: Program, worker: Program, listener: Listener, renew: Callable[[Listener], Listener]
    ) -> None:
        self._happened: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._living: list[Child] = []
        self._gateway = Post(attrs.evolve(gateway, listener=listener.socket), self._start)
        self._worker = Post(worker, self._start)
        self._listener = listener
        self._renew = renew
        self._succession: _Succession | None = None
        self._reload_again = False
        self._stopping = False
        self._forced = False

    def run(self) -> bool:
        """Supervise until told to end; say whether both ended in an orderly way."""
        with self._signals():
            for post in (self._gateway, self._worker):
                post.fill()
            while self._living or not self._stopping:
                self._meet(self._next())
        self._listener.socket.close()
        return not self._forced

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def order(number: int, _: FrameType | None) -> None:
            self._happened.put(_ORDERS[signal.Signals(number)])  # a simple queue may be put to at any moment

        before = {number: signal.signal(number, order) for number in _ORDERS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self, program: Program) -> Child:
        child = Child(program, self._happened.put)
        self._living.append(child)
        observe.log.info(observe.PROCESS_STARTED, process=program.name, pid=child.pid)
        return child

    def _next(self) -> Happening:
        moments = [post.due_at for post in (self._gateway, self._worker)] if not self._stopping else []
        moments += [child.kill_at for child in self._living]
        moments += [self._succession.until] if self._succession else []
        earliest = min((moment for moment in moments if moment is not None), default=None)
        try:
            return self._happened.get(timeout=None if earliest is None else max(0.0, earliest - time.monotonic()))
        except queue.Empty:
            return None

    def _meet(self, happening: Happening) -> None:
        match happening:
            case Order.STOP:
                self._stop()
            case Order.RELOAD:
                self._reload()
            case Ready(child):
                self._succeed(child)
            case Ended(child, status):
                self._end(child, status)
            case None:
                self._be_on_time(time.monotonic())

    def _stop(self) -> None:
        """Tell all to end; asked once more, end them."""
        self._forced |= self._stopping and bool(self._living)
        for child in self._living:
            child.kill() if self._stopping else child.end()
        self._stopping = True

    def _end(self, child: Child, status: int) -> None:
        """Note an end; where nobody wanted it, see to the next beginning."""
        self._living.remove(child)
        post = next((post for post in (self._gateway, self._worker) if post.child is child), None)
        if self._succession and child is self._succession.child:
            self._break_off("it did not start")
        wanted = post is None or post.leave(child.started_at) or self._stopping
        tell = observe.log.info if wanted else observe.log.error
        reason = {} if wanted else {"reason": "process-ended"}
        event = observe.PROCESS_ENDED if wanted else observe.ALARM
        tell(event, process=child.program.name, pid=child.pid, status=_words(status), **reason)
        self._be_on_time(time.monotonic())

    def _be_on_time(self, now: float) -> None:
        for post in (self._gateway, self._worker):
            if post.due_at is not None and post.due_at <= now and not self._stopping:
                post.fill()
        for child in self._living:
            if child.kill_at is not None and child.kill_at <= now:
                self._forced = True
                observe.log.error(observe.ALARM, reason="process-killed", process=child.program.name, pid=child.pid)
                child.kill()
        if self._succession and self._succession.until <= now:
            self._succession.child.kill()

    def _reload(self) -> None:
        """Read the configuration. Only a gateway that works with it takes the old one's place."""
        if self._stopping or self._succession:
            self._reload_again = not self._stopping
            return
        try:
            listener = self._renew(self._listener)
        except TocsinError as error:
            observe.log.error(observe.ALARM, reason="reload-refused", cause=str(error))
            return
        try:
            child = self._start(attrs.evolve(self._gateway.program, listener=listener.socket))
        except OSError as error:
            observe.log.error(observe.ALARM, reason="reload-refused", cause=error.strerror)
            return
        self._succession = _Succession(child, listener, time.monotonic() + START_S)

    def _succeed(self, child: Child) -> None:
        """Let a new gateway that is ready take the old one's place, and then the worker have a successor, too."""
        if not self._succession or child is not self._succession.child or self._stopping:
            return
        listener, self._succession = self._succession.listener, None
        if (before := self._gateway.take(child)) is not None:
            before.end()
        if listener is not self._listener:
            self._listener.socket.close()
            self._listener = listener
        self._worker.replace()
        observe.log.info(observe.RELOADED)
        self._follow_up()

    def _break_off(self, why: str) -> None:
        succession, self._succession = self._succession, None
        if succession and succession.listener is not self._listener:
            succession.listener.socket.close()
        observe.log.error(observe.ALARM, reason="reload-refused", cause=f"the new gateway: {why}")
        self._follow_up()

    def _follow_up(self) -> None:
        again, self._reload_again = self._reload_again, False
        if again:
            self._reload()


def _words(status: int) -> str:
    """Return how a process ended: its status, or the name of the signal."""
    return str(status) if status >= 0 else signal.Signals(-status).name
