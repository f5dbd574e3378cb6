"""What a core bears, and what that costs: `python -m deploy.planning.capacity [--quick] [--part PART ...] [--results]`.

Measures, and with --results keeps the figures in deploy/planning/figures/, in the file of this processor's family, and
writes the tables that follow from them into deploy/CAPACITY.md. Needs Linux and two cores: the server has the last one,
the clients the first. For the first four parts nothing else should run there.

    calls      CPU time of a request, and requests a second of one core that is kept busy
    frames     CPU time of a frame of a stream, by format and mode
    ladder     streams of 30 frames a second that one core bears; needs frames
    workers    1, 2 and 3 workers on two cores; whether the two are cores of their own
    memory     resident, of servers, streams and connections
    messages   bytes of answers; series for Prometheus
    sizing     measures nothing: the tables anew, from the figures that are there, with the prices that are given
"""

import argparse
import json
from dataclasses import fields, replace

from bench.results import family
from deploy.planning.capacity.measuring import QUICK, Lengths, Measuring
from deploy.planning.capacity.report import DOCUMENT, file_of, read, with_tables
from deploy.planning.capacity.sizing import Assumptions


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few runs of each, to try it out")
    parser.add_argument("--part", nargs="+", metavar="PART", help="only these, e.g. --part memory messages")
    parser.add_argument("--results", action="store_true", help="keep the figures and write the tables")
    for assumption in fields(Assumptions):
        flag = f"--{assumption.name.replace('_', '-')}"
        parser.add_argument(flag, type=float, help=f"{assumption.metadata['what']} ({assumption.default:g})")
    arguments = parser.parse_args()
    chosen = {a.name: getattr(arguments, a.name) for a in fields(Assumptions)}
    assumptions = replace(Assumptions(), **{name: value for name, value in chosen.items() if value is not None})
    figures = read(family())
    measuring = Measuring(figures, QUICK if arguments.quick else Lengths())
    for name in arguments.part or measuring.parts:
        if name == "sizing":
            continue
        if name not in measuring.parts:
            parser.error(f"There is no part {name}; there are {', '.join(measuring.parts)} and sizing.")
        print(f"{name} ...", flush=True)
        measuring.parts[name]()
        if arguments.results:  # what has been measured is kept, whatever becomes of the rest
            file = file_of(family())
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(figures, indent=1) + "\n")
    if arguments.results:
        DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8"), assumptions), encoding="utf-8")
    else:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
