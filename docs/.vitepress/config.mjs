// The documentation site. Dead links fail the build, which is VitePress's default.
import { defineConfig } from 'vitepress';

const page = (text, link) => ({ text, link });

export default defineConfig({
  title: 'Keel',
  description: 'Align language models with human preferences, in TypeScript',
  cleanUrls: true,
  srcExclude: ['node_modules/**'],
  markdown: {
    theme: { light: 'github-light', dark: 'github-dark' },
    config(md) {
      // Indented code is code like any other, with a frame and a scroll bar.
      md.renderer.rules.code_block = (tokens, index, options, env, self) => {
        tokens[index].info = 'text';
        return md.renderer.rules.fence(tokens, index, options, env, self);
      };
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      page('Guide', '/guide/command-line'),
      page('Architecture', '/architecture'),
      page('Results', '/results/README'),
      page('API', '/api/'),
    ],
    sidebar: {
      '/api/': [
        {
          text: 'API',
          items: [
            page('@keel/align', '/api/modules/_keel_align'),
            page('@keel/evaluate', '/api/modules/_keel_evaluate'),
            page('@keel/model', '/api/modules/_keel_model'),
            page('@keel/torch', '/api/modules/_keel_torch'),
            page('Operators', '/api/modules/_keel_torch.ops'),
          ],
        },
      ],
      '/': [
        {
          text: 'Guide',
          items: [
            page('Command line', '/guide/command-line'),
            page('Before the first step', '/guide/training'),
            page('Rows', '/guide/rows'),
            page('Preparing data', '/guide/data'),
            page('Checking data', '/guide/checking-data'),
            page('Uncertain labels', '/guide/soft-labels'),
            page('AI feedback', '/guide/ai-feedback'),
            page('Chat templates', '/guide/templates'),
            page('Quantised bases', '/guide/quantised-bases'),
            page('Running on a GPU', '/guide/gpu'),
            page('Rewards', '/guide/rewards'),
            page('Judges', '/guide/judges'),
            page('Endpoints as judges', '/guide/endpoints'),
            page('Using the result', '/guide/results'),
            page('Constrained output', '/guide/constrained-output'),
            page('Serving a model', '/guide/serving'),
            page('Sampling on servers', '/guide/rollout-servers'),
            page('Exporting', '/guide/export'),
            page('Comparing two models', '/guide/judging'),
            page('Recipes', '/guide/recipes'),
            page('As a library', '/guide/library'),
            page('Comparing objectives', '/guide/compare'),
            page('Evaluating models', '/guide/evaluating'),
            page('Rating many models', '/guide/rating'),
            page('Keel Studio', '/guide/studio'),
            page('Collecting preferences', '/guide/collecting'),
            page('Watching runs', '/guide/watching'),
            page('Health of a run', '/guide/health'),
            page('Was the reward gamed?', '/guide/reward-hacking'),
            page('Which objective', '/choosing'),
            page('Security', '/security'),
            page('Glossary', '/glossary'),
          ],
        },
        {
          text: 'How to add',
          items: [
            page('An objective', '/how-to-add/objective'),
            page('An online method', '/how-to-add/online-method'),
            page('A reward', '/how-to-add/reward'),
            page('A model family', '/how-to-add/model-family'),
          ],
        },
        {
          text: 'Architecture',
          items: [
            page('Overview', '/architecture'),
            page('Walk-through: DPO', '/architecture/walk-dpo'),
            page('Walk-through: PPO', '/architecture/walk-ppo'),
            page('Memory of tensors', '/architecture/memory'),
            page('From paper to file', '/papers'),
          ],
        },
        {
          text: 'Decisions',
          collapsed: true,
          items: [
            page('Engine', '/architecture/decisions/engine'),
            page('Kernels', '/architecture/decisions/kernels'),
            page('Models', '/architecture/decisions/models'),
            page('Tokens and templates', '/architecture/decisions/tokens'),
            page('Roles and references', '/architecture/decisions/roles'),
            page('Training', '/architecture/decisions/training'),
            page('Online methods', '/architecture/decisions/online'),
            page('Rewards', '/architecture/decisions/rewards'),
            page('Runs and files', '/architecture/decisions/runs'),
            page('Serving', '/architecture/decisions/serving'),
            page('Constrained output', '/architecture/decisions/constraints'),
          ],
        },
        {
          text: 'Results',
          collapsed: true,
          items: [
            page('Overview', '/results/README'),
            page('Quickstart', '/results/quickstart'),
            page('Training next to TRL', '/results/dpo-vs-trl'),
            page('Online methods', '/results/online'),
            page('Comparing objectives', '/results/compare'),
            page('Default learning rates', '/results/default-rates'),
            page('Claims of the papers', '/results/objectives'),
            page('Reward models', '/results/reward'),
            page('Judges', '/results/judges'),
            page('Evaluation', '/results/evaluating'),
            page('Refusals', '/results/refusals'),
            page('Reward hacking', '/results/reward-hacking'),
            page('Over-optimisation', '/results/over-optimisation'),
            page('Recipes of AI feedback', '/results/ai-feedback'),
            page('Ranking Constitutional AI', '/results/ai-feedback-ranking'),
            page('Ratings from labels', '/results/ratings'),
            page('Keel Studio', '/results/studio'),
            page('Generation', '/results/generation'),
            page('Sequence length', '/results/length'),
            page('Memory', '/results/memory'),
            page('Engine', '/results/engine'),
            page('Start-up', '/results/start-up'),
            page('Agreement', '/results/agreement'),
            page('Health', '/results/health'),
            page('Reliability', '/results/reliability'),
            page('Exported files', '/results/export'),
            page('Serving', '/results/serving'),
            page('Constrained output', '/results/constrained-output'),
            page('Sandbox', '/results/sandbox'),
          ],
        },
      ],
    },
  },
});
