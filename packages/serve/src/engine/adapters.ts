// The adapters that requests can name, loaded and unloaded while the server runs.
import { loadAdapter, otherBaseNotice, removeAdapter, type Tokenizer } from '@keel/model';
import { ApiError } from '../api-error.ts';
import type { Engine } from './engine.ts';

/** A name that requests can choose as `model`. */
export interface ServedModel {
  readonly name: string;
  /** Folder of the adapter; null: the base. */
  readonly folder: string | null;
  /** The adapter's name in the decoder; null: the base. */
  readonly adapter: string | null;
  /** With the chat template that the adapter was trained with. */
  readonly tokenizer: Tokenizer;
  /** Seconds since 1970. */
  readonly created: number;
}

interface Entry {
  readonly served: ServedModel;
  /** Requests that use it. */
  users: number;
  removed: boolean;
}

export interface AdaptersOptions {
  engine: Engine;
  /** The name of the base. */
  name: string;
  /** The tokenizer for an adapter with its own chat template; null: the model's. */
  tokenizerFor?(folder: string): Promise<Tokenizer | null>;
  notice?(text: string): void;
}

/** Adapters that were loaded in this process. */
let loads = 0;

export class Adapters {
  readonly #engine: Engine;
  readonly #options: AdaptersOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: AdaptersOptions) {
    this.#engine = options.engine;
    this.#options = options;
    const { tokenizer } = options.engine.model;
    const base = { name: options.name, folder: null, adapter: null, tokenizer, created: now() };
    this.#entries.set(options.name, { served: base, users: 0, removed: false });
  }

  /** The base first. */
  get all(): ServedModel[] {
    return [...this.#entries.values()].map(({ served }) => served);
  }

  /** The base. */
  get base(): ServedModel {
    return this.all[0]!;
  }

  /** @throws ApiError 404 if there is no model of this name */
  find(name: string): ServedModel {
    return this.#entry(name).served;
  }

  /**
   * Holds a model for a request: an adapter that is unloaded meanwhile stays until the release.
   * @throws ApiError 404 if there is no model of this name
   */
  use(name: string): { served: ServedModel; release(): void } {
    const entry = this.#entry(name);
    entry.users += 1;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      entry.users -= 1;
      this.#removeUnused(entry);
    };
    return { served: entry.served, release };
  }

  /**
   * Loads an adapter under a name.
   * @param inPlace replaces an adapter of this name; requests in flight end with the old one
   * @throws ApiError 400 if the name is taken or the adapter does not fit the base
   */
  async load(name: string, folder: string, { inPlace = false } = {}): Promise<ServedModel> {
    this.#refuseTaken(name, inPlace);
    const tokenizer = await refusing(() => this.#options.tokenizerFor?.(folder));
    // Another request may have loaded one meanwhile.
    this.#refuseTaken(name, inPlace);
    const { model } = this.#engine;
    // No name is used twice in the decoder: nothing that another adapter computed is reused.
    const adapter = `${name}#${loads++}`;
    await refusing(() => loadAdapter(model.decoder, folder, adapter));
    const served = {
      ...{ name, folder, adapter, created: now() },
      tokenizer: tokenizer ?? model.tokenizer,
    };
    const before = this.#entries.get(name);
    if (before !== undefined) this.#retire(before);
    this.#entries.set(name, { served, users: 0, removed: false });
    const notice = await otherBaseNotice(model, folder);
    if (notice !== null) this.#options.notice?.(notice);
    return served;
  }

  #refuseTaken(name: string, inPlace: boolean): void {
    const before = this.#entries.get(name);
    if (before?.served.adapter === null) {
      throw new ApiError(400, `"${name}" is the name of the base. Choose another name`, {
        param: 'lora_name',
      });
    }
    if (before !== undefined && !inPlace) {
      throw new ApiError(
        400,
        `The adapter "${name}" is already loaded. Unload it first, or set "load_inplace" to true`,
        { param: 'lora_name' },
      );
    }
  }

  /** @throws ApiError 404 if there is no adapter of this name, 400 for the base */
  unload(name: string): void {
    const entry = this.#entry(name);
    if (entry.served.adapter === null) {
      throw new ApiError(400, `"${name}" is the base, which cannot be unloaded`, {
        param: 'lora_name',
      });
    }
    this.#entries.delete(name);
    this.#retire(entry);
  }

  /** Removes all adapters from the model. None of their requests may run. */
  dispose(): void {
    for (const { name, adapter } of this.all) if (adapter !== null) this.unload(name);
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    throw new ApiError(
      404,
      `The model "${name}" does not exist. Models: ${[...this.#entries.keys()].join(', ')}`,
      { param: 'model', code: 'model_not_found' },
    );
  }

  #retire(entry: Entry): void {
    entry.removed = true;
    this.#removeUnused(entry);
  }

  #removeUnused({ served, users, removed }: Entry): void {
    if (!removed || users > 0 || served.adapter === null) return;
    this.#engine.forgetAdapter(served.adapter);
    removeAdapter(this.#engine.model.decoder, served.adapter);
  }
}

/** @throws ApiError 400 with the reason why the folder cannot be used */
async function refusing<Result>(body: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    throw new ApiError(400, (error as Error).message, { param: 'lora_path' });
  }
}

const now = (): number => Math.floor(Date.now() / 1000);
