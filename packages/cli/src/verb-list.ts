import { type Verb, verb } from './verb.ts';

/** The verbs in the order of `keel --help`. */
export const verbs: readonly Verb[] = [
  verb({
    name: 'sft',
    summary: 'fine-tune a model on chats, completions or texts (supervised)',
    options: () => import('./options/sft.ts'),
    run: () => import('./verbs/sft.ts'),
  }),
  verb({
    name: 'reward',
    summary: 'train a reward model on pairs, rankings or step labels',
    options: () => import('./options/reward.ts'),
    run: () => import('./verbs/reward.ts'),
  }),
  verb({
    name: 'dpo',
    summary: 'align a model on preference pairs (DPO and its variants)',
    options: () => import('./options/dpo.ts'),
    run: () => import('./verbs/dpo.ts'),
  }),
  verb({
    name: 'kto',
    summary: 'align a model on single answers labelled good or bad (KTO, BCO)',
    options: () => import('./options/kto.ts'),
    run: () => import('./verbs/kto.ts'),
  }),
  verb({
    name: 'ppo',
    summary: 'align a model to a reward with PPO; all roles can share one base model',
    options: () => import('./options/ppo.ts'),
    run: () => import('./verbs/ppo.ts'),
  }),
  verb({
    name: 'grpo',
    summary:
      'align a model to a reward, comparing answers to the same prompt (GRPO, Dr. GRPO, DAPO, GSPO)',
    options: () => import('./options/grpo.ts'),
    run: () => import('./verbs/grpo.ts'),
  }),
  verb({
    name: 'rloo',
    summary: 'align a model to a reward with REINFORCE and a leave-one-out baseline (RLOO)',
    options: () => import('./options/rloo.ts'),
    run: () => import('./verbs/rloo.ts'),
  }),
  verb({
    name: 'reinforce',
    summary: 'align a model to a reward with REINFORCE and a running or batch baseline',
    options: () => import('./options/reinforce.ts'),
    run: () => import('./verbs/reinforce.ts'),
  }),
  verb({
    name: 'remax',
    summary: 'align a model to a reward with REINFORCE and the greedy answer as baseline (ReMax)',
    options: () => import('./options/remax.ts'),
    run: () => import('./verbs/remax.ts'),
  }),
  verb({
    name: 'online-dpo',
    summary: 'align a model on pairs of its own answers, ranked by a reward (online DPO)',
    options: () => import('./options/online-dpo.ts'),
    run: () => import('./verbs/online-dpo.ts'),
  }),
  verb({
    name: 'd2po',
    summary:
      'align a model on pairs of its own answers: a reward labels some, a discriminator trained on them the rest (D2PO)',
    options: () => import('./options/d2po.ts'),
    run: () => import('./verbs/d2po.ts'),
  }),
  verb({
    name: 'raft',
    summary:
      'fine-tune a model on its own answers with the best rewards (rejection sampling, RAFT)',
    options: () => import('./options/raft.ts'),
    run: () => import('./verbs/raft.ts'),
  }),
  verb({
    name: 'compare',
    summary: 'train with several objectives on the same budget and compare the results',
    options: () => import('./options/compare.ts'),
    run: () => import('./verbs/compare.ts'),
  }),
  verb({
    name: 'align',
    summary: 'run a recipe: training stages that build on the results of earlier ones',
    options: () => import('./options/align.ts'),
    run: () => import('./verbs/align.ts'),
  }),
  verb({
    name: 'best-of-n',
    summary: 'sample n answers to each prompt and keep the one with the best reward',
    options: () => import('./options/best-of-n.ts'),
    run: () => import('./verbs/best-of-n.ts'),
  }),
  verb({
    name: 'generate',
    summary: 'answer prompts with a model',
    options: () => import('./options/generate.ts'),
    run: () => import('./verbs/generate.ts'),
  }),
  verb({
    name: 'chat',
    summary: 'chat with a model',
    options: () => import('./options/chat.ts'),
    run: () => import('./verbs/chat.ts'),
  }),
  verb({
    name: 'score',
    summary: 'compute rewards, or log-probabilities under a model, for the answers of a dataset',
    options: () => import('./options/score.ts'),
    run: () => import('./verbs/score.ts'),
  }),
  verb({
    name: 'tokens',
    summary: 'show how a row or a text is tokenised, and which tokens are scored',
    options: () => import('./options/tokens.ts'),
    run: () => import('./verbs/tokens.ts'),
  }),
  verb({
    name: 'doctor',
    summary: 'show what Keel found on this machine, what is slow and what to do',
    options: () => import('./options/doctor.ts'),
    run: () => import('./verbs/doctor.ts'),
  }),
  verb({
    name: 'schema',
    summary: "print the JSON Schema of a verb's YAML file, for editors",
    options: () => import('./options/schema.ts'),
    run: () => import('./verbs/schema.ts'),
  }),
];
