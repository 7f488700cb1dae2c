// @keel/model/without-torch: files, tokenizers and text of a model. Does not load LibTorch.
export { baseOfAdapter } from '../adapters/base-reference.ts';
export { cpuFlags, hasFastBfloat16 } from '../cpu-features.ts';
export { type GgufFileType, ggufFileTypes } from '../exporting/gguf-types.ts';
export {
  cachedDefaultModel,
  cacheFolder,
  defaultModel,
  ensureDefaultModel,
} from '../formats/default-model.ts';
export { faultOf, fileError } from '../formats/file-error.ts';
export { shownLine, shownText } from '../formats/shown-text.ts';
export { soughtAt } from '../formats/sought-path.ts';
export { pythonRepr } from '../jinja/repr.ts';
export { TextTemplate, TextTemplateError } from '../jinja/text-template.ts';
export { DEFAULT_MODEL_NAME, DEFAULT_MODEL_REPOSITORY, resolveModel } from '../resolve-model.ts';
export { adapterTemplate } from '../tokenizer/adapter-tokenizer.ts';
export { loadTokenizer, tokenizerLater } from '../tokenizer/load-tokenizer.ts';
