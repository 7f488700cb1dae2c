// A server of a tiny model with two adapters, for tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLora, type LanguageModel, loadModel, removeAdapter, saveAdapter } from '@keel/model';
import { noGrad, withSeed } from '@keel/torch';
import OpenAI from 'openai';
import { writeTinyChatModel } from '../../../align/src/testing/tiny-chat-model.ts';
import { type Server, type ServerOptions, startServer } from '../start-server.ts';

/** A tiny model in a temporary folder, and folders of adapters of it. */
export class TinyModel implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'keel-serve-'));
  model!: LanguageModel;

  static async open(): Promise<TinyModel> {
    const tiny = new TinyModel();
    const folder = writeTinyChatModel(join(tiny.folder, 'model'));
    tiny.model = await loadModel(folder, { precision: 'bf16', device: 'cpu' });
    return tiny;
  }

  /** Writes an adapter that changes the answers. @returns its folder */
  adapter(name: string, seed: number): string {
    const { decoder } = this.model;
    const folder = join(this.folder, name);
    const options = { rank: 4, alpha: 8, targets: 'all-linear' as const, seed };
    const parameters = addLora(decoder, name, options);
    withSeed(seed, () => {
      for (const parameter of parameters.values()) noGrad(() => parameter.normal_(0, 0.3));
    });
    saveAdapter(folder, decoder, name, { baseModel: this.model.name });
    removeAdapter(decoder, name);
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.model.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A server on a free port, and a client of it. */
export async function serveTiny(
  tiny: TinyModel,
  options: ServerOptions = {},
): Promise<{ server: Server; client: OpenAI; logged: string[] }> {
  const logged: string[] = [];
  const server = await startServer(tiny.model, {
    ...{ port: 0, name: 'tiny', log: (text) => void logged.push(text), ...options },
  });
  const apiKey = options.key ?? 'none';
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });
  return { server, client, logged };
}
