import { describe, expect, it } from 'vitest';
import { tinyConfigs } from '../loading/fixtures/tiny-models.ts';
import { treatmentOf } from './config-fields.ts';
// Made by fixtures/make-config-fields.py.
import known from './fixtures/config-fields.json' with { type: 'json' };
import { decoderConfigFrom, fieldsRead } from './registry.ts';

const noticesOf = (json: Record<string, unknown>): string[] => {
  const notices: string[] = [];
  decoderConfigFrom(json, (text) => void notices.push(text));
  return notices;
};

describe('the fields of a config.json', () => {
  it.each(
    Object.entries(known.fields),
  )('are all classified that transformers has for %s', (family, fields) => {
    const read = fieldsRead(family);
    const unknown = fields.filter((field) => treatmentOf(field, family, read) === null);
    expect(unknown).toEqual([]);
  });

  it('are known where they are generation parameters', () => {
    const unknown = known.generation.filter(
      (field) => treatmentOf(field, 'llama', fieldsRead('llama')) === null,
    );
    expect(unknown).toEqual([]);
  });
});
