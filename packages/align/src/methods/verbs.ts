// Every method, in the order of `keel --help`. To add one, write its folder and a line here.

import { ktoVerb } from './answers/verb.ts';
import { d2poVerb } from './d2po/verb.ts';
import { dpoVerb } from './dpo/verb.ts';
import { grpoVerb } from './grpo/verb.ts';
import { onlineDpoVerb } from './online-dpo/verb.ts';
import { ppoVerb } from './ppo/verb.ts';
import { raftVerb } from './raft/verb.ts';
import type { MethodVerb } from './registration/method-verb.ts';
import { reinforceVerb } from './reinforce/verb.ts';
import { remaxVerb } from './remax/verb.ts';
import { rewardVerb } from './reward/verb.ts';
import { rlooVerb } from './rloo/verb.ts';
import { sftVerb } from './supervised/verb.ts';

export const methodVerbs: readonly MethodVerb[] = [
  sftVerb,
  rewardVerb,
  dpoVerb,
  ktoVerb,
  ppoVerb,
  grpoVerb,
  rlooVerb,
  reinforceVerb,
  remaxVerb,
  onlineDpoVerb,
  d2poVerb,
  raftVerb,
];
