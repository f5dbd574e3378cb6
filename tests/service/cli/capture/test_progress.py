from io import StringIO

from service.cli.capture.progress import Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_line_tells_share_speed_and_time_left() -> None:
    clock, terminal = Clock(), Terminal()
    progress = Progress(5400, 30.0, stream=terminal, clock=clock)
    for _ in range(1350):
        clock.now += 1 / 90
        progress.step()
    assert progress.line() == "[######                  ]  25%  1350/5400 frames  3.0 x real time  0:00:45 left"
    assert terminal.getvalue().count("\r") <= 1350 / 90 / 0.2 + 1
    assert progress.summary() == "1350 frames in 15.0 s, 3.0 x real time"


def test_frames_of_an_earlier_run_do_not_count_as_speed() -> None:
    clock = Clock()
    progress = Progress(200, 10.0, done=100, stream=Terminal(), clock=clock)
    clock.now += 5
    for _ in range(50):
        progress.step()
    assert progress.line() == "[##################      ]  75%  150/200 frames  1.0 x real time  0:00:05 left"


def test_of_a_camera_nobody_knows_when_it_ends() -> None:
    clock = Clock()
    progress = Progress(None, 10.0, stream=Terminal(), clock=clock)
    clock.now += 1
    progress.step()
    assert progress.line() == "1 frames  0.1 x real time"


def test_where_there_is_no_terminal_it_is_silent() -> None:
    stream = StringIO()
    progress = Progress(10, 10.0, stream=stream)
    progress.step()
    progress.end()
    assert stream.getvalue() == ""


def test_one_frame_is_one() -> None:
    progress = Progress(1, 30.0, stream=Terminal(), clock=Clock())
    progress.step()
    assert progress.summary().startswith("1 frame in ")
