/** Aliases of objectives on pairs, from papers and other trainers. */
export const pairedAliases: Readonly<Record<string, string>> = {
  dpo: 'sigmoid',
  nll: 'chosen_nll',
  apo: 'apo_zero',
  nca: 'nca_pair',
  sppo: 'sppo_hard',
  aot_pair: 'aot',
  slic_hf: 'slic',
};

/** What to write instead of a name from papers and other trainers: an alias or an equivalent. */
export const pairedOtherNames: Readonly<Record<string, string>> = {
  ...pairedAliases,
  cdpo: 'sigmoid, with --label-smoothing above 0',
  rpo: 'sigmoid,chosen_nll',
  sft: "chosen_nll_by_token, which is TRL's sft, or chosen_nll, which is RPO's term",
  kto: 'keel kto, which trains on single answers',
  bco: 'keel kto --loss bco, which trains on single answers, or bco_pair',
  apo_zero_unpaired: 'keel kto --loss apo_zero_unpaired, which trains on single answers',
};
