// A model's tokenizer without the index of @keel/model, which loads LibTorch.
export { loadTokenizer } from '../../../model/src/tokenizer/load-tokenizer.ts';
