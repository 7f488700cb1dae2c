import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { disposeDecoder } from '../loading/named-weights.ts';
import { tinyDecoder } from '../testing/tiny-decoder.ts';
import { loadAdapter } from './load-adapter.ts';
import { addLora } from './lora.ts';
import { saveAdapter } from './save-adapter.ts';

it('refuses tensors that the configuration does not target, as PEFT leaves them out', () => {
  const path = mkdtempSync(join(tmpdir(), 'keel-untargeted-'));
  const decoder = tinyDecoder({ dtype: 'float32' });
  try {
    const targets = ['q_proj', 'v_proj'];
    addLora(decoder, 'policy', { rank: 2, alpha: 4, targets, seed: 3 });
    saveAdapter(path, decoder, 'policy', { baseModel: 'some/model' });
    const config = join(path, 'adapter_config.json');
    const good = JSON.parse(readFileSync(config, 'utf8'));
    const loading = (change: object): (() => unknown) => {
      writeFileSync(config, JSON.stringify({ ...good, ...change }));
      return () => loadAdapter(decoder, path, 'other');
    };
    const message = /v_proj.lora_A.weight": is in the file, though .* PEFT would leave it out/;
    expect(loading({ target_modules: ['q_proj'] })).toThrow(message);
    expect(loading({ exclude_modules: ['v_proj'] })).toThrow(message);
    expect(loading({ target_modules: '.*q_proj' })).toThrow(message);
    expect(loading({ layers_to_transform: [0] })).toThrow(/layers.1.*is in the file/);
    expect(loading({ target_modules: '.*o_proj' })).toThrow(/is in the file/);
    expect(loading({ target_modules: '.*\\.[qvo]_proj' })).toThrow(/o_proj.*is missing/);
    expect(loading({ target_modules: '.*\\.[qv]_proj' })).not.toThrow();
  } finally {
    disposeDecoder(decoder);
    rmSync(path, { recursive: true });
  }
});
