/**
 * The special tokens with a name in tokenizer_config.json. Chat templates access them by that name.
 */
export const namedTokenFields = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
