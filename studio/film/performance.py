"""What the two people do in the film, the one at the left and the one at the right.

Each shows what faces in front of a camera do: talk, smiles, laughter, an open mouth, blinks, a wink, brows, a look
around, and turns of the head.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.film.motion import Gesture, Weights

SOUNDS: Mapping[str, Weights] = {
    "a": {"jawOpen": 0.62, "mouthLowerDown": 0.35, "mouthUpperUp": 0.15},
    "e": {"jawOpen": 0.28, "mouthStretch": 0.35, "mouthLowerDown": 0.35, "mouthUpperUp": 0.2},
    "o": {"jawOpen": 0.45, "mouthFunnel": 0.6},
    "u": {"jawOpen": 0.15, "mouthPucker": 0.7},
    "m": {"mouthPress": 0.35, "mouthRollLower": 0.15},
    "f": {"jawOpen": 0.08, "mouthRollLower": 0.35, "mouthUpperUp": 0.2},
}
SOUND_SECONDS = 0.17  # from a sound to the next one; each comes and goes within as long, so that neighbours overlap

Keys = Sequence[tuple[float, float]]  # (second, value)


@dataclass(frozen=True)
class Performance:
    """What one person does. rest: shown throughout. gestures: of the face. yaw, pitch, roll: degrees of the head.
    gaze_yaw, gaze_pitch: degrees of both eyes relative to the head."""

    rest: Weights
    gestures: Sequence[Gesture]
    yaw: Keys
    pitch: Keys
    roll: Keys
    gaze_yaw: Keys
    gaze_pitch: Keys


def talk(start: float, sounds: str) -> list[Gesture]:
    """The mouth's way through sounds, each a letter of SOUNDS or a space, a pause."""
    return [
        Gesture(start + i * SOUND_SECONDS, SOUND_SECONDS, 0, SOUND_SECONDS, SOUNDS[sound])
        for i, sound in enumerate(sounds)
        if sound != " "
    ]


def blink(start: float, hold: float = 0.06) -> Gesture:
    """Both eyes shut."""
    return Gesture(start, 0.1, hold, 0.16, {"eyeBlink": 1})


def smile(start: float, hold: float, strength: float, rise: float = 0.4, fall: float = 0.5) -> Gesture:
    """A smile that the cheeks and the lids join."""
    weights = {"mouthSmile": strength, "cheekSquint": 0.6 * strength, "eyeSquint": 0.3 * strength}
    return Gesture(start, rise, hold, fall, weights)


def laugh(start: float, bursts: int) -> list[Gesture]:
    """A wide smile with shut eyes, over bursts of the jaw."""
    every = 0.36
    shown = {"mouthSmile": 0.95, "cheekSquint": 0.8, "mouthUpperUp": 0.3, "jawOpen": 0.18}
    jaw = [Gesture(start + 0.15 + i * every, 0.16, 0.02, 0.18, {"jawOpen": 0.55}) for i in range(bursts)]
    shut = Gesture(start + 0.3, 0.25, every * bursts - 0.5, 0.3, {"eyeBlink": 0.92})
    return [Gesture(start, 0.3, every * bursts, 0.6, shown), shut, *jaw]


LEFT = Performance(
    rest={"mouthSmile": 0.14},
    gestures=[
        *talk(0.3, "maemo fae ueo"),
        Gesture(0.6, 0.25, 0.5, 0.4, {"browInnerUp": 0.6, "browOuterUp": 0.6}),
        blink(0.45),
        blink(2.2),
        smile(2.7, 1.0, 0.9),
        Gesture(3.0, 0.16, 0.45, 0.2, {"eyeBlink_L": 1, "cheekSquint_L": 0.3}),
        blink(4.5),
        Gesture(4.9, 0.3, 0.6, 0.35, {"jawOpen": 0.85, "browInnerUp": 0.9, "browOuterUp": 0.9, "eyeWide": 0.8}),
        blink(6.3),
        Gesture(6.6, 0.3, 0.4, 0.3, {"mouthPucker": 0.85}),
        *laugh(7.6, 4),
        blink(9.75),
        *talk(9.9, "uae omfe"),
        blink(11.55),
    ],
    yaw=[(0.2, 0), (1.2, 14), (2.0, 10), (3.0, 30), (4.2, 22), (5.2, 0), (6.4, -26), (7.2, -18), (8.2, 10), (9.6, 4),
         (10.6, 18)],
    pitch=[(0.3, 2), (1.4, -3), (2.6, 5), (4.0, 1), (5.2, -9), (6.6, 4), (8.3, -6), (9.2, 9), (10.4, 0)],
    roll=[(0.5, 0), (2.2, -4), (3.4, 8), (5.2, 0), (6.8, -7), (8.4, 6), (10.0, -2)],
    gaze_yaw=[(0.3, 6), (1.5, 6), (1.65, -8), (3.0, -12), (4.3, -12), (4.5, 0), (5.9, 0), (6.15, 16), (6.9, 10),
              (7.4, 0), (9.6, 0), (9.8, -14), (10.6, -12), (10.8, 4)],
    gaze_pitch=[(0.3, 2), (4.3, 2), (4.5, -6), (5.9, -6), (6.2, 0), (9.5, 0), (9.75, 12), (10.4, 10), (10.6, 0)],
)  # fmt: skip

RIGHT = Performance(
    rest={"mouthSmile": 0.1},
    gestures=[
        blink(0.9),
        smile(0.5, 0.8, 0.55),
        Gesture(2.1, 0.2, 0.35, 0.3, {"browOuterUp_R": 0.8, "browInnerUp": 0.3}),
        blink(2.5),
        *talk(3.0, "oae mafo ema ou"),
        blink(4.1),
        Gesture(3.9, 0.3, 0.4, 0.4, {"browDown": 0.7}),
        blink(5.4, 0.2),
        smile(5.6, 0.9, 1.0),
        Gesture(7.4, 0.3, 0.5, 0.35, {"jawOpen": 0.95, "eyeWide": 0.5, "browInnerUp": 0.6, "browOuterUp": 0.5}),
        *laugh(8.6, 3),
        blink(7.2),
        Gesture(10.3, 0.16, 0.4, 0.2, {"eyeBlink_R": 1, "cheekSquint_R": 0.3}),
        smile(10.1, 0.6, 0.7, 0.3),
        blink(11.5),
    ],
    yaw=[(0.3, -16), (1.4, -24), (2.4, -12), (3.3, 0), (4.4, 12), (5.2, -8), (6.2, -30), (7.2, -6), (8.2, 8), (9.3, 24),
         (10.2, 6), (11.2, -6)],
    pitch=[(0.4, 0), (1.6, 4), (3.0, -3), (4.4, 5), (5.8, -2), (7.6, -8), (9.0, 5), (10.3, 2)],
    roll=[(0.3, 2), (1.6, 6), (3.2, -2), (4.6, 5), (6.0, -6), (7.6, 0), (9.2, -8), (10.4, 4)],
    gaze_yaw=[(0.6, -10), (1.9, -10), (2.1, 0), (3.5, 0), (3.7, 12), (4.6, 8), (5.3, 0), (6.8, 8), (7.1, -4),
              (8.3, -14), (9.0, -6), (10.0, 0)],
    gaze_pitch=[(0.5, 0), (2.2, 0), (2.5, 10), (2.9, 0), (5.2, 4), (6.8, 0), (7.5, -8), (8.4, 0), (11.0, 6)],
)  # fmt: skip
