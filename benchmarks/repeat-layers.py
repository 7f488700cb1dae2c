"""Writes a GGUF file with the first layer of another repeated.

Quantising a large random model for a benchmark would take long.

    python benchmarks/repeat-layers.py one-layer.gguf many-layers.gguf 24
"""

import sys

from gguf import GGUFReader, GGUFValueType, GGUFWriter

source, target, layers = sys.argv[1], sys.argv[2], int(sys.argv[3])
reader = GGUFReader(source)


def value_of(field):
    if field.types[0] == GGUFValueType.STRING:
        return str(bytes(field.parts[-1]), encoding="utf-8")
    return field.parts[-1][0]


architecture = value_of(reader.fields["general.architecture"])
writer = GGUFWriter(target, architecture)
for name, field in reader.fields.items():
    if name.startswith("GGUF.") or name == "general.architecture":
        continue
    if name == f"{architecture}.block_count":
        writer.add_uint32(name, layers)
    elif field.types[0] == GGUFValueType.ARRAY:
        writer.add_array(name, field.contents())
    else:
        writer.add_key_value(name, field.contents(), field.types[0])
for tensor in reader.tensors:
    repeats = range(layers) if tensor.name.startswith("blk.0.") else [0]
    for layer in repeats:
        name = tensor.name.replace("blk.0.", f"blk.{layer}.")
        writer.add_tensor(name, tensor.data, raw_dtype=tensor.tensor_type)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
