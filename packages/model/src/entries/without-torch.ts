// @keel/model/without-torch: files, tokenizers and text of a model. Does not load LibTorch.
export { cpuFlags, hasFastBfloat16 } from '../cpu-features.ts';
export { cachedDefaultModel, cacheFolder, defaultModel } from '../formats/default-model.ts';
export { faultOf, fileError } from '../formats/file-error.ts';
export { shownLine, shownText } from '../formats/shown-text.ts';
export { soughtAt } from '../formats/sought-path.ts';
export { resolveModel } from '../resolve-model.ts';
export { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
