"""Messages of a WebSocket stream, in any order: configurations, calibrations, pictures, any text and any bytes."""

import json

from hypothesis import strategies as st

Messages = list[str | bytes]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=10), children, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["drop_policy", "min_score", "max_faces", "refine", "input_size", "follow", "detect_every", "smoothing", "include",
     "stamped", "neutral", "key", "calibration", "rotation"]
)  # fmt: skip
VALID = st.sampled_from(
    ["{}", '{"drop_policy": "none"}', '{"stamped": true}', '{"follow": true, "smoothing": {}}', '{"refine": true}',
     '{"calibration": "take_neutral"}', '{"calibration": "reset"}']
)  # fmt: skip


def streams(encoded: st.SearchStrategy[bytes]) -> st.SearchStrategy[Messages]:
    """Streams of up to six messages; about half of them begin with a valid configuration."""
    texts = st.one_of(VALID, st.dictionaries(NAMES, JSON, max_size=4).map(json.dumps), JSON.map(json.dumps), st.text())
    binaries = st.one_of(encoded, encoded.map(lambda data: bytes(16) + data), st.binary(max_size=100))
    message: st.SearchStrategy[str | bytes] = st.one_of(texts, binaries)
    return st.one_of(
        st.lists(message, max_size=6),
        st.tuples(VALID, st.lists(message, max_size=6)).map(lambda parts: [parts[0], *parts[1]]),
    )
