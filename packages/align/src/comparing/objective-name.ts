// Names of objectives as `keel compare` takes them: one, or a weighted sum as in
// sigmoid+0.2*chosen_nll.
import { parseDecimal } from '../config/decimal.ts';
import { nearest } from '../config/nearest.ts';
import { own } from '../config/own.ts';
import { defaultBeta } from '../objectives/mixture.ts';
import { pairedAliases, pairedOtherNames } from '../objectives/other-names.ts';
import { rankedObjectiveNames } from '../objectives/ranked-names.ts';
import { pairedObjective, pairedObjectiveNames } from '../objectives/registry.ts';
import { unpairedObjectiveNames } from '../objectives/unpaired-registry.ts';

const unpaired: readonly string[] = unpairedObjectiveNames;
const known: readonly string[] = [
  ...Object.keys(pairedAliases),
  ...pairedObjectiveNames,
  ...unpaired,
];

/** What a name stands for. */
export interface NamedObjective {
  /** As it was given, for tables and folders: `sigmoid+0.2xchosen_nll`. */
  label: string;
  /** `kto` for objectives on single answers. */
  verb: 'dpo' | 'kto';
  loss: string[];
  /** One for each of `loss`. */
  weights: number[];
  /** Whether it has a beta that can be given. */
  hasBeta: boolean;
  /** Whether it compares with a reference. */
  needsReference: boolean;
}

/** @returns what the name stands for, or what is wrong with it */
export function readObjective(text: string): NamedObjective | string {
  // The sign of an exponent does not separate: 1e+2*ipo.
  const parts = text
    .split(/(?<!\de)\+/i)
    .map((part) => /^(?:([^*]+)\*)?([a-z_0-9-]+)$/i.exec(part.trim()));
  const loss: string[] = [];
  const weights: number[] = [];
  for (const part of parts) {
    const weight = parseDecimal(part?.[1] ?? '1');
    if (!part || weight === null || weight < 0) {
      return `"${text}" is no objective: expected a name, or a sum as in sigmoid+0.2*chosen_nll`;
    }
    const written = part[2]!.toLowerCase().replaceAll('-', '_');
    const name = own(pairedAliases, written) ?? written;
    if (!pairedObjectiveNames.includes(name) && !unpaired.includes(name)) return unknown(written);
    loss.push(name);
    weights.push(weight);
  }
  const label = text.replaceAll(/\s/g, '').toLowerCase().replaceAll('-', '_').replaceAll('*', 'x');
  if (!loss.some((name) => unpaired.includes(name))) {
    const objectives = loss.map(pairedObjective);
    return {
      ...{ label, verb: 'dpo', loss, weights },
      hasBeta: objectives.some((one) => defaultBeta(one) !== null),
      needsReference: objectives.some((one) => one.needsReference),
    };
  }
  if (loss.length > 1) {
    return `"${text}": ${unpaired.join(' and ')} learn from single answers and cannot be added to others`;
  }
  return { label, verb: 'kto', loss, weights, hasBeta: true, needsReference: true };
}

function unknown(name: string): string {
  if (rankedObjectiveNames.includes(name)) {
    return `"${name}" learns from whole rankings, and a comparison is of pairs: leave it out`;
  }
  const other = own(pairedOtherNames, name);
  if (other !== undefined) return `unknown objective "${name}"; write ${other}`;
  const near = nearest(name, known);
  return near
    ? `unknown objective "${name}"; did you mean ${near}?`
    : `unknown objective "${name}"; known are ${[...pairedObjectiveNames, ...unpaired].join(', ')}`;
}
