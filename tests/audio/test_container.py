"""The decoder's thread: what it takes, where it stops, that it ends."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator

import av
import pytest

from sayso.audio.container import (
    MAX_DAMAGED_AT_START,
    MAX_SILENT_BYTES,
    MAX_UNHEARD_PIECES,
    MAX_UNREAD_BYTES,
    MAX_WAITING_FILES,
    ContainerDecoder,
    _RewindablePipe,
)
from sayso.audio.formats import EAR_RATE_HZ
from sayso.audio.framing import Flac
from sayso.errors import AudioError
from sounds import PATIENCE_S, Listener, alike, cut, recorded, saved, voice

SECONDS = 3.0


@pytest.fixture(scope="module")
def webm() -> list[bytes]:
    """What a browser's recorder makes, in slices of 250 ms."""
    return recorded(
        "webm", "libopus", voice(SECONDS, 48_000), 48_000, slice_s=0.25, cluster_time_limit="250"
    )


@pytest.fixture(scope="module")
def ogg() -> bytes:
    return saved("ogg", "libopus", voice(SECONDS, 48_000), 48_000)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "sayso-container":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def open_container(listener: Listener) -> ContainerDecoder:
    loop = asyncio.get_running_loop()
    return ContainerDecoder(listener.emit, loop=loop, on_error=listener.on_error)


async def ended(decoder: ContainerDecoder) -> None:
    await asyncio.to_thread(decoder._thread.join, PATIENCE_S)
    assert not decoder._thread.is_alive()


async def turns_of_the_loop(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_slices_of_one_recording_are_one_sound(webm: list[bytes]) -> None:
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("matroska")
    for part in webm:
        decoder.feed(part)
    await listener.until(SECONDS - 0.05)
    decoder.close()
    likeness, _ = alike(listener.sound, voice(SECONDS, EAR_RATE_HZ))
    assert likeness > 0.95
    assert decoder.damaged == 0


async def test_sound_comes_while_the_recording_goes_on(webm: list[bytes]) -> None:
    """A slice lacks what the recorder's own cluster holds back, here up to 250 ms."""
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("matroska")
    for number, part in enumerate(webm[:8]):
        decoder.feed(part)
        await listener.until(0.25 * (number + 1) - 0.31)
    decoder.close()


async def test_a_packet_is_heard_as_soon_as_it_came() -> None:
    pages = recorded("ogg", "libopus", voice(1.0, 48_000), 48_000, page_duration="20000")
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("ogg")
    for number, page in enumerate(pages[:-1]):
        decoder.feed(page)
        await listener.until(0.02 * number - 0.047)
    decoder.close()


async def test_nothing_is_emitted_after_close(webm: list[bytes]) -> None:
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("matroska")
    decoder.feed(b"".join(webm))
    decoder.close()
    decoder.close()
    await ended(decoder)
    await turns_of_the_loop()
    decoder.feed(b"more")
    assert listener.seconds == 0
    assert listener.errors == []


async def test_close_before_anything_came() -> None:
    decoder = open_container(Listener())
    decoder.close()
    assert not decoder._thread.is_alive()


@pytest.mark.parametrize("size", [0, 1, 40, 300, 2_000])
async def test_a_recording_cut_off_ends_on_close(webm: list[bytes], size: int) -> None:
    decoder = open_container(Listener())
    decoder.begin("matroska")
    decoder.feed(b"".join(webm)[:size])
    await turns_of_the_loop()
    decoder.close()
    await ended(decoder)


async def test_an_owner_who_does_not_listen_is_waited_for() -> None:
    """More than `MAX_UNHEARD_PIECES` are ready, the loop takes none: decoding stands still."""
    long = saved("ogg", "libopus", voice(20.0, 48_000), 48_000)
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("ogg")
    decoder.feed(long)
    decoder._thread.join(0.5)
    assert decoder._thread.is_alive()
    await asyncio.sleep(0)
    assert 0 < listener.seconds <= (MAX_UNHEARD_PIECES + 1) * 0.02
    await listener.until(19.9)
    decoder.close()


async def test_close_frees_a_thread_that_waits_to_be_heard() -> None:
    decoder = open_container(Listener())
    decoder.begin("ogg")
    decoder.feed(saved("ogg", "libopus", voice(20.0, 48_000), 48_000))
    decoder._thread.join(0.3)
    decoder.close()
    decoder._thread.join(PATIENCE_S)
    assert not decoder._thread.is_alive()


async def test_garbage_is_told_at_once_and_at_every_feed() -> None:
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("matroska")
    decoder.feed(b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 40)
    error = await listener.until_error()
    assert "cannot be read as matroska" in str(error)
    assert error.hint is not None
    for _ in range(2):
        with pytest.raises(AudioError, match="cannot be read as matroska"):
            decoder.feed(b"more")
    await ended(decoder)
    assert listener.errors == [error]


async def test_garbage_without_anybody_to_tell() -> None:
    loop = asyncio.get_running_loop()
    decoder = ContainerDecoder(Listener().emit, loop=loop)
    decoder.begin("matroska")
    decoder.feed(bytes(range(256)) * 40)
    await ended(decoder)
    await turns_of_the_loop()
    with pytest.raises(AudioError):
        decoder.feed(b"more")


async def test_a_file_in_which_no_sound_is_found_is_given_up() -> None:
    decoder = open_container(Listener())
    decoder.begin("mov")
    decoder.feed(b"\0\0\0\x20ftypisom" + bytes(20) + b"\x7f\0\0\0free")
    part = bytes(65_536)
    for _ in range(MAX_SILENT_BYTES // len(part) - 1):
        decoder.feed(part)
        await asyncio.to_thread(lambda: None)
    with pytest.raises(AudioError, match="no sound in") as caught:
        decoder.feed(part + part)
    assert caught.value.hint is not None
    assert "faststart" in caught.value.hint
    await ended(decoder)


async def test_a_film_without_sound_is_refused() -> None:
    silent = _film()
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("matroska")
    decoder.feed(silent)
    assert "no sound" in str(await listener.until_error())
    await ended(decoder)


def _film() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("mpeg4", 10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    return file.getvalue()


async def test_a_damaged_packet_is_skipped_and_counted() -> None:
    stream, frames = flac_in_matroska()
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("matroska")
    decoder.feed(stream.replace(frames[5], spoilt(frames[5])))
    await listener.until(SECONDS - 0.2)
    decoder.close()
    assert decoder.damaged == 1
    assert listener.errors == []


def flac_in_matroska() -> tuple[bytes, list[bytes]]:
    """A stream, and the frames that are in it."""
    sound = voice(SECONDS, 16_000)
    frames = Flac().feed(b"".join(recorded("flac", "flac", sound, 16_000)))
    return b"".join(recorded("matroska", "flac", sound, 16_000)), list(frames)


def spoilt(frame: bytes) -> bytes:
    return frame[:10] + b"\xff" * (len(frame) - 10)


async def test_packets_that_are_all_damaged_are_refused() -> None:
    stream, frames = flac_in_matroska()
    assert len(frames) > MAX_DAMAGED_AT_START
    for frame in frames:
        stream = stream.replace(frame, spoilt(frame))
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("matroska")
    decoder.feed(stream)
    await listener.until_error()
    assert decoder.damaged >= MAX_DAMAGED_AT_START
    assert listener.seconds == 0
    await ended(decoder)


async def test_too_much_at_once_is_refused(ogg: bytes) -> None:
    decoder = open_container(Listener())
    decoder.begin("ogg")
    decoder.feed(ogg[:100])
    with pytest.raises(AudioError, match="faster than it can be heard"):
        decoder.feed(bytes(MAX_UNREAD_BYTES + 1))
    with pytest.raises(AudioError, match="faster than it can be heard"):
        decoder.feed(b"")
    await ended(decoder)


async def test_too_many_files_at_once_are_refused(ogg: bytes) -> None:
    decoder = open_container(Listener())

    def flood() -> None:
        for _ in range(MAX_WAITING_FILES * 20):
            decoder.begin("ogg")
            decoder.feed(ogg)

    with pytest.raises(AudioError, match="faster than it can be heard"):
        flood()
    await ended(decoder)


async def test_one_file_after_another(ogg: bytes, webm: list[bytes]) -> None:
    listener = Listener()
    decoder = open_container(listener)
    for name, data in [("ogg", ogg), ("matroska", b"".join(webm)), ("ogg", ogg)]:
        decoder.begin(name)
        decoder.feed(data)
    await listener.until(3 * SECONDS - 0.1)
    decoder.close()
    second = listener.sound[round(SECONDS * EAR_RATE_HZ) :][: round(SECONDS * EAR_RATE_HZ)]
    assert alike(second, voice(SECONDS, EAR_RATE_HZ))[0] > 0.95


async def test_what_follows_the_end_of_a_file_is_forgotten(ogg: bytes) -> None:
    wav = saved("aiff", "pcm_s16be", voice(1.0, 16_000), 16_000)
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("aiff")
    decoder.feed(wav)
    await listener.until(0.99)
    decoder._waiting[-1].end()
    decoder._pipes.put(None)
    await ended(decoder)
    for junk in cut(bytes(2 * MAX_UNREAD_BYTES), 65_536):
        decoder.feed(junk)
    decoder.close()


@pytest.mark.parametrize("size", [100, 5_000, 10_000_000])
async def test_an_mp4_with_its_index_at_the_end(size: int) -> None:
    file = saved("mp4", "aac", voice(SECONDS, 44_100), 44_100)
    assert file.index(b"mdat") < file.index(b"moov")
    listener = Listener()
    decoder = open_container(listener)
    decoder.begin("mov")
    for part in cut(file, size):
        decoder.feed(part)
    await listener.until(SECONDS)
    decoder.close()
    assert alike(listener.sound, voice(SECONDS, EAR_RATE_HZ))[0] > 0.98


def test_an_mp4_can_be_read_again_as_far_as_it_is_kept() -> None:
    pipe = _RewindablePipe("mov", rewind_bytes=4)
    pipe.write(b"0123456789")
    assert pipe.read(99) == b"0123456789"
    assert [pipe.seek(0), pipe.seek(0, 2), pipe.tell()] == [-1, -1, 10]
    assert [pipe.seek(6), pipe.read(2), pipe.seek(1, 1), pipe.read(9)] == [6, b"67", 9, b"9"]


def test_a_loop_that_is_gone_ends_the_thread(webm: list[bytes]) -> None:
    async def leave() -> ContainerDecoder:
        decoder = open_container(Listener())
        decoder.begin("matroska")
        return decoder

    decoder = asyncio.run(leave())
    decoder.feed(b"".join(webm))
    decoder.close()
    decoder._thread.join(PATIENCE_S)
    assert not decoder._thread.is_alive()


def test_a_loop_that_closes_first_is_not_called(webm: list[bytes]) -> None:
    async def leave() -> ContainerDecoder:
        decoder = open_container(Listener())
        decoder.begin("matroska")
        return decoder

    decoder = asyncio.run(leave())
    decoder.feed(b"".join(webm))
    decoder._pipes.put(None)
    decoder._waiting[-1].end()
    decoder._thread.join(PATIENCE_S)
    assert not decoder._thread.is_alive()
