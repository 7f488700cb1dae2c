// Inputs of a run that a program passes itself, instead of naming files.
import { type ProgramParts, programPart } from '../config/program-parts.ts';
import type { FileHash } from '../data/open-rows.ts';
import type { ProgramRows } from '../data/program-rows.ts';
import type { OpenRewardOptions } from '../rewards/open-reward.ts';
import type { Reward } from '../rewards/reward.ts';

/** A reward of a program, and what identifies it. */
export interface ProgramReward {
  name: string;
  /** Checks it before a model is loaded. @throws Error if a module that it names does not load */
  check(): Promise<void>;
  /** @returns the reward, which the run disposes of only if `isOwned` */
  open(options: OpenRewardOptions): Promise<Reward>;
  isOwned: boolean;
  /** SHA-256 of its source, without the functions that it calls, and of files that it names. */
  files(): Promise<FileHash[]>;
}

export interface ProgramInputs {
  data?: ProgramRows;
  evalData?: ProgramRows;
  reward?: ProgramReward;
}

/**
 * A kind of training whose config.yaml records that some inputs came from a program. Their contents
 * are compared like those of files when the run is resumed.
 */
export function withProgram<Kind extends { programParts?: ProgramParts }>(
  kind: Kind,
  { data, evalData, reward }: ProgramInputs = {},
): Kind {
  const named = {
    ...(data && { data: data.name }),
    ...(evalData && { eval_data: evalData.name }),
    ...(reward && { reward: reward.name }),
  };
  const parts = Object.entries(named).map(([key, name]) => [key, programPart(name, {})]);
  if (parts.length === 0) return kind;
  return { ...kind, programParts: { ...kind.programParts, ...Object.fromEntries(parts) } };
}
