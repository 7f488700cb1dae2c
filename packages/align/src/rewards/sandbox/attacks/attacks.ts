import type { Attack, AttackTargets } from './attack.ts';
import { exchangeForgeries } from './exchange-forgeries.ts';
import { exhaustion } from './exhaustion.ts';
import { forgeries } from './forgeries.ts';
import { intrusions } from './intrusions.ts';
import { kernelMemory } from './kernel-memory.ts';

/** Programs that try to escape, to exhaust the machine, or to pass as correct. */
export function attacks(targets: AttackTargets): Attack[] {
  return [
    ...exhaustion,
    ...kernelMemory,
    ...forgeries,
    ...exchangeForgeries,
    ...intrusions(targets),
  ];
}
