import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineDpoOptions } from '../methods/pairs/dpo-options.ts';
import { flagValue } from './flag-value.ts';
import { defineOptions } from './options.ts';

const definition = defineDpoOptions(['sigmoid', 'ipo']);
const descriptor = (name: string) => definition.descriptors.find((d) => d.name === name)!;

test('derives flags, YAML keys and types from the schema', () => {
  expect(descriptor('learningRate')).toMatchObject({
    flag: '--learning-rate',
    yamlKey: 'learning_rate',
    usage: '--learning-rate <rate>',
    type: 'number',
    nullable: true,
    required: false,
    default: null,
    negatedFlag: null,
  });
  expect(descriptor('shuffle')).toMatchObject({ usage: '--[no-]shuffle', default: true });
  expect(descriptor('lora')).toMatchObject({ usage: '--lora', negatedFlag: '--no-lora' });
  expect(descriptor('data')).toMatchObject({
    usage: '--data <path...>',
    required: true,
    list: true,
  });
  expect(descriptor('loss').choices).toEqual(['sigmoid', 'ipo']);
  expect(descriptor('seed').type).toBe('integer');
});

test('has every flag of the design', () => {
  const flags = definition.descriptors.map(({ usage }) => usage.split(' ')[0]);
  for (const flag of `--model --data --eval-data --output --loss --loss-weights --beta --label-smoothing
    --learning-rate --scheduler --warmup-steps --weight-decay --max-grad-norm --batch-size
    --micro-batch-size --micro-batch-tokens --gradient-checkpointing --lora-layers --epochs --max-steps --max-length --[no-]shuffle --seed
    --precision --lora --lora-rank --lora-alpha --lora-dropout --lora-targets --adapter --eval-steps
    --save-steps --save-total-limit --resume --overwrite --device --threads --on-bad-row --reference
    --[no-]precompute-reference --log-every --json --config`.split(/\s+/)) {
    expect(flags).toContain(flag);
  }
});

test('flag text becomes a value, and text of the wrong type stays text', () => {
  expect(flagValue(descriptor('beta'), '0.2')).toBe(0.2);
  expect(flagValue(descriptor('beta'), 'much')).toBe('much');
  expect(flagValue(descriptor('beta'), '')).toBe('');
  expect(flagValue(descriptor('maxSteps'), 'none')).toBeNull();
  expect(flagValue(descriptor('loss'), ['sigmoid,ipo'])).toEqual(['sigmoid', 'ipo']);
  expect(flagValue(descriptor('lossWeights'), '1,0.5')).toEqual([1, 0.5]);
  expect(flagValue(descriptor('data'), ['rows-{a,b}.jsonl'])).toEqual(['rows-{a,b}.jsonl']);
  expect(flagValue(descriptor('evalData'), ['none'])).toBeNull();
  expect(flagValue(descriptor('shuffle'), false)).toBe(false);
});

test('an option without a description is refused', () => {
  const schema = z.strictObject({ plain: z.string() });
  expect(() => defineOptions('x', schema, { complete: (parsed) => parsed })).toThrow(
    'option plain: make it with option(schema, details)',
  );
});
