// Generated from LibTorch's operator schemas by scripts/generate-ops.ts. Do not edit.
import { type Device, type DType, dtypeCode } from './dtype.ts';
import { call, codeOf, handleOf, lazy, tensor, tensors } from './call.ts';
import type { Tensor } from './tensor.ts';

const operator_emptyMemoryFormat = lazy('aten::empty', 'memory_format');
/** `aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function emptyMemoryFormat(size: readonly number[], dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_emptyMemoryFormat, size, codeOf(dtype), undefined, device, pinMemory));
}

const operator_zeros = lazy('aten::zeros', '');
/** `aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function zeros(size: readonly number[], dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_zeros, size, codeOf(dtype), undefined, device, pinMemory));
}

const operator_ones = lazy('aten::ones', '');
/** `aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function ones(size: readonly number[], dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_ones, size, codeOf(dtype), undefined, device, pinMemory));
}

const operator_full = lazy('aten::full', '');
/** `aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function full(size: readonly number[], fillValue: number | boolean, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_full, size, fillValue, codeOf(dtype), undefined, device, pinMemory));
}

const operator_arange = lazy('aten::arange', '');
/** `aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function arange(end: number | boolean, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_arange, end, codeOf(dtype), undefined, device, pinMemory));
}

const operator_arangeStart = lazy('aten::arange', 'start');
/** `aten::arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function arangeStart(start: number | boolean, end: number | boolean, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_arangeStart, start, end, codeOf(dtype), undefined, device, pinMemory));
}

const operator_eye = lazy('aten::eye', '');
/** `aten::eye(SymInt n, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function eye(n: number, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_eye, n, codeOf(dtype), undefined, device, pinMemory));
}

const operator_zerosLike = lazy('aten::zeros_like', '');
/** `aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function zerosLike(input: Tensor, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_zerosLike, input.handle, codeOf(dtype), undefined, device, pinMemory));
}

const operator_onesLike = lazy('aten::ones_like', '');
/** `aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function onesLike(input: Tensor, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_onesLike, input.handle, codeOf(dtype), undefined, device, pinMemory));
}

const operator_emptyLike = lazy('aten::empty_like', '');
/** `aten::empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function emptyLike(input: Tensor, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_emptyLike, input.handle, codeOf(dtype), undefined, device, pinMemory));
}

const operator_fullLike = lazy('aten::full_like', '');
/** `aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function fullLike(input: Tensor, fillValue: number | boolean, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_fullLike, input.handle, fillValue, codeOf(dtype), undefined, device, pinMemory));
}

const operator_rand = lazy('aten::rand', '');
/** `aten::rand(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function rand(size: readonly number[], dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_rand, size, codeOf(dtype), undefined, device, pinMemory));
}

const operator_randn = lazy('aten::randn', '');
/** `aten::randn(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function randn(size: readonly number[], dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_randn, size, codeOf(dtype), undefined, device, pinMemory));
}

const operator_randintLow = lazy('aten::randint', 'low');
/** `aten::randint.low(SymInt low, SymInt high, SymInt[] size, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function randintLow(low: number, high: number, size: readonly number[], dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_randintLow, low, high, size, codeOf(dtype), undefined, device, pinMemory));
}

const operator_randLike = lazy('aten::rand_like', '');
/** `aten::rand_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor` */
export function randLike(input: Tensor, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_randLike, input.handle, codeOf(dtype), undefined, device, pinMemory));
}

const operator_fromFile = lazy('aten::from_file', '');
/** `aten::from_file(str filename, bool? shared=None, int? size=0, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor` */
export function fromFile(filename: string, shared?: boolean | null, size?: number | null, dtype?: DType | null, device?: Device | null, pinMemory?: boolean | null): Tensor {
  return tensor(call(operator_fromFile, filename, shared, size, codeOf(dtype), undefined, device, pinMemory));
}

const operator_viewDtype = lazy('aten::view', 'dtype');
/** `aten::view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)` */
export function viewDtype(input: Tensor, dtype: DType): Tensor {
  return tensor(call(operator_viewDtype, input.handle, dtypeCode(dtype)));
}

const operator_addTensor = lazy('aten::add', 'Tensor');
/** `aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor` */
export function addTensor(input: Tensor, other: Tensor, alpha?: number | boolean): Tensor {
  return tensor(call(operator_addTensor, input.handle, other.handle, alpha));
}

const operator_addScalar = lazy('aten::add', 'Scalar');
/** `aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor` */
export function addScalar(input: Tensor, other: number | boolean, alpha?: number | boolean): Tensor {
  return tensor(call(operator_addScalar, input.handle, other, alpha));
}

const operator_subTensor = lazy('aten::sub', 'Tensor');
/** `aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor` */
export function subTensor(input: Tensor, other: Tensor, alpha?: number | boolean): Tensor {
  return tensor(call(operator_subTensor, input.handle, other.handle, alpha));
}

const operator_subScalar = lazy('aten::sub', 'Scalar');
/** `aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor` */
export function subScalar(input: Tensor, other: number | boolean, alpha?: number | boolean): Tensor {
  return tensor(call(operator_subScalar, input.handle, other, alpha));
}

const operator_rsubScalar = lazy('aten::rsub', 'Scalar');
/** `aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor` */
export function rsubScalar(input: Tensor, other: number | boolean, alpha?: number | boolean): Tensor {
  return tensor(call(operator_rsubScalar, input.handle, other, alpha));
}

const operator_mulTensor = lazy('aten::mul', 'Tensor');
/** `aten::mul.Tensor(Tensor self, Tensor other) -> Tensor` */
export function mulTensor(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_mulTensor, input.handle, other.handle));
}

const operator_mulScalar = lazy('aten::mul', 'Scalar');
/** `aten::mul.Scalar(Tensor self, Scalar other) -> Tensor` */
export function mulScalar(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_mulScalar, input.handle, other));
}

const operator_divTensor = lazy('aten::div', 'Tensor');
/** `aten::div.Tensor(Tensor self, Tensor other) -> Tensor` */
export function divTensor(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_divTensor, input.handle, other.handle));
}

const operator_divScalar = lazy('aten::div', 'Scalar');
/** `aten::div.Scalar(Tensor self, Scalar other) -> Tensor` */
export function divScalar(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_divScalar, input.handle, other));
}

const operator_neg = lazy('aten::neg', '');
/** `aten::neg(Tensor self) -> Tensor` */
export function neg(input: Tensor): Tensor {
  return tensor(call(operator_neg, input.handle));
}

const operator_abs = lazy('aten::abs', '');
/** `aten::abs(Tensor self) -> Tensor` */
export function abs(input: Tensor): Tensor {
  return tensor(call(operator_abs, input.handle));
}

const operator_sign = lazy('aten::sign', '');
/** `aten::sign(Tensor self) -> Tensor` */
export function sign(input: Tensor): Tensor {
  return tensor(call(operator_sign, input.handle));
}

const operator_exp = lazy('aten::exp', '');
/** `aten::exp(Tensor self) -> Tensor` */
export function exp(input: Tensor): Tensor {
  return tensor(call(operator_exp, input.handle));
}

const operator_expm1 = lazy('aten::expm1', '');
/** `aten::expm1(Tensor self) -> Tensor` */
export function expm1(input: Tensor): Tensor {
  return tensor(call(operator_expm1, input.handle));
}

const operator_log = lazy('aten::log', '');
/** `aten::log(Tensor self) -> Tensor` */
export function log(input: Tensor): Tensor {
  return tensor(call(operator_log, input.handle));
}

const operator_log1p = lazy('aten::log1p', '');
/** `aten::log1p(Tensor self) -> Tensor` */
export function log1p(input: Tensor): Tensor {
  return tensor(call(operator_log1p, input.handle));
}

const operator_square = lazy('aten::square', '');
/** `aten::square(Tensor self) -> Tensor` */
export function square(input: Tensor): Tensor {
  return tensor(call(operator_square, input.handle));
}

const operator_sqrt = lazy('aten::sqrt', '');
/** `aten::sqrt(Tensor self) -> Tensor` */
export function sqrt(input: Tensor): Tensor {
  return tensor(call(operator_sqrt, input.handle));
}

const operator_rsqrt = lazy('aten::rsqrt', '');
/** `aten::rsqrt(Tensor self) -> Tensor` */
export function rsqrt(input: Tensor): Tensor {
  return tensor(call(operator_rsqrt, input.handle));
}

const operator_reciprocal = lazy('aten::reciprocal', '');
/** `aten::reciprocal(Tensor self) -> Tensor` */
export function reciprocal(input: Tensor): Tensor {
  return tensor(call(operator_reciprocal, input.handle));
}

const operator_powTensorScalar = lazy('aten::pow', 'Tensor_Scalar');
/** `aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor` */
export function powTensorScalar(input: Tensor, exponent: number | boolean): Tensor {
  return tensor(call(operator_powTensorScalar, input.handle, exponent));
}

const operator_tanh = lazy('aten::tanh', '');
/** `aten::tanh(Tensor self) -> Tensor` */
export function tanh(input: Tensor): Tensor {
  return tensor(call(operator_tanh, input.handle));
}

const operator_sigmoid = lazy('aten::sigmoid', '');
/** `aten::sigmoid(Tensor self) -> Tensor` */
export function sigmoid(input: Tensor): Tensor {
  return tensor(call(operator_sigmoid, input.handle));
}

const operator_logSigmoid = lazy('aten::log_sigmoid', '');
/** `aten::log_sigmoid(Tensor self) -> Tensor` */
export function logSigmoid(input: Tensor): Tensor {
  return tensor(call(operator_logSigmoid, input.handle));
}

const operator_silu = lazy('aten::silu', '');
/** `aten::silu(Tensor self) -> Tensor` */
export function silu(input: Tensor): Tensor {
  return tensor(call(operator_silu, input.handle));
}

const operator_gelu = lazy('aten::gelu', '');
/** `aten::gelu(Tensor self, *, str approximate="none") -> Tensor` */
export function gelu(input: Tensor, approximate?: string): Tensor {
  return tensor(call(operator_gelu, input.handle, approximate));
}

const operator_relu = lazy('aten::relu', '');
/** `aten::relu(Tensor self) -> Tensor` */
export function relu(input: Tensor): Tensor {
  return tensor(call(operator_relu, input.handle));
}

const operator_softplus = lazy('aten::softplus', '');
/** `aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor` */
export function softplus(input: Tensor, beta?: number | boolean, threshold?: number | boolean): Tensor {
  return tensor(call(operator_softplus, input.handle, beta, threshold));
}

const operator_sin = lazy('aten::sin', '');
/** `aten::sin(Tensor self) -> Tensor` */
export function sin(input: Tensor): Tensor {
  return tensor(call(operator_sin, input.handle));
}

const operator_cos = lazy('aten::cos', '');
/** `aten::cos(Tensor self) -> Tensor` */
export function cos(input: Tensor): Tensor {
  return tensor(call(operator_cos, input.handle));
}

const operator_floor = lazy('aten::floor', '');
/** `aten::floor(Tensor self) -> Tensor` */
export function floor(input: Tensor): Tensor {
  return tensor(call(operator_floor, input.handle));
}

const operator_round = lazy('aten::round', '');
/** `aten::round(Tensor self) -> Tensor` */
export function round(input: Tensor): Tensor {
  return tensor(call(operator_round, input.handle));
}

const operator_remainderScalar = lazy('aten::remainder', 'Scalar');
/** `aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor` */
export function remainderScalar(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_remainderScalar, input.handle, other));
}

const operator_clamp = lazy('aten::clamp', '');
/** `aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor` */
export function clamp(input: Tensor, min?: number | boolean | null, max?: number | boolean | null): Tensor {
  return tensor(call(operator_clamp, input.handle, min, max));
}

const operator_clampMin = lazy('aten::clamp_min', '');
/** `aten::clamp_min(Tensor self, Scalar min) -> Tensor` */
export function clampMin(input: Tensor, min: number | boolean): Tensor {
  return tensor(call(operator_clampMin, input.handle, min));
}

const operator_clampMax = lazy('aten::clamp_max', '');
/** `aten::clamp_max(Tensor self, Scalar max) -> Tensor` */
export function clampMax(input: Tensor, max: number | boolean): Tensor {
  return tensor(call(operator_clampMax, input.handle, max));
}

const operator_maximum = lazy('aten::maximum', '');
/** `aten::maximum(Tensor self, Tensor other) -> Tensor` */
export function maximum(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_maximum, input.handle, other.handle));
}

const operator_minimum = lazy('aten::minimum', '');
/** `aten::minimum(Tensor self, Tensor other) -> Tensor` */
export function minimum(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_minimum, input.handle, other.handle));
}

const operator_whereSelf = lazy('aten::where', 'self');
/** `aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor` */
export function whereSelf(condition: Tensor, input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_whereSelf, condition.handle, input.handle, other.handle));
}

const operator_maskedFillScalar = lazy('aten::masked_fill', 'Scalar');
/** `aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor` */
export function maskedFillScalar(input: Tensor, mask: Tensor, value: number | boolean): Tensor {
  return tensor(call(operator_maskedFillScalar, input.handle, mask.handle, value));
}

const operator_lerpScalar = lazy('aten::lerp', 'Scalar');
/** `aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor` */
export function lerpScalar(input: Tensor, end: Tensor, weight: number | boolean): Tensor {
  return tensor(call(operator_lerpScalar, input.handle, end.handle, weight));
}

const operator_eqTensor = lazy('aten::eq', 'Tensor');
/** `aten::eq.Tensor(Tensor self, Tensor other) -> Tensor` */
export function eqTensor(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_eqTensor, input.handle, other.handle));
}

const operator_eqScalar = lazy('aten::eq', 'Scalar');
/** `aten::eq.Scalar(Tensor self, Scalar other) -> Tensor` */
export function eqScalar(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_eqScalar, input.handle, other));
}

const operator_neScalar = lazy('aten::ne', 'Scalar');
/** `aten::ne.Scalar(Tensor self, Scalar other) -> Tensor` */
export function neScalar(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_neScalar, input.handle, other));
}

const operator_ltScalar = lazy('aten::lt', 'Scalar');
/** `aten::lt.Scalar(Tensor self, Scalar other) -> Tensor` */
export function ltScalar(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_ltScalar, input.handle, other));
}

const operator_ltTensor = lazy('aten::lt', 'Tensor');
/** `aten::lt.Tensor(Tensor self, Tensor other) -> Tensor` */
export function ltTensor(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_ltTensor, input.handle, other.handle));
}

const operator_leScalar = lazy('aten::le', 'Scalar');
/** `aten::le.Scalar(Tensor self, Scalar other) -> Tensor` */
export function leScalar(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_leScalar, input.handle, other));
}

const operator_leTensor = lazy('aten::le', 'Tensor');
/** `aten::le.Tensor(Tensor self, Tensor other) -> Tensor` */
export function leTensor(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_leTensor, input.handle, other.handle));
}

const operator_gtScalar = lazy('aten::gt', 'Scalar');
/** `aten::gt.Scalar(Tensor self, Scalar other) -> Tensor` */
export function gtScalar(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_gtScalar, input.handle, other));
}

const operator_gtTensor = lazy('aten::gt', 'Tensor');
/** `aten::gt.Tensor(Tensor self, Tensor other) -> Tensor` */
export function gtTensor(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_gtTensor, input.handle, other.handle));
}

const operator_geScalar = lazy('aten::ge', 'Scalar');
/** `aten::ge.Scalar(Tensor self, Scalar other) -> Tensor` */
export function geScalar(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_geScalar, input.handle, other));
}

const operator_geTensor = lazy('aten::ge', 'Tensor');
/** `aten::ge.Tensor(Tensor self, Tensor other) -> Tensor` */
export function geTensor(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_geTensor, input.handle, other.handle));
}

const operator_logicalAnd = lazy('aten::logical_and', '');
/** `aten::logical_and(Tensor self, Tensor other) -> Tensor` */
export function logicalAnd(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_logicalAnd, input.handle, other.handle));
}

const operator_logicalOr = lazy('aten::logical_or', '');
/** `aten::logical_or(Tensor self, Tensor other) -> Tensor` */
export function logicalOr(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_logicalOr, input.handle, other.handle));
}

const operator_logicalNot = lazy('aten::logical_not', '');
/** `aten::logical_not(Tensor self) -> Tensor` */
export function logicalNot(input: Tensor): Tensor {
  return tensor(call(operator_logicalNot, input.handle));
}

const operator_isfinite = lazy('aten::isfinite', '');
/** `aten::isfinite(Tensor self) -> Tensor` */
export function isfinite(input: Tensor): Tensor {
  return tensor(call(operator_isfinite, input.handle));
}

const operator_any = lazy('aten::any', '');
/** `aten::any(Tensor self) -> Tensor` */
export function any(input: Tensor): Tensor {
  return tensor(call(operator_any, input.handle));
}

const operator_all = lazy('aten::all', '');
/** `aten::all(Tensor self) -> Tensor` */
export function all(input: Tensor): Tensor {
  return tensor(call(operator_all, input.handle));
}

const operator_sum = lazy('aten::sum', '');
/** `aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
export function sum(input: Tensor, dtype?: DType | null): Tensor {
  return tensor(call(operator_sum, input.handle, codeOf(dtype)));
}

const operator_sumDimIntList = lazy('aten::sum', 'dim_IntList');
/** `aten::sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function sumDimIntList(input: Tensor, dim?: readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor {
  return tensor(call(operator_sumDimIntList, input.handle, dim, keepdim, codeOf(dtype)));
}

const operator_mean = lazy('aten::mean', '');
/** `aten::mean(Tensor self, *, ScalarType? dtype=None) -> Tensor` */
export function mean(input: Tensor, dtype?: DType | null): Tensor {
  return tensor(call(operator_mean, input.handle, codeOf(dtype)));
}

const operator_meanDim = lazy('aten::mean', 'dim');
/** `aten::mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function meanDim(input: Tensor, dim?: readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor {
  return tensor(call(operator_meanDim, input.handle, dim, keepdim, codeOf(dtype)));
}

const operator_amax = lazy('aten::amax', '');
/** `aten::amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor` */
export function amax(input: Tensor, dim?: readonly number[], keepdim?: boolean): Tensor {
  return tensor(call(operator_amax, input.handle, dim, keepdim));
}

const operator_amin = lazy('aten::amin', '');
/** `aten::amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor` */
export function amin(input: Tensor, dim?: readonly number[], keepdim?: boolean): Tensor {
  return tensor(call(operator_amin, input.handle, dim, keepdim));
}

const operator_max = lazy('aten::max', '');
/** `aten::max(Tensor self) -> Tensor` */
export function max(input: Tensor): Tensor {
  return tensor(call(operator_max, input.handle));
}

const operator_min = lazy('aten::min', '');
/** `aten::min(Tensor self) -> Tensor` */
export function min(input: Tensor): Tensor {
  return tensor(call(operator_min, input.handle));
}

const operator_argmax = lazy('aten::argmax', '');
/** `aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor` */
export function argmax(input: Tensor, dim?: number | null, keepdim?: boolean): Tensor {
  return tensor(call(operator_argmax, input.handle, dim, keepdim));
}

const operator_cumsum = lazy('aten::cumsum', '');
/** `aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor` */
export function cumsum(input: Tensor, dim: number, dtype?: DType | null): Tensor {
  return tensor(call(operator_cumsum, input.handle, dim, codeOf(dtype)));
}

const operator_logsumexp = lazy('aten::logsumexp', '');
/** `aten::logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor` */
export function logsumexp(input: Tensor, dim: readonly number[], keepdim?: boolean): Tensor {
  return tensor(call(operator_logsumexp, input.handle, dim, keepdim));
}

const operator_varCorrection = lazy('aten::var', 'correction');
/** `aten::var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor` */
export function varCorrection(input: Tensor, dim?: readonly number[] | null, correction?: number | boolean | null, keepdim?: boolean): Tensor {
  return tensor(call(operator_varCorrection, input.handle, dim, correction, keepdim));
}

const operator_linalgVectorNorm = lazy('aten::linalg_vector_norm', '');
/** `aten::linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor` */
export function linalgVectorNorm(input: Tensor, ord?: number | boolean, dim?: readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor {
  return tensor(call(operator_linalgVectorNorm, input.handle, ord, dim, keepdim, codeOf(dtype)));
}

const operator_sort = lazy('aten::sort', '');
/** `aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)` */
export function sort(input: Tensor, dim?: number, descending?: boolean): [Tensor, Tensor] {
  return tensors(call(operator_sort, input.handle, dim, descending)) as [Tensor, Tensor];
}

const operator_topk = lazy('aten::topk', '');
/** `aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)` */
export function topk(input: Tensor, k: number, dim?: number, largest?: boolean, sorted?: boolean): [Tensor, Tensor] {
  return tensors(call(operator_topk, input.handle, k, dim, largest, sorted)) as [Tensor, Tensor];
}

const operator_softmaxInt = lazy('aten::softmax', 'int');
/** `aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
export function softmaxInt(input: Tensor, dim: number, dtype?: DType | null): Tensor {
  return tensor(call(operator_softmaxInt, input.handle, dim, codeOf(dtype)));
}

const operator_logSoftmaxInt = lazy('aten::log_softmax', 'int');
/** `aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor` */
export function logSoftmaxInt(input: Tensor, dim: number, dtype?: DType | null): Tensor {
  return tensor(call(operator_logSoftmaxInt, input.handle, dim, codeOf(dtype)));
}

const operator_matmul = lazy('aten::matmul', '');
/** `aten::matmul(Tensor self, Tensor other) -> Tensor` */
export function matmul(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_matmul, input.handle, other.handle));
}

const operator_mm = lazy('aten::mm', '');
/** `aten::mm(Tensor self, Tensor mat2) -> Tensor` */
export function mm(input: Tensor, mat2: Tensor): Tensor {
  return tensor(call(operator_mm, input.handle, mat2.handle));
}

const operator_addmm = lazy('aten::addmm', '');
/** `aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor` */
export function addmm(input: Tensor, mat1: Tensor, mat2: Tensor, beta?: number | boolean, alpha?: number | boolean): Tensor {
  return tensor(call(operator_addmm, input.handle, mat1.handle, mat2.handle, beta, alpha));
}

const operator_bmm = lazy('aten::bmm', '');
/** `aten::bmm(Tensor self, Tensor mat2) -> Tensor` */
export function bmm(input: Tensor, mat2: Tensor): Tensor {
  return tensor(call(operator_bmm, input.handle, mat2.handle));
}

const operator_embedding = lazy('aten::embedding', '');
/** `aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor` */
export function embedding(weight: Tensor, indices: Tensor, paddingIdx?: number, scaleGradByFreq?: boolean, sparse?: boolean): Tensor {
  return tensor(call(operator_embedding, weight.handle, indices.handle, paddingIdx, scaleGradByFreq, sparse));
}

const operator_outer = lazy('aten::outer', '');
/** `aten::outer(Tensor self, Tensor vec2) -> Tensor` */
export function outer(input: Tensor, vec2: Tensor): Tensor {
  return tensor(call(operator_outer, input.handle, vec2.handle));
}

const operator_layerNorm = lazy('aten::layer_norm', '');
/** `aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, bool cudnn_enable=True) -> Tensor` */
export function layerNorm(input: Tensor, normalizedShape: readonly number[], weight?: Tensor | null, bias?: Tensor | null, eps?: number, cudnnEnable?: boolean): Tensor {
  return tensor(call(operator_layerNorm, input.handle, normalizedShape, weight?.handle, bias?.handle, eps, cudnnEnable));
}

const operator_dropout = lazy('aten::dropout', '');
/** `aten::dropout(Tensor input, float p, bool train) -> Tensor` */
export function dropout(input: Tensor, p: number, train: boolean): Tensor {
  return tensor(call(operator_dropout, input.handle, p, train));
}

const operator_scaledDotProductAttention = lazy('aten::scaled_dot_product_attention', '');
/** `aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor` */
export function scaledDotProductAttention(query: Tensor, key: Tensor, value: Tensor, attnMask?: Tensor | null, dropoutP?: number, isCausal?: boolean, scale?: number | null, enableGqa?: boolean): Tensor {
  return tensor(call(operator_scaledDotProductAttention, query.handle, key.handle, value.handle, attnMask?.handle, dropoutP, isCausal, scale, enableGqa));
}

const operator_view = lazy('aten::view', '');
/** `aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)` */
export function view(input: Tensor, size: readonly number[]): Tensor {
  return tensor(call(operator_view, input.handle, size));
}

const operator_reshape = lazy('aten::reshape', '');
/** `aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)` */
export function reshape(input: Tensor, shape: readonly number[]): Tensor {
  return tensor(call(operator_reshape, input.handle, shape));
}

const operator_transposeInt = lazy('aten::transpose', 'int');
/** `aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)` */
export function transposeInt(input: Tensor, dim0: number, dim1: number): Tensor {
  return tensor(call(operator_transposeInt, input.handle, dim0, dim1));
}

const operator_permute = lazy('aten::permute', '');
/** `aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)` */
export function permute(input: Tensor, dims: readonly number[]): Tensor {
  return tensor(call(operator_permute, input.handle, dims));
}

const operator_t = lazy('aten::t', '');
/** `aten::t(Tensor(a) self) -> Tensor(a)` */
export function t(input: Tensor): Tensor {
  return tensor(call(operator_t, input.handle));
}

const operator_unsqueeze = lazy('aten::unsqueeze', '');
/** `aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)` */
export function unsqueeze(input: Tensor, dim: number): Tensor {
  return tensor(call(operator_unsqueeze, input.handle, dim));
}

const operator_squeezeDim = lazy('aten::squeeze', 'dim');
/** `aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)` */
export function squeezeDim(input: Tensor, dim: number): Tensor {
  return tensor(call(operator_squeezeDim, input.handle, dim));
}

const operator_squeeze = lazy('aten::squeeze', '');
/** `aten::squeeze(Tensor(a) self) -> Tensor(a)` */
export function squeeze(input: Tensor): Tensor {
  return tensor(call(operator_squeeze, input.handle));
}

const operator_expand = lazy('aten::expand', '');
/** `aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)` */
export function expand(input: Tensor, size: readonly number[], implicit?: boolean): Tensor {
  return tensor(call(operator_expand, input.handle, size, implicit));
}

const operator_contiguous = lazy('aten::contiguous', '');
/** `aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=0) -> Tensor(a)` */
export function contiguous(input: Tensor): Tensor {
  return tensor(call(operator_contiguous, input.handle));
}

const operator_clone = lazy('aten::clone', '');
/** `aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor` */
export function clone(input: Tensor): Tensor {
  return tensor(call(operator_clone, input.handle));
}

const operator_detach = lazy('aten::detach', '');
/** `aten::detach(Tensor(a) self) -> Tensor(a)` */
export function detach(input: Tensor): Tensor {
  return tensor(call(operator_detach, input.handle));
}

const operator_toDtype = lazy('aten::to', 'dtype');
/** `aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)` */
export function toDtype(input: Tensor, dtype: DType, nonBlocking?: boolean, copy?: boolean): Tensor {
  return tensor(call(operator_toDtype, input.handle, dtypeCode(dtype), nonBlocking, copy));
}

const operator_toDevice = lazy('aten::to', 'device');
/** `aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)` */
export function toDevice(input: Tensor, device: Device, dtype: DType, nonBlocking?: boolean, copy?: boolean): Tensor {
  return tensor(call(operator_toDevice, input.handle, device, dtypeCode(dtype), nonBlocking, copy));
}

const operator_repeatInterleaveSelfInt = lazy('aten::repeat_interleave', 'self_int');
/** `aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor` */
export function repeatInterleaveSelfInt(input: Tensor, repeats: number, dim?: number | null, outputSize?: number | null): Tensor {
  return tensor(call(operator_repeatInterleaveSelfInt, input.handle, repeats, dim, outputSize));
}

const operator_repeatInterleaveTensor = lazy('aten::repeat_interleave', 'Tensor');
/** `aten::repeat_interleave.Tensor(Tensor repeats, *, SymInt? output_size=None) -> Tensor` */
export function repeatInterleaveTensor(repeats: Tensor, outputSize?: number | null): Tensor {
  return tensor(call(operator_repeatInterleaveTensor, repeats.handle, outputSize));
}

const operator_flattenUsingInts = lazy('aten::flatten', 'using_ints');
/** `aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)` */
export function flattenUsingInts(input: Tensor, startDim?: number, endDim?: number): Tensor {
  return tensor(call(operator_flattenUsingInts, input.handle, startDim, endDim));
}

const operator_tril = lazy('aten::tril', '');
/** `aten::tril(Tensor self, SymInt diagonal=0) -> Tensor` */
export function tril(input: Tensor, diagonal?: number): Tensor {
  return tensor(call(operator_tril, input.handle, diagonal));
}

const operator_triu = lazy('aten::triu', '');
/** `aten::triu(Tensor self, SymInt diagonal=0) -> Tensor` */
export function triu(input: Tensor, diagonal?: number): Tensor {
  return tensor(call(operator_triu, input.handle, diagonal));
}

const operator_flip = lazy('aten::flip', '');
/** `aten::flip(Tensor self, int[] dims) -> Tensor` */
export function flip(input: Tensor, dims: readonly number[]): Tensor {
  return tensor(call(operator_flip, input.handle, dims));
}

const operator_sliceTensor = lazy('aten::slice', 'Tensor');
/** `aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor(a)` */
export function sliceTensor(input: Tensor, dim?: number, start?: number | null, end?: number | null, step?: number): Tensor {
  return tensor(call(operator_sliceTensor, input.handle, dim, start, end, step));
}

const operator_narrow = lazy('aten::narrow', '');
/** `aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)` */
export function narrow(input: Tensor, dim: number, start: number, length: number): Tensor {
  return tensor(call(operator_narrow, input.handle, dim, start, length));
}

const operator_selectInt = lazy('aten::select', 'int');
/** `aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)` */
export function selectInt(input: Tensor, dim: number, index: number): Tensor {
  return tensor(call(operator_selectInt, input.handle, dim, index));
}

const operator_splitWithSizes = lazy('aten::split_with_sizes', '');
/** `aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]` */
export function splitWithSizes(input: Tensor, splitSizes: readonly number[], dim?: number): Tensor[] {
  return tensors(call(operator_splitWithSizes, input.handle, splitSizes, dim));
}

const operator_chunk = lazy('aten::chunk', '');
/** `aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]` */
export function chunk(input: Tensor, chunks: number, dim?: number): Tensor[] {
  return tensors(call(operator_chunk, input.handle, chunks, dim));
}

const operator_cat = lazy('aten::cat', '');
/** `aten::cat(Tensor[] tensors, int dim=0) -> Tensor` */
export function cat(tensors: readonly Tensor[], dim?: number): Tensor {
  return tensor(call(operator_cat, tensors.map(handleOf), dim));
}

const operator_stack = lazy('aten::stack', '');
/** `aten::stack(Tensor[] tensors, int dim=0) -> Tensor` */
export function stack(tensors: readonly Tensor[], dim?: number): Tensor {
  return tensor(call(operator_stack, tensors.map(handleOf), dim));
}

const operator_indexSelect = lazy('aten::index_select', '');
/** `aten::index_select(Tensor self, int dim, Tensor index) -> Tensor` */
export function indexSelect(input: Tensor, dim: number, index: Tensor): Tensor {
  return tensor(call(operator_indexSelect, input.handle, dim, index.handle));
}

const operator_gather = lazy('aten::gather', '');
/** `aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor` */
export function gather(input: Tensor, dim: number, index: Tensor, sparseGrad?: boolean): Tensor {
  return tensor(call(operator_gather, input.handle, dim, index.handle, sparseGrad));
}

const operator_scatterSrc = lazy('aten::scatter', 'src');
/** `aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor` */
export function scatterSrc(input: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  return tensor(call(operator_scatterSrc, input.handle, dim, index.handle, src.handle));
}

const operator_scatterAdd = lazy('aten::scatter_add', '');
/** `aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor` */
export function scatterAdd(input: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  return tensor(call(operator_scatterAdd, input.handle, dim, index.handle, src.handle));
}

const operator_indexAdd = lazy('aten::index_add', '');
/** `aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor` */
export function indexAdd(input: Tensor, dim: number, index: Tensor, source: Tensor, alpha?: number | boolean): Tensor {
  return tensor(call(operator_indexAdd, input.handle, dim, index.handle, source.handle, alpha));
}

const operator_indexCopy_ = lazy('aten::index_copy_', '');
/** `aten::index_copy_(Tensor(a!) self, int dim, Tensor index, Tensor source) -> Tensor(a!)` */
export function indexCopy_(input: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  return tensor(call(operator_indexCopy_, input.handle, dim, index.handle, source.handle));
}

const operator_maskedSelect = lazy('aten::masked_select', '');
/** `aten::masked_select(Tensor self, Tensor mask) -> Tensor` */
export function maskedSelect(input: Tensor, mask: Tensor): Tensor {
  return tensor(call(operator_maskedSelect, input.handle, mask.handle));
}

const operator_nonzero = lazy('aten::nonzero', '');
/** `aten::nonzero(Tensor self) -> Tensor` */
export function nonzero(input: Tensor): Tensor {
  return tensor(call(operator_nonzero, input.handle));
}

const operator_segmentReduce = lazy('aten::segment_reduce', '');
/** `aten::segment_reduce(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None) -> Tensor` */
export function segmentReduce(data: Tensor, reduce: string, lengths?: Tensor | null, indices?: Tensor | null, offsets?: Tensor | null, axis?: number, unsafe?: boolean, initial?: number | boolean | null): Tensor {
  return tensor(call(operator_segmentReduce, data.handle, reduce, lengths?.handle, indices?.handle, offsets?.handle, axis, unsafe, initial));
}

const operator_addTensor_ = lazy('aten::add_', 'Tensor');
/** `aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)` */
export function addTensor_(input: Tensor, other: Tensor, alpha?: number | boolean): Tensor {
  return tensor(call(operator_addTensor_, input.handle, other.handle, alpha));
}

const operator_addScalar_ = lazy('aten::add_', 'Scalar');
/** `aten::add_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)` */
export function addScalar_(input: Tensor, other: number | boolean, alpha?: number | boolean): Tensor {
  return tensor(call(operator_addScalar_, input.handle, other, alpha));
}

const operator_subTensor_ = lazy('aten::sub_', 'Tensor');
/** `aten::sub_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)` */
export function subTensor_(input: Tensor, other: Tensor, alpha?: number | boolean): Tensor {
  return tensor(call(operator_subTensor_, input.handle, other.handle, alpha));
}

const operator_mulTensor_ = lazy('aten::mul_', 'Tensor');
/** `aten::mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)` */
export function mulTensor_(input: Tensor, other: Tensor): Tensor {
  return tensor(call(operator_mulTensor_, input.handle, other.handle));
}

const operator_mulScalar_ = lazy('aten::mul_', 'Scalar');
/** `aten::mul_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)` */
export function mulScalar_(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_mulScalar_, input.handle, other));
}

const operator_divScalar_ = lazy('aten::div_', 'Scalar');
/** `aten::div_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)` */
export function divScalar_(input: Tensor, other: number | boolean): Tensor {
  return tensor(call(operator_divScalar_, input.handle, other));
}

const operator_copy_ = lazy('aten::copy_', '');
/** `aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)` */
export function copy_(input: Tensor, src: Tensor, nonBlocking?: boolean): Tensor {
  return tensor(call(operator_copy_, input.handle, src.handle, nonBlocking));
}

const operator_zero_ = lazy('aten::zero_', '');
/** `aten::zero_(Tensor(a!) self) -> Tensor(a!)` */
export function zero_(input: Tensor): Tensor {
  return tensor(call(operator_zero_, input.handle));
}

const operator_fillScalar_ = lazy('aten::fill_', 'Scalar');
/** `aten::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)` */
export function fillScalar_(input: Tensor, value: number | boolean): Tensor {
  return tensor(call(operator_fillScalar_, input.handle, value));
}

const operator_maskedFillScalar_ = lazy('aten::masked_fill_', 'Scalar');
/** `aten::masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> Tensor(a!)` */
export function maskedFillScalar_(input: Tensor, mask: Tensor, value: number | boolean): Tensor {
  return tensor(call(operator_maskedFillScalar_, input.handle, mask.handle, value));
}

const operator_lerpScalar_ = lazy('aten::lerp_', 'Scalar');
/** `aten::lerp_.Scalar(Tensor(a!) self, Tensor end, Scalar weight) -> Tensor(a!)` */
export function lerpScalar_(input: Tensor, end: Tensor, weight: number | boolean): Tensor {
  return tensor(call(operator_lerpScalar_, input.handle, end.handle, weight));
}

const operator_addcdiv_ = lazy('aten::addcdiv_', '');
/** `aten::addcdiv_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)` */
export function addcdiv_(input: Tensor, tensor1: Tensor, tensor2: Tensor, value?: number | boolean): Tensor {
  return tensor(call(operator_addcdiv_, input.handle, tensor1.handle, tensor2.handle, value));
}

const operator_addcmul_ = lazy('aten::addcmul_', '');
/** `aten::addcmul_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)` */
export function addcmul_(input: Tensor, tensor1: Tensor, tensor2: Tensor, value?: number | boolean): Tensor {
  return tensor(call(operator_addcmul_, input.handle, tensor1.handle, tensor2.handle, value));
}

const operator_sqrt_ = lazy('aten::sqrt_', '');
/** `aten::sqrt_(Tensor(a!) self) -> Tensor(a!)` */
export function sqrt_(input: Tensor): Tensor {
  return tensor(call(operator_sqrt_, input.handle));
}

const operator_clamp_ = lazy('aten::clamp_', '');
/** `aten::clamp_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)` */
export function clamp_(input: Tensor, min?: number | boolean | null, max?: number | boolean | null): Tensor {
  return tensor(call(operator_clamp_, input.handle, min, max));
}

const operator_uniform_ = lazy('aten::uniform_', '');
/** `aten::uniform_(Tensor(a!) self, float from=0., float to=1., *, Generator? generator=None) -> Tensor(a!)` */
export function uniform_(input: Tensor, from?: number, to?: number): Tensor {
  return tensor(call(operator_uniform_, input.handle, from, to));
}

const operator_normal_ = lazy('aten::normal_', '');
/** `aten::normal_(Tensor(a!) self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor(a!)` */
export function normal_(input: Tensor, mean?: number, std?: number): Tensor {
  return tensor(call(operator_normal_, input.handle, mean, std));
}

const operator_bernoulliP = lazy('aten::bernoulli', 'p');
/** `aten::bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor` */
export function bernoulliP(input: Tensor, p: number): Tensor {
  return tensor(call(operator_bernoulliP, input.handle, p));
}

const operator_multinomial = lazy('aten::multinomial', '');
/** `aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor` */
export function multinomial(input: Tensor, numSamples: number, replacement?: boolean): Tensor {
  return tensor(call(operator_multinomial, input.handle, numSamples, replacement));
}

const operator_exponential_ = lazy('aten::exponential_', '');
/** `aten::exponential_(Tensor(a!) self, float lambd=1., *, Generator? generator=None) -> Tensor(a!)` */
export function exponential_(input: Tensor, lambd?: number): Tensor {
  return tensor(call(operator_exponential_, input.handle, lambd));
}

const operator_fusedAdamw_ = lazy('aten::_fused_adamw_', '');
/** `aten::_fused_adamw_(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] exp_avgs, Tensor(d!)[] exp_avg_sqs, Tensor(e!)[] max_exp_avg_sqs, Tensor[] state_steps, *, float lr, float beta1, float beta2, float weight_decay, float eps, bool amsgrad, bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()` */
export function fusedAdamw_(input: readonly Tensor[], grads: readonly Tensor[], expAvgs: readonly Tensor[], expAvgSqs: readonly Tensor[], maxExpAvgSqs: readonly Tensor[], stateSteps: readonly Tensor[], lr: number, beta1: number, beta2: number, weightDecay: number, eps: number, amsgrad: boolean, maximize: boolean, gradScale?: Tensor | null, foundInf?: Tensor | null): void {
  return void call(operator_fusedAdamw_, input.map(handleOf), grads.map(handleOf), expAvgs.map(handleOf), expAvgSqs.map(handleOf), maxExpAvgSqs.map(handleOf), stateSteps.map(handleOf), lr, beta1, beta2, weightDecay, eps, amsgrad, maximize, gradScale?.handle, foundInf?.handle);
}

const operator_foreachNormScalar = lazy('aten::_foreach_norm', 'Scalar');
/** `aten::_foreach_norm.Scalar(Tensor[] self, Scalar ord=2, ScalarType? dtype=None) -> Tensor[]` */
export function foreachNormScalar(input: readonly Tensor[], ord?: number | boolean, dtype?: DType | null): Tensor[] {
  return tensors(call(operator_foreachNormScalar, input.map(handleOf), ord, codeOf(dtype)));
}

const operator_foreachMulScalar_ = lazy('aten::_foreach_mul_', 'Scalar');
/** `aten::_foreach_mul_.Scalar(Tensor(a!)[] self, Scalar scalar) -> ()` */
export function foreachMulScalar_(input: readonly Tensor[], scalar: number | boolean): void {
  return void call(operator_foreachMulScalar_, input.map(handleOf), scalar);
}

const operator_foreachMulTensor_ = lazy('aten::_foreach_mul_', 'Tensor');
/** `aten::_foreach_mul_.Tensor(Tensor(a!)[] self, Tensor other) -> ()` */
export function foreachMulTensor_(input: readonly Tensor[], other: Tensor): void {
  return void call(operator_foreachMulTensor_, input.map(handleOf), other.handle);
}

const operator_foreachAddList_ = lazy('aten::_foreach_add_', 'List');
/** `aten::_foreach_add_.List(Tensor(a!)[] self, Tensor[] other, *, Scalar alpha=1) -> ()` */
export function foreachAddList_(input: readonly Tensor[], other: readonly Tensor[], alpha?: number | boolean): void {
  return void call(operator_foreachAddList_, input.map(handleOf), other.map(handleOf), alpha);
}

const operator_foreachZero_ = lazy('aten::_foreach_zero_', '');
/** `aten::_foreach_zero_(Tensor(a!)[] self) -> ()` */
export function foreachZero_(input: readonly Tensor[]): void {
  return void call(operator_foreachZero_, input.map(handleOf));
}

const operator_equal = lazy('aten::equal', '');
/** `aten::equal(Tensor self, Tensor other) -> bool` */
export function equal(input: Tensor, other: Tensor): boolean {
  return call(operator_equal, input.handle, other.handle) as boolean;
}

const operator_allclose = lazy('aten::allclose', '');
/** `aten::allclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> bool` */
export function allclose(input: Tensor, other: Tensor, rtol?: number, atol?: number, equalNan?: boolean): boolean {
  return call(operator_allclose, input.handle, other.handle, rtol, atol, equalNan) as boolean;
}

const operator_linear = lazy('keel::linear', '');
/** `keel::linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor` */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null): Tensor {
  return tensor(call(operator_linear, x.handle, weight.handle, bias?.handle));
}

const operator_linearLogprob = lazy('keel::linear_logprob', '');
/** `keel::linear_logprob(Tensor hidden, Tensor weight, Tensor targets, float scale=1., float softcap=0., int chunk=256, Tensor? allowed=None) -> (Tensor logprob, Tensor logsumexp, Tensor entropy, Tensor argmax)` */
export function linearLogprob(hidden: Tensor, weight: Tensor, targets: Tensor, scale?: number, softcap?: number, chunk?: number, allowed?: Tensor | null): [Tensor, Tensor, Tensor, Tensor] {
  return tensors(call(operator_linearLogprob, hidden.handle, weight.handle, targets.handle, scale, softcap, chunk, allowed?.handle)) as [Tensor, Tensor, Tensor, Tensor];
}

const operator_rmsNorm = lazy('keel::rms_norm', '');
/** `keel::rms_norm(Tensor x, Tensor weight, float epsilon, float offset=0.) -> Tensor` */
export function rmsNorm(x: Tensor, weight: Tensor, epsilon: number, offset?: number): Tensor {
  return tensor(call(operator_rmsNorm, x.handle, weight.handle, epsilon, offset));
}

const operator_addRmsNorm = lazy('keel::add_rms_norm', '');
/** `keel::add_rms_norm(Tensor x, Tensor update, Tensor weight, float epsilon, float offset=0.) -> (Tensor sum, Tensor normed)` */
export function addRmsNorm(x: Tensor, update: Tensor, weight: Tensor, epsilon: number, offset?: number): [Tensor, Tensor] {
  return tensors(call(operator_addRmsNorm, x.handle, update.handle, weight.handle, epsilon, offset)) as [Tensor, Tensor];
}

const operator_releaseRmsNorm = lazy('keel::release_rms_norm', '');
/** `keel::release_rms_norm(Tensor y, Tensor normed, Tensor x, Tensor weight, float epsilon, float offset=0.) -> Tensor` */
export function releaseRmsNorm(y: Tensor, normed: Tensor, x: Tensor, weight: Tensor, epsilon: number, offset?: number): Tensor {
  return tensor(call(operator_releaseRmsNorm, y.handle, normed.handle, x.handle, weight.handle, epsilon, offset));
}

const operator_swiglu = lazy('keel::swiglu', '');
/** `keel::swiglu(Tensor gate, Tensor up) -> Tensor` */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return tensor(call(operator_swiglu, gate.handle, up.handle));
}

const operator_releaseSwiglu = lazy('keel::release_swiglu', '');
/** `keel::release_swiglu(Tensor y, Tensor product, Tensor gate, Tensor up) -> Tensor` */
export function releaseSwiglu(y: Tensor, product: Tensor, gate: Tensor, up: Tensor): Tensor {
  return tensor(call(operator_releaseSwiglu, y.handle, product.handle, gate.handle, up.handle));
}

const operator_geglu = lazy('keel::geglu', '');
/** `keel::geglu(Tensor gate, Tensor up, str approximate="none") -> Tensor` */
export function geglu(gate: Tensor, up: Tensor, approximate?: string): Tensor {
  return tensor(call(operator_geglu, gate.handle, up.handle, approximate));
}

const operator_releaseGeglu = lazy('keel::release_geglu', '');
/** `keel::release_geglu(Tensor y, Tensor product, Tensor gate, Tensor up, str approximate="none") -> Tensor` */
export function releaseGeglu(y: Tensor, product: Tensor, gate: Tensor, up: Tensor, approximate?: string): Tensor {
  return tensor(call(operator_releaseGeglu, y.handle, product.handle, gate.handle, up.handle, approximate));
}

const operator_rotate = lazy('keel::rotate', '');
/** `keel::rotate(Tensor x, Tensor cosine, Tensor sine) -> Tensor` */
export function rotate(x: Tensor, cosine: Tensor, sine: Tensor): Tensor {
  return tensor(call(operator_rotate, x.handle, cosine.handle, sine.handle));
}

const operator_loraLinears = lazy('keel::lora_linears', '');
/** `keel::lora_linears(Tensor x, Tensor[] weights, Tensor[] biases, Tensor[] a, Tensor[] b, float scale) -> Tensor[]` */
export function loraLinears(x: Tensor, weights: readonly Tensor[], biases: readonly Tensor[], a: readonly Tensor[], b: readonly Tensor[], scale: number): Tensor[] {
  return tensors(call(operator_loraLinears, x.handle, weights.map(handleOf), biases.map(handleOf), a.map(handleOf), b.map(handleOf), scale));
}

const operator_segmentAttention = lazy('keel::segment_attention', '');
/** `keel::segment_attention(Tensor query, Tensor key, Tensor value, int[] segments, float scale, int window=0, float softcap=0.) -> Tensor` */
export function segmentAttention(query: Tensor, key: Tensor, value: Tensor, segments: readonly number[], scale: number, window?: number, softcap?: number): Tensor {
  return tensor(call(operator_segmentAttention, query.handle, key.handle, value.handle, segments, scale, window, softcap));
}

const operator_decodeAttention = lazy('keel::decode_attention', '');
/** `keel::decode_attention(Tensor query, Tensor keys, Tensor values, Tensor rows, Tensor lengths, float scale, float softcap=0., int window=0, Tensor? prefix_keys=None, Tensor? prefix_values=None, Tensor? prefix_starts=None, Tensor? prefix_lengths=None, int longest=-1, int longest_prefix=-1) -> Tensor` */
export function decodeAttention(query: Tensor, keys: Tensor, values: Tensor, rows: Tensor, lengths: Tensor, scale: number, softcap?: number, window?: number, prefixKeys?: Tensor | null, prefixValues?: Tensor | null, prefixStarts?: Tensor | null, prefixLengths?: Tensor | null, longest?: number, longestPrefix?: number): Tensor {
  return tensor(call(operator_decodeAttention, query.handle, keys.handle, values.handle, rows.handle, lengths.handle, scale, softcap, window, prefixKeys?.handle, prefixValues?.handle, prefixStarts?.handle, prefixLengths?.handle, longest, longestPrefix));
}

const operator_decodeAttentionComposed = lazy('keel::decode_attention_composed', '');
/** `keel::decode_attention_composed(Tensor query, Tensor keys, Tensor values, Tensor rows, Tensor lengths, float scale, float softcap=0., int window=0, Tensor? prefix_keys=None, Tensor? prefix_values=None, Tensor? prefix_starts=None, Tensor? prefix_lengths=None, int longest=-1, int longest_prefix=-1) -> Tensor` */
export function decodeAttentionComposed(query: Tensor, keys: Tensor, values: Tensor, rows: Tensor, lengths: Tensor, scale: number, softcap?: number, window?: number, prefixKeys?: Tensor | null, prefixValues?: Tensor | null, prefixStarts?: Tensor | null, prefixLengths?: Tensor | null, longest?: number, longestPrefix?: number): Tensor {
  return tensor(call(operator_decodeAttentionComposed, query.handle, keys.handle, values.handle, rows.handle, lengths.handle, scale, softcap, window, prefixKeys?.handle, prefixValues?.handle, prefixStarts?.handle, prefixLengths?.handle, longest, longestPrefix));
}

const operator_decodeBlocks = lazy('keel::decode_blocks', '');
/** `keel::decode_blocks(Tensor state, Tensor?[] weights, Tensor(a!)[] caches, Tensor?[] rotations, int[] windows, Tensor rows, Tensor lengths, Tensor prefix_starts, Tensor prefix_lengths, Tensor?[] factors, float scale, float softcap, float epsilon, float offset, str activation) -> Tensor` */
export function decodeBlocks(state: Tensor, weights: readonly (Tensor | null)[], caches: readonly Tensor[], rotations: readonly (Tensor | null)[], windows: readonly number[], rows: Tensor, lengths: Tensor, prefixStarts: Tensor, prefixLengths: Tensor, factors: readonly (Tensor | null)[], scale: number, softcap: number, epsilon: number, offset: number, activation: string): Tensor {
  return tensor(call(operator_decodeBlocks, state.handle, weights.map(handleOf), caches.map(handleOf), rotations.map(handleOf), windows, rows.handle, lengths.handle, prefixStarts.handle, prefixLengths.handle, factors.map(handleOf), scale, softcap, epsilon, offset, activation));
}

const operator_draw = lazy('keel::draw', '');
/** `keel::draw(Tensor logits, Tensor uniforms, float temperature) -> (Tensor, Tensor, Tensor)` */
export function draw(logits: Tensor, uniforms: Tensor, temperature: number): [Tensor, Tensor, Tensor] {
  return tensors(call(operator_draw, logits.handle, uniforms.handle, temperature)) as [Tensor, Tensor, Tensor];
}

const operator_linearWide = lazy('keel::linear_wide', '');
/** `keel::linear_wide(Tensor x, Tensor weight) -> Tensor` */
export function linearWide(x: Tensor, weight: Tensor): Tensor {
  return tensor(call(operator_linearWide, x.handle, weight.handle));
}

const operator_quantised = lazy('keel::quantised', '');
/** `keel::quantised(Tensor bytes, str type, int[] shape, ScalarType dtype, Tensor? scales=None) -> Tensor` */
export function quantised(bytes: Tensor, type: string, shape: readonly number[], dtype: DType, scales?: Tensor | null): Tensor {
  return tensor(call(operator_quantised, bytes.handle, type, shape, dtypeCode(dtype), scales?.handle));
}

const operator_dequantise = lazy('keel::dequantise', '');
/** `keel::dequantise(Tensor weight) -> Tensor` */
export function dequantise(weight: Tensor): Tensor {
  return tensor(call(operator_dequantise, weight.handle));
}

const operator_quantisedRows = lazy('keel::quantised_rows', '');
/** `keel::quantised_rows(Tensor weight, Tensor tokens) -> Tensor` */
export function quantisedRows(weight: Tensor, tokens: Tensor): Tensor {
  return tensor(call(operator_quantisedRows, weight.handle, tokens.handle));
}

const operator_quantiseNf4 = lazy('keel::quantise_nf4', '');
/** `keel::quantise_nf4(Tensor weight) -> (Tensor bytes, Tensor scales)` */
export function quantiseNf4(weight: Tensor): [Tensor, Tensor] {
  return tensors(call(operator_quantiseNf4, weight.handle)) as [Tensor, Tensor];
}

const operator_isQuantised = lazy('keel::is_quantised', '');
/** `keel::is_quantised(Tensor weight) -> bool` */
export function isQuantised(weight: Tensor): boolean {
  return call(operator_isQuantised, weight.handle) as boolean;
}

const operator_attendsByFlash = lazy('keel::attends_by_flash', '');
/** `keel::attends_by_flash(Tensor like, int size) -> bool` */
export function attendsByFlash(like: Tensor, size: number): boolean {
  return call(operator_attendsByFlash, like.handle, size) as boolean;
}

const operator_quantisedBytes = lazy('keel::quantised_bytes', '');
/** `keel::quantised_bytes(Tensor weight) -> int` */
export function quantisedBytes(weight: Tensor): number {
  return call(operator_quantisedBytes, weight.handle) as number;
}

const operator_quantisedParts = lazy('keel::quantised_parts', '');
/** `keel::quantised_parts(Tensor weight) -> (Tensor bytes, Tensor scales)` */
export function quantisedParts(weight: Tensor): [Tensor, Tensor] {
  return tensors(call(operator_quantisedParts, weight.handle)) as [Tensor, Tensor];
}

const operator_withQuantisedParts = lazy('keel::with_quantised_parts', '');
/** `keel::with_quantised_parts(Tensor weight, Tensor bytes, Tensor scales) -> Tensor` */
export function withQuantisedParts(weight: Tensor, bytes: Tensor, scales: Tensor): Tensor {
  return tensor(call(operator_withQuantisedParts, weight.handle, bytes.handle, scales.handle));
}

const operator_maskLogits_ = lazy('keel::mask_logits_', '');
/** `keel::mask_logits_(Tensor(a!) logits, Tensor masks) -> Tensor(a!)` */
export function maskLogits_(logits: Tensor, masks: Tensor): Tensor {
  return tensor(call(operator_maskLogits_, logits.handle, masks.handle));
}

const operator_ruledOut = lazy('keel::ruled_out', '');
/** `keel::ruled_out(Tensor allowed, int vocabulary) -> Tensor` */
export function ruledOut(allowed: Tensor, vocabulary: number): Tensor {
  return tensor(call(operator_ruledOut, allowed.handle, vocabulary));
}
