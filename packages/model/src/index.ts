/** Language models: architectures, tokenizers, checkpoints, adapters, generation. */

export { averageAdapters } from './adapters/average-adapters.ts';
export { baseKind, baseOfAdapter, canonicalModelName } from './adapters/base-reference.ts';
export { copyAdapter, mixAdapter } from './adapters/copy-adapter.ts';
export { type LoadAdapterOptions, loadAdapter, loadAdapterHead } from './adapters/load-adapter.ts';
export {
  adapterNames,
  adapterParameters,
  addLora,
  type LoraOptions,
  removeAdapter,
} from './adapters/lora.ts';
export { mergeAdapter } from './adapters/merge.ts';
export { namedBase, otherBase, otherBaseNotice } from './adapters/other-base.ts';
export { type SaveAdapterOptions, saveAdapter } from './adapters/save-adapter.ts';
export type { Attention, AttentionLayer } from './attention.ts';
export { SegmentAttention } from './attention.ts';
export { compileConstraint } from './constraints/compiling/compile-constraint.ts';
export { opensReasoning } from './constraints/compiling/reasoning.ts';
export {
  constraintOfField,
  constraintOfResponseFormat,
  constraintOfStructuredOutputs,
} from './constraints/compiling/response-format.ts';
export type {
  CompileConstraintOptions,
  Constraint,
  ConstraintState,
  TokenConstraint,
} from './constraints/constraint.ts';
export { ConstraintError } from './constraints/language/constraint-error.ts';
export { cpuFlags, hasFastBfloat16 } from './cpu-features.ts';
export { Decoder } from './decoder.ts';
export type { DecoderConfig } from './decoder-config.ts';
export {
  type AdapterFileType,
  type AdapterGgufOptions,
  ggufAdapter,
  loadGgufAdapter,
} from './exporting/adapter-gguf.ts';
export { ExportError } from './exporting/export-error.ts';
export { type GgufFileType, ggufFileTypes } from './exporting/gguf-types.ts';
export { type Lineage, modelLicense } from './exporting/lineage.ts';
export { type GgufModel, type GgufModelOptions, ggufModel } from './exporting/write-gguf-model.ts';
export { CheckpointError } from './formats/checkpoint-error.ts';
export { cachedDefaultModel, cacheFolder, ensureDefaultModel } from './formats/default-model.ts';
export { dictionary } from './formats/dictionary.ts';
export { inPlainWords, isEngineError, reasonOf } from './formats/engine-words.ts';
export { FileError, fileError, movedFileError } from './formats/file-error.ts';
export { freeBytes } from './formats/free-bytes.ts';
export { makeFolder } from './formats/make-folder.ts';
export { nameFault, safeName, safePath } from './formats/safe-name.ts';
export { openSafetensors, type TensorFile } from './formats/safetensors.ts';
export { writeSafetensors } from './formats/safetensors-writer.ts';
export { shownLine, shownText } from './formats/shown-text.ts';
export { soughtAt } from './formats/sought-path.ts';
export type { StoredDType } from './formats/stored-dtype.ts';
export { withinTime } from './formats/within-time.ts';
export { generate, generateAll } from './generation/generate.ts';
export type { GenerateOptions, LogitsProcessor } from './generation/options.ts';
export type { GenerationEvent, GenerationResult } from './generation/sequence.ts';
export { classifierPadToken, labelsOf } from './heads/classifier-config.ts';
export { headScores, newScoreHead, SCORE_WEIGHT } from './heads/score-head.ts';
export { commitName, isCommit } from './hub/hub-commit.ts';
export { hubSuggestion } from './hub/hub-suggestion.ts';
export { pythonRepr } from './jinja/repr.ts';
export { TextTemplate, TextTemplateError } from './jinja/text-template.ts';
export { PythonFloat } from './jinja/values.ts';
export {
  type HeadScores,
  LanguageModel,
  type PassOptions,
  type Role,
  type ScoredTokens,
  type TokenScores,
} from './language-model.ts';
export { Linear, type LoraPair } from './linear.ts';
export {
  type LoadModelOptions,
  loadModel,
  type Precision,
  resolveDevice,
  resolvePrecision,
} from './load-model.ts';
export { type BasePrecision, heldAs, heldBytes } from './loading/base-weights.ts';
export { writeGenerationConfig } from './loading/generation-config.ts';
export { hashFiles } from './loading/hash-files.ts';
export { loadDecoder } from './loading/load-decoder.ts';
export { type ModelOrigin, readModelOrigin, writeModelOrigin } from './loading/model-origin.ts';
export { linearLayers, namedWeights } from './loading/named-weights.ts';
export { type SaveModelOptions, type ScoreHeadToSave, saveModel } from './loading/save-model.ts';
export type { StoredWeights } from './loading/stored-weights.ts';
export {
  backwardFlops,
  type Flops,
  forwardFlops,
  type ModelSizes,
  modelSizes,
  totalFlops,
} from './model-flops.ts';
export { ancestors, BatchBuilder, type PackedBatch, type Segment } from './packed-batch.ts';
export { DEFAULT_MODEL_NAME, resolveModel } from './resolve-model.ts';
export {
  type ChatMessage,
  ChatTemplate,
  ChatTemplateError,
  type ContentSpan,
  type GenerationSpan,
  type RenderedChat,
  type RenderOptions,
} from './tokenizer/chat-template.ts';
export type { LoadTokenizerOptions } from './tokenizer/load-options.ts';
export { loadTokenizer } from './tokenizer/load-tokenizer.ts';
export type { StreamDecoder } from './tokenizer/stream-decoder.ts';
export type { TemplateSettings } from './tokenizer/template-settings.ts';
export { Tokenizer } from './tokenizer/tokenizer.ts';
export { tokenizerFromFolder } from './tokenizer/tokenizer-from-folder.ts';
export { tokenizerFromGguf } from './tokenizer/tokenizer-from-gguf.ts';
export { type ActivationBytes, activationBytes } from './trained-blocks.ts';
