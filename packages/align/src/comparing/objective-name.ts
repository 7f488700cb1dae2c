// Parses objectives for `keel compare`: a name, or a weighted sum such as sigmoid+0.2*chosen_nll.
import { parseDecimal } from '../config/decimal.ts';
import { listed } from '../config/listed.ts';
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

/** A parsed objective. */
export interface NamedObjective {
  /** As given, for tables and folders: `sigmoid+0.2xchosen_nll`. */
  label: string;
  /** `kto` for objectives on single answers. */
  verb: 'dpo' | 'kto';
  loss: string[];
  /** One for each item of `loss`. */
  weights: number[];
  /** Whether it has a beta that can be set. */
  hasBeta: boolean;
  /** Whether it needs a reference. */
  needsReference: boolean;
}

/** @returns the objective, or an error message */
export function readObjective(text: string): NamedObjective | string {
  // Do not split at the sign of an exponent: 1e+2*ipo.
  const parts = text
    .split(/(?<!\de)\+/i)
    .map((part) => /^(?:([^*]+)\*)?([a-z_0-9-]+)$/i.exec(part.trim()));
  const loss: string[] = [];
  const weights: number[] = [];
  for (const part of parts) {
    const weight = parseDecimal(part?.[1] ?? '1');
    if (!part || weight === null || weight < 0) {
      return `"${text}" is not an objective: expected a name, or a sum such as sigmoid+0.2*chosen_nll`;
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
    return `"${text}": ${unpaired.join(' and ')} train on single answers and cannot be combined with other objectives`;
  }
  return { label, verb: 'kto', loss, weights, hasBeta: true, needsReference: true };
}

function unknown(name: string): string {
  if (rankedObjectiveNames.includes(name)) {
    return `"${name}" trains on whole rankings, but a comparison uses pairs. Remove it`;
  }
  const other = own(pairedOtherNames, name);
  if (other !== undefined) return `unknown objective "${name}"; write ${other}`;
  const near = nearest(name, known);
  return near
    ? `unknown objective "${name}"; did you mean "${near}"?`
    : `unknown objective "${name}"; ${listed('expected one of', [...pairedObjectiveNames, ...unpaired])}`;
}
