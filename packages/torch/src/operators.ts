// The operators that have a TypeScript function in ops.generated.ts. After a change, run `npm run
// generate -w @keel/torch`.
export const operators: readonly string[] = `
aten::empty.memory_format aten::zeros aten::ones aten::full aten::arange aten::arange.start aten::eye
aten::zeros_like aten::ones_like aten::empty_like aten::full_like aten::rand aten::randn aten::randint.low aten::rand_like
aten::from_file aten::view.dtype
aten::add.Tensor aten::add.Scalar aten::sub.Tensor aten::sub.Scalar aten::rsub.Scalar aten::mul.Tensor aten::mul.Scalar
aten::div.Tensor aten::div.Scalar aten::neg aten::abs aten::sign aten::exp aten::expm1 aten::log aten::log1p aten::square aten::sqrt
aten::rsqrt aten::reciprocal aten::pow.Tensor_Scalar aten::tanh aten::sigmoid aten::log_sigmoid aten::silu aten::gelu aten::relu
aten::softplus aten::sin aten::cos aten::floor aten::round aten::remainder.Scalar
aten::clamp aten::clamp_min aten::clamp_max aten::maximum aten::minimum aten::where.self aten::masked_fill.Scalar aten::lerp.Scalar
aten::eq.Tensor aten::eq.Scalar aten::ne.Scalar aten::lt.Scalar aten::lt.Tensor aten::le.Scalar aten::le.Tensor aten::gt.Scalar
aten::gt.Tensor aten::ge.Scalar aten::ge.Tensor aten::logical_and aten::logical_or aten::logical_not aten::isfinite aten::any aten::all
aten::sum aten::sum.dim_IntList aten::mean aten::mean.dim aten::amax aten::amin aten::max aten::min aten::argmax aten::cumsum
aten::logsumexp aten::var.correction aten::linalg_vector_norm aten::sort aten::topk
aten::softmax.int aten::log_softmax.int
aten::matmul aten::mm aten::addmm aten::bmm aten::embedding aten::outer
aten::layer_norm aten::dropout aten::scaled_dot_product_attention
aten::view aten::reshape aten::transpose.int aten::permute aten::t aten::unsqueeze aten::squeeze.dim aten::squeeze aten::expand
aten::contiguous aten::clone aten::detach aten::to.dtype aten::to.device aten::repeat_interleave.self_int aten::repeat_interleave.Tensor
aten::flatten.using_ints aten::tril aten::triu aten::flip
aten::slice.Tensor aten::narrow aten::select.int aten::split_with_sizes aten::chunk aten::cat aten::stack aten::index_select
aten::gather aten::scatter.src aten::scatter_add aten::index_add aten::index_copy_ aten::masked_select aten::nonzero aten::segment_reduce
aten::add_.Tensor aten::add_.Scalar aten::sub_.Tensor aten::mul_.Tensor aten::mul_.Scalar aten::div_.Scalar aten::copy_ aten::zero_
aten::fill_.Scalar aten::masked_fill_.Scalar aten::lerp_.Scalar aten::addcdiv_ aten::addcmul_ aten::sqrt_ aten::clamp_
aten::uniform_ aten::normal_ aten::bernoulli.p aten::multinomial aten::exponential_
aten::_fused_adamw_ aten::_foreach_norm.Scalar aten::_foreach_mul_.Scalar aten::_foreach_mul_.Tensor aten::_foreach_add_.List aten::_foreach_zero_
aten::equal aten::allclose
keel::linear keel::linear_logprob keel::rms_norm keel::add_rms_norm keel::release_rms_norm keel::swiglu keel::release_swiglu keel::geglu keel::release_geglu keel::rotate keel::lora_linears keel::segment_attention keel::decode_attention keel::decode_attention_composed
keel::decode_blocks keel::draw keel::linear_wide keel::quantised keel::dequantise keel::quantised_rows keel::quantise_nf4 keel::is_quantised keel::attends_by_flash keel::quantised_bytes keel::quantised_parts keel::with_quantised_parts keel::mask_logits_ keel::ruled_out
`
  .trim()
  .split(/\s+/);
