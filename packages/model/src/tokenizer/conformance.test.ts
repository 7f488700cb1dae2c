// Compares rendering and tokenisation of the same conversations with transformers, family by
// family.
import { describe, expect, it } from 'vitest';
import { ChatTemplateError } from './chat-template.ts';
import {
  comparedAs,
  conformanceFamilies,
  conformanceInputs,
  familyTokenizer,
  goldenTexts,
  renderOptions,
  writtenAs,
} from './testing/conformance.ts';
import { renderConversation } from './tokenizer.ts';

const inputs = conformanceInputs();

describe.each(conformanceFamilies)('%s', (family) => {
  const { now, rows } = goldenTexts(family);
  const tokenizer = familyTokenizer(family, now);
  const cases = inputs.map((input, at) => ({ ...input, input, golden: rows[at]! }));

  it.each(cases)('renders: $name', ({ input, golden }) => {
    const render = (how = {}): string =>
      renderConversation(tokenizer, input.messages, { ...renderOptions(input), ...how }).text;
    let text: string | null = null;
    if (typeof golden.text === 'object' && 'error' in golden.text) {
      expectRefusal(render, golden.text.error);
    } else {
      text = render();
      expect(writtenAs(golden.text, text)).toEqual(golden.text);
    }
    for (const [how, expected] of [
      [{ addGenerationPrompt: true }, golden.prompted],
      [{ continueFinalMessage: true }, golden.continued],
    ] as const) {
      if (expected === undefined) continue;
      if (typeof expected === 'object' && 'error' in expected) {
        expectRefusal(() => render(how), expected.error);
      } else {
        expect(comparedAs(expected, text, render(how)), JSON.stringify(how)).toEqual(expected);
      }
    }
  });

  it.each(cases.filter(({ golden }) => golden.ids !== undefined))('tokenises: $name', ({
    input,
    golden,
  }) => {
    const { ids } = renderConversation(tokenizer, input.messages, renderOptions(input));
    expect(writtenAs(golden.ids!, ids)).toEqual(golden.ids);
  });
});

/**
 * The template's own message (raise_exception) is part of the error; other errors have Keel's
 * wording.
 */
function expectRefusal(render: () => string, error: string): void {
  expect(render).toThrow(ChatTemplateError);
  const own = /^TemplateError: (.*)$/.exec(error)?.[1];
  if (own !== undefined) expect(render).toThrow(own);
}
