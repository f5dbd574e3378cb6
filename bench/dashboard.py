"""Whether every panel of the Grafana dashboard has data: `python -m bench.dashboard [--seconds 25]`.

A server with TLS is put under load by REST, gRPC, streams that lose frames, and WebSocket, mistakes included. A real
Prometheus (`apt-get install prometheus`) scrapes it, with the configuration of deploy/compose.yaml and the rules of
deploy/monitoring, but every second, and trusting the server's certificate as deploy/monitoring/tls has it. Then each
query of the dashboard is asked, with Grafana's variables filled in, each recording rule is looked up, and each alert
has to have been evaluated. Prints how many series each has, and exits with 1 where one has none.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import math
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import trustme
import yaml

from bench.dashboard_load import load
from bench.results import table
from bench.server import Served, free_port, photo, server

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
DASHBOARD = DEPLOY / "monitoring/dashboard.json"
RULES = DEPLOY / "monitoring/rules.yaml"
PROMETHEUS = DEPLOY / "compose/prometheus.yaml"
PATIENCE_SECONDS = 60.0
# What Grafana would put in: a rate over ten scrapes, everything of the variables that stand for all.
GIVEN = {"__rate_interval": "10s", "namespace": ".*", "instance": ".*"}
LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")
# One worker and a short queue, so that a few senders fill it and some are refused.
SETTINGS = {"MFN_WORKERS": "1", "MFN_QUEUE_LENGTH": "1"}


@dataclass(frozen=True)
class Query:
    """Holds a query of the dashboard or the rules. expr: PromQL. counted: a zero is no data: of a heat map, whose cells
    are then all empty."""

    panel: str
    expr: str
    counted: bool = False


def queries(dashboard: dict[str, Any]) -> list[Query]:
    """All that a dashboard asks Prometheus for, variables filled in: its panels, once for each value of a variable that
    they are repeated over, and its annotations."""
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    found = []
    for panel in dashboard["panels"]:
        repeated, counted = panel.get("repeat"), panel["type"] == "heatmap"
        values = variables[repeated]["query"].split(", ") if repeated else [""]
        for value, target in itertools.product(values, panel.get("targets", [])):
            given = GIVEN | ({repeated: value} if repeated else {})
            found.append(Query(filled(panel["title"], given), filled(target["expr"], given), counted))
    found += [
        Query(f"annotation {annotation['name']}", filled(annotation["expr"], GIVEN))
        for annotation in dashboard["annotations"]["list"]
        if "expr" in annotation
    ]
    return found


def filled(text: str, given: dict[str, str]) -> str:
    """Raises KeyError where a variable is not given."""
    return re.sub(r"\$(\w+)", lambda match: given[match[1]], text)


def every_second(
    configuration: dict[str, Any], rules: dict[str, Any], served: Served, certificate: Path
) -> tuple[dict[str, Any], ...]:
    """The configuration and the rules of Prometheus for this one server, scraped and evaluated each second.

    certificate: the file of the server's own, which is trusted."""
    (job,) = configuration["scrape_configs"]
    (targets,) = job["static_configs"]
    seconds = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    job = job | {"static_configs": [targets | {"targets": [f"127.0.0.1:{served.http_port}"]}]}
    job |= {"scheme": "https", "tls_config": {"ca_file": str(certificate)}}
    groups = [{key: value for key, value in group.items() if key != "interval"} for group in rules["groups"]]
    return configuration | {"global": seconds, "scrape_configs": [job]}, {"groups": groups}


@contextmanager
def prometheus(served: Served, certificate: Path) -> Iterator[httpx2.Client]:
    """A Prometheus that scrapes the server, whose certificate lies there; a client of its API."""
    program = shutil.which("prometheus")
    if program is None:
        sys.exit("prometheus is not installed. On Debian: apt-get install prometheus")
    written = (yaml.safe_load(PROMETHEUS.read_text()), yaml.safe_load(RULES.read_text()))
    files = zip(("prometheus.yaml", "rules.yaml"), every_second(*written, served, certificate), strict=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files:
            (Path(folder) / name).write_text(yaml.safe_dump(content))
        port = free_port()
        process = subprocess.Popen(
            [program, "--config.file", f"{folder}/prometheus.yaml", "--storage.tsdb.path", f"{folder}/data",
             "--web.listen-address", f"127.0.0.1:{port}", "--log.level", "error"],
        )  # fmt: skip
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as client:
                until_ready(client, process)
                yield client
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def until_ready(client: httpx2.Client, process: subprocess.Popen[bytes]) -> None:
    """Waits for Prometheus to be ready. Ends the program where it stops or takes longer than PATIENCE_SECONDS."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(httpx2.TransportError):
            if client.get("/-/ready").status_code == 200:
                return
        if process.poll() is not None or time.monotonic() > end:
            sys.exit("Prometheus did not start.")
        time.sleep(0.1)


def asked(client: httpx2.Client, path: str, **parameters: str) -> Any:
    """What Prometheus answers. Ends the program where it does not understand."""
    answer = client.get(path, params=parameters)
    if answer.status_code != 200:
        sys.exit(f"Prometheus: {parameters}: {answer.json()['error']}")
    return answer.json()["data"]


def series(client: httpx2.Client, query: Query) -> int:
    """How many series have a value now; one that is not a number is none."""
    values = [float(one["value"][1]) for one in asked(client, "/api/v1/query", query=query.expr)["result"]]
    return sum(math.isfinite(value) and not (query.counted and value == 0) for value in values)


def counts(client: httpx2.Client, dashboard: dict[str, Any]) -> list[tuple[str, int]]:
    """The names of all that is to have data, and how many series or values it has."""
    rows = [(query.panel, series(client, query)) for query in queries(dashboard)]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            asks = LABEL_VALUES.fullmatch(variable["definition"])
            assert asks is not None, variable["definition"]
            found = asked(client, f"/api/v1/label/{asks[2]}/values", **{"match[]": filled(asks[1], GIVEN)})
            rows.append((f"variable {variable['name']}", len(found)))
    for group in asked(client, "/api/v1/rules")["groups"]:
        for rule in group["rules"]:
            if rule["type"] == "recording":
                rows.append((f"rule {rule['name']}", series(client, Query("", rule["name"]))))
            else:
                rows.append((f"alert {rule['name']}, evaluated", int(rule["health"] == "ok")))
    return rows


def main() -> None:
    """Reads the options and runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=25.0, help="of load")
    seconds = parser.parse_args().seconds
    dashboard = json.loads(DASHBOARD.read_text())
    authority = trustme.CA()
    roots = authority.cert_pem.bytes()
    with tempfile.TemporaryDirectory() as folder:
        chain, key = Path(folder) / "chain.pem", Path(folder) / "key.pem"
        issued = authority.issue_cert("127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(chain)
        issued.private_key_pem.write_to_path(key)
        settings = SETTINGS | {"MFN_TLS_CERTIFICATE_FILE": str(chain), "MFN_TLS_KEY_FILE": str(key)}
        trust = ssl.create_default_context(cadata=roots.decode())
        with server(trust=trust, settings=settings) as served, prometheus(served, chain) as client:
            asyncio.run(load(served, roots, photo(640, 480), seconds))
            rows = counts(client, dashboard)
    print(table(["panel, rule or variable", "series"], [[name, str(count)] for name, count in rows]))
    empty = [name for name, count in rows if not count]
    print(f"\n{len(empty)} of {len(rows)} queries without data{': ' if empty else ''}{', '.join(empty)}")
    sys.exit(bool(empty))


if __name__ == "__main__":
    main()
