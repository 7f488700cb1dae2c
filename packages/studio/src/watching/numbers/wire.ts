// The part of the Protocol Buffers wire format that TensorBoard's events use.

/** Fields of a message by number: numbers, or the bytes of texts and messages. */
export interface WireField {
  number: number;
  value: number | Uint8Array;
}

/**
 * The fields of a message in their order.
 * @throws RangeError if the bytes are not a message
 */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const integer = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = view.getUint8(at++);
      value += (byte & 127) * scale;
      // Negative numbers are written as 64 bits.
      if (byte < 128) return value >= 2 ** 63 ? value - 2 ** 64 : value;
      if (scale > 128 ** 9) throw new RangeError('a number has more than ten bytes');
    }
  };
  const skip = (length: number): number => {
    const start = at;
    if (length > bytes.length - at) throw new RangeError('a field is longer than its message');
    at += length;
    return start;
  };
  while (at < bytes.length) {
    const key = integer();
    const number = Math.floor(key / 8);
    switch (key % 8) {
      case 0:
        yield { number, value: integer() };
        break;
      case 1:
        yield { number, value: view.getFloat64(skip(8), true) };
        break;
      case 2: {
        const start = skip(integer());
        yield { number, value: bytes.subarray(start, at) };
        break;
      }
      case 5:
        yield { number, value: view.getFloat32(skip(4), true) };
        break;
      default:
        throw new RangeError(`field ${number} has the unknown wire type ${key % 8}`);
    }
  }
}

/** Fields of a message by number; of repeated ones, all. */
export function wireMessage(bytes: Uint8Array): Map<number, WireField['value'][]> {
  const fields = new Map<number, WireField['value'][]>();
  for (const { number, value } of wireFields(bytes)) {
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}
