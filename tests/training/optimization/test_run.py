"""A run's clock, the moving average of its weights, and steps that are left out, on a network of two weights."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from training.optimization.adamw import AdamW, decayed_parameters  # noqa: E402
from training.optimization.run import Run  # noqa: E402
from training.optimization.schedule import Schedule  # noqa: E402


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def run(
    folder: Path, schedule: Schedule, clock: Clock | None = None, minutes: float = float("inf")
) -> Run[nn.Sequential]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    ema = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    ema.load_state_dict(network.state_dict())
    one = Run(
        folder=folder,
        network=network,
        ema=ema,
        optimizer=AdamW(decayed_parameters(network, 0.1), lr=0.1, fused=True),
        generator=torch.Generator().manual_seed(0),
        host=torch.Generator().manual_seed(0),
        schedule=schedule,
        minutes=minutes,
        clock=clock or Clock(0),
    )
    one.resume(samples_per_step=8)
    return one


def step(one: Run[nn.Sequential], factor: float = 1.0) -> None:
    inputs = torch.randn(8, 2, generator=one.generator)
    one.update(
        {
            "square": one.network(inputs).square().mean() * factor
            + inputs.mean() * one.network.get_parameter("0.weight")[0, 0]
        },
        8,
    )


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.named_parameters()}


def test_a_run_by_time_goes_on_at_the_rate_where_it_stopped_however_long_it_paused(tmp_path: Path) -> None:
    schedule = Schedule(1.0, seconds=100, warm_up=1)
    clock = Clock(0)
    whole = run(tmp_path / "whole", schedule, clock)
    rates = []
    while whole.running():
        rates.append(whole.optimizer.param_groups[0]["lr"])
        step(whole)
        clock.now += 10
    assert len(rates) == 10

    pieces, clock = [], Clock(5000)
    piece = whole
    for _ in range(4):
        piece = run(tmp_path / "pieces", schedule, clock, minutes=0.5)
        clock.now += 77  # reading the data
        while piece.running():
            pieces.append(piece.optimizer.param_groups[0]["lr"])
            step(piece)
            clock.now += 10
        piece.save()
        clock.now += 1000
    assert pieces == pytest.approx(rates)
    for name, value in weights(whole.ema).items():
        torch.testing.assert_close(value, weights(piece.ema)[name])


def test_time_after_the_last_checkpoint_is_lost_with_its_steps(tmp_path: Path) -> None:
    clock = Clock(0)
    first = run(tmp_path, Schedule(1.0, seconds=100), clock)
    first.running()
    clock.now = 30
    step(first)
    first.save()
    clock.now = 60
    step(first)
    again = run(tmp_path, Schedule(1.0, seconds=100), Clock(0))
    assert again.running()
    assert (again.step, again.samples, again.seconds) == (1, 8, 30)


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_a_step_that_is_not_finite_leaves_weights_and_means_as_they_are(tmp_path: Path, factor: float) -> None:
    one = run(tmp_path, Schedule(1.0, steps=10))
    assert one.running()
    step(one)
    before = weights(one.network)
    moments = {k: {n: v.clone() for n, v in s.items()} for k, s in one.optimizer.state.items()}
    step(one, factor)
    assert all(torch.equal(value, before[name]) for name, value in one.network.named_parameters())
    for parameter, state in one.optimizer.state.items():
        assert all(torch.equal(value, moments[parameter][name]) for name, value in state.items())
    step(one)
    assert not torch.equal(one.network[0].weight, before["0.weight"])
    assert one.step == 3


def test_the_moving_average_is_the_mean_that_the_decay_says(tmp_path: Path) -> None:
    one = run(tmp_path, Schedule(1.0, steps=10))
    one.decay = 0.5
    expected = weights(one.network)
    for count in (1, 2, 3, 4):
        step(one)
        decay = min(0.5, (1 + count) / (10 + count))
        expected = {name: decay * expected[name] + (1 - decay) * value for name, value in weights(one.network).items()}
    for name, value in weights(one.ema).items():
        torch.testing.assert_close(value, expected[name])
    torch.testing.assert_close(one.ema.get_buffer("1.running_mean").isfinite(), torch.tensor([True]))


def test_a_checkpoint_of_an_earlier_version_is_taken_up(tmp_path: Path) -> None:
    one = run(tmp_path, Schedule(1.0, steps=10))
    step(one)
    one.save()
    path = tmp_path / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    del state["samples"], state["host"]
    for group in state["optimizer"]["param_groups"]:
        group["fused"] = None
    torch.save(state, path)
    again = run(tmp_path, Schedule(1.0, steps=10))
    assert (again.step, again.samples) == (1, 8)
    assert again.running()
    step(again, float("nan"))  # left out, which only the fused optimizer does
    assert all(bool(value.isfinite().all()) for value in again.network.parameters())


def test_a_checkpoint_that_lacks_something_is_refused_by_its_name(tmp_path: Path) -> None:
    one = run(tmp_path, Schedule(1.0, steps=10))
    torch.save({"averaged": one.ema.state_dict()}, tmp_path / "checkpoint.pt")
    with pytest.raises(SystemExit, match=r"checkpoint.pt lacks network, optimizer, generator, step, seconds"):
        run(tmp_path, Schedule(1.0, steps=10))
