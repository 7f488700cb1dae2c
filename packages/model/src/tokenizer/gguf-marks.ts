// Marks of a GGUF file, such as <|im_end|>, that it types as ordinary text.
import { type Fields, tokenTypes } from './gguf-fields.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Tokens that the metadata name for their meaning, which text of their own never has. */
const markFields = ['bos_token_id', 'eos_token_id', 'eot_token_id', 'eom_token_id'];

/**
 * The types of all tokens. Some files type marks as ordinary text, or have no types at all. For the
 * marks that the metadata name, llama.cpp overrides that too.
 */
export function withNamedMarks(fields: Fields, tokens: readonly string[]): number[] {
  const written = fields.numbers('token_type', tokens.length);
  const types = written === undefined ? tokens.map(() => tokenTypes.normal) : [...written];
  const named = markFields.map((name) => fields.id(name, tokens));
  for (const id of [...named, ...fields.ids('eos_token_ids', tokens)]) {
    if (id !== null && types[id] === tokenTypes.normal) types[id] = tokenTypes.control;
  }
  return types;
}

const MARK = /^(<[^\s<>]+>|\[\/?[A-Z_]{2,}\])$/;

/** Refuses marks of the chat template that are tokens, but would be spelled out. */
export function checkTemplateMarks(
  tokenizer: Tokenizer,
  { fields, tokens, types, templates }: TemplateMarks,
): void {
  tokens.forEach((token, id) => {
    if (types[id] !== tokenTypes.normal || !MARK.test(token)) return;
    if (!templates.some((template) => template.includes(token))) return;
    if (tokenizer.encode(token).includes(id)) return;
    fields.fail(
      `the chat template writes ${JSON.stringify(token)}, which is token ${id}, but tokenizer.ggml.token_type makes it ordinary text, which would be spelled out. ` +
        'Convert the model again, or use its Hugging Face folder, which has a tokenizer.json',
    );
  });
}

interface TemplateMarks {
  fields: Fields;
  tokens: readonly string[];
  types: readonly number[];
  templates: readonly string[];
}
