"""Days under the HorizontalPodAutoscaler: `python -m deploy.planning.autoscaling [--results]`.

Simulates what the manifests in deploy/ would do with a day's load: the autoscaler's published algorithm, pods that take
time to start, nodes that take longer, metrics that are late, queues that are bounded, streams that stay where they are
until their connection is old. Prints a table of days, and one of other CPU targets; with --results both go into
deploy/CAPACITY.md, and pictures of days beside it. The same arguments give the same figures.

What a picture and a frame cost is given; by default as measured on one machine (deploy/CAPACITY.md), where a pod of two
workers bears 234 photos a second and uses 84 % of its cores then:

    --request-ms 8.5    2 workers / 234, of which 84 % is CPU time
    --stream-ms 6.5     a followed frame of 640 x 480 takes 5.0 ms of CPU alone, and a tenth more beside another
    --cpu-share 0.84
"""

import argparse
import textwrap
from dataclasses import fields
from pathlib import Path

from bench.results import table, with_figures
from deploy.planning.autoscaling.cluster import Startup
from deploy.planning.autoscaling.production import Production, production
from deploy.planning.autoscaling.proposal import CPU
from deploy.planning.autoscaling.scenarios import COMPARED, HEADER, Costs, Days, Scenario

COLUMNS = 120
DOCUMENT = Path(__file__).resolve().parents[2] / "CAPACITY.md"
MEANINGS = {
    "schedule": "seconds until a node with room has a new pod",
    "pull": "seconds until the image is there",
    "start": "seconds from the server's start to its being ready",
    "announce": "seconds from a pod's being ready to its first request",
    "node": "seconds until a new node is there",
    "pods_per_node": "pods that fit on a node",
    "spare_nodes": "empty nodes that are kept ready",
}


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--request-ms", type=float, default=8.5, help="of one worker, for a picture")
    parser.add_argument("--stream-ms", type=float, default=6.5, help="of one worker, for a frame of a stream")
    parser.add_argument("--cpu-share", type=float, default=0.84, help="of a core, that a busy worker uses")
    parser.add_argument("--frame-rate", type=float, default=30.0, help="frames a second of a stream")
    parser.add_argument("--peak-pods", type=int, default=30, help="that the day's highest load needs")
    for setting in fields(Startup):
        if setting.name in MEANINGS:
            name = "--" + setting.name.replace("_", "-")
            kind = int if isinstance(setting.default, int) else float
            parser.add_argument(name, type=kind, default=setting.default, help=MEANINGS[setting.name])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", action="store_true", help="write tables and pictures into deploy/")
    chosen = parser.parse_args()
    installed = production()
    startup = Startup(probe=installed.probe_seconds, **{name: getattr(chosen, name) for name in MEANINGS})
    target = installed.autoscaler.target(CPU).value
    costs = Costs(
        request_seconds=chosen.request_ms / 1e3,
        frame_seconds=chosen.stream_ms / 1e3,
        peak_cores=chosen.peak_pods * installed.cores * target / 100,
        frame_rate=chosen.frame_rate,
        cpu_share=chosen.cpu_share,
    )
    days = Days(installed, costs, startup, chosen.seed)
    done = list(days.all())
    named = {scenario.name: scenario for scenario in done}
    rows = list(days.compared([named["web"], named["burst"], named["streams"]]))
    told = report(installed, costs, startup, chosen.peak_pods, done, rows)
    print(told)
    if chosen.results:
        write(DOCUMENT, told, installed, done)


def report(
    installed: Production, costs: Costs, startup: Startup, peak_pods: int, done: list[Scenario], rows: list[list[str]]
) -> str:
    """Both tables, under what they hold for."""
    autoscaler = installed.autoscaler
    bounds = f"{autoscaler.min_replicas} to {autoscaler.max_replicas}"
    targets = ", ".join(f"{target.metric} {target.value:g}" for target in autoscaler.targets)
    until_first = startup.until_running + startup.until_ready + startup.announce
    given = f"""{bounds} pods of {installed.cores} cores; targets: {targets}. A picture takes
        {costs.request_seconds * 1e3:g} ms of a worker, a stream {costs.frame_rate:g} frames a second of
        {costs.frame_seconds * 1e3:g} ms, and busy workers use {costs.cpu_share:.0%} of their cores; the day's peak
        needs {peak_pods} pods. A pod has its first request
        {until_first:g} s after it was asked for, {startup.node:g} s later where a node is lacking:
        {startup.pods_per_node} pods fit on one, and {startup.spare_nodes} nodes are kept empty."""
    meant = f"""The ideal has at every second the pods that bring CPU to its target; the fixed fleet has its greatest
        number all day. Pods that start and that end count. A pod takes {installed.settings.max_streams} streams where
        nothing else is said; a client that finds it full asks another one. Waits are for a worker, of those that were
        not refused."""
    days = table(HEADER, [scenario.row() for scenario in done])
    again = "The same loads with other targets of CPU:"
    return "\n\n".join([_paragraph(given), days, _paragraph(meant), again, table(COMPARED, rows)])


def _paragraph(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), COLUMNS)


def write(document: Path, told: str, installed: Production, done: list[Scenario]) -> None:
    """The tables between the document's markers, above the pictures, which go into planning/figures beside it."""
    from deploy.planning.autoscaling.pictures import draw  # matplotlib is for those who want pictures

    folder = document.parent / "planning" / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    usual = next(scenario for scenario in done if scenario.name == "web")
    drawn = [scenario for scenario in done if scenario.drawn]
    for scenario in drawn:
        compared = usual if scenario.failure else None
        draw(scenario, installed.autoscaler, folder / f"autoscaling-{scenario.name}.webp", compared)
    links = "\n\n".join(f"![{scenario.title}](planning/figures/autoscaling-{scenario.name}.webp)" for scenario in drawn)
    text = document.read_text(encoding="utf-8")
    told = with_figures(text, "autoscaling", "## A day with the autoscaler", f"{told}\n\n{links}")
    document.write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
