// The papers that a model card cites; docs/papers.md has equations and differences.

export interface Paper {
  /** The method's usual name. */
  name: string;
  /** Authors and year. */
  by: string;
  /** null if the paper is not on arXiv. */
  arxiv: string | null;
}

const paper = (name: string, by: string, arxiv: string | null = null): Paper => ({
  name,
  by,
  arxiv,
});

const dpo = paper('DPO', 'Rafailov et al. 2023', '2305.18290');
const exo = paper('EXO', 'Ji et al. 2024', '2402.00856');
const bco = paper('BCO', 'Jung et al. 2024', '2404.04656');
const aot = paper('AOT', 'Melnyk et al. 2024', '2406.05882');
const apo = paper('APO', "D'Oosterlinck et al. 2024", '2408.06266');
const ipo = paper('IPO', 'Azar et al. 2023', '2310.12036');
const rdpo = paper('R-DPO', 'Park et al. 2024', '2403.19159');
const ldDpo = paper('LD-DPO', 'Liu et al. 2024', '2409.06411');
const wpo = paper('WPO', 'Zhou et al. 2024', '2406.11827');
const betaDpo = paper('beta-DPO', 'Wu et al. 2024', '2407.08639');
const cpo = paper('CPO', 'Xu et al. 2024', '2401.08417');
const orpo = paper('ORPO', 'Hong et al. 2024', '2403.07691');
const rpo = paper('RPO', 'Pang et al. 2024', '2404.19733');

/** By the name of the objective (--loss). */
const byObjective: Readonly<Record<string, Paper>> = {
  sigmoid: dpo,
  plackett_luce: dpo,
  robust: paper('Robust DPO', 'Chowdhury et al. 2024', '2403.00409'),
  ipo,
  ipo_averaged: ipo,
  hinge: paper('RSO', 'Liu et al. 2023', '2309.06657'),
  sigmoid_norm: paper('Tulu 3', 'Lambert et al. 2024', '2411.15124'),
  exo_pair: exo,
  exo,
  nca_pair: paper('NCA', 'Chen et al. 2024', '2402.05369'),
  bco_pair: bco,
  bco_pair_unshifted: bco,
  bco,
  bco_balanced: bco,
  sppo_hard: paper('SPPO', 'Wu et al. 2024', '2405.00675'),
  aot,
  aot_unpaired: aot,
  apo_zero: apo,
  apo_down: apo,
  apo_zero_unpaired: apo,
  discopop: paper('DiscoPOP', 'Lu et al. 2024', '2406.08414'),
  odpo: paper('ODPO', 'Amini et al. 2024', '2402.10571'),
  rdpo,
  rdpo_offset: rdpo,
  dpop: paper('DPO-Positive', 'Pal et al. 2024', '2402.13228'),
  cal_dpo: paper('Cal-DPO', 'Xiao et al. 2024', '2412.14516'),
  ld_dpo: ldDpo,
  ld_dpo_policy: ldDpo,
  wpo,
  wpo_unbounded: wpo,
  beta_dpo: betaDpo,
  beta_dpo_by_pair: betaDpo,
  rainbowpo: paper('RainbowPO', 'Zhao et al. 2024', '2410.04203'),
  f_dpo: paper('f-DPO', 'Wang et al. 2023', '2309.16240'),
  rebel: paper('REBEL', 'Gao et al. 2024', '2404.16767'),
  dno: paper('DNO', 'Rosset et al. 2024', '2404.03715'),
  simpo: paper('SimPO', 'Meng et al. 2024', '2405.14734'),
  alphapo: paper('AlphaPO', 'Gupta et al. 2025', '2501.03884'),
  cpo,
  cpo_summed: cpo,
  orpo,
  orpo_by_answer: orpo,
  slic: paper('SLiC-HF', 'Zhao et al. 2023', '2305.10425'),
  chosen_nll: rpo,
  chosen_nll_by_token: rpo,
  kto: paper('KTO', 'Ethayarajh et al. 2024', '2402.01306'),
};

/** By the name of the verb; its objectives, if it has any, are cited in addition. */
const byVerb: Readonly<Record<string, Paper>> = {
  reward: paper('InstructGPT', 'Ouyang et al. 2022', '2203.02155'),
  ppo: paper('PPO', 'Schulman et al. 2017', '1707.06347'),
  grpo: paper('GRPO', 'Shao et al. 2024', '2402.03300'),
  rloo: paper('RLOO', 'Ahmadian et al. 2024', '2402.14740'),
  reinforce: paper('REINFORCE', 'Williams 1992'),
  remax: paper('ReMax', 'Li et al. 2023', '2310.10505'),
  'online-dpo': paper('Online DPO', 'Guo et al. 2024', '2402.04792'),
  d2po: paper('D2PO', 'Singhal et al. 2024', '2405.01511'),
  raft: paper('RAFT', 'Dong et al. 2023', '2304.06767'),
};

const lora = paper('LoRA', 'Hu et al. 2021', '2106.09685');

/** The papers of a run, without duplicates. Unknown objectives (a program's own) have none. */
export function papersOf(run: {
  verb: string;
  objectives: readonly string[];
  lora: boolean;
}): Paper[] {
  const own = (table: Readonly<Record<string, Paper>>, name: string): Paper[] =>
    Object.hasOwn(table, name) ? [table[name]!] : [];
  const found = [
    ...own(byVerb, run.verb),
    ...run.objectives.flatMap((name) => own(byObjective, name)),
    ...(run.lora ? [lora] : []),
  ];
  return [...new Set(found)];
}
