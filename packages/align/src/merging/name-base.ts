import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFileAtomic } from '../files/atomic-write.ts';

/**
 * Names a folder as the base in an adapter's adapter_config.json, where PEFT looks for it.
 * @throws Error for an adapter of a recipe's stage, which would count as modified
 */
export function nameBase(adapter: string, base: string): void {
  refuseRecipe(adapter);
  const path = join(adapter, 'adapter_config.json');
  const text = readFileSync(path, 'utf8');
  const named = text
    .replace(
      /("base_model_name_or_path"\s*:\s*)(null|"(?:[^"\\]|\\.)*")/,
      (_, key) => `${key}${JSON.stringify(resolve(base))}`,
    )
    .replace(/("revision"\s*:\s*)"(?:[^"\\]|\\.)*"/, '$1null');
  writeFileAtomic(path, named);
}

/** @throws Error for an adapter of a recipe's stage, which would count as modified */
export function refuseRecipe(adapter: string): void {
  if (!existsSync(join(adapter, '..', '..', 'stages.json'))) return;
  throw new Error(
    `${adapter} is the result of a recipe's stage, which would run again after a change. Copy the folder, and pass the copy as --adapter`,
  );
}
