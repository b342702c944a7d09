"""A process of load clients: ``python -m benchmarks.media.load`` with a JSON job on standard input.

It joins its calls, says ``ready``, waits for a line, sends for as long as told, and prints what came back.  One call
(the probe) is read as it arrives, stamped by the kernel, and decoded when all is over; of the others packets are
counted, four times a second, so that the load costs little beside the server.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av

from benchmarks.media import material, mmsg, rooms
from benchmarks.media.endpoint import Endpoint

CHECK_SECONDS = 2.0
"""Between two STUN checks of an endpoint, as browsers send them."""
DRAIN_SECONDS = 0.25
TAIL_SECONDS = 0.5
Job = dict[str, Any]
Plan = list[tuple[float, int, int, int]]
"""(when, endpoint, group, picture number or -1), in order."""


def prepare(endpoints: list[Endpoint], media: material.Material, seconds: float) -> tuple[Plan, list[mmsg.Prepared]]:
    """Protect everything now; endpoints begin at different moments of a picture."""
    plan: Plan = []
    ready = []
    for number, endpoint in enumerate(endpoints):
        groups = list(endpoint.datagrams(media, seconds))
        phase = (number * 0.61803) % 1 / material.FPS
        plan += [(when + phase, number, at, picture) for at, (when, picture, _packets) in enumerate(groups)]
        ready.append(mmsg.Prepared([packets for _when, _picture, packets in groups]))
    plan.sort()
    return plan, ready


def checks(endpoints: list[Endpoint], seconds: float) -> Iterator[tuple[float, Endpoint]]:
    for turn in range(int(seconds / CHECK_SECONDS) + 1):
        for number, endpoint in enumerate(endpoints):
            yield (turn + number / len(endpoints)) * CHECK_SECONDS, endpoint


def crowd(endpoints: list[Endpoint], media: material.Material, seconds: float) -> Iterator[Job]:
    """Many calls: send on time, count what comes."""
    plan, ready = prepare(endpoints, media, seconds)
    drain = mmsg.Drain()
    descriptors = [endpoint.socket.fileno() for endpoint in endpoints]
    sent = received = 0

    def read() -> int:
        found = 0
        for endpoint, descriptor in zip(endpoints, descriptors, strict=True):
            others: list[bytes] = []
            found += drain.media(descriptor, others)
            for datagram in others:
                if datagram[:1] < b"\x04":
                    endpoint.stun(datagram)
        return found

    read()  # whatever the server said while others were joining
    yield {}
    begun = time.monotonic()
    due_checks = checks(endpoints, seconds)
    next_check = next(due_checks, None)
    next_read = DRAIN_SECONDS
    late = 0.0
    for when, number, group, _picture in plan:
        now = time.monotonic() - begun
        while now < when:
            if now >= next_read:
                received += read()
                next_read += DRAIN_SECONDS
            time.sleep(min(0.001, max(0.0, when - now)))
            now = time.monotonic() - begun
        late = max(late, now - when)
        sent += ready[number].send(group, descriptors[number])
        while next_check is not None and now >= next_check[0]:
            next_check[1].socket.send(next_check[1].check)
            next_check = next(due_checks, None)
        if now >= next_read:
            received += read()
            next_read += DRAIN_SECONDS
    time.sleep(TAIL_SECONDS)
    received += read()
    yield {"sent": sent, "received": received, "late": late}


def probe(endpoints: list[Endpoint], media: material.Material, seconds: float) -> Iterator[Job]:
    """One call: also when each packet came, and what can be seen in it."""
    plan, ready = prepare(endpoints, media, seconds)
    for endpoint in endpoints:
        endpoint.socket.setsockopt(1, mmsg.TIMESTAMP, 1)
        endpoint.socket.setblocking(False)
    poll = select.poll()
    by_descriptor = {endpoint.socket.fileno(): endpoint for endpoint in endpoints}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    got: dict[int, list[tuple[bytes, float]]] = {descriptor: [] for descriptor in by_descriptor}
    sent_at: list[list[tuple[float, int]]] = [[], []]
    sent = 0

    def read(patience: float) -> None:
        for descriptor, _events in poll.poll(patience * 1000):
            endpoint = by_descriptor[descriptor]
            while (found := mmsg.stamped(endpoint.socket)) is not None:
                if found[0][:1] < b"\x04":
                    endpoint.stun(found[0])
                elif found[0][:1] >= b"\x80":
                    got[descriptor].append(found)

    read(0)
    for packets in got.values():
        packets.clear()
    yield {}
    begun = time.monotonic()
    due_checks = checks(endpoints, seconds)
    next_check = next(due_checks, None)
    for when, number, group, picture in plan:
        while (now := time.monotonic() - begun) < when:
            read(when - now)
        if picture >= 0:
            sent_at[number].append((time.time(), picture))
        sent += ready[number].send(group, endpoints[number].socket.fileno())
        while next_check is not None and now >= next_check[0]:
            next_check[1].socket.send(next_check[1].check)
            next_check = next(due_checks, None)
    end = time.monotonic() + TAIL_SECONDS
    while time.monotonic() < end:
        read(0.05)
    latencies: list[float] = []
    received = frames = 0
    for number, (endpoint, packets) in enumerate(zip(endpoints, got.values(), strict=True)):
        count, seen = look(endpoint, packets)
        received += count
        frames += len(seen)
        latencies += delays(seen, sent_at[1 - number])
    latencies.sort()
    result: Job = {"sent": sent, "received": received, "fps": frames / 2 / seconds, "late": 0.0}
    if latencies:
        result["p50"] = 1000 * statistics.median(latencies)
        result["p95"] = 1000 * latencies[int(0.95 * len(latencies))]
    yield result


def look(endpoint: Endpoint, packets: list[tuple[bytes, float]]) -> tuple[int, list[tuple[float, int]]]:
    """(media packets, [(arrival of a picture's last packet, its number)]) by opening and decoding."""
    decoder = av.CodecContext.create("vp8", "r")
    pictures: dict[int, list[tuple[int, bytes, float]]] = {}
    count = 0
    for datagram, when in packets:
        if 192 <= datagram[1] <= 223:
            continue
        packet = endpoint.receiving.unprotect(datagram)
        count += 1
        if packet[1] & 0x7F == 96:
            sequence, stamp = int.from_bytes(packet[2:4]), int.from_bytes(packet[4:8])
            pictures.setdefault(stamp, []).append((sequence, packet, when))
    seen = []
    for parts in pictures.values():
        earliest = parts[0][0]
        ordered = sorted(parts, key=lambda part: (part[0] - earliest + 0x8000) & 0xFFFF)  # used at once
        whole = b"".join(body(packet) for _sequence, packet, _when in ordered)
        try:
            decoded = decoder.decode(av.Packet(whole))
        except av.FFmpegError:
            continue
        for frame in decoded:
            number = material.number_of(frame.to_ndarray(format="gray"))
            seen.append((max(when for _sequence, _packet, when in parts), number))
    return count, seen


def body(packet: bytes) -> bytes:
    """The VP8 data of an RTP packet (RFC 7741 section 4.2)."""
    at = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4])
    extended = packet[at] & 0x80
    at += 1
    if extended:
        bits = packet[at]
        at += 1
        if bits & 0x80:
            at += 2 if packet[at] & 0x80 else 1
        at += bool(bits & 0x40) + bool(bits & 0x30)
    return packet[at:]


def delays(seen: list[tuple[float, int]], sent: list[tuple[float, int]]) -> list[float]:
    """Seconds from each picture's departure to its arrival; the same number comes again after four seconds."""
    out = []
    for arrived, number in seen:
        departures = [when for when, other in sent if other == number and when <= arrived]
        if departures:
            out.append(arrived - departures[-1])
    return out


async def join(job: Job) -> tuple[list[Endpoint], list[object]]:
    endpoints = [Endpoint(job["host"]) for _end in range(2 * job["calls"])]
    pairs = [(f"{job['first'] + at}", endpoints[2 * at], endpoints[2 * at + 1]) for at in range(job["calls"])]
    kept = await rooms.JOIN[job["subject"]](job, pairs)
    return endpoints, kept


def main() -> None:
    job: Job = json.loads(sys.stdin.readline())
    media = material.load(Path(job["material"]))
    with asyncio.Runner() as runner:
        endpoints, kept = runner.run(join(job))
        work = (probe if job["probe"] else crowd)(endpoints, media, job["seconds"])
        next(work)
        gc.collect()
        gc.freeze()
        gc.disable()
        print("ready", flush=True)
        sys.stdin.readline()
        before = os.times()
        found = next(work)
        after = os.times()
        found["cpu"] = (after.user + after.system - before.user - before.system) / job["seconds"]
        print(json.dumps(found), flush=True)
        kept.clear()
    os._exit(0)


if __name__ == "__main__":
    main()
