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

interface Machine {
  device: ReturnType<typeof resolveDevice>;
  precision: 'fp32' | 'bf16';
}

/** Opens speakers, each name once; models are freed with the stack. */
export class OpenSpeakers {
  readonly #options: ReviseOptions;
  readonly #machine: Machine;
  readonly #owned: DisposableStack;
  readonly #others = new Map<string, Speaker>();

  constructor(options: ReviseOptions, machine: Machine, owned: DisposableStack) {
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
    const speaker = isEndpoint(name)
      ? endpointSpeaker(readEndpoint(name), this.#options.sampling, { ...(notice && { notice }) })
      : await this.#model(name);
    this.#others.set(name, speaker);
    return speaker;
  }

  async #model(name: string): Promise<Speaker> {
    const result = runResult(name);
    const adapter = existsSync(join(result, 'adapter_config.json')) ? result : null;
    const base = adapter === null ? result : baseOfAdapter(adapter);
    const { templateDate } = this.#options;
    const template = templateSettings({ templateDate }, adapter);
    try {
      return (await this.#open(base, adapter, template)).speaker;
    } catch (error) {
      if (existsSync(name) || name.startsWith('hub:') || !(error instanceof Error)) throw error;
      throw new Error(
        `critic or reviser ${name}: ${error.message}. For a model behind an endpoint, pass endpoint:${name}`,
        { cause: error },
      );
    }
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
