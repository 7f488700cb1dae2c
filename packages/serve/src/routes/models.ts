// GET /v1/models, and the adapters among them: POST /v1/load_lora_adapter and
// /v1/unload_lora_adapter, as vLLM has them.
import { realpathSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { runResult } from '@keel/align/config';
import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import type { ServerContext } from '../context.ts';
import type { ServedModel } from '../engine/adapters.ts';
import { parseBody } from '../protocol/parse-body.ts';

function shown({ adapters, context }: ServerContext, served: ServedModel): object {
  const { name, created, adapter, folder } = served;
  const { base } = adapters;
  return {
    ...{ id: name, object: 'model', created, owned_by: 'keel', max_model_len: context },
    root: folder ?? name,
    parent: adapter === null ? null : base.name,
  };
}

export const listModels = (server: ServerContext) => (context: Context) =>
  context.json({ object: 'list', data: server.adapters.all.map((one) => shown(server, one)) });

export const oneModel = (server: ServerContext) => (context: Context) =>
  context.json(shown(server, server.adapters.find(context.req.param('model')!)));

const loadSchema = z.strictObject({
  lora_name: z.string().min(1),
  lora_path: z.string().min(1),
  load_inplace: z.boolean().nullish(),
  base_model_name: z.string().nullish(),
});

export const loadAdapter = (server: ServerContext) => async (context: Context) => {
  refuseUnlessAllowed(server);
  const fields = await parseBody(context.req.raw, loadSchema);
  const { lora_name: name, lora_path: path, base_model_name: base } = fields;
  if (base != null && base !== server.adapters.base.name) {
    throw new ApiError(400, `This server's base is ${server.adapters.base.name}`, {
      param: 'base_model_name',
    });
  }
  let folder: string;
  try {
    folder = allowedFolder(path, server.adapterFolder);
  } catch (error) {
    throw new ApiError(400, (error as Error).message, { param: 'lora_path' });
  }
  await server.adapters.load(name, folder, { inPlace: fields.load_inplace ?? false });
  return context.text(`Success: LoRA adapter '${name}' added successfully.`);
};

/**
 * The adapter's folder.
 * @param within null: any folder of this machine
 * @throws Error if it is not below `within`, wherever its links lead
 */
function allowedFolder(path: string, within: string | null): string {
  if (within === null) return runResult(path);
  const outside = (): never => {
    throw new Error(
      `There is no folder ${path} below the one that --runtime-adapters names. Write the adapter there`,
    );
  };
  const real = (one: string): string => {
    try {
      return realpathSync(one);
    } catch {
      return outside();
    }
  };
  const top = real(within);
  // The same answer for a path outside and one that does not exist: nothing is found out.
  const isInside = (one: string): boolean => real(one).startsWith(top + sep);
  const full = resolve(top, path);
  if (!isInside(full)) outside();
  const folder = runResult(full);
  return isInside(folder) ? folder : outside();
}

const unloadSchema = z.strictObject({
  lora_name: z.string().min(1),
  lora_int_id: z.int().nullish(),
});

export const unloadAdapter = (server: ServerContext) => async (context: Context) => {
  refuseUnlessAllowed(server);
  const { lora_name: name } = await parseBody(context.req.raw, unloadSchema);
  server.adapters.unload(name);
  return context.text(`Success: LoRA adapter '${name}' removed successfully.`);
};

function refuseUnlessAllowed({ adapterLoading }: ServerContext): void {
  if (adapterLoading) return;
  throw new ApiError(
    403,
    'This server does not load or unload adapters. Start it with --runtime-adapters FOLDER or --adapter-loading',
  );
}
