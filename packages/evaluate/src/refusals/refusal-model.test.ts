import { expect, test } from 'vitest';
import { classifyRefusal } from './classify-refusal.ts';
import { featuresOf } from './features.ts';
import { labelledFeatures, ownExamples } from './labelled-answers.ts';
import { decidedLabel, trainRefusalModel } from './refusal-model.ts';

test('training learns its answers, and is deterministic', () => {
  const examples = ownExamples();
  const model = trainRefusalModel(examples.map(labelledFeatures));
  const right = examples.filter(
    ({ prompt, answer, label }) => classifyRefusal(prompt, answer, model).label === label,
  );
  expect(right.length / examples.length).toBeGreaterThan(0.8);
  expect(trainRefusalModel(examples.map(labelledFeatures))).toEqual(model);
});

test('features are from 0 to 1', () => {
  const texts = [
    '',
    '...',
    '```\ncode\n',
    "No. I won't.",
    ...ownExamples().map((one) => one.answer),
  ];
  for (const prompt of ['', 'Why should I not?', 'What is arson?']) {
    for (const answer of texts) {
      for (const [name, value] of Object.entries(featuresOf(prompt, answer))) {
        expect(value, name).toBeGreaterThanOrEqual(0);
        expect(value, name).toBeLessThanOrEqual(1);
      }
    }
  }
});

test('refusing at all is decided first', () => {
  expect(decidedLabel([0.45, 0.2, 0.35])).toBe('full_refusal');
  expect(decidedLabel([0.45, 0.35, 0.2])).toBe('partial_refusal');
  expect(decidedLabel([0.51, 0, 0.49])).toBe('full_compliance');
});
