import { formats } from './formats.ts';
import { forms } from './forms.ts';
import type { InstructionKind } from './instruction.ts';
import { keywords } from './keywords.ts';
import { lengths } from './lengths.ts';

/** All kinds by their ids. */
export const instructionKinds: Readonly<Record<string, InstructionKind>> = {
  ...keywords,
  ...lengths,
  ...formats,
  ...forms,
};
