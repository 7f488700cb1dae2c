import type { Tokenizer } from '@keel/model';
import { describe, expect, it } from 'vitest';
import type { Content, Message } from '../data/messages.ts';
import type { SupervisedRow } from '../data/rows.ts';
import { tinyChatTokenizer, tinyTemplate } from '../testing/tiny-chat-model.ts';
import { defaultScoring } from './scoring-rules.ts';
import {
  type ExampleOptions,
  scoredCount,
  type TokenisedExample,
  tokeniseExample,
} from './tokenise-example.ts';

const tokenizer = tinyChatTokenizer();
const usual: ExampleOptions = { ...defaultScoring, maxLength: null };

const says = (role: string, content: string): Message => ({ role, content });
const chat = (...messages: Message[]): SupervisedRow => ({ messages, extra: {} });
const pair = (prompt: Content, completion: Content): SupervisedRow => ({
  prompt,
  completion,
  extra: {},
});
const tokenise = (
  row: SupervisedRow,
  options: Partial<ExampleOptions> = {},
  by: Tokenizer = tokenizer,
): TokenisedExample => tokeniseExample(row, by, { ...usual, ...options })!;

const text = ({ tokens }: TokenisedExample): string => tokenizer.decode(tokens);
/** The text, with scored parts in brackets. */
function marked({ tokens, scored }: TokenisedExample): string {
  let shown = '';
  for (let from = 0; from < tokens.length; ) {
    let to = from;
    while (to < tokens.length && scored[to] === scored[from]) to++;
    const part = tokenizer.decode(tokens.slice(from, to));
    shown += scored[from] ? `[${part}]` : part;
    from = to;
  }
  return shown;
}

const turns = [
  says('system', 'be brief'),
  says('user', 'one'),
  says('assistant', 'two'),
  says('user', 'three'),
  says('assistant', 'four'),
];
const rendered = tokenizer.chatTemplate!.render(turns);

describe('a chat', () => {
  it("scores the assistant's turns with the token that ends each, without headers", () => {
    const example = tokenise(chat(...turns));
    expect(text(example)).toBe(rendered);
    expect(marked(example)).toBe(
      '<|user|>system\nbe brief<|end|>\n<|user|>user\none<|end|>\n<|user|>assistant\n[two<|end|>\n]' +
        '<|user|>user\nthree<|end|>\n<|user|>assistant\n[four<|end|>\n]',
    );
    expect(example.tokens.filter((id, at) => example.scored[at] && id === 0)).toHaveLength(2);
  });

  it('can score only the last turn, or everything', () => {
    const last = tokenise(chat(...turns), { assistantTurns: 'last' });
    expect(text(last)).toBe(rendered);
    expect(marked(last)).toMatch(/^<[^[]*two<\|end\|>\n[^[]*\[four<\|end\|>\n\]$/);
    const all = tokenise(chat(...turns), { assistantOnlyLoss: false });
    expect(marked(all)).toBe(`[${rendered}]`);
    expect(all.tokens).toEqual(tokenizer.encode(rendered));
  });

  it("does not score what follows the assistant's last turn", () => {
    const example = tokenise(chat(...turns, says('user', 'thanks')));
    expect(marked(example)).toMatch(/\[four<\|end\|>\n\]<\|user\|>user\nthanks<\|end\|>\n$/);
  });

  it('is tokenised like a prompt that the model answers', () => {
    const example = tokenise(chat(...turns));
    const header = tokenizer.encode(
      tokenizer.chatTemplate!.render(turns.slice(0, 2), { addGenerationPrompt: true }),
    );
    expect(example.tokens.slice(0, header.length)).toEqual(header);
    expect(example.scored.indexOf(true)).toBe(header.length);
  });

  it('keeps its border if a turn starts with a newline', () => {
    const example = tokenise(chat(says('user', 'a'), says('assistant', '\n\nb')));
    expect(marked(example)).toBe('<|user|>user\na<|end|>\n<|user|>assistant\n[\n\nb<|end|>\n]');
  });

  it('needs a chat template', () => {
    expect(() => tokenise(chat(...turns), {}, tinyChatTokenizer(null))).toThrow(/no chat template/);
  });

  it('passes tools to the template', () => {
    const withTools = tinyChatTokenizer(
      `{% if tools %}{{ '<|user|>' + tools[0].name + '<|end|>\\n' }}{% endif %}${tinyTemplate}`,
    );
    const row = (tools: unknown[] | null): SupervisedRow => ({
      ...{ messages: turns, extra: {} },
      rendering: { tools, variables: {} },
    });
    const example = tokenise(row([{ name: 'clock' }]), {}, withTools);
    expect(marked(example)).toMatch(/^<\|user\|>clock<\|end\|>\n<\|user\|>system[^[]*\[two/);
    expect(text(tokenise(row(null), {}, withTools))).toBe(rendered);
  });
});

describe('a prompt with its completion', () => {
  it('plain: scores the completion with the end-of-sequence token', () => {
    const example = tokenise(pair('hello', ' wo'));
    expect(example.tokens).toEqual([
      ...tokenizer.encode('hello'),
      ...tokenizer.encode(' wo'),
      tokenizer.eosTokenId,
    ]);
    expect(marked(example)).toBe('hello[ wo<|end|>]');
    expect(marked(tokenise(pair('hello', ' wo'), { completionOnlyLoss: false }))).toBe(
      '[hello wo<|end|>]',
    );
  });

  it('plain: ends once, and may have no prompt', () => {
    expect(marked(tokenise(pair('hello', ' wo<|end|>')))).toBe('hello[ wo<|end|>]');
    expect(marked(tokenise(pair('', 'wo')))).toBe('[wo<|end|>]');
  });

  const asked = [says('user', 'one'), says('assistant', 'two'), says('user', 'three')];
  const answer = [says('assistant', 'four'), says('user', 'five'), says('assistant', 'six')];

  it("chat: scores the assistant's turns of the completion", () => {
    const example = tokenise(pair(asked, answer));
    expect(text(example)).toBe(tokenizer.chatTemplate!.render([...asked, ...answer]));
    expect(marked(example)).toMatch(
      /^[^[]*two<\|end\|>\n[^[]*\[four<\|end\|>\n\]<\|user\|>user\nfive[^[]*\[six<\|end\|>\n\]$/,
    );
    const last = tokenise(pair(asked, answer), { assistantTurns: 'last' });
    expect(marked(last)).toMatch(/^[^[]*four<\|end\|>\n[^[]*\[six<\|end\|>\n\]$/);
  });

  it('chat: each rule alone, and none', () => {
    const every = tokenise(pair(asked, answer), { assistantOnlyLoss: false });
    expect(marked(every)).toMatch(/^[^[]*two[^[]*\[four[^[\]]*five[^[\]]*six<\|end\|>\n\]$/);
    const turnsOfPrompt = tokenise(pair(asked, answer), { completionOnlyLoss: false });
    expect(marked(turnsOfPrompt).match(/\[[^\]]*\]/g)).toEqual([
      '[two<|end|>\n]',
      '[four<|end|>\n]',
      '[six<|end|>\n]',
    ]);
    const none = { assistantOnlyLoss: false, completionOnlyLoss: false };
    expect(marked(tokenise(pair(asked, answer), none))).toMatch(/^\[[^[\]]*\]$/);
  });

  it('chat: equals the same row as messages if the prompt has no answer', () => {
    const [question, reply] = [says('user', 'a'), says('assistant', 'b')];
    expect(tokenise(pair([question], [reply]))).toEqual(tokenise(chat(question, reply)));
  });
});

describe('text', () => {
  it('is scored whole, with the end-of-sequence token', () => {
    const example = tokenise({ text: 'hello world', extra: {} });
    expect(marked(example)).toBe('[hello world<|end|>]');
    // Nothing predicts the first token.
    expect(scoredCount(example)).toBe(example.tokens.length - 1);
  });
});

describe('the maximum length', () => {
  const row = pair('hello', ' wo wo wo');
  const whole = tokenise(row);

  it('does not change rows that fit, and cuts the end of others', () => {
    const { length } = whole.tokens;
    expect(tokenise(row, { maxLength: length })).toEqual(whole);
    const cut = tokenise(row, { maxLength: length - 2 });
    expect(cut).toEqual({
      tokens: whole.tokens.slice(0, -2),
      scored: whole.scored.slice(0, -2),
      truncated: true,
    });
  });

  it('returns null if nothing that is scored fits', () => {
    const prompt = tokenizer.encode('hello').length;
    expect(tokeniseExample(row, tokenizer, { ...usual, maxLength: prompt })).toBeNull();
    expect(scoredCount(tokenise(row, { maxLength: prompt + 1 }))).toBe(1);
  });
});
