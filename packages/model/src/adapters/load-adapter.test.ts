import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { disposeDecoder } from '../loading/named-weights.ts';
import { tinyDecoder } from '../testing/tiny-decoder.ts';
import { loadAdapter } from './load-adapter.ts';
import { addLora } from './lora.ts';
import { saveAdapter } from './save-adapter.ts';

it('refuses tensors that the configuration does not target, because PEFT ignores them', () => {
  const path = mkdtempSync(join(tmpdir(), 'keel-untargeted-'));
  const decoder = tinyDecoder({ dtype: 'float32' });
  try {
    const targets = ['query', 'value'];
    addLora(decoder, 'policy', { rank: 2, alpha: 4, targets, seed: 3 });
    saveAdapter(path, decoder, 'policy', { baseModel: 'some/model' });
    const config = join(path, 'adapter_config.json');
    const good = JSON.parse(readFileSync(config, 'utf8'));
    const loading = (change: object): (() => unknown) => {
      writeFileSync(config, JSON.stringify({ ...good, ...change }));
      return () => loadAdapter(decoder, path, 'other');
    };
    const message = /value\.lora_A\.weight": is in the file.*adapter_config\.json/;
    expect(loading({ target_modules: ['query'] })).toThrow(message);
    expect(loading({ exclude_modules: ['value'] })).toThrow(message);
    expect(loading({ target_modules: '.*query' })).toThrow(message);
    expect(loading({ layers_to_transform: [0] })).toThrow(/is in the file/);
    expect(loading({ target_modules: '.*output' })).toThrow(/is in the file/);
    expect(loading({ target_modules: '.*\\.(query|value|output)' })).toThrow(/output.*is missing/);
    expect(loading({ target_modules: '.*\\.(query|value)' })).not.toThrow();
  } finally {
    disposeDecoder(decoder);
    rmSync(path, { recursive: true });
  }
});
