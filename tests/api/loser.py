"""A way to the server on which answers get lost."""

from __future__ import annotations

import select
import socket
import threading


class Loser:
    """A way to the server on which answers are lost: each is awaited and thrown away."""

    def __init__(self, host: str) -> None:
        name, port = host.split(":")
        self._server = name, int(port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.losing = 0  # so many answers more
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            near, _ = self._listening.accept()
            with near, socket.create_connection(self._server) as far:
                if not near.recv(1, socket.MSG_PEEK):
                    return
                while self._pass_on(near, far):
                    pass

    def _pass_on(self, near: socket.socket, far: socket.socket) -> bool:
        """Pass on what comes next; False if a side has ended, or shall think so."""
        for ready in select.select([near, far], [], [])[0]:
            data = ready.recv(1 << 20)
            if ready is far and self.losing:
                self.losing -= 1
                return False
            if not data:
                return False
            (far if ready is near else near).sendall(data)
        return True

    def close(self) -> None:
        socket.create_connection(self._listening.getsockname()).close()
        self._thread.join()
        self._listening.close()
