"""The configured sources, and the intakes of what they tell: the front of alerting, for whoever hands notices in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from tocsin.alerting.addressing import NOTHING_ASKED, Asked, Groups, address
from tocsin.alerting.intake import intake_of
from tocsin.alerting.posting import Desk
from tocsin.errors import NotFound
from tocsin.model.alert import Notice
from tocsin.model.message import MessageClass
from tocsin.model.source import Source
from tocsin.outbox.alert import Intake

Allow = Callable[[frozenset[MessageClass]], None]


def _anything(_: frozenset[MessageClass]) -> None:
    """Allow all classes."""


@attrs.frozen(kw_only=True)
class Alerts:
    """Where notices are handed in.

    Args:
        sources: by name.
        desk: makes the messages that come of them.
    """

    sources: Mapping[str, Source]
    desk: Desk

    @property
    def groups(self) -> Groups:
        """Recipients by the group's name."""
        return self.desk.groups

    def source(self, name: str) -> Source:
        """Return the configured source of that name.

        Raises:
            NotFound: there is none.
        """
        try:
            return self.sources[name]
        except KeyError:
            raise NotFound("no source is called so") from None

    def intake_of(
        self,
        name: str,
        notice: Notice,
        asked: Asked = NOTHING_ASKED,
        allow: Allow = _anything,
        heard_at: datetime | None = None,
    ) -> Intake:
        """Return the intake of what a source told.

        Args:
            name: of the source.
            notice: what it told.
            asked: who is to be told, where the source shall not say.
            allow: is given the classes of all messages that may come of it; raises where they may not be sent.
            heard_at: when, where it waited since then; None for one that is taken in as it is heard.

        Raises:
            NotFound: there is no such source.
            InvalidInput: nobody is told of any of it.
        """
        source = self.source(name)
        addressed = address(notice, source, asked, self.desk.groups)
        allow(addressed.classes)
        return intake_of(addressed, notice, source, asked, self.desk, heard_at)
