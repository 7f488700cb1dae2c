/**
 * The special tokens that have a name in tokenizer_config.json, by which chat templates see them.
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
