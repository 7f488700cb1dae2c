// Values that processes send each other: plain objects, typed arrays, maps, and tensors in them.
import { deserialize, serialize } from 'node:v8';
import { type Device, type DType, fromBytes, Tensor } from '@keel/torch';

/** A tensor as bytes. A class, so that no plain object is mistaken for it. */
interface SentTensor {
  [MARK]: true;
  dtype: DType;
  shape: number[];
  bytes: Uint8Array;
}
const MARK = '\0keel tensor';

/** @throws Error for what cannot be sent, such as functions */
export function packValue(value: unknown): Uint8Array {
  return serialize(replaceTensors(value));
}

/** The value that {@link packValue} got. The caller owns its tensors. */
export function unpackValue(bytes: Uint8Array, device: Device = 'cpu'): unknown {
  return restoreTensors(deserialize(bytes), device);
}

function replaceTensors(value: unknown): unknown {
  if (value instanceof Tensor) {
    const { buffer, byteOffset, byteLength } = value.toTypedArray();
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return { [MARK]: true, dtype: value.dtype, shape: value.shape, bytes } satisfies SentTensor;
  }
  return mapped(value, replaceTensors);
}

function restoreTensors(value: unknown, device: Device): unknown {
  if (isSentTensor(value)) {
    const { dtype, shape, bytes } = value;
    using here = fromBytes(bytes, dtype, shape).keep();
    return here.to({ device }).keep();
  }
  return mapped(value, (one) => restoreTensors(one, device));
}

const isSentTensor = (value: unknown): value is SentTensor =>
  typeof value === 'object' && value !== null && MARK in value;

/** Applies it to what an array or a plain object contains; other values stay as they are. */
function mapped(value: unknown, change: (one: unknown) => unknown): unknown {
  if (Array.isArray(value)) {
    return value.every((one) => typeof one !== 'object') ? value : value.map(change);
  }
  if (value === null || typeof value !== 'object') return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, change(one)]));
}
