import { alphaPo } from './alphapo.ts';
import { aot, aotUnpaired } from './aot.ts';
import { apoDown, apoZero } from './apo.ts';
import { bcoPair, bcoPairUnshifted } from './bco-pair.ts';
import { betaDpo, betaDpoByPair } from './beta-dpo.ts';
import { calDpo } from './cal-dpo.ts';
import { chosenNll, chosenNllByToken } from './chosen-nll.ts';
import { cpo, cpoSummed } from './cpo.ts';
import { discopop } from './discopop.ts';
import { dno } from './dno.ts';
import { dpop } from './dpop.ts';
import { exo, exoPair } from './exo.ts';
import { fDpo } from './f-dpo.ts';
import { hinge } from './hinge.ts';
import { ipo, ipoAveraged } from './ipo.ts';
import { ldDpo, ldDpoPolicy } from './ld-dpo.ts';
import { ncaPair } from './nca.ts';
import { odpo } from './odpo.ts';
import { orpo, orpoByAnswer } from './orpo.ts';
import type { PairedObjective } from './paired.ts';
import { rainbowPo } from './rainbowpo.ts';
import { rdpo, rdpoOffset } from './rdpo.ts';
import { rebel } from './rebel.ts';
import { robust } from './robust.ts';
import { sigmoid } from './sigmoid.ts';
import { sigmoidNorm } from './sigmoid-norm.ts';
import { simpo } from './simpo.ts';
import { slic } from './slic.ts';
import { sppoHard } from './sppo.ts';
import { wpo, wpoUnbounded } from './wpo.ts';

/** The objectives available for --loss. */
export const pairedObjectives = [
  sigmoid,
  robust,
  ipo,
  ipoAveraged,
  hinge,
  sigmoidNorm,
  exoPair,
  exo,
  ncaPair,
  bcoPair,
  bcoPairUnshifted,
  sppoHard,
  aot,
  aotUnpaired,
  apoZero,
  apoDown,
  discopop,
  odpo,
  rdpo,
  rdpoOffset,
  dpop,
  calDpo,
  ldDpo,
  ldDpoPolicy,
  wpo,
  wpoUnbounded,
  betaDpo,
  betaDpoByPair,
  rainbowPo,
  fDpo,
  rebel,
  dno,
  simpo,
  alphaPo,
  slic,
  cpo,
  cpoSummed,
  orpo,
  orpoByAnswer,
  chosenNll,
  chosenNllByToken,
] as const satisfies readonly PairedObjective[];

const byName = new Map(pairedObjectives.map((one): [string, PairedObjective] => [one.name, one]));

export const pairedObjectiveNames: readonly string[] = [...byName.keys()];

/** @throws Error that lists the available ones */
export function pairedObjective(name: string): PairedObjective {
  const found = byName.get(name);
  if (found === undefined) {
    throw new Error(
      `unknown objective "${name}": expected one of ${pairedObjectiveNames.join(', ')}`,
    );
  }
  return found;
}
