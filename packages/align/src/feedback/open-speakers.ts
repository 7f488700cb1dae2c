import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  baseOfAdapter,
  type LanguageModel,
  loadAdapter,
  loadModel,
  type Role,
  type resolveDevice,
} from '@keel/model';
import { runResult } from '../config/run-result.ts';
import { templateSettings } from '../config/template-options.ts';
import { hashAdapter } from '../training/run-identity.ts';
import { endpointSpeaker, isEndpoint, readEndpoint } from './endpoint-speaker.ts';
import { modelSpeaker } from './model-speaker.ts';
import type { ReviseHooks, ReviseOptions } from './revise-options.ts';
import type { Speaker } from './speaker.ts';

/** Opens models as speakers; they are freed with the stack. */
export class OpenSpeakers {
  readonly #options: ReviseOptions;
  readonly #machine: { device: ReturnType<typeof resolveDevice>; precision: 'fp32' | 'bf16' };
  readonly #owned: DisposableStack;
  readonly #others = new Map<string, Speaker>();

  constructor(
    options: ReviseOptions,
    machine: { device: ReturnType<typeof resolveDevice>; precision: 'fp32' | 'bf16' },
    owned: DisposableStack,
  ) {
    this.#options = options;
    this.#machine = machine;
    this.#owned = owned;
  }

  policy(): Promise<{ model: LanguageModel; speaker: Speaker }> {
    const { model, adapter } = this.#options;
    return this.#open(model, adapter, templateSettings(this.#options, adapter));
  }

  /** @param name an endpoint, a model, or an adapter, which is applied to its base */
  async other(name: string, notice: ReviseHooks['onNotice']): Promise<Speaker> {
    const known = this.#others.get(name);
    if (known !== undefined) return known;
    if (isEndpoint(name)) {
      const { sampling } = this.#options;
      return endpointSpeaker(readEndpoint(name), sampling, { ...(notice && { notice }) });
    }
    const result = runResult(name);
    const adapter = existsSync(join(result, 'adapter_config.json')) ? result : null;
    const base = adapter === null ? result : baseOfAdapter(adapter);
    const { templateDate } = this.#options;
    const template = templateSettings({ templateDate }, adapter);
    const { speaker } = await this.#open(base, adapter, template);
    this.#others.set(name, speaker);
    return speaker;
  }

  async #open(
    name: string,
    adapter: string | null,
    template: ReturnType<typeof templateSettings>,
  ): Promise<{ model: LanguageModel; speaker: Speaker }> {
    const model = await loadModel(name, { ...this.#machine, template });
    this.#owned.defer(() => model.dispose());
    const role: Role = adapter === null ? 'reference' : 'speaker';
    if (adapter !== null) loadAdapter(model.decoder, adapter, role);
    const { sampling, batchSize } = this.#options;
    const hashes = [await model.hash(), model.tokenizer.hash, adapter && hashAdapter(adapter)];
    const speaker = modelSpeaker(model, {
      name: adapter ?? name,
      identity: hashes.filter((one) => one !== null).join(' '),
      role,
      sampling: { ...sampling, batchSize },
    });
    return { model, speaker };
  }
}
