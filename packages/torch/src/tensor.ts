import { arrayFor, type Device, type DType, dtypeOfCode, type TypedArray } from './dtype.ts';
import { exactNumber } from './exact-number.ts';
import { type Handle, native } from './native.ts';
import * as ops from './ops.generated.ts';
import { keep, type Owned, register, type Scope, unregister } from './scope.ts';

/** A dimension, or several; negative ones count from the end. */
export type Dims = number | readonly number[];

const list = (dims: Dims): readonly number[] => (typeof dims === 'number' ? [dims] : dims);

/**
 * A LibTorch tensor. Its methods are thin wrappers of {@link ops}; names that end in an underscore
 * change the tensor in place. It is freed by the scope that it was created in ({@link tidy}) or by
 * `dispose`. Using a freed tensor throws an error.
 */
export class Tensor implements Owned {
  /** @internal */
  readonly handle: Handle;
  /** @internal */
  owner: Scope | null = null;
  #disposed = false;

  /** @internal */
  constructor(handle: Handle) {
    this.handle = handle;
    register(this);
  }

  get shape(): number[] {
    return native.shape(this.handle);
  }
  get strides(): number[] {
    return native.strides(this.handle);
  }
  get dtype(): DType {
    return dtypeOfCode(native.scalarType(this.handle));
  }
  get device(): Device {
    return native.device(this.handle);
  }
  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, extent) => product * extent, 1);
  }
  get disposed(): boolean {
    return this.#disposed;
  }

  /** Extent of one dimension. */
  dim(index: number): number {
    const { shape } = this;
    const extent = shape.at(index);
    if (extent === undefined)
      throw new RangeError(`dimension ${index} is out of range for shape [${shape}]`);
    return extent;
  }

  dispose(): void {
    if (this.#disposed) return;
    unregister(this);
    this.#disposed = true;
    native.dispose(this.handle);
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
  /**
   * Takes it out of its scope, so that it lives until it is disposed. @throws Error if it already
   * is.
   */
  keep(): this {
    return keep(this);
  }
  /** @internal Called after the scope has freed it. */
  forget(): void {
    this.#disposed = true;
    this.owner = null;
  }

  /** The elements, row-major, in a new typed array; 16-bit floats as their bits. */
  toTypedArray(): TypedArray {
    const array = arrayFor(this.dtype, this.size);
    native.toBytes(this.handle, array);
    return array;
  }
  /**
   * The elements as numbers, row-major. @throws RangeError for an int64 that a number cannot
   * represent.
   */
  toArray(): number[] {
    const wide = this.dtype === 'float16' || this.dtype === 'bfloat16';
    const source = wide ? this.to('float32') : this;
    const array = source.toTypedArray();
    if (wide) source.dispose();
    return array instanceof BigInt64Array ? Array.from(array, exactNumber) : Array.from(array);
  }
  /**
   * The single element. @throws Error if there are several, or for an int64 that a number cannot
   * represent.
   */
  item(): number {
    return native.item(this.handle);
  }

  get requiresGrad(): boolean {
    return native.requiresGrad(this.handle);
  }
  setRequiresGrad(flag = true): this {
    native.setRequiresGrad(this.handle, flag);
    return this;
  }
  /** The accumulated gradient, or null. Each access creates a new handle, which a scope frees. */
  get grad(): Tensor | null {
    const handle = native.gradient(this.handle);
    return handle === null ? null : new Tensor(handle);
  }
  /** @throws Error if the shape, type or device differs. */
  set grad(gradient: Tensor | null) {
    native.setGradient(this.handle, gradient === null ? null : gradient.handle);
  }
  /**
   * Adds d this / d leaf to every leaf's gradient. A non-scalar needs a seed with its own shape.
   */
  backward(seed?: Tensor): void {
    native.backward(this.handle, seed?.handle);
  }
  detach(): Tensor {
    return ops.detach(this);
  }

  add(other: Tensor | number, alpha = 1): Tensor {
    return other instanceof Tensor
      ? ops.addTensor(this, other, alpha)
      : ops.addScalar(this, other, alpha);
  }
  sub(other: Tensor | number): Tensor {
    return other instanceof Tensor ? ops.subTensor(this, other) : ops.subScalar(this, other);
  }
  /** other - this */
  rsub(other: number): Tensor {
    return ops.rsubScalar(this, other);
  }
  mul(other: Tensor | number): Tensor {
    return other instanceof Tensor ? ops.mulTensor(this, other) : ops.mulScalar(this, other);
  }
  div(other: Tensor | number): Tensor {
    return other instanceof Tensor ? ops.divTensor(this, other) : ops.divScalar(this, other);
  }
  pow(exponent: number): Tensor {
    return ops.powTensorScalar(this, exponent);
  }
  neg(): Tensor {
    return ops.neg(this);
  }
  abs(): Tensor {
    return ops.abs(this);
  }
  exp(): Tensor {
    return ops.exp(this);
  }
  log(): Tensor {
    return ops.log(this);
  }
  square(): Tensor {
    return ops.square(this);
  }
  sqrt(): Tensor {
    return ops.sqrt(this);
  }
  rsqrt(): Tensor {
    return ops.rsqrt(this);
  }
  tanh(): Tensor {
    return ops.tanh(this);
  }
  sigmoid(): Tensor {
    return ops.sigmoid(this);
  }
  logSigmoid(): Tensor {
    return ops.logSigmoid(this);
  }
  silu(): Tensor {
    return ops.silu(this);
  }
  relu(): Tensor {
    return ops.relu(this);
  }
  sin(): Tensor {
    return ops.sin(this);
  }
  cos(): Tensor {
    return ops.cos(this);
  }
  sign(): Tensor {
    return ops.sign(this);
  }
  gelu(approximate: 'none' | 'tanh' = 'none'): Tensor {
    return ops.gelu(this, approximate);
  }
  clamp(min: number | null, max: number | null = null): Tensor {
    return ops.clamp(this, min, max);
  }
  eq(other: Tensor | number): Tensor {
    return other instanceof Tensor ? ops.eqTensor(this, other) : ops.eqScalar(this, other);
  }
  lt(other: Tensor | number): Tensor {
    return other instanceof Tensor ? ops.ltTensor(this, other) : ops.ltScalar(this, other);
  }
  gt(other: Tensor | number): Tensor {
    return other instanceof Tensor ? ops.gtTensor(this, other) : ops.gtScalar(this, other);
  }
  ge(other: Tensor | number): Tensor {
    return other instanceof Tensor ? ops.geTensor(this, other) : ops.geScalar(this, other);
  }
  logicalNot(): Tensor {
    return ops.logicalNot(this);
  }
  maskedFill(mask: Tensor, value: number): Tensor {
    return ops.maskedFillScalar(this, mask, value);
  }

  sum(dims?: Dims, keepdim = false): Tensor {
    return dims === undefined ? ops.sum(this) : ops.sumDimIntList(this, list(dims), keepdim);
  }
  mean(dims?: Dims, keepdim = false): Tensor {
    return dims === undefined ? ops.mean(this) : ops.meanDim(this, list(dims), keepdim);
  }
  max(): Tensor {
    return ops.max(this);
  }
  min(): Tensor {
    return ops.min(this);
  }
  argmax(dim?: number): Tensor {
    return ops.argmax(this, dim ?? null);
  }
  cumsum(dim: number): Tensor {
    return ops.cumsum(this, dim);
  }
  logsumexp(dims: Dims): Tensor {
    return ops.logsumexp(this, list(dims));
  }
  softmax(dim: number): Tensor {
    return ops.softmaxInt(this, dim);
  }
  logSoftmax(dim: number): Tensor {
    return ops.logSoftmaxInt(this, dim);
  }
  any(): boolean {
    return readFlag(ops.any(this));
  }
  all(): boolean {
    return readFlag(ops.all(this));
  }
  /** Whether all elements are finite. */
  isFinite(): boolean {
    using flags = ops.isfinite(this);
    return flags.all();
  }

  matmul(other: Tensor): Tensor {
    return ops.matmul(this, other);
  }
  /** this @ weight^T + bias; weight [out, in] */
  linear(weight: Tensor, bias: Tensor | null = null): Tensor {
    return ops.linear(this, weight, bias);
  }

  /** A view if possible, else a copy. */
  reshape(...shape: number[]): Tensor {
    return ops.reshape(this, shape);
  }
  view(...shape: number[]): Tensor {
    return ops.view(this, shape);
  }
  transpose(first: number, second: number): Tensor {
    return ops.transposeInt(this, first, second);
  }
  permute(...dims: number[]): Tensor {
    return ops.permute(this, dims);
  }
  t(): Tensor {
    return ops.t(this);
  }
  unsqueeze(dim: number): Tensor {
    return ops.unsqueeze(this, dim);
  }
  squeeze(dim: number): Tensor {
    return ops.squeezeDim(this, dim);
  }
  expand(...shape: number[]): Tensor {
    return ops.expand(this, shape);
  }
  contiguous(): Tensor {
    return ops.contiguous(this);
  }
  clone(): Tensor {
    return ops.clone(this);
  }
  /** [start, start + length) of a dimension, as a view. */
  narrow(dim: number, start: number, length: number): Tensor {
    return ops.narrow(this, dim, start, length);
  }
  select(dim: number, index: number): Tensor {
    return ops.selectInt(this, dim, index);
  }
  split(sizes: readonly number[], dim = 0): Tensor[] {
    return ops.splitWithSizes(this, sizes, dim);
  }
  indexSelect(dim: number, index: Tensor): Tensor {
    return ops.indexSelect(this, dim, index);
  }
  gather(dim: number, index: Tensor): Tensor {
    return ops.gather(this, dim, index);
  }

  /** Returns the same tensor (as a new handle) if the element type and device are unchanged. */
  to(target: DType | { dtype?: DType; device?: Device }): Tensor {
    const { dtype = this.dtype, device = null } =
      typeof target === 'string' ? { dtype: target } : target;
    if (device === null) return ops.toDtype(this, dtype);
    // CUDA copies ordinary memory of the host before the call returns, so that nothing has to wait
    // for what the device is still computing.
    const nonBlocking = device !== 'cpu' && this.device === 'cpu';
    return ops.toDevice(this, device, dtype, nonBlocking);
  }

  add_(other: Tensor | number, alpha = 1): this {
    (other instanceof Tensor
      ? ops.addTensor_(this, other, alpha)
      : ops.addScalar_(this, other, alpha)
    ).dispose();
    return this;
  }
  mul_(other: Tensor | number): this {
    (other instanceof Tensor ? ops.mulTensor_(this, other) : ops.mulScalar_(this, other)).dispose();
    return this;
  }
  copy_(source: Tensor): this {
    ops.copy_(this, source).dispose();
    return this;
  }
  fill_(value: number): this {
    ops.fillScalar_(this, value).dispose();
    return this;
  }
  zero_(): this {
    ops.zero_(this).dispose();
    return this;
  }
  uniform_(from: number, to: number): this {
    ops.uniform_(this, from, to).dispose();
    return this;
  }
  normal_(mean = 0, deviation = 1): this {
    ops.normal_(this, mean, deviation).dispose();
    return this;
  }
}

function readFlag(answer: Tensor): boolean {
  using flag = answer;
  return flag.item() !== 0;
}
