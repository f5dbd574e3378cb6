"""TFLite models as objects that can be changed: reading, writing with every constant aligned, what operators they hold.

A model is a FlatBuffer; a published file has a zip archive of notes appended (see training/export/metadata.py), which
readers of the model pass over and readers of archives find from the end.
"""

import struct

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

IDENTIFIER = b"TFL3"
ALIGNMENT = 16  # bytes, of constants: the schema asks for it, and processors load whole vectors
OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


class AlignedBuffer(schema.BufferT):
    """A constant that is written at a multiple of ALIGNMENT, which the generated code leaves out."""

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802  the generated code's name
        """Writes the constant and gives its offset."""
        vector = 0
        if self.data is not None and len(self.data):
            builder.Prep(ALIGNMENT, len(self.data))
            vector = builder.CreateByteVector(bytes(self.data))
        schema.BufferStart(builder)
        if vector:
            schema.BufferAddData(builder, vector)
        return int(schema.BufferEnd(builder))


def read_model(content: bytes, name: str) -> schema.ModelT:
    """The model at the beginning of a file's content. Raises ValueError, with `name` of the file, where none is."""
    if len(content) < 8 or content[4:8] != IDENTIFIER:
        raise ValueError(f"{name} is no TFLite model: bytes 5 to 8 are {content[4:8]!r}, {IDENTIFIER!r} was expected")
    try:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    except (struct.error, IndexError, TypeError, ValueError, OverflowError, MemoryError) as error:
        raise ValueError(f"{name} is damaged or cut off: its {len(content)} bytes end within the model") from error
    for buffer in model.buffers or []:
        if buffer.offset:  # LiteRT's quantizer writes large constants behind the model
            buffer.data = np.frombuffer(content[buffer.offset : buffer.offset + buffer.size], np.uint8)
            if len(buffer.data) != buffer.size:
                raise ValueError(f"{name} is damaged or cut off: its {len(content)} bytes end within a constant")
    if not model.subgraphs or not model.signatureDefs:
        raise ValueError(f"{name} is damaged, or no network of ours: it has no graph or no signature")
    return model


def write_model(model: schema.ModelT) -> bytes:
    """The model as a file's content, every constant aligned. The model is as before."""
    buffers = model.buffers
    model.buffers = [aligned(buffer) for buffer in buffers]
    try:
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), IDENTIFIER)
    finally:
        model.buffers = buffers
    return bytes(builder.Output())


def aligned(buffer: schema.BufferT) -> AlignedBuffer:
    """The constant as one that is written aligned."""
    copy = AlignedBuffer()
    copy.data = buffer.data
    return copy


def code_name(code: schema.OperatorCodeT) -> str:
    """The operator's name, as in the schema. Codes above 127 do not fit into the older of the two fields."""
    return str(OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)])


def operator_name(model: schema.ModelT, operator: schema.OperatorT) -> str:
    """The operator's name, as in the schema."""
    return code_name(model.operatorCodes[operator.opcodeIndex])


def operator_index(model: schema.ModelT, name: str) -> int:
    """Which of the model's codes is the operator's. It must be in use already."""
    return [code_name(code) for code in model.operatorCodes].index(name)


def operators(model: schema.ModelT) -> list[str]:
    """Names of the graph's operators, as in the schema, in the order of execution."""
    return [operator_name(model, operator) for operator in model.subgraphs[0].operators]


def producers(model: schema.ModelT) -> dict[int, schema.OperatorT]:
    """The operator that writes a tensor, by the tensor's number; constants and inputs have none."""
    return {int(tensor): operator for operator in model.subgraphs[0].operators for tensor in operator.outputs}


def named_outputs(model: schema.ModelT) -> dict[str, int]:
    """Numbers of the tensors that a signature names, in the order of the graph's outputs."""
    names = {int(entry.tensorIndex): entry.name.decode() for entry in model.signatureDefs[0].outputs}
    return {names[int(tensor)]: int(tensor) for tensor in model.subgraphs[0].outputs}


def rename(model: schema.ModelT, inputs: str) -> None:
    """Gives the tensors of the input and the outputs the signature's names, for readers that know no signatures."""
    graph = model.subgraphs[0]
    graph.tensors[int(graph.inputs[0])].name = inputs.encode()
    for name, tensor in named_outputs(model).items():
        graph.tensors[tensor].name = name.encode()
