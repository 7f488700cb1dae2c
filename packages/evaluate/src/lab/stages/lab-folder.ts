import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @throws Error if the folder contains something else than a lab */
export function refuseOtherLab(output: string): void {
  if (!existsSync(output) || existsSync(join(output, 'stages'))) return;
  const [other] = readdirSync(output);
  if (other === undefined) return;
  throw new Error(
    `${output}: is not empty and is not a lab's folder (it contains ${other}). Choose another output folder`,
  );
}
