"""`mfn watch`: tracks the faces of a video or a camera, and prints or draws them or sends them to avatars."""

import argparse
import sys
from collections.abc import Iterable
from contextlib import ExitStack, closing
from functools import partial
from os.path import realpath  # unlike Path.resolve it takes links in a circle
from pathlib import Path

from service.cli.arguments import FAILED, OK, add_input_size, check_input_size, count, score
from service.cli.avatar import livelink, vmc
from service.cli.avatar.outputs import LiveLink, Vmc
from service.cli.avatar.udp import UdpSender
from service.cli.draw import SURFACES
from service.cli.neutral_file import NeutralFileError, read_neutral
from service.cli.video.frames import FrameReader, Frames, VideoError, VideoFrame, in_real_time
from service.cli.video.lines import Lines
from service.cli.video.loop import Sink, watch
from service.cli.video.opencv import CODECS, VideoFile, Window
from service.cli.video.painting import Canvas, Painter
from service.cli.video.sources import open_frames
from service.cli.video.summary import Summary
from service.inference.execution import Execution
from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.settings import Settings
from service.tracking.options import SmoothingOptions, StreamOptions
from service.tracking.session import Session

Address = tuple[str, int]  # host, port


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's description and arguments."""
    parser.description = (
        "Follows the faces in a video or before a camera; prints a line a frame, draws them, or sends them "
        "on to avatars. Keys of the window: n takes everyone's resting face, r forgets it, q ends."
    )
    parser.add_argument(
        "source",
        metavar="VIDEO|CAMERA",
        help="a video file, an address such as rtsp://HOST/PATH, a device, or the number of a camera, from 0",
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--live",
        action="store_const",
        const=True,
        help="watch the latest frame, and open the source again where it breaks off; what cameras, rtsp://, udp:// and "
        "the like get by themselves, and http:// where the video has no length",
    )
    kind.add_argument(
        "--recording", dest="live", action="store_const", const=False, help="watch every frame, up to the end"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="draw the faces into this video, .mp4 or .avi")
    parser.add_argument("--window", action="store_true", help="draw the faces in a window")
    parser.add_argument("--surface", choices=SURFACES, default="mesh", help="what to draw on a face (default: mesh)")
    parser.add_argument("--min-score", type=score, metavar="S", help="least score of a face, 0.01 to 1 (default: 0.5)")
    parser.add_argument("--max-faces", type=count, metavar="N", help="most faces, 1 to 100 (default: 20)")
    parser.add_argument(
        "--refine",
        action=argparse.BooleanOptionalAction,
        help="take a second, closer look at each face; slower (default: for avatars, whose faces it keeps from being "
        "mute)",
    )
    add_input_size(parser)
    parser.add_argument(
        "--follow",
        action=argparse.BooleanOptionalAction,
        help="search for faces now and then, follow them in between (default: for avatars)",
    )
    parser.add_argument(
        "--neutral",
        type=Path,
        metavar="FILE",
        help="everyone's resting face, as `mfn capture` writes it, until you press n",
    )
    parser.add_argument("--smooth", action="store_true", help="steady boxes, poses and coefficients")
    parser.add_argument(
        "--livelink",
        type=partial(address, livelink.PORT),
        metavar="HOST[:PORT]",
        help=f"send the leading face to Unreal Engine as Live Link Face, subject mfn (port: {livelink.PORT})",
    )
    parser.add_argument(
        "--vmc",
        type=partial(address, vmc.PORT),
        metavar="HOST[:PORT]",
        help=f"send the leading face to an avatar program by the VMC protocol (port: {vmc.PORT})",
    )
    parser.add_argument(
        "--vrm-presets",
        action="store_true",
        help="send VRM's vowels and blinks by --vmc in place of ARKit's 52: for avatars without perfect sync",
    )
    parser.add_argument(
        "--everyone",
        action="store_true",
        help="send every face: by --livelink as subjects mfn-1, mfn-2 and so on; by --vmc to a port each, from PORT on",
    )
    parser.add_argument(
        "--mirror", action="store_true", help="avatars move as a mirror would: their left is your right"
    )
    parser.set_defaults(run=partial(run, parser))


def run(parser: argparse.ArgumentParser, settings: Settings, chosen: argparse.Namespace) -> int:
    """Runs the command. Returns the exit code. Raises StartError where models or execution provider are missing."""
    check_use(parser, chosen)
    default = StreamOptions(min_score=settings.default_min_score, max_faces=settings.default_max_faces)
    avatars = chosen.livelink is not None or chosen.vmc is not None
    options = StreamOptions(
        min_score=default.min_score if chosen.min_score is None else chosen.min_score,
        max_faces=default.max_faces if chosen.max_faces is None else chosen.max_faces,
        refine=avatars if chosen.refine is None else chosen.refine,
        follow=avatars if chosen.follow is None else chosen.follow,
        smoothing=SmoothingOptions() if chosen.smooth else None,
        input_size=chosen.input_size,
    )
    try:
        with ExitStack() as stack:
            frames = stack.enter_context(closing(open_frames(chosen.source, chosen.live)))
            execution = Execution(settings.precision, settings.execution_provider, threads=settings.workers)
            models = Models.load(settings.models_dir, execution)
            check_input_size(parser, models, chosen)
            names = models.face_model.expression_names
            neutral = None if chosen.neutral is None else read_neutral(chosen.neutral, names)
            window = stack.enter_context(closing(Window())) if chosen.window else None
            sinks = open_sinks(stack, models, frames, window, chosen)
            session = Session(Pipeline(models, settings), options, neutral=neutral)
            reader = stack.enter_context(FrameReader(frames))
            summary = stack.enter_context(Summary(reader))
            watch(timed(reader, frames, chosen), session, [summary, *sinks], window.command if window else no_command)
    except (VideoError, NeutralFileError) as error:
        print(f"mfn: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        pass  # the usual way to end watching a camera
    return OK


def no_command() -> None:
    """The command of a user who has no window."""


def open_sinks(
    stack: ExitStack, models: Models, frames: Frames, window: Window | None, chosen: argparse.Namespace
) -> list[Sink]:
    """Opens the other sinks of the frames, which are closed with the stack. Raises VideoError."""
    sinks: list[Sink] = []
    if chosen.livelink is not None:
        sender = stack.enter_context(udp("--livelink", chosen.livelink))
        sinks.append(LiveLink(sender, models.arkit, chosen.everyone, chosen.mirror))
    if chosen.vmc is not None:
        sender = stack.enter_context(udp("--vmc", chosen.vmc))
        sinks.append(Vmc(sender, models.arkit, chosen.everyone, chosen.mirror, chosen.vrm_presets))
    canvases: list[Canvas] = []
    if window is not None:
        canvases.append(window)
    if chosen.out is not None:
        canvases.append(stack.enter_context(closing(VideoFile(chosen.out, frames.rate))))
    if canvases:
        sinks.append(Painter(models.face_model, chosen.surface, canvases))
    else:
        sinks.append(Lines(models.face_model.expression_names))
    return sinks


def timed(reader: FrameReader, frames: Frames, chosen: argparse.Namespace) -> Iterable[VideoFrame | None]:
    """Times the frames: a recording is in real time where it is shown or sent to avatars."""
    if not frames.live and (chosen.window or chosen.livelink is not None or chosen.vmc is not None):
        return in_real_time(reader, frames.rate, skip=chosen.out is None)  # a written video has every frame
    return reader


def udp(option: str, target: Address) -> UdpSender:
    """The sender to an address. Raises VideoError where the host is unknown. option: that names the address."""
    try:
        return UdpSender(*target)
    except OSError as error:
        raise VideoError(f"{option}: {target[0]}: {error.strerror or error}") from error


def check_use(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    """Ends the program with a message and exit code 2 where options contradict each other."""
    if chosen.vrm_presets and chosen.vmc is None:
        parser.error("--vrm-presets is about what --vmc sends; give both")
    if chosen.everyone and chosen.livelink is None and chosen.vmc is None:
        parser.error("--everyone is about what --livelink or --vmc sends; give one of them")
    if chosen.mirror and chosen.livelink is None and chosen.vmc is None:
        parser.error("--mirror is about what --livelink or --vmc sends; give one of them")
    if chosen.live is False and chosen.source.isdecimal():
        parser.error("--recording is about a video; a camera is live")
    if chosen.out is not None:
        if chosen.out.suffix.lower() not in CODECS:
            parser.error(f"--out: cannot write {chosen.out.name!r}; give it the ending {' or '.join(CODECS)}")
        if realpath(chosen.out) == realpath(chosen.source):
            parser.error(f"--out: {chosen.out} would be overwritten; name another file")


def address(default_port: int, text: str) -> Address:
    """Parses HOST, HOST:PORT, an IPv6 address, or an IPv6 address in brackets with :PORT."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")) or text.endswith("]"):
        host, port = text, str(default_port)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a host, or a host and a port from 1 to 65535")
    return host, int(port)
