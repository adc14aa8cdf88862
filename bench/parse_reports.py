"""What reading reports costs: each vendor's codec against a bare parse of the same answer, in the same run.

The baseline parses the document (defusedxml, json), splits the same rows and reads their times, into plain tuples.
Bars: at most 3 times its time, at most 16 MiB at the peak, and twice the rows in about twice the time. Measured in
processor time, so that other work on the machine counts for little.

    python bench/parse_reports.py
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from defusedxml.ElementTree import fromstring

import tocsin_ipyy
import tocsin_winnerlook
from tocsin.plugin import Account, AccountId, HttpResponse, Secret

MIB = 1024 * 1024
START = datetime(2026, 1, 1, tzinfo=UTC)
RUNS = 9
BARS = {"ratio": 3.0, "peak_mib": 16.0, "growth": 2.6}

Parse = Callable[[bytes], Any]


def rows() -> Iterator[tuple[str, str, datetime, bool]]:
    """Yield batch, number, time and fate without end; a fifth of the messages fail, no two share a second."""
    for count in range(10_000_000):
        number = f"139{count % 100_000_000:08}"
        yield str(2114355899380234221 + count // 500), number, START + timedelta(seconds=count), count % 5 > 0


def fill(size: int, render: Callable[..., str]) -> str:
    """Render rows until they weigh `size` bytes."""
    written, weight = [], 0
    for row in rows():
        if weight >= size:
            break
        written.append(render(*row))
        weight += len(written[-1])
    return "".join(written)


def winnerlook_answer(size: int) -> bytes:
    def render(batch: str, number: str, at: datetime, delivered: bool) -> str:
        return f"{batch},{number},{at:%Y/%m/%d %H:%M:%S},{'DELIVRD' if delivered else 'UNDELIVRD'}|"

    value = fill(size, render)
    return f'<?xml version="1.0" encoding="utf-8"?>\r\n<string xmlns="http://tempuri.org/">{value}</string>'.encode()


def ipyy_xml_answer(size: int) -> bytes:
    def render(batch: str, number: str, at: datetime, delivered: bool) -> str:
        return (
            f"<statusbox><mobile>{number}</mobile><taskid>{batch}</taskid><status>{10 if delivered else 20}</status>"
            f"<receivetime>{at:%Y-%m-%d %H:%M:%S}</receivetime><errorcode>DELIVRD</errorcode></statusbox>\n"
        )

    return f'<?xml version="1.0" encoding="utf-8" ?>\n<returnsms>\n{fill(size, render)}</returnsms>'.encode()


def ipyy_json_answer(size: int) -> bytes:
    def render(batch: str, number: str, at: datetime, delivered: bool) -> str:
        word = "DELIVRD" if delivered else "UNDELIV"
        return (
            f'{{"mobile":"{number}","taskid":"{batch}","receivetime":"{at:%Y-%m-%d %H:%M:%S}","errorcode":"{word}"}},'
        )

    return f'{{"error":"1","remark":"成功","statusbox":[{fill(size, render).rstrip(",")}]}}'.encode()


def read_time(text: str) -> datetime:
    year, month, day, hour, minute, second = text[:4], text[5:7], text[8:10], text[11:13], text[14:16], text[17:19]
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)


def winnerlook_baseline(body: bytes) -> list[tuple[Any, ...]]:
    pieces = (fromstring(body).text or "").split("|")
    parts = (piece.split(",") for piece in pieces if piece)
    return [(batch, number, read_time(at), status) for batch, number, at, status in parts]


def ipyy_xml_baseline(body: bytes) -> list[tuple[Any, ...]]:
    read = []
    for box in fromstring(body):
        number, batch, status, at, code = (member.text for member in box)
        read.append((batch, number, read_time(at or ""), status, code))
    return read


def ipyy_json_baseline(body: bytes) -> list[tuple[Any, ...]]:
    boxes = json.loads(body)["statusbox"]
    return [(box["taskid"], box["mobile"], read_time(box["receivetime"]), box["errorcode"]) for box in boxes]


def codec_of(plugin: Any, **settings: Any) -> Parse:
    """Return a function that reads an answer as the plugin's `fetch_reports` does."""
    vendor = plugin.describe_vendor()
    own = vendor.settings(password=Secret("bench"), **settings)
    account = Account(id=AccountId("bench"), vendor=vendor.name, base_url="http://127.0.0.1", settings=own)
    decode = plugin.fetch_reports(account=account).decode
    return lambda body: decode(HttpResponse(status=200, body=body)).rows


CASES: Mapping[str, tuple[Callable[[int], bytes], Parse, Callable[[], Parse]]] = {
    "winnerlook": (
        winnerlook_answer,
        winnerlook_baseline,
        partial(codec_of, tocsin_winnerlook, user_code="bench", channel="1"),
    ),
    "ipyy xml": (ipyy_xml_answer, ipyy_xml_baseline, partial(codec_of, tocsin_ipyy, user_id="1", account="bench")),
    "ipyy json": (
        ipyy_json_answer,
        ipyy_json_baseline,
        partial(codec_of, tocsin_ipyy, user_id="1", account="bench", reports="json"),
    ),
}


def seconds(parse: Parse, body: bytes) -> float:
    """Return the processor seconds of one parse, its result freed outside the measure."""
    gc.collect()
    start = time.process_time()
    result = parse(body)
    taken = time.process_time() - start
    del result
    return taken


def peak_mib(parse: Parse, body: bytes) -> float:
    """Return what one parse needs at most, result included."""
    gc.collect()
    tracemalloc.start()
    try:
        parse(body)
        return tracemalloc.get_traced_memory()[1] / MIB
    finally:
        tracemalloc.stop()


def measure(make: Callable[[int], bytes], baseline: Parse, parse: Parse) -> dict[str, float]:
    """Measure codec and baseline in turn, so that both see the same machine; the least of each counts."""
    body, twice = make(MIB), make(2 * MIB)
    assert len(parse(body)) == len(baseline(body))
    times = [(seconds(parse, body), seconds(baseline, body), seconds(parse, twice)) for _ in range(RUNS)]
    codec, bare, doubled = map(min, zip(*times, strict=True))
    return {
        "ratio": codec / bare,
        "peak_mib": peak_mib(parse, body),
        "growth": doubled / codec,
        "codec_ms": codec * 1e3,
    }


def main() -> int:
    """Print one line for each case; return 1 where a bar is broken."""
    broken = 0
    print(f"{'1 MiB of reports':<18}{'codec ms':>10}{'ratio':>8}{'peak MiB':>10}{'x2 rows':>9}")
    for name, (make, baseline, codec) in CASES.items():
        found = measure(make, baseline, codec())
        over = ", ".join(bar for bar, limit in BARS.items() if found[bar] > limit)
        broken += bool(over)
        numbers = f"{found['codec_ms']:>10.1f}{found['ratio']:>8.2f}{found['peak_mib']:>10.1f}{found['growth']:>9.2f}"
        print(f"{name:<18}{numbers}  {over and f'over the bar: {over}'}".rstrip())
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
