"""Open Sound Control against the examples of its specification, hand-computed bytes and a public parser."""

import struct
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cli.avatar.osc import bundle, bundles, message

ascii_text = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=30)
addresses = st.text(st.sampled_from("abcXYZ019/"), max_size=30).map(lambda text: f"/{text}")
arguments = st.lists(st.integers(-(2**31), 2**31 - 1) | st.floats(width=32, allow_nan=False) | ascii_text, max_size=8)


def contents(packet: bytes) -> list[tuple[str, list[Any]]]:
    """Addresses and arguments of a bundle's messages, read by python-osc."""
    osc_bundle = pytest.importorskip("pythonosc.osc_bundle")
    assert osc_bundle.OscBundle.dgram_is_bundle(packet)
    return [(each.address, each.params) for each in osc_bundle.OscBundle(packet)]


def test_first_example_of_the_specification() -> None:
    assert message("/oscillator/4/frequency", 440.0) == (
        b"/oscillator/4/frequency\x00" + b",f\x00\x00" + b"\x43\xdc\x00\x00"
    )


def test_second_example_of_the_specification() -> None:
    assert message("/foo", 1000, -1, "hello", 1.234, 5.678) == bytes.fromhex(
        "2f666f6f 00000000 2c696973 66660000 000003e8 ffffffff 68656c6c 6f000000 3f9df3b6 40b5b22d"
    )


def test_message_without_arguments() -> None:
    assert message("/abc") == b"/abc\x00\x00\x00\x00,\x00\x00\x00"


def test_bytes_of_a_bundle() -> None:
    first, second = message("/a", 1), message("/bc")
    assert (len(first), len(second)) == (12, 8)
    assert bundle([first, second]) == (
        b"#bundle\x00" + b"\x00" * 7 + b"\x01" + b"\x00\x00\x00\x0c" + first + b"\x00\x00\x00\x08" + second
    )


def test_text_is_ascii() -> None:
    with pytest.raises(ValueError, match="ascii"):
        message("/a", "é")


@given(addresses, arguments)
def test_public_parser_reads_what_was_written(address: str, values: list[int | float | str]) -> None:
    assert contents(bundle([message(address, *values)])) == [(address, values)]


def test_floats_are_single_precision() -> None:
    [(_, [value])] = contents(bundle([message("/a", 0.1)]))
    assert value == np.float32(0.1)


@given(st.lists(st.tuples(addresses, arguments), max_size=20), st.integers(100, 400))
def test_datagrams_hold_all_messages_in_order_within_the_limit(
    parts: list[tuple[str, list[int | float | str]]], limit: int
) -> None:
    messages = [message(address, *values) for address, values in parts]
    packets = bundles(messages, limit)
    assert [each for packet in packets for each in contents(packet)] == parts
    assert all(len(packet) <= limit or len(contents(packet)) == 1 for packet in packets)
    # As few as can be, in this order: the first message of a bundle would not have fitted into the one before.
    for packet, following in pairwise(packets):
        (size,) = struct.unpack_from(">i", following, 16)
        assert len(packet) + 4 + size > limit


def test_no_messages_no_datagram() -> None:
    assert bundles([]) == []
