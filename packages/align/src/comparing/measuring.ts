// Opens what measuring needs, once for all entries and only if something has to be measured, and
// saves the results.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type LanguageModel,
  loadAdapter,
  loadModel,
  removeAdapter,
  resolveDevice,
  resolvePrecision,
} from '@keel/model';
import { addonBuild } from '@keel/torch';
import type { OptionInput } from '../config/options.ts';
import { rowsOf } from '../config/row-options.ts';
import { templateSettings } from '../config/template-options.ts';
import { openRows } from '../data/open-rows.ts';
import { trainingFault } from '../data/training-fault.ts';
import { finalFolder } from '../recipes/recipe.ts';
import { SharedReferences } from '../reference/reference-cache.ts';
import { openReward } from '../rewards/open-reward.ts';
import { rewardFiles } from '../rewards/reward-files.ts';
import { keelVersion } from '../runs/environment.ts';
import { inputFiles } from '../training/input-files.ts';
import { fittingLength } from '../training/lengths.ts';
import type { Notice } from '../training/run-data.ts';
import { hashAdapter } from '../training/run-identity.ts';
import { type OpenSuites, openerOf, type SuiteMetric } from '../training/run-suites.ts';
import type { CompareOptions } from './compare-options.ts';
import type { CompareEntry } from './comparison.ts';
import { HeldOut, type MeasuringHooks, type Subject } from './held-out.ts';
import { type Measured, type MeasuredKey, readMeasured, writeMeasured } from './measured.ts';
import { suiteHash } from './suite-hash.ts';

/** Role of an adapter that all entries start from. */
const INITIAL = 'initial';
/** Role of an entry's adapter while it is measured. */
const MEASURED = 'measured';

/** Name under which the reference is saved. Every entry's name has a seed, so it cannot clash. */
export const REFERENCE = 'reference';

export const measuredFile = (output: string, name: string): string =>
  join(output, 'evaluation', `${name}.json`);

export interface MeasuringParts {
  notice: Notice;
  /** Needed for --eval-suites. */
  openSuites: OpenSuites | undefined;
}

export class Measuring implements AsyncDisposable {
  readonly #options: CompareOptions;
  readonly #notice: Notice;
  readonly #openSuites: OpenSuites | undefined;
  readonly #usual: MeasuredKey;
  readonly #owned = new AsyncDisposableStack();
  /** Shared with all entries' runs. */
  readonly references: SharedReferences;
  #base: Promise<LanguageModel> | null = null;
  #heldOut: Promise<HeldOut> | null = null;

  private constructor(
    options: CompareOptions,
    usual: MeasuredKey,
    { notice, openSuites }: MeasuringParts,
  ) {
    this.#options = options;
    this.#openSuites = openSuites;
    this.#usual = usual;
    this.#notice = notice;
    this.references = new SharedReferences(options.output);
  }

  /** @throws Error if a file named in the options does not exist */
  static async of(options: CompareOptions, parts: MeasuringParts): Promise<Measuring> {
    const { model, evalData, evalPrompts, maxNewTokens, evalSeed, reward, maxLength } = options;
    const { chatTemplateKwargs } = options;
    const template = templateSettings(options, options.adapter);
    const device = resolveDevice(options.device);
    const content = async (reads: OptionInput, named: unknown): Promise<string[]> =>
      ((await inputFiles(reads, named)) ?? []).map(({ sha256 }) => sha256);
    const usual = {
      model: await content('model', model),
      adapter: options.adapter === null ? null : hashAdapter(options.adapter),
      data: await content('rows', evalData),
      reward,
      reward_files: reward === null ? [] : (await rewardFiles(reward)).map(({ sha256 }) => sha256),
      ...{ prompts: evalPrompts, max_new_tokens: maxNewTokens, seed: evalSeed },
      max_length: maxLength,
      template: [template.source ?? null, chatTemplateKwargs, template.now],
      precision: `${resolvePrecision(options.precision, device, !options.lora)} ${device}`,
      code: `Keel ${keelVersion()}, ${addonBuild()}`,
      ...(options.evalSuites !== null && {
        suites: await Promise.all(options.evalSuites.map(suiteHash)),
      }),
    };
    return new Measuring(options, usual, parts);
  }

  /** The base model of LoRA entries, loaded on first use; none for full fine-tuning. */
  async sharedBase(): Promise<LanguageModel | undefined> {
    return this.#options.lora ? this.#loaded() : undefined;
  }

  /**
   * Earlier measurements of an entry's result or of the reference; null if it has to be measured.
   */
  known(name: string, sha256: string | null): Measured | null {
    return readMeasured(measuredFile(this.#options.output, name), this.#key(sha256));
  }

  /**
   * Measures an entry's result or the reference, and saves the measurements.
   * @throws the signal's reason if it is aborted
   */
  async measure(
    name: string,
    entry: CompareEntry | null,
    sha256: string | null,
    hooks: MeasuringHooks,
  ): Promise<Measured> {
    this.#heldOut ??= this.#open();
    const heldOut = await this.#heldOut;
    using subject = await this.#subject(entry);
    const found = {
      ...(await heldOut.measure(subject, hooks)),
      suites: await this.#suites(subject, hooks),
    };
    const path = measuredFile(this.#options.output, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeMeasured(path, this.#key(sha256), found);
    return found;
  }

  /** Metrics without a finite value are absent. */
  async #suites(
    subject: Subject,
    { onProgress, signal = new AbortController().signal }: MeasuringHooks,
  ): Promise<Record<string, SuiteMetric>> {
    const { evalSuites } = this.#options;
    if (evalSuites === null) return {};
    onProgress?.('suites', 0, evalSuites.length);
    const opened = await openerOf(this.#openSuites)(evalSuites, subject);
    const found = Object.entries(await opened.measure(signal));
    onProgress?.('suites', evalSuites.length, evalSuites.length);
    return Object.fromEntries(
      found.filter(([, { value, interval }]) => [value, ...interval].every(Number.isFinite)),
    );
  }

  #key(sha256: string | null): MeasuredKey {
    return { result: sha256, ...this.#usual };
  }

  async #subject(entry: CompareEntry | null): Promise<Subject & Disposable> {
    const { output, lora, adapter } = this.#options;
    const base = await this.#loaded();
    if (entry === null) {
      const role = adapter === null ? 'reference' : INITIAL;
      return { model: base, role, [Symbol.dispose]: () => {} };
    }
    const final = finalFolder(output, entry.name);
    if (lora) {
      loadAdapter(base.decoder, final, MEASURED);
      const dispose = (): void => removeAdapter(base.decoder, MEASURED);
      return { model: base, role: MEASURED, [Symbol.dispose]: dispose };
    }
    const model = await this.#load(final);
    return { model, role: 'reference', [Symbol.dispose]: () => model.dispose() };
  }

  #loaded(): Promise<LanguageModel> {
    this.#base ??= this.#load(this.#options.model).then((model) => {
      this.#owned.adopt(model, (one) => one.dispose());
      const { adapter } = this.#options;
      if (adapter !== null) loadAdapter(model.decoder, adapter, INITIAL);
      return model;
    });
    return this.#base;
  }

  #load(name: string): Promise<LanguageModel> {
    const device = resolveDevice(this.#options.device);
    const precision = resolvePrecision(this.#options.precision, device, !this.#options.lora);
    const template = templateSettings(this.#options, this.#options.adapter);
    const { basePrecision } = this.#options;
    return loadModel(name, { precision, basePrecision, device, template });
  }

  async #open(): Promise<HeldOut> {
    const { evalData, onBadRow, evalPrompts, maxNewTokens, evalSeed, adapter } = this.#options;
    const how = { ...rowsOf(this.#options), kind: 'preference' as const, refuse: trainingFault };
    const rows = this.#owned.use(await openRows(evalData, how));
    const model = await this.#loaded();
    const device = resolveDevice(this.#options.device);
    const precision = resolvePrecision(this.#options.precision, device, !this.#options.lora);
    const adapterHash = adapter === null ? null : hashAdapter(adapter);
    const role = adapter === null ? 'reference' : INITIAL;
    const positions = model.decoder.config.maxPositions;
    return HeldOut.open({
      reference: { model, role, adapterHash, precision },
      ...{ rows, onBadRow, maxNewTokens, prompts: evalPrompts, seed: evalSeed },
      maxLength: fittingLength(this.#options.maxLength, positions, this.#notice),
      reward: await this.#reward(),
      references: this.references,
    });
  }

  async #reward() {
    const { reward, model, precision, unsafeCode } = this.#options;
    if (reward === null) return null;
    return this.#owned.use(
      await openReward(reward, {
        tokenizer: model,
        precision,
        device: resolveDevice(this.#options.device),
        unsafeCode,
        emptyAnswers: 'score',
        now: templateSettings(this.#options).now,
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
