import { existsSync, renameSync, rmSync } from 'node:fs';
import { FileError, fileError, movedFileError } from '../formats/file-error.ts';
import { makeFolder } from '../formats/make-folder.ts';
import { asidePath, writeAside } from '../formats/write-aside.ts';

/**
 * Writes a temporary folder and renames it, so that the folder is either complete or absent. If it
 * exists already, its files are replaced one by one and others stay; `fill` must then write each
 * file atomically.
 * @throws FileError if the file system refuses; whatever `fill` throws. Nothing is left behind in
 *   either case
 */
export function writeFolder(folder: string, fill: (inside: string) => void): void {
  if (existsSync(folder)) {
    fill(folder);
    return;
  }
  const aside = asidePath(folder);
  try {
    makeFolder(aside);
    fill(aside);
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    const known = error instanceof FileError ? error : fileError(error, { path: folder });
    throw movedFileError(known, aside, folder);
  }
}

// transformers 5 refuses a whole number in a float field, and JavaScript writes 30.0 as 30.
const floatFields = [
  'attn_logit_softcapping',
  'final_logit_softcapping',
  'initializer_range',
  'rms_norm_eps',
  'layer_norm_epsilon',
  'rope_theta',
  'rope_local_base_freq',
  'partial_rotary_factor',
  'factor',
  'low_freq_factor',
  'high_freq_factor',
  'attention_factor',
  'beta_fast',
  'beta_slow',
  'mscale',
  'mscale_all_dim',
  'attention_dropout',
  'lora_dropout',
];
const wholeFloats = new RegExp(`^(\\s*"(?:${floatFields.join('|')})": -?\\d+)(,?)$`, 'gm');

/** JSON as Python's tools write it: float fields keep their decimal point. */
export function writeJson(path: string, json: unknown): void {
  const text = `${JSON.stringify(json, null, 2)}\n`.replace(wholeFloats, '$1.0$2');
  writeAside(path, (append) => append(new TextEncoder().encode(text)));
}
