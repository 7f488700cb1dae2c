import type { Attack, AttackTargets } from './attack.ts';
import { exhaustion } from './exhaustion.ts';
import { forgeries } from './forgeries.ts';
import { intrusions } from './intrusions.ts';

/** Programs that try to get out, to bring the machine down, or to be taken for right. */
export function attacks(targets: AttackTargets): Attack[] {
  return [...exhaustion, ...forgeries, ...intrusions(targets)];
}
