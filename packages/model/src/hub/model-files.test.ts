import { expect, it } from 'vitest';
import { modelFilesOf, NotAModel } from './model-files.ts';

const chosen = (...paths: string[]): string[] =>
  modelFilesOf(paths.map((path) => ({ path, size: 1 }))).map(({ path }) => path);

it('selects one weights file, and not other precisions, frameworks and shards', () => {
  expect(
    chosen(
      '.gitattributes',
      'README.md',
      'config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'chat_template.jinja',
      'model.safetensors',
      'model.fp16.safetensors',
      'model-00001-of-00002.safetensors',
      'model.safetensors.index.json',
      'pytorch_model.bin',
      'consolidated.safetensors',
    ),
  ).toEqual([
    'config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'chat_template.jinja',
    'model.safetensors',
  ]);
});

it('selects all shards with their index', () => {
  const sharded = [
    'config.json',
    'model.safetensors.index.json',
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
  ];
  expect(chosen(...sharded, 'model.fp16-00001-of-00002.safetensors')).toEqual(sharded);
});

it('says what a repository lacks', () => {
  expect(() => chosen('model.safetensors')).toThrow(NotAModel);
  expect(() => chosen('model.safetensors')).toThrow('has no config.json');
  expect(() => chosen('adapter_config.json')).toThrow(/an adapter, not a model.*--adapter/);
  expect(() => chosen('config.json', 'pytorch_model.bin')).toThrow(
    'has neither model.safetensors nor model.safetensors.index.json',
  );
});
