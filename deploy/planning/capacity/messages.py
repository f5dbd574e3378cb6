"""Bytes of requests and answers, by faces and what they carry; and the series that a pod shows to Prometheus."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.request import urlopen

from mfn.v1 import retarget_pb2 as pb
from mfn.v1 import retarget_pb2_grpc

from bench.group_pictures import GroupPicture
from deploy.planning.capacity.pictures import photo
from deploy.planning.capacity.senders import HOST, Call, channel_of
from deploy.planning.capacity.served import Served

# What HTTP/2 adds to a message: gRPC's own 5 bytes and a frame's header of 9; answers of streams fit in one frame.
HTTP_2_BYTES: Final = 14
REST: Final = {"as it comes": "", "landmarks and blendshapes": "?include=landmarks,blendshapes"}
GRPC: Final = {
    "as it comes": pb.Options(),
    "without identity": pb.Options(exclude_identity=True),
    "landmarks and blendshapes": pb.Options(include_landmarks=True, include_blendshapes=True),
}


def answers(served: Served, groups: Mapping[int, GroupPicture]) -> list[dict[str, Any]]:
    """Bytes of bodies and messages."""
    rows = []
    with channel_of(served) as channel:
        stub = retarget_pb2_grpc.RetargetServiceStub(channel)
        for faces, group in groups.items():
            picture = photo(group)
            for what, query in REST.items():
                with Call("REST", faces, picture, query).sender(served) as send:
                    body = send()
                found = len(json.loads(body)["faces"])
                rows.append({"door": "REST", "carries": what, "faces": found, "bytes": len(body)})
            for what, options in GRPC.items():
                frames = iter(_frames(picture, options))
                *_, last = stub.RetargetStream(frames)
                row = {"door": "gRPC stream", "carries": what, "faces": len(last.answer.faces)}
                rows.append(row | {"bytes": last.ByteSize() + HTTP_2_BYTES})
    return rows


def _frames(picture: bytes, options: pb.Options) -> list[pb.RetargetStreamRequest]:
    """Two frames, of an hour of a stream: its numbers have come to their usual length."""
    config = pb.StreamConfig(options=options, drop_policy=pb.DROP_POLICY_NONE)
    frames = [
        pb.Frame(sequence=number, timestamp_us=number * 33_333, image=pb.Image(encoded=picture))
        for number in (108_000, 108_001)
    ]
    return [pb.RetargetStreamRequest(config=config), *(pb.RetargetStreamRequest(frame=frame) for frame in frames)]


def series(served: Served) -> int:
    """How many a pod shows that has answered over REST, gRPC and a stream."""
    with urlopen(f"http://{HOST}:{served.http_port}/metrics") as answer:
        return sum(1 for line in answer.read().splitlines() if line and not line.startswith(b"#"))
