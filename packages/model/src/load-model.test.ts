import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cachedDefaultModel } from './formats/default-model.ts';
import { loadModel } from './load-model.ts';

const gguf = cachedDefaultModel();
const folder = mkdtempSync(join(tmpdir(), 'keel-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!gguf)('loadModel', () => {
  it('reads a GGUF file of any name, with its tokenizer', async () => {
    const path = join(folder, 'sha256-b179c9523d0e');
    symlinkSync(gguf!, path);
    const model = await loadModel(path, { device: 'cpu', precision: 'bf16' });
    try {
      expect(model.tokenizer.decode(model.tokenizer.encode('A cat.'))).toBe('A cat.');
    } finally {
      model.dispose();
    }
  });
});
