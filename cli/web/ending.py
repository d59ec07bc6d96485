"""The end of the server: at the first signal, gracefully, and only once.

uvicorn takes a second ctrl-C for a wish to be cut off, skips the application's own end, and raises
both signals again inside the event loop: a traceback. It cancels what is not answered in time, as
to a browser that holds a paused video: another. Here such connections are closed after a while, as
a client closes them, and a second signal has nothing to hurry.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

GRACE_S = 2.0


class PatientServer(uvicorn.Server):
    """uvicorn's server, whose signals are ours until the process ends.

    Attributes:
        ended_by: the first signal that came, or None.
    """

    ended_by: int | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals; nobody gets them back, so that a late one does no harm either."""
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self.handle_exit)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self.ended_by = self.ended_by or sig
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; who has not taken his answer within `GRACE_S` is let go."""
        asyncio.get_running_loop().call_later(GRACE_S, self._let_go)
        await super().shutdown(sockets)

    def _let_go(self) -> None:
        for connection in self.server_state.connections.copy():
            connection.transport.abort()
