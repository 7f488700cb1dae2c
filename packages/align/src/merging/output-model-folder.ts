import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { refuseSystemFolder } from '../runs/output-folder.ts';

/** Files of a model folder that `keel merge` or transformers wrote. */
const modelFile =
  /^(model.*\.safetensors(\.index\.json)?|.*\.jinja|additional_chat_templates|README\.md|LICENSE|.*\.txt|.*\.model|[\w.-]*\.json)$/;

/** What a folder contains that may be replaced. */
export interface FolderKind {
  /** Names of its files and folders. */
  files: RegExp;
  /** One of these is always there. */
  mark: RegExp;
}

const modelFolder: FolderKind = { files: modelFile, mark: /^config\.json$/ };

/** Any folder that `keel export` wrote. */
export const exportFolder: FolderKind = {
  files: new RegExp(`${modelFile.source}|^(.*\\.gguf|Modelfile|adapter_model\\.safetensors|base)$`),
  mark: /^config\.json$|\.gguf$|^adapter_config\.json$/,
};

/**
 * Checks the folder that a model is written to.
 * @param inputs folders and files that the model is read from
 * @throws Error if it is not empty, unless it is a model's folder that may be replaced
 */
export function checkOutput(
  output: string,
  inputs: readonly string[],
  overwrite: boolean,
  { files, mark }: FolderKind = modelFolder,
): void {
  refuseSystemFolder(output);
  const path = resolve(output);
  for (const input of inputs.filter((one) => existsSync(one)).map((one) => resolve(one))) {
    if (input === path || input.startsWith(`${path}${sep}`)) {
      throw new Error(`${output} contains an input. Pass another --output`);
    }
  }
  if (!existsSync(path)) return;
  const names = readdirSync(path);
  if (names.length === 0) return;
  const foreign = names.find((name) => !files.test(name));
  if (foreign !== undefined || !names.some((name) => mark.test(name))) {
    throw new Error(
      `${output} is neither empty nor the folder of a model (it contains ${foreign ?? names[0]}). Pass a new --output`,
    );
  }
  if (!overwrite) {
    throw new Error(
      `${output} already contains a model. Pass --overwrite to replace it, or a new --output`,
    );
  }
}

/**
 * @param bytes of the files to write
 * @throws Error if they do not fit on the disk
 */
export function checkSpace(output: string, bytes: number): void {
  let folder = resolve(output);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new Error(
    `${output}: the model needs ${gigabytes(bytes)}, but the disk has ${gigabytes(free)} free. Free some space, pass another --output, or a smaller --dtype`,
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1)} GB`;
