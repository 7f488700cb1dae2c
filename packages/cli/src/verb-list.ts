import { type Verb, verb } from './verb.ts';

/** The verbs in the order of `keel --help`. */
export const verbs: readonly Verb[] = [
  verb({
    name: 'sft',
    summary: 'fine-tune a model on chats, completions or text (supervised)',
    options: () => import('./options/sft.ts'),
    run: () => import('./verbs/sft.ts'),
  }),
  verb({
    name: 'reward',
    summary: 'train a reward model on pairs, rankings or the steps of answers',
    options: () => import('./options/reward.ts'),
    run: () => import('./verbs/reward.ts'),
  }),
  verb({
    name: 'dpo',
    summary: 'align a model on preference pairs (DPO and its family)',
    options: () => import('./options/dpo.ts'),
    run: () => import('./verbs/dpo.ts'),
  }),
  verb({
    name: 'kto',
    summary: 'align a model on single answers with a thumb up or down (KTO, BCO)',
    options: () => import('./options/kto.ts'),
    run: () => import('./verbs/kto.ts'),
  }),
  verb({
    name: 'ppo',
    summary: 'align a model to a reward with PPO: policy, critic, reference and reward on one base',
    options: () => import('./options/ppo.ts'),
    run: () => import('./verbs/ppo.ts'),
  }),
  verb({
    name: 'grpo',
    summary:
      'align a model to a reward, answers compared within their prompt (GRPO, Dr. GRPO, DAPO, GSPO)',
    options: () => import('./options/grpo.ts'),
    run: () => import('./verbs/grpo.ts'),
  }),
  verb({
    name: 'rloo',
    summary: 'align a model to a reward with REINFORCE and the leave-one-out baseline',
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
    summary:
      'align a model to a reward with REINFORCE and the greedy answer as the baseline (ReMax)',
    options: () => import('./options/remax.ts'),
    run: () => import('./verbs/remax.ts'),
  }),
  verb({
    name: 'online-dpo',
    summary: 'align a model on pairs of its own answers, told apart by a reward (online DPO)',
    options: () => import('./options/online-dpo.ts'),
    run: () => import('./verbs/online-dpo.ts'),
  }),
  verb({
    name: 'd2po',
    summary:
      'align a model on pairs of its own answers: few labelled by a reward, the others by a discriminator that learns of these (D2PO)',
    options: () => import('./options/d2po.ts'),
    run: () => import('./verbs/d2po.ts'),
  }),
  verb({
    name: 'raft',
    summary:
      'fine-tune a model on the best of its own answers by a reward (rejection sampling, RAFT)',
    options: () => import('./options/raft.ts'),
    run: () => import('./verbs/raft.ts'),
  }),
  verb({
    name: 'compare',
    summary: 'train with several objectives on the same budget and measure them side by side',
    options: () => import('./options/compare.ts'),
    run: () => import('./verbs/compare.ts'),
  }),
  verb({
    name: 'align',
    summary: 'run a recipe: stages of the verbs that train, each on the results of those before it',
    options: () => import('./options/align.ts'),
    run: () => import('./verbs/align.ts'),
  }),
  verb({
    name: 'best-of-n',
    summary: 'sample n answers to each prompt and keep the best by a reward',
    options: () => import('./options/best-of-n.ts'),
    run: () => import('./verbs/best-of-n.ts'),
  }),
  verb({
    name: 'generate',
    summary: 'continue prompts with a model',
    options: () => import('./options/generate.ts'),
    run: () => import('./verbs/generate.ts'),
  }),
  verb({
    name: 'chat',
    summary: 'talk with a model',
    options: () => import('./options/chat.ts'),
    run: () => import('./verbs/chat.ts'),
  }),
  verb({
    name: 'score',
    summary: 'rewards, or log-probabilities of a model, for the answers of a data set',
    options: () => import('./options/score.ts'),
    run: () => import('./verbs/score.ts'),
  }),
  verb({
    name: 'tokens',
    summary: 'show what a row or a text becomes: tokens, borders, which are scored',
    options: () => import('./options/tokens.ts'),
    run: () => import('./verbs/tokens.ts'),
  }),
  verb({
    name: 'doctor',
    summary: 'show what was found on this machine, what is slow and what to do',
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
