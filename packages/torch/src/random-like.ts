import * as ops from './ops.generated.ts';
import type { Tensor } from './tensor.ts';

/** Ones, with the shape, type and device of another tensor. */
export const onesLike = (like: Tensor): Tensor => ops.onesLike(like);
/** Normally distributed, with the shape, type and device of another tensor. */
export const randnLike = (like: Tensor): Tensor => ops.randn(like.shape, like.dtype, like.device);
