"""One ONNX file of MFN for square pictures of every size that its strides divide.

Convolutions do not know how large a picture is. Of what was exported at one size, two things do: the shape that puts
four pixels side by side, and what the file says of its input and outputs. The operations stay as they are.
"""

import onnx

from training.networks.layers import PATCH

QUADS = (1, 0, -1, 3 * PATCH)  # a picture, as many rows as come (0), as many quads as are left (-1), 12 channels
SIDE, PRIORS = "side", "priors"  # the names of what varies


def free_sizes(model: onnx.ModelProto) -> None:
    """Lets the exported MFN take pictures (1, side, side, 3), in place; its outputs have as many rows as priors.

    Raises ValueError where an operation would still be bound to one size.
    """
    (picture,) = model.graph.input
    constants = {constant.name: constant for constant in model.graph.initializer}
    for node in [node for node in model.graph.node if node.op_type == "Reshape"]:
        shape = onnx.numpy_helper.to_array(constants[node.input[1]])
        if node.input[0] == picture.name:
            constants[node.input[1]].CopyFrom(
                onnx.helper.make_tensor(node.input[1], onnx.TensorProto.INT64, [len(QUADS)], QUADS)
            )
            del node.attribute[:]  # allowzero, by which 0 would mean no rows at all
        elif -1 not in shape:
            raise ValueError(f"{node.name} gives the shape {shape.tolist()} whatever the size of the picture")
    _, rows, columns, _ = picture.type.tensor_type.shape.dim
    rows.dim_param = columns.dim_param = SIDE
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = PRIORS
