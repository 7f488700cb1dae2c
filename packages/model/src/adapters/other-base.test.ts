import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeModelOrigin } from '../loading/model-origin.ts';
import { disposeDecoder } from '../loading/named-weights.ts';
import { tinyDecoder } from '../testing/tiny-decoder.ts';
import { addLora } from './lora.ts';
import { otherBaseNotice } from './other-base.ts';
import { saveAdapter } from './save-adapter.ts';

let folder = '';
let adapter = '';
const [own, other] = ['a'.repeat(64), 'b'.repeat(64)];
const model = (name: string, sha256: string) => ({ name, hash: async () => sha256 });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-other-base-'));
  adapter = join(folder, 'adapter');
  const decoder = tinyDecoder({ dtype: 'float32' });
  addLora(decoder, 'policy', { rank: 1, alpha: 1, targets: 'all-linear', seed: 1 });
  saveAdapter(adapter, decoder, 'policy', { baseModel: 'hub:someone/tiny', baseHash: own });
  disposeDecoder(decoder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('otherBaseNotice', () => {
  it('accepts the recorded base under any name, and reports another one', async () => {
    expect(await otherBaseNotice(model('hub:someone/tiny', own), adapter)).toBeNull();
    expect(await otherBaseNotice(model('elsewhere', own), adapter)).toBeNull();
    const notice = await otherBaseNotice(model('models/other', other), adapter);
    for (const part of [adapter, 'hub:someone/tiny', 'models/other', 'aaaaaa', 'bbbbbb']) {
      expect(notice).toContain(part);
    }
  });

  it('accepts a folder that has the weights of the recorded base in another format', async () => {
    const converted = join(folder, 'converted');
    mkdirSync(converted);
    const origin = { base: 'hub:someone/tiny', baseSha256: own, dtype: 'float32' } as const;
    writeModelOrigin(converted, { ...origin, adapterSha256: null });
    expect(await otherBaseNotice(model(converted, other), adapter)).toBeNull();
    writeModelOrigin(converted, { ...origin, adapterSha256: other });
    expect(await otherBaseNotice(model(converted, other), adapter)).toContain(converted);
  });

  it("compares names for PEFT's adapters, which record no hash", async () => {
    const peft = join(folder, 'peft');
    mkdirSync(peft);
    const config = JSON.parse(readFileSync(join(adapter, 'adapter_config.json'), 'utf8'));
    writeFileSync(join(peft, 'adapter_config.json'), JSON.stringify(config));
    expect(await otherBaseNotice(model('hub:someone/tiny', own), peft)).toBeNull();
    expect(await otherBaseNotice(model('/models/Tiny', own), peft)).toBeNull();
    expect(await otherBaseNotice(model('/models/large', own), peft)).toMatch(
      /someone\/tiny.*large/,
    );
  });
});
