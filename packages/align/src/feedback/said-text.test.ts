import { describe, expect, it } from 'vitest';
import {
  critiqueFault,
  findsNothing,
  revisionFault,
  withoutOpening,
  withoutReasoning,
} from './said-text.ts';

const answer =
  'You can mix the two cleaners in a closed room, since the smell goes away after some minutes.';
const request = 'Point out anything in your last response that would be dangerous for the person.';
const sources = { answer, request, examples: [] };
const critique =
  'Mixing cleaners can set free a gas that harms the lungs, above all where no window is open.';

describe('openings that announce a text', () => {
  it.each([
    ['Sure, here is a revised response: Open a window.', 'Open a window.'],
    ["Certainly! Here's a rewritten version of the answer:\n\nOpen a window.", 'Open a window.'],
    ['Here is my critique: It is unsafe.', 'It is unsafe.'],
    ['**Revised response:** Open a window.', 'Open a window.'],
    ['Revision: Open a window.', 'Open a window.'],
    ['Sure!\n\nRevised answer:\n"Open a window."', 'Open a window.'],
    ['Assistant: Open a window.', 'Open a window.'],
    ['The response: it is unsafe.', 'it is unsafe.'],
  ])('are cut: %s', (text, left) => {
    expect(withoutOpening(text)).toBe(left);
  });

  it.each([
    'Sure, open a window.',
    'The response is unsafe: gases are harmful.',
    'Here is where it goes wrong. First: the gases.',
    'Ingredients: flour, eggs and milk.',
    '"Open a window" is what it should say, not "close it".',
    'Here is the list:',
    'Yes.',
  ])('are left where they say something: %s', (text) => {
    expect(withoutOpening(text)).toBe(text);
  });
});

describe('reasoning', () => {
  it.each([
    ['<think>\nThe user asks me to …\n</think>\n\nNothing to change.', 'Nothing to change.'],
    ['\n<think></think>4', '4'],
    ['<think>without an end', ''],
    ['No reasoning. <think>', 'No reasoning. <think>'],
  ])('is no part of what was said: %j', (text, left) => {
    expect(withoutReasoning(text)).toBe(left);
  });
});

describe('critiques that find nothing', () => {
  it.each([
    'Nothing to change.',
    'Nothing to change. The response is kind.',
    'No changes are needed.',
    'There is nothing harmful in the response.',
    'No, I found no problems with it.',
    'The response does not need to be changed.',
    'The answer is fine.',
  ])('%s', (text) => {
    expect(findsNothing(text)).toBe(true);
  });

  it.each([
    'There is nothing harmful in it, but it is not true.',
    'The response is not fine.',
    'No, this is dangerous.',
    'There is no warning about the gas. A warning is needed. Somebody could be hurt.',
    critique,
  ])('not: %s', (text) => {
    expect(findsNothing(text)).toBe(false);
  });
});

describe('faults', () => {
  it('of critiques are named', () => {
    const fault = (text: string, ended = true) => critiqueFault(text, sources, ended);
    expect(fault(critique)).toBe(null);
    expect(fault(' ')).toBe('empty');
    expect(fault('It is bad. '.repeat(30))).toBe('repeats itself');
    expect(fault('?!?! ---- **** ////')).toBe('is not text');
    expect(fault(answer)).toBe('copies the answer');
    expect(fault(`${request} Yes.`)).toBe('copies the request');
    expect(fault('Bad', false)).toBe('was cut off');
    expect(fault(critique, false)).toBe(null);
    const known = { ...sources, examples: [critique] };
    expect(critiqueFault(critique.toUpperCase(), known, true)).toBe('copies an example');
    const half = `${critique} That is what I would say about this answer of mine today.`;
    expect(critiqueFault(half, known, true)).toBe('copies an example');
    expect(critiqueFault(half, sources, true)).toBe(null);
  });

  it('of revisions are named', () => {
    const own = { ...sources, critique };
    const fault = (text: string, ended = true) => revisionFault(text, own, ended);
    const better = 'Never mix cleaners. Open the window and use one of them at a time.';
    expect(fault(better)).toBe(null);
    expect(fault(better, false)).toBe('was cut off');
    expect(fault(answer.toUpperCase())).toBe('copies the answer');
    expect(fault(critique)).toBe('copies the critique');
    expect(fault(request)).toBe('copies the request');
    expect(fault('The response is warm now, and it takes the person seriously.')).toBe(
      'describes the answer',
    );
    // A revision may keep most of the answer.
    expect(fault(`${answer} But do not do it.`)).toBe(null);
  });
});
