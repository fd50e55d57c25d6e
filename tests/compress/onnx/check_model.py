"""Checks a model with ONNX's own checker and prints what ONNX reads in it, a line per fact."""
import sys

import numpy
import onnx
import onnx.numpy_helper

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model)
print("ir", model.ir_version)
for entry in model.opset_import:
    print("opset", entry.domain or "ai.onnx", entry.version)
for entry in model.metadata_props:
    print("metadata", entry.key, entry.value)
for tensor in model.graph.initializer:
    values = onnx.numpy_helper.to_array(tensor)
    shape = "x".join(str(extent) for extent in values.shape)
    total = values.astype(numpy.float64).sum()
    print("initializer", tensor.name, values.dtype, shape or "scalar", f"{total:.6g}")
for node in model.graph.node:
    print("node", node.name, node.op_type, ",".join(node.input), ",".join(node.output))
