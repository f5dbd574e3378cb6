"""Client of MFN's gRPC service: pictures or streams of frames in, every face out."""

from mfn_client.aio import AsyncAnswers, AsyncClient
from mfn_client.answers import Answer, Face, FrameAnswer, Model, NeutralState, Problem, Timing
from mfn_client.client import Answers, Client
from mfn_client.errors import MfnError
from mfn_client.images import ColorMatrix, ColorRange, Image, PixelFormat, Plane, RawImage
from mfn_client.requests import (
    RESET,
    TAKE_NEUTRAL,
    Calibration,
    DropPolicy,
    Frame,
    Options,
    Sendable,
    Smoothing,
    StreamConfig,
)

__version__ = "0.12.0"  # that of the server in the same commit

__all__ = [
    "RESET",
    "TAKE_NEUTRAL",
    "Answer",
    "Answers",
    "AsyncAnswers",
    "AsyncClient",
    "Calibration",
    "Client",
    "ColorMatrix",
    "ColorRange",
    "DropPolicy",
    "Face",
    "Frame",
    "FrameAnswer",
    "Image",
    "MfnError",
    "Model",
    "NeutralState",
    "Options",
    "PixelFormat",
    "Plane",
    "Problem",
    "RawImage",
    "Sendable",
    "Smoothing",
    "StreamConfig",
    "Timing",
]
