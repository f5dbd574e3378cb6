"""What a TFLite file says of itself: TFLite Metadata, and notes in a zip archive appended to the file.

The metadata is a FlatBuffer of its own (file identifier M001) in the model's buffer TFLITE_METADATA; the schema comes
with MediaPipe. The notes it names are stored uncompressed behind the model, as TFLite Support's and MediaPipe's readers
and every unzip find them. Nothing of it depends on when or where a file is written.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from mediapipe.tasks.metadata import metadata_schema_py_generated as terms

from service.vision.decoding import Level, build_priors
from service.vision.gaze import GAZE_NAMES
from training.export.flatbuffer import named_outputs, read_model, write_model
from training.export.readme import FULL_NAMES, OUTPUTS, input_description, readme
from training.export.signature import BRIGHTEST, DARKEST, IMAGE
from training.networks.layers import ZERO_LEVEL

METADATA, METADATA_IDENTIFIER = "TFLITE_METADATA", b"M001"
PARSER_VERSION = "1.0.0"  # the least version of a metadata reader that knows all that is written here
AUTHOR, LICENSE = "The MFN authors", "Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0"
ANCHORS, README = "anchors.csv", "README.txt"
LABELS = {"expression": "expression_names.txt", "gaze": "gaze_names.txt"}  # notes that name an output's columns
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the date of notes: a zip archive needs one
READABLE = 0o100644 << 16  # their mode


@dataclass(frozen=True)
class About:
    """Describes a TFLite file. kind: mfn or sfn. form: as in training.export.artifacts.FORMS. side: of the input,
    pixels. levels: strides and anchors of the priors; None where the prior is the whole input. names: of the expression
    coefficients, in order."""

    kind: str
    form: str
    version: str
    side: int
    levels: Sequence[tuple[int, tuple[tuple[float, float], ...]]] | None
    names: Sequence[str]

    @property
    def title(self) -> str:
        """One line that says what the file is."""
        return f"{FULL_NAMES[self.kind]}. Version {self.version}, {self.form}."


def anchors(about: About) -> str:
    """anchors.csv: centre and size of every prior, pixels of the input, in the outputs' order."""
    levels = about.levels or [(about.side, ((about.side, about.side),))]
    priors = build_priors([Level(*level) for level in levels], about.side)
    rows = np.concatenate([priors.centre, priors.size], axis=1)
    return "cx,cy,width,height\n" + "".join(",".join(f"{value:g}" for value in row) + "\n" for row in rows)


def with_metadata(content: bytes, about: About) -> bytes:
    """A model of training/export/tflite.py as it is published: described, its notes behind it.

    Raises ValueError where there are not as many names as coefficients.
    """
    model = read_model(content, about.form)
    outputs = named_outputs(model)
    labels = {name: names for name, names in (("expression", about.names), ("gaze", GAZE_NAMES)) if name in outputs}
    for output, names in labels.items():
        columns = int(model.subgraphs[0].tensors[outputs[output]].shape[-1])
        if len(names) != columns:
            raise ValueError(f"{about.form} gives {columns} {output} coefficients; names are {len(names)}")
    described = schema.BufferT()
    described.data = np.frombuffer(model_metadata(model, about), np.uint8)
    model.buffers.append(described)
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    model.description = about.title
    notes = {
        **{LABELS[output]: "".join(f"{name}\n" for name in names) for output, names in labels.items()},
        ANCHORS: anchors(about),
        README: readme(about.title, about.kind, about.side, takes_bytes(model), list(outputs)),
    }
    return with_notes(write_model(model), notes)


def with_notes(content: bytes, notes: Mapping[str, str]) -> bytes:
    """A file's content with a zip archive of notes, text by name, appended."""
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        for name, text in notes.items():
            info = zipfile.ZipInfo(name, LONG_AGO)
            info.create_system, info.external_attr = 3, READABLE
            archive.writestr(info, text.encode())
    return file.getvalue()


def model_metadata(model: schema.ModelT, about: About) -> bytes:
    """The metadata's FlatBuffer. Tensors are described in the graph's order."""
    graph = terms.SubGraphMetadataT()
    graph.inputTensorMetadata = [image_metadata(model, about)]
    graph.outputTensorMetadata = [output_metadata(name) for name in named_outputs(model)]
    metadata = terms.ModelMetadataT()
    metadata.name, metadata.version = FULL_NAMES[about.kind], about.version
    metadata.description = f"{about.title} {README} in this file tells how to use it."
    metadata.author, metadata.license, metadata.minParserVersion = AUTHOR, LICENSE, PARSER_VERSION
    metadata.subgraphMetadata = [graph]
    metadata.associatedFiles = [
        note(ANCHORS, "A line for each prior, in the outputs' order: its centre and size in pixels of the input."),
        note(README, "How to prepare the input and to read the outputs."),
    ]
    builder = flatbuffers.Builder(1 << 14)
    builder.Finish(metadata.Pack(builder), METADATA_IDENTIFIER)
    return bytes(builder.Output())


def takes_bytes(model: schema.ModelT) -> bool:
    """Whether a model's input is uint8 pictures."""
    graph = model.subgraphs[0]
    return bool(graph.tensors[int(graph.inputs[0])].type == schema.TensorType.UINT8)


def image_metadata(model: schema.ModelT, about: About) -> terms.TensorMetadataT:
    """Describes the input: its size and how grey levels are normalized."""
    image = terms.ImagePropertiesT()
    image.colorSpace, image.defaultSize = terms.ColorSpaceType.RGB, terms.ImageSizeT()
    image.defaultSize.width = image.defaultSize.height = about.side
    normalization = terms.ProcessUnitT()
    normalization.optionsType = terms.ProcessUnitOptions.NormalizationOptions
    normalization.options = terms.NormalizationOptionsT()
    normalization.options.mean = normalization.options.std = [ZERO_LEVEL]
    metadata = terms.TensorMetadataT()
    metadata.name, metadata.description = IMAGE, input_description(about.kind, about.side, takes_bytes(model))
    metadata.content = terms.ContentT()
    metadata.content.contentPropertiesType = terms.ContentProperties.ImageProperties
    metadata.content.contentProperties = image
    metadata.processUnits = [normalization]
    metadata.stats = terms.StatsT()
    darkest, brightest = (0.0, 255.0) if takes_bytes(model) else (DARKEST, BRIGHTEST)
    metadata.stats.min, metadata.stats.max = [darkest], [brightest]
    return metadata


def output_metadata(name: str) -> terms.TensorMetadataT:
    """Describes an output, with a file that names its columns where there is one."""
    metadata = terms.TensorMetadataT()
    metadata.name, metadata.description = name, OUTPUTS[name]
    metadata.content = terms.ContentT()
    metadata.content.contentPropertiesType = terms.ContentProperties.FeatureProperties
    metadata.content.contentProperties = terms.FeaturePropertiesT()
    if name in LABELS:
        labels = note(LABELS[name], "Names of the coefficients, a line for each, in order.")
        labels.type = terms.AssociatedFileType.TENSOR_AXIS_LABELS
        metadata.associatedFiles = [labels]
    return metadata


def note(name: str, description: str) -> terms.AssociatedFileT:
    """Describes one of the notes."""
    file = terms.AssociatedFileT()
    file.name, file.description = name, description
    return file
