"""What a run of the evaluation has measured."""

from dataclasses import dataclass, field, fields

from training.evaluation.detection import DetectionMetrics
from training.evaluation.expression import ExpressionMetrics
from training.evaluation.eyes import EyeMetrics, LidMetrics
from training.evaluation.invariance import InvarianceMetrics
from training.evaluation.jitter import JitterMetrics
from training.evaluation.measure import GroupedLandmarks
from training.evaluation.poses import PoseMetrics
from training.evaluation.skin import SkinMetrics

PAPER = "paper"
ALONE, REFINED = "MFN", "MFN + SFN"  # how systems of our networks are named, with what else there is behind it
Key = tuple[str, str]  # data set, system


@dataclass
class Results:
    """Measures by (data set, system), in the order they were taken. range: expressions, of which only the range counts.
    exact: expressions against what the set knows. remarks: what a reader must know about a run."""

    detection: dict[Key, DetectionMetrics] = field(default_factory=dict)
    landmarks: dict[Key, GroupedLandmarks] = field(default_factory=dict)
    expression: dict[Key, ExpressionMetrics] = field(default_factory=dict)
    invariance: dict[Key, list[InvarianceMetrics]] = field(default_factory=dict)
    eyes: dict[Key, EyeMetrics] = field(default_factory=dict)
    lids: dict[Key, LidMetrics] = field(default_factory=dict)
    range: dict[Key, ExpressionMetrics] = field(default_factory=dict)
    exact: dict[Key, ExpressionMetrics] = field(default_factory=dict)
    poses: dict[Key, tuple[PoseMetrics, ...]] = field(default_factory=dict)
    jitter: dict[Key, JitterMetrics] = field(default_factory=dict)
    skin: dict[Key, SkinMetrics] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, others: "Results") -> None:
        """Adds other measures."""
        for measure in MEASURES:
            getattr(self, measure).update(getattr(others, measure))
        self.remarks += others.remarks


MEASURES = tuple(f.name for f in fields(Results) if f.name != "remarks")
