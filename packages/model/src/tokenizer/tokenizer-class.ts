// The tokenizer class that AutoTokenizer of transformers (5.17) chooses, and the special tokens
// that the class itself names.

/** A class's `*_token` arguments; null: the class itself sets this token to none. */
export type ClassTokens = Readonly<Record<string, string | null>>;

const endOfText = {
  bos_token: '<|endoftext|>',
  eos_token: '<|endoftext|>',
  unk_token: '<|endoftext|>',
};
const sentencePiece = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' };
const roberta = {
  ...sentencePiece,
  sep_token: '</s>',
  pad_token: '<pad>',
  cls_token: '<s>',
  mask_token: '<mask>',
};
const qwen = { ...endOfText, bos_token: null, pad_token: '<|endoftext|>' };

/** Defaults of the arguments of each class's `__init__`. */
const tokensOfClass: Readonly<Record<string, ClassTokens>> = {
  GPT2Tokenizer: { ...endOfText, pad_token: null },
  GPTNeoXTokenizer: { ...endOfText, pad_token: '<|padding|>' },
  Qwen2Tokenizer: qwen,
  Qwen3_5Tokenizer: qwen,
  LlamaTokenizer: sentencePiece,
  CodeLlamaTokenizer: {
    ...sentencePiece,
    prefix_token: '▁<PRE>',
    middle_token: '▁<MID>',
    suffix_token: '▁<SUF>',
    eot_token: '▁<EOT>',
    fill_token: '<FILL_ME>',
  },
  GemmaTokenizer: {
    bos_token: '<bos>',
    eos_token: '<eos>',
    unk_token: '<unk>',
    pad_token: '<pad>',
    mask_token: '<mask>',
  },
  CohereTokenizer: {
    bos_token: '<BOS_TOKEN>',
    eos_token: '<|END_OF_TURN_TOKEN|>',
    unk_token: '<UNK>',
    sep_token: '<SEP>',
    pad_token: '<PAD>',
    cls_token: '<CLS>',
    mask_token: '<MASK_TOKEN>',
  },
  T5Tokenizer: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' },
  BertTokenizer: {
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  },
  RobertaTokenizer: roberta,
  XLMRobertaTokenizer: roberta,
};

/** The class that uses a tokenizer.json unchanged, and names no tokens. */
export const GENERAL = 'TokenizersBackend';
/** Other names for it. */
const generalClasses = ['PreTrainedTokenizer', 'PythonBackend', 'BloomTokenizer'];

/** transformers' TOKENIZER_MAPPING_NAMES for Keel's families. llama and smollm3 have no entry. */
const classOfModelType: Readonly<Record<string, string>> = {
  gpt2: 'GPT2Tokenizer',
  qwen2: 'Qwen2Tokenizer',
  qwen3: 'Qwen2Tokenizer',
  gemma2: 'GemmaTokenizer',
  gemma3_text: 'GemmaTokenizer',
  mistral: GENERAL,
  phi3: GENERAL,
};
/**
 * Families whose files often name a wrong class, which is ignored
 * (MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS).
 */
const overruling = ['qwen2'];

/**
 * The class that AutoTokenizer chooses, without "Fast". `TokenizersBackend` uses a tokenizer.json
 * unchanged.
 * @param named the `tokenizer_class` of tokenizer_config.json
 */
export function tokenizerClass(named: string | null | undefined, model: ModelConfig): string {
  const own = (named || model.tokenizer_class)?.replace(/Fast$/, '');
  const family = model.model_type ?? '';
  const registered = Object.hasOwn(classOfModelType, family) ? classOfModelType[family] : undefined;
  const overrules = registered === GENERAL || overruling.includes(family);
  const found = (overrules ? registered : (own ?? registered)) ?? GENERAL;
  return generalClasses.includes(found) ? GENERAL : found;
}

/** The fields of a config.json that determine the class. */
export interface ModelConfig {
  model_type?: string | null;
  tokenizer_class?: string | null;
}

/** The special tokens that a class names if the files do not. */
export const classTokens = (name: string): ClassTokens =>
  Object.hasOwn(tokensOfClass, name) ? tokensOfClass[name]! : {};
