import type { Tokenizer } from '@keel/model';
import { describe, expect, it } from 'vitest';
import type { Content, Message } from '../data/messages.ts';
import type { PreferenceRow } from '../data/rows.ts';
import { tinyChatTokenizer, tinyTemplate } from '../testing/tiny-chat-model.ts';
import { type TokenisedAnswer, type TokenisedPair, tokenisePair } from './tokenise-pair.ts';

const tokenizer = tinyChatTokenizer();
const whole = { maxLength: null };

const row = (prompt: Content, chosen: Content, rejected: Content): PreferenceRow => ({
  prompt,
  chosen,
  rejected,
  extra: {},
});
const says = (role: string, content: string): Message => ({ role, content });
const asked = [says('user', 'hello wo')];
const chat = (chosen: Message[], rejected = [says('assistant', 'no')]) =>
  row(asked, chosen, rejected);

const tokenise = (of: PreferenceRow, by: Tokenizer = tokenizer): TokenisedPair =>
  tokenisePair(of, by, whole)!;
const text = ({ tokens }: Pick<TokenisedAnswer, 'tokens'>): string => tokenizer.decode(tokens);
/** The scored part of an answer, as text. */
const scoredText = ({ tokens, scored }: TokenisedAnswer): string =>
  tokenizer.decode(tokens.filter((_, i) => scored[i]));

describe('plain rows', () => {
  it('are the encoded texts, the answers with the end-of-sequence token', () => {
    const { prompt, chosen, rejected, truncated } = tokenise(row('hello', ' wo', 'day'));
    expect(prompt).toEqual(tokenizer.encode('hello'));
    expect(chosen.tokens).toEqual([...tokenizer.encode(' wo'), tokenizer.eosTokenId]);
    expect(rejected.tokens).toEqual([...tokenizer.encode('day'), tokenizer.eosTokenId]);
    expect([...chosen.scored, ...rejected.scored].every(Boolean)).toBe(true);
    expect(chosen.scored).toHaveLength(chosen.tokens.length);
    expect(truncated).toBe(false);
  });

  it('tokenise prompt and answer separately: no token crosses their border', () => {
    const joined = tokenizer.encode('hello');
    const { prompt, chosen } = tokenise(row('he', 'llo', 'x'));
    expect([...prompt, ...chosen.tokens.slice(0, -1)]).not.toEqual(joined);
    expect(tokenizer.decode(prompt)).toBe('he');
    expect(text(chosen)).toBe('llo<|end|>');
  });

  it('end once', () => {
    expect(text(tokenise(row('a', 'b<|end|>', 'c')).chosen)).toBe('b<|end|>');
  });

  it('may have an empty prompt', () => {
    const { prompt, chosen } = tokenise(row('', 'hello', 'x'));
    expect(prompt).toEqual([]);
    expect(text(chosen)).toBe('hello<|end|>');
  });
});

describe('chats', () => {
  it('are rendered with the template, with the border before the answer', () => {
    const { prompt, chosen, rejected } = tokenise(chat([says('assistant', 'day')]));
    expect(tokenizer.decode(prompt)).toBe('<|user|>user\nhello wo<|end|>\n<|user|>assistant\n');
    expect(text(chosen)).toBe('day<|end|>\n');
    expect(scoredText(chosen)).toBe('day<|end|>\n');
    expect(text(rejected)).toBe('no<|end|>\n');
  });

  it('of several turns score only the turns of the assistant', () => {
    const turns = [says('assistant', 'one'), says('user', 'two'), says('assistant', 'three')];
    const { prompt, chosen } = tokenise(chat(turns));
    const rendered = tokenizer.chatTemplate!.render([...asked, ...turns]);
    expect(tokenizer.decode(prompt) + text(chosen)).toBe(rendered);
    expect(scoredText(chosen)).toBe('one<|end|>\nthree<|end|>\n');
  });

  it('of several turns may include one by a tool', () => {
    const turns = [says('assistant', 'call'), says('tool', '12'), says('assistant', 'it is 12')];
    const { chosen } = tokenise(chat(turns));
    expect(text(chosen)).toBe(
      'call<|end|>\n<|user|>tool\n12<|end|>\n<|user|>assistant\nit is 12<|end|>\n',
    );
    expect(scoredText(chosen)).toBe('call<|end|>\nit is 12<|end|>\n');
  });

  it('continue a prompt that ends with an assistant turn', () => {
    const begun = [...asked, says('assistant', 'well')];
    const answer = [says('user', 'go on'), says('assistant', 'day')];
    const { prompt, chosen } = tokenise(row(begun, answer, [says('user', 'x')]));
    const rendered = tokenizer.chatTemplate!.render([...begun, ...answer]);
    expect(tokenizer.decode(prompt).endsWith('well')).toBe(true);
    expect(tokenizer.decode(prompt) + text(chosen)).toBe(rendered);
    expect(scoredText(chosen)).toBe('day<|end|>\n');
  });

  it('need a template', () => {
    const without = tinyChatTokenizer(null);
    expect(() => tokenise(chat([says('assistant', 'day')]), without)).toThrow(/no chat template/);
  });

  it('are rejected if the template drops the prompt from the whole', () => {
    const forgetful = tinyChatTokenizer(tinyTemplate.replace('in messages', 'in messages[-2:]'));
    const turns = [says('assistant', 'one'), says('user', 'two'), says('assistant', 'three')];
    expect(() => tokenise(chat(turns), forgetful)).toThrow(
      /message 1 of the prompt.*--chat-template/,
    );
  });
});

describe('the maximum length', () => {
  const example = row('hello', ' wo wo wo', ' wo');
  const lengths = tokenise(example);
  const longest = lengths.prompt.length + lengths.chosen.tokens.length;

  it('does not change rows that fit', () => {
    expect(tokenisePair(example, tokenizer, { maxLength: longest })).toEqual(lengths);
  });

  it('cuts the end of an answer and reports it', () => {
    const cut = tokenisePair(example, tokenizer, { maxLength: longest - 2 })!;
    expect(cut.truncated).toBe(true);
    expect(cut.prompt).toEqual(lengths.prompt);
    expect(cut.chosen.tokens).toEqual(lengths.chosen.tokens.slice(0, -2));
    expect(cut.chosen.scored).toHaveLength(cut.chosen.tokens.length);
    expect(cut.rejected).toEqual(lengths.rejected);
  });

  it('skips a row whose prompt leaves no room for an answer', () => {
    const { length } = lengths.prompt;
    expect(tokenisePair(example, tokenizer, { maxLength: length })).toBeNull();
    const others = row('hello', 'day wo', ' wo wo');
    expect(tokenisePair(others, tokenizer, { maxLength: length + 1 })!.chosen.tokens).toHaveLength(
      1,
    );
  });

  it('skips a row of which only the shared part of both answers fits', () => {
    const { length } = lengths.prompt;
    expect(tokenisePair(example, tokenizer, { maxLength: length + 1 })).toBeNull();
  });
});
