"""Whether the gateway lives, and whether it can do its work."""

from __future__ import annotations

import falcon


class Alive:
    """`/healthz`: the process answers. It asks nobody, so that a slow disk gets no process killed."""

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        """Answer."""
        response.media = {"status": "alive"}
