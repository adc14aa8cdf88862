"""Fakes for tests of the core and of plugins: they stand where the world would, and do as they are told.

Beside them stands the conformance kit, `tocsin.testing.conformance`, which needs the extra `tocsin[testing]`.
"""

from __future__ import annotations

from tocsin.testing.clock import FakeClock
from tocsin.testing.transport import RecordingTransport, ScriptedTransport, ScriptExhausted

__all__ = ["FakeClock", "RecordingTransport", "ScriptExhausted", "ScriptedTransport"]
