import { type MethodVerb, methodVerbs } from '@keel/align/config';
import { type Verb, type VerbGroup, verb } from './verb.ts';

/** A method of the library as a verb. */
const trainingVerb = ({ name, example, summary, definition, run, stage }: MethodVerb): Verb =>
  verb({
    ...{ name, summary, together: true },
    options: async () => ({ definition, example }),
    run: async () => {
      const { chatWith, runVerb, scoreWith } = await import('./training/run-verb.ts');
      const use = stage.gives === 'reward model' ? scoreWith : chatWith;
      const train = await run();
      return { run: (given: Parameters<typeof train>[0]) => runVerb(name, given, train, use) };
    },
  });

/** Work on rows and on the preference store, without the weights of a model. */
const dataGroup: VerbGroup = {
  name: 'data',
  summary: 'prepare rows and collect preferences: check, convert, split, import, measure agreement',
  verbs: [
    verb({
      name: 'data check',
      summary: 'report errors, lengths, duplicates and leaks before training',
      options: () => import('./options/data-check.ts'),
      run: () => import('./verbs/data-check.ts'),
    }),
    verb({
      name: 'data convert',
      summary: "convert rows of another tool's format to Keel's rows",
      options: () => import('./options/data-convert.ts'),
      run: () => import('./verbs/data-convert.ts'),
    }),
    verb({
      name: 'data split',
      summary: 'split rows into training and held-out files, without a prompt in both',
      options: () => import('./options/data-split.ts'),
      run: () => import('./verbs/data-split.ts'),
    }),
    verb({
      name: 'data map',
      summary: "rename columns, make chats of plain rows, or change the rows' kind",
      options: () => import('./options/data-map.ts'),
      run: () => import('./verbs/data-map.ts'),
    }),
    verb({
      name: 'data import',
      summary: 'add comparisons, rankings and thumbs, with verdicts, to a project of the store',
      options: () => import('./options/data-import.ts'),
      run: () => import('./verbs/data-import.ts'),
    }),
    verb({
      name: 'data export',
      summary: 'write the verdicts of a project as rows for training or for another tool',
      options: () => import('./options/data-export.ts'),
      run: () => import('./verbs/data-export.ts'),
    }),
    verb({
      name: 'data agreement',
      summary: 'measure how much people agree, with each other and with known verdicts',
      options: () => import('./options/data-agreement.ts'),
      run: () => import('./verbs/data-agreement.ts'),
    }),
    verb({
      name: 'data projects',
      summary: 'list the projects of the store; make, rename or delete one',
      options: () => import('./options/data-projects.ts'),
      run: () => import('./verbs/data-projects.ts'),
    }),
    verb({
      name: 'data settings',
      summary:
        'show or change what a project asks of people: overlap, order, aspects, gold and more',
      options: () => import('./options/data-settings.ts'),
      run: () => import('./verbs/data-settings.ts'),
    }),
    verb({
      name: 'data tasks',
      summary: 'list tasks with their verdicts, disagreement and priority',
      options: () => import('./options/data-tasks.ts'),
      run: () => import('./verbs/data-tasks.ts'),
    }),
    verb({
      name: 'data priorities',
      summary: 'say which tasks come first, from rows with a number for each',
      options: () => import('./options/data-priorities.ts'),
      run: () => import('./verbs/data-priorities.ts'),
    }),
    verb({
      name: 'data suggest',
      summary:
        'have a judge say what it expects of open pairs, which people see after their verdict',
      options: () => import('./options/data-suggest.ts'),
      run: () => import('./verbs/data-suggest.ts'),
    }),
    verb({
      name: 'data adjudicate',
      summary: 'list the tasks on which people disagree, or settle one',
      options: () => import('./options/data-adjudicate.ts'),
      run: () => import('./verbs/data-adjudicate.ts'),
    }),
    verb({
      name: 'data battles',
      summary: 'show the ratings of models in the arena and the last battles',
      options: () => import('./options/data-battles.ts'),
      run: () => import('./verbs/data-battles.ts'),
    }),
    verb({
      name: 'data rounds',
      summary: 'list rounds of training on the labels of a project; start, stop or resume one',
      options: () => import('./options/data-rounds.ts'),
      run: () => import('./verbs/data-rounds.ts'),
    }),
    verb({
      name: 'data people',
      summary: 'list who can sign in to the Studio; invite somebody, or withdraw an invitation',
      options: () => import('./options/data-people.ts'),
      run: () => import('./verbs/data-people.ts'),
    }),
    verb({
      name: 'data log',
      summary: 'list what admins did: invitations, roles, settings, deletions',
      options: () => import('./options/data-log.ts'),
      run: () => import('./verbs/data-log.ts'),
    }),
  ],
};

/** The verbs and groups of verbs in the order of `keel --help`. */
export const commands: readonly (Verb | VerbGroup)[] = [
  ...methodVerbs.map(trainingVerb),
  verb({
    name: 'compare',
    together: true,
    summary: 'train with several objectives on the same budget and compare the results',
    options: () => import('./options/compare.ts'),
    run: () => import('./verbs/compare.ts'),
  }),
  verb({
    name: 'align',
    together: true,
    summary: 'run a recipe: training stages that build on the results of earlier ones',
    options: () => import('./options/align.ts'),
    run: () => import('./verbs/align.ts'),
  }),
  verb({
    name: 'launch',
    summary: 'train in several processes of this machine, which share the work of each step',
    options: () => import('./options/launch.ts'),
    run: () => import('./verbs/launch.ts'),
  }),
  verb({
    name: 'best-of-n',
    summary: 'sample n answers to each prompt and keep the one with the best reward',
    options: () => import('./options/best-of-n.ts'),
    run: () => import('./verbs/best-of-n.ts'),
  }),
  verb({
    name: 'revise',
    summary: 'have answers criticised and revised under principles, as rows for training',
    options: () => import('./options/revise.ts'),
    run: () => import('./verbs/revise.ts'),
  }),
  verb({
    name: 'label',
    summary: 'have a judge label pairs of answers under principles, with probabilities',
    options: () => import('./options/label.ts'),
    run: () => import('./verbs/label.ts'),
  }),
  verb({
    name: 'ask',
    summary: 'choose which pairs of answers to have compared next, by what a verdict would tell',
    options: () => import('./options/ask.ts'),
    run: () => import('./verbs/ask.ts'),
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
    name: 'serve',
    summary: 'serve a model and its adapters behind the OpenAI API',
    options: () => import('./options/serve.ts'),
    run: () => import('./verbs/serve.ts'),
  }),
  verb({
    name: 'studio',
    summary: 'collect preferences and look at runs in the browser',
    options: () => import('./options/studio.ts'),
    run: () => import('./verbs/studio.ts'),
  }),
  verb({
    name: 'score',
    summary: 'compute rewards, or log-probabilities under a model, for the answers of a dataset',
    options: () => import('./options/score.ts'),
    run: () => import('./verbs/score.ts'),
  }),
  verb({
    name: 'rate',
    summary: 'rate models by battles between them: Bradley-Terry ratings with intervals',
    options: () => import('./options/rate.ts'),
    run: () => import('./verbs/rate.ts'),
  }),
  verb({
    name: 'judge',
    summary: 'compare the answers of two models by a judge, or check a judge against people',
    options: () => import('./options/judge.ts'),
    run: () => import('./verbs/judge.ts'),
  }),
  verb({
    name: 'audit',
    summary: 'find out whether a reward was gamed, or attack it before training',
    options: () => import('./options/audit.ts'),
    run: () => import('./verbs/audit.ts'),
  }),
  verb({
    name: 'overoptimise',
    summary: 'optimise proxies of a gold reward, and see where gold stops rising',
    options: () => import('./options/overoptimise.ts'),
    run: () => import('./verbs/overoptimise.ts'),
  }),
  verb({
    name: 'evaluate',
    summary: 'run suites of tasks on models, compare them and check gates',
    options: () => import('./options/evaluate.ts'),
    run: () => import('./verbs/evaluate.ts'),
  }),
  verb({
    name: 'merge',
    summary: 'write a model, with an adapter merged into it, as a folder for transformers',
    options: () => import('./options/merge.ts'),
    run: () => import('./verbs/merge.ts'),
  }),
  verb({
    name: 'export',
    summary:
      'write a model for llama.cpp, ollama, PEFT or transformers, and check what was written',
    options: () => import('./options/export.ts'),
    run: () => import('./verbs/export.ts'),
  }),
  verb({
    name: 'tokens',
    summary: 'show how a row or a text is tokenised, and which tokens are scored',
    options: () => import('./options/tokens.ts'),
    run: () => import('./verbs/tokens.ts'),
  }),
  dataGroup,
  verb({
    name: 'setup',
    summary: 'install LibTorch and the default model, and compile the addon',
    options: () => import('./options/setup.ts'),
    run: () => import('./verbs/setup.ts'),
  }),
  verb({
    name: 'doctor',
    summary: 'show what Keel found on this machine, what is slow and what to do',
    together: true,
    options: () => import('./options/doctor.ts'),
    run: () => import('./verbs/doctor.ts'),
  }),
  verb({
    name: 'schema',
    summary: "print the JSON Schema of a verb's YAML file, for editors",
    options: () => import('./options/schema.ts'),
    run: async () => {
      const { printSchema } = await import('./verbs/schema.ts');
      return { run: (options) => printSchema(options, verbs) };
    },
  }),
];

/** Every verb, those of groups too. */
export const verbs: readonly Verb[] = commands.flatMap((one) =>
  'verbs' in one ? one.verbs : [one],
);
